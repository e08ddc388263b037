import { fileURLToPath } from 'node:url';
import { UsageError } from '../config.ts';
import type { CsvHistory } from '../csv.ts';
import { authCodesOf, hasStatuses, mergeMinutes, readFiles } from '../csv-files.ts';
import { type Imported, type ImportProgress, importHistory, storageOf } from '../history.ts';
import { messageOf } from '../log.ts';
import { createProgress } from '../progress.ts';
import type { CommandIo } from './io.ts';

export interface ImportCommandOptions {
  /** One file, or one by status and one by auth code; `-` is stdin. */
  files: readonly string[];
  dataDir: string;
  /** Default: the project's own. */
  rulesDir?: string;
  date?: string;
  skipBadRows?: boolean;
}

/** `tillwatch import`. @returns the exit code: 0 imported, 1 nothing was imported, 2 used wrongly */
export async function importCommand(options: ImportCommandOptions, io: CommandIo): Promise<number> {
  const progress = createProgress(io.stderr);
  try {
    const files = await readFiles(options.files, options, io, progress);
    if (files.length === 0) throw new UsageError('no file to import');
    const imported = await importHistory({
      minutes: mergeMinutes(files.map((file) => file.minutes())),
      statuses: hasStatuses(files),
      ...authCodesOf(files),
      dataDir: options.dataDir,
      rulesDir: options.rulesDir ?? fileURLToPath(new URL('../../prometheus/rules', import.meta.url)),
      onProgress: (state) => progress.show(describeProgress(state)),
      signal: io.signal,
    });
    progress.end();
    io.stdout.write(summary(files, imported, options.dataDir));
    return 0;
  } catch (error) {
    progress.end();
    io.stderr.write(`${io.signal.aborted ? 'interrupted: nothing was imported' : messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function describeProgress(state: ImportProgress): string {
  if (state.step === 'minutes') return `writing counters: ${state.done} minutes`;
  return `computing recorded series: ${state.done} of ${state.total} rules (${state.record})`;
}

function summary(files: CsvHistory[], imported: Imported, dataDir: string): string {
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const skipped = files.reduce((sum, file) => sum + file.skipped, 0);
  return [
    `imported ${plural(rows, 'row')}${skipped > 0 ? ` (${plural(skipped, 'bad row')} left out)` : ''}: ` +
      `${plural(imported.minutes, 'minute')} from ${iso(imported.from)} to ${iso(imported.to)}`,
    `wrote ${plural(imported.samples, 'sample')} in ${imported.series} series to ${storageOf(dataDir)}`,
    '',
  ].join('\n');
}

const plural = (count: number, word: string): string =>
  `${count.toLocaleString('en-US')} ${word}${count === 1 ? '' : 's'}`;
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
