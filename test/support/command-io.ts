import { PassThrough, Readable } from 'node:stream';
import type { CommandIo } from '../../src/commands/io.ts';

export interface TestIo extends CommandIo {
  written: { stdout: string; stderr: string };
  /** Aborting it does the same as Ctrl-C. */
  stop: AbortController;
}

/** Streams that a test can read, and a standard input that it gives. */
export function createTestIo(options: { stdin?: string; terminal?: boolean } = {}): TestIo {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => {
    const stream = new PassThrough().setEncoding('utf8');
    return stream.on('data', (text: string) => (written[name] += text));
  };
  const stop = new AbortController();
  return {
    stdin: Readable.from([options.stdin ?? '']),
    stdout: sink('stdout'),
    stderr: Object.assign(sink('stderr'), { isTTY: options.terminal === true }),
    env: process.env,
    signal: stop.signal,
    written,
    stop,
  };
}
