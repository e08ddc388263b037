import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Writes pieces of text as fast as the reader takes them.
 * @returns false when the reader has gone (`| head`), which is no failure
 * @throws the abort reason, and what else goes wrong with the stream
 */
export async function writeAll(stream: Writable, pieces: Iterable<string>, signal?: AbortSignal): Promise<boolean> {
  let failure: NodeJS.ErrnoException | undefined;
  const fail = (error: Error) => {
    failure = error;
  };
  stream.on('error', fail);
  try {
    for (const piece of pieces) {
      signal?.throwIfAborted();
      if (!stream.write(piece) && failure === undefined) await once(stream, 'drain', { signal }).catch(fail);
      if (failure !== undefined) break;
    }
    // The last pieces may fail only once they are on their way.
    if (failure === undefined) await new Promise((resolve) => stream.write('', resolve));
  } finally {
    stream.off('error', fail);
  }
  signal?.throwIfAborted();
  if (failure !== undefined && failure.code !== 'EPIPE') throw failure;
  return failure === undefined;
}
