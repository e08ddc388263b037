import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type History, historyMinutes, readFiles, warningsOf, withSources } from '../../src/csv/files.ts';
import { type FileFlags, readOptions } from '../../src/csv/options.ts';
import { createTestIo } from './command-io.ts';
import { tempDir } from './temp-dir.ts';

const SILENT = { show: () => {}, end: () => {} };

/** Reads files of these contents as a command does. */
export async function readTexts(
  contents: readonly (string | Buffer)[],
  flags: FileFlags = {},
): Promise<{ history: History; said: string }> {
  const dir = await tempDir();
  const names = contents.map((_, at) => join(dir, `${at}.csv`));
  for (const [at, content] of contents.entries()) await writeFile(names[at] ?? '', content);
  const io = createTestIo();
  const options = await readOptions(flags);
  const history = await withSources(names, io, SILENT, (sources) => readFiles(sources, options, io, SILENT));
  // Written output reaches the test a turn later.
  await new Promise(setImmediate);
  return { history, said: `${io.written.stderr}${warningsOf(history)}`.replaceAll(`${dir}/`, '') };
}

/**
 * The minutes read from a file, as `time key=count ...` lines; counts with labels follow theirs.
 */
export async function minutesOf(content: string | Buffer, flags: FileFlags = {}): Promise<string[]> {
  const { history } = await readTexts([content], flags);
  return minuteLines(history);
}

export function minuteLines(history: History): string[] {
  const pairs = (values: object = {}) =>
    Object.entries(values)
      .map(([key, count]) => `${key}=${count}`)
      .sort();
  return [...historyMinutes(history)].map(({ minute, counts, authCodes, labelled = [] }) =>
    [
      new Date(minute * 60_000).toISOString().slice(0, 16),
      ...pairs(counts),
      ...pairs(authCodes),
      ...labelled.flatMap((one) => [JSON.stringify(one.labels), ...pairs(one.counts), ...pairs(one.authCodes)]),
    ].join(' '),
  );
}

/** Why a file is refused. */
export const problemOf = (content: string | Buffer, flags: FileFlags = {}): Promise<string> =>
  readTexts([content], flags).then(
    () => 'no problem',
    (error: Error) => error.message.replaceAll(/^\S*\/(?=0\.csv)/gm, ''),
  );
