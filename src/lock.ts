import { createHash } from 'node:crypto';
import { realpathSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longest path that a Unix socket may have everywhere (macOS allows 103 bytes), less the suffix of one moved aside. */
const MAX_SOCKET_PATH = 90;

function socketPath(dir: string): string {
  const inside = join(realpathSync(dir), 'lock.sock');
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
  return join(tmpdir(), `tillwatch-${createHash('sha256').update(inside).digest('hex').slice(0, 16)}.sock`);
}

/** Whether a process lives behind a socket; what cannot be asked counts as living. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      resolve(true);
      socket.end();
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
    socket.once('close', () => socket.destroy());
  });

/** @returns undefined where the name is taken */
const listen = (path: string): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server.unref()));
  });

/** Removes the socket of a process that was killed, but not the one that another start has put there in the meantime. */
async function removeDead(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return;
  }
  if (await answers(aside)) renameSync(aside, path);
  else rmSync(aside, { force: true });
}

/**
 * Holds a folder for this process: a socket that answers for as long as the process lives, so that nothing is left to
 * clear up after `kill -9`, unlike a file with a process id.
 * @returns what gives the folder back
 * @throws if another live process holds it
 */
export async function holdFolder(dir: string): Promise<() => Promise<void>> {
  const path = socketPath(dir);
  for (;;) {
    const server = await listen(path);
    if (server !== undefined) return () => new Promise((resolve) => server.close(() => resolve()));
    if (await answers(path))
      throw new Error(
        `${dir} is in use by another tillwatch process. Stop that one, or give this one another --data DIR`,
      );
    await removeDead(path);
  }
}
