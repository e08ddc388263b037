import type { CommandIo } from './commands/io.ts';
import { UsageError } from './config.ts';
import { type CsvHistory, describeProblems, readCsv } from './csv.ts';
import type { Progress } from './progress.ts';
import type { MinuteCounts } from './simulate.ts';

export interface ReadOptions {
  /** `2025-07-12`: the day of times such as `13h 05`. */
  date?: string;
  skipBadRows?: boolean;
}

/**
 * Reads a command's files, one by status or one by auth code or one of each, and tells on stderr which bad rows were left out.
 * @throws UsageError for two of a kind; otherwise as `readCsv`
 */
export async function readFiles(
  names: readonly string[],
  options: ReadOptions,
  io: CommandIo,
  progress: Progress,
): Promise<CsvHistory[]> {
  const files: CsvHistory[] = [];
  for (const name of names) {
    const file = await readCsv(name, {
      ...(options.date === undefined ? {} : { date: options.date }),
      skipBadRows: options.skipBadRows === true,
      stdin: io.stdin,
      signal: io.signal,
      onBytes: (bytes) => progress.show(`reading ${name}: ${(bytes / 1e6).toFixed(1)} MB`),
    });
    if (files.some((other) => other.kind === file.kind))
      throw new UsageError(`two files count by ${file.kind}: take one after the other, in order of time`);
    if (file.skipped > 0)
      io.stderr.write(`${name}: left out ${bad(file.skipped)}:\n${describeProblems(file.problems).join('\n')}\n`);
    files.push(file);
  }
  return files;
}

const bad = (rows: number): string => `${rows.toLocaleString('en-US')} bad row${rows === 1 ? '' : 's'}`;

export const hasStatuses = (files: readonly CsvHistory[]): boolean => files.some(({ kind }) => kind === 'status');

export function authCodesOf(files: readonly CsvHistory[]): { authCodes?: string[] } {
  const file = files.find(({ kind }) => kind === 'auth_code');
  return file === undefined ? {} : { authCodes: file.keys };
}

/** Minutes of several files as one, in order of time. */
export function* mergeMinutes(sources: Generator<MinuteCounts>[]): Generator<MinuteCounts> {
  const heads = sources.map((source) => ({ source, next: source.next() }));
  for (;;) {
    const minutes = heads.flatMap(({ next }) => (next.done ? [] : [next.value.minute]));
    if (minutes.length === 0) return;
    const minute = Math.min(...minutes);
    let merged: MinuteCounts = { minute };
    for (const head of heads) {
      if (head.next.done || head.next.value.minute !== minute) continue;
      merged = { ...merged, ...head.next.value };
      head.next = head.source.next();
    }
    yield merged;
  }
}
