import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { UsageError } from '../config/usage-error.ts';
import { type History, readFiles, warningsOf, withSources } from '../csv/files.ts';
import type { ReadOptions } from '../csv/read-options.ts';
import { messageOf } from '../runtime/log.ts';
import { createProgress, type Progress } from '../runtime/progress.ts';
import { writeAll } from '../runtime/write-all.ts';
import type { CommandIo } from './io.ts';

/**
 * Runs a command that reads files and shows its progress. The text that the work returns goes to
 * stdout. What it throws goes to stderr.
 * @param interrupted what to say where the command was stopped
 * @returns the exit code: 0 done, 1 failed, 2 used wrongly
 */
export async function runReading(
  io: CommandIo,
  work: (progress: Progress) => Promise<string>,
  interrupted = 'interrupted',
): Promise<number> {
  const progress = createProgress(io.stderr);
  try {
    const text = await work(progress);
    progress.end();
    await writeAll(io.stdout, [text], io.signal);
    return 0;
  } catch (error) {
    progress.end();
    io.stderr.write(`${io.signal.aborted ? interrupted : messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Reads files as one history, and says on stderr what was recognised and what looks wrong. */
export async function readHistory(
  files: readonly string[],
  reading: ReadOptions,
  io: CommandIo,
  progress: Progress,
): Promise<History> {
  const history = await withSources(files, io, progress, (sources) => readFiles(sources, reading, io, progress));
  io.stderr.write(warningsOf(history));
  return history;
}

/** The names of files as a report shows them. */
export const shownNames = (files: readonly string[]): string =>
  files.map((file) => (file === '-' ? 'stdin' : basename(file))).join(' and ');

/** @throws Error that names the file where it cannot be written */
export async function writePage(file: string, html: string): Promise<void> {
  try {
    await writeFile(file, html);
  } catch (error) {
    throw new Error(`${file}: cannot be written: ${messageOf(error)}`);
  }
}
