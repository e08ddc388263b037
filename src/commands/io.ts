import type { Readable, Writable } from 'node:stream';

// A command used wrongly: its message goes to stderr and the exit code is 2.
export { UsageError } from '../config/config.ts';

/** Everything that a command touches of the outside, so that tests can hand it something else. */
export interface CommandIo {
  stdin: Readable;
  stdout: Writable;
  stderr: Writable & { isTTY?: boolean };
  env: NodeJS.ProcessEnv;
  /** Aborted when the program is told to stop; its reason says by what. */
  signal: AbortSignal;
}

/** Returns when the program is told to stop: by what. */
export async function untilStopped(signal: AbortSignal): Promise<string> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return String(signal.reason);
}
