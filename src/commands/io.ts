import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';

/** Everything that a command touches of the outside, so that tests can hand it something else. */
export interface CommandIo {
  stdin: Readable;
  stdout: Writable;
  stderr: Writable & { isTTY?: boolean };
  env: NodeJS.ProcessEnv;
  /** Aborted when the program is told to stop; its reason says by what. */
  signal: AbortSignal;
}

/** Adds the flags and the work of a command. Its action gives the exit code to `settle`. */
export type Define = (command: Command, io: CommandIo, settle: (code: number) => void) => void;

/** Returns when the program is told to stop: by what. */
export async function untilStopped(signal: AbortSignal): Promise<string> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return String(signal.reason);
}
