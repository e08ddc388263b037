import { readHistoryCalendar } from '../calendar/calendar-file.ts';
import { readCalendarFile } from '../config/config.ts';
import { UsageError } from '../config/usage-error.ts';
import { codesOf, type History, historyMinutes, readFiles, refusalOf, withSources } from '../csv/files.ts';
import type { FindingKind } from '../csv/findings.ts';
import { type FileFlags, readOptions } from '../csv/options.ts';
import { plural } from '../domain/plural.ts';
import { isoSecond } from '../domain/times.ts';
import {
  describeProgress,
  type Imported,
  importHistory,
  RETENTION_DAYS,
  refuseInUse,
  storageOf,
} from '../history/history.ts';
import type { Progress } from '../runtime/progress.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import type { CommandIo } from './io.ts';
import { runReading } from './reading.ts';

export interface ImportCommandOptions extends FileFlags {
  /** Files by status, by auth code or both; `-` is stdin. */
  files: readonly string[];
  calendar?: string;
  dataDir: string;
  /** Default: the project's own. */
  rulesDir?: string;
  /** Findings that are accepted although they cannot be right. */
  accept?: readonly Accepted[];
}

/** A finding for which `import` refuses a file unless it is told to accept it. */
export type Accepted = FindingKind | 'retention';

/**
 * `tillwatch import`. @returns the exit code: 0 imported, 1 nothing was imported, 2 used wrongly
 */
export async function importCommand(options: ImportCommandOptions, io: CommandIo): Promise<number> {
  const work = async (progress: Progress) => {
    if (options.files.length === 0) throw new UsageError('no file to import');
    const reading = await readOptions(options, io.env);
    const calendar = readCalendarFile(options, io.env);
    await refuseInUse(options.dataDir, io.signal);
    const calendarAt = await readHistoryCalendar(calendar, reading.times?.zone?.name);
    const history = await withSources(options.files, io, progress, (sources) =>
      readFiles(sources, reading, io, progress),
    );
    const range = rangeFor(history, new Set(options.accept));
    const imported = await importHistory({
      minutes: historyMinutes(history, range),
      to: Math.min(history.to, range.until + 1) * 60,
      statuses: history.statuses !== undefined,
      calendar: calendarAt,
      ...(history.codes && { authCodes: codesOf(history) }),
      dataDir: options.dataDir,
      rulesDir: options.rulesDir ?? SHIPPED_RULES,
      onProgress: (state) => progress.show(describeProgress(state)),
      signal: io.signal,
    });
    io.stdout.write(summary(history, imported, options.dataDir));
    return '';
  };
  return runReading(io, work, 'interrupted: nothing was imported');
}

/**
 * The minutes that are imported. @throws when the history cannot be right or cannot stay, unless
 * that was accepted
 */
function rangeFor(history: History, accepted: ReadonlySet<Accepted>): { from: number; until: number } {
  const now = Math.floor(Date.now() / 60_000);
  const kept = now - RETENTION_DAYS * 1440;
  const refused = refusalOf(history, accepted as ReadonlySet<FindingKind>);
  if (refused !== undefined) throw new Error(refused);
  if (history.to <= kept || (history.from < kept && !accepted.has('retention'))) throw new Error(tooOld(history, kept));
  return { from: kept, until: accepted.has('future') ? now - 1 : Number.POSITIVE_INFINITY };
}

function tooOld({ name, from, to }: History, kept: number): string {
  const all = to <= kept;
  return [
    `${name}: the history is from ${isoSecond(from * 60)} to ${isoSecond(to * 60)}, but Prometheus keeps ${RETENTION_DAYS} days ` +
      `(--storage.tsdb.retention.time=${RETENTION_DAYS}d of tillwatch up) and would delete ${all ? 'it' : `what is before ${isoSecond(kept * 60)}`} at its next start.`,
    all
      ? 'It also ended too long ago to give a baseline, which reads the last seven days. Use analyze or backtest on the file.'
      : '  With --accept-retention, only what is later would be imported.',
    'Nothing was written.',
  ].join('\n');
}

/** Days that the baseline reads. */
const BASELINE_DAYS = 7;

function summary(history: History, imported: Imported, dataDir: string): string {
  const { rows, skipped } = history;
  const age = Math.floor((Date.now() / 1000 - imported.to) / 86_400);
  return [
    `read ${plural(rows, 'row')}${skipped > 0 ? ` (${plural(skipped, 'bad row')} left out)` : ''}, ` +
      `imported ${plural(imported.minutes, 'minute')} from ${isoSecond(imported.from)} to ${isoSecond(imported.to)}`,
    `wrote ${plural(imported.samples, 'sample')} in ${imported.series} series to ${storageOf(dataDir)}`,
    ...(age >= BASELINE_DAYS
      ? [
          `the history ended ${age} days ago, too long ago to give a baseline, which reads the last seven days: ` +
            'charts show it, but verdicts have to wait for live counts',
        ]
      : []),
    '',
  ].join('\n');
}
