export type Level = 'info' | 'warn' | 'error';
/** Writes one line of log. */
export type Log = (level: Level, message: string) => void;

/** A log of lines such as `2026-11-21T12:31:00.000Z info listening on http://127.0.0.1:8080`. */
export function createLog(write: (line: string) => void): Log {
  return (level, message) =>
    write(`${new Date().toISOString()} ${level.padEnd(5)} ${message.replaceAll('\n', '\n  ')}\n`);
}

/** The message of anything thrown, with its cause's: `fetch failed: connect ECONNREFUSED`. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

/**
 * Tells of a fault once, when two looks in a row have seen it, and once more when it is over.
 * @returns takes what a look saw: the fault, or undefined
 */
export function tellFault(log: Log, over: string): (fault: string | undefined) => void {
  let seen = 0;
  return (fault) => {
    if (fault === undefined && seen >= 2) log('info', over);
    seen = fault === undefined ? 0 : seen + 1;
    if (fault !== undefined && seen === 2) log('warn', fault);
  };
}
