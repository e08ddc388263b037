import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CALENDAR_METRICS, type CalendarAt } from '../calendar/series.ts';
import type { MinuteCounts } from '../domain/minutes.ts';
import { METRIC } from '../domain/names.ts';
import { seriesText } from '../domain/series-text.ts';
import { isoTime } from '../domain/times.ts';
import {
  type EphemeralPrometheus,
  StorageInUseError,
  startEphemeralPrometheus,
} from '../prometheus/ephemeral-prometheus.ts';
import { instantQuery, liveSince } from '../prometheus/ephemeral-queries.ts';
import { readRules } from '../prometheus/rule-files.ts';
import { affectedRules, inputsOf, layerRules, where } from '../prometheus/rule-graph.ts';
import { makeFolder } from '../runtime/folder.ts';
import { IMPORT_LABELS } from './counters.ts';
import { type ReplayOptions, replayHistory } from './player.ts';

export interface ImportOptions {
  /** In order of time. Statuses and codes that a minute does not name counted 0 in it. */
  minutes: AsyncIterable<MinuteCounts> | Iterable<MinuteCounts>;
  /**
   * Seconds since the epoch: the end of the last minute. Without it, rules are recorded over the
   * whole history.
   */
  to?: number;
  /** True where the minutes hold counts by status; default true. */
  statuses?: boolean;
  /** The auth codes that the minutes hold. */
  authCodes?: readonly string[];
  /** Absent where there is no calendar. */
  calendar?: CalendarAt | undefined;
  /** The data folder; Prometheus keeps its own in `prometheus` below it. */
  dataDir: string;
  rulesDir: string;
  onProgress?: (progress: ImportProgress) => void;
  signal?: AbortSignal | undefined;
  /** Seconds since the epoch; what lies later is refused. */
  now?: number;
}

/** Minutes counted so far, and the recorded series that was computed last. */
export interface ImportProgress {
  minutes: number;
  record?: string;
}

export function describeProgress({ minutes, record }: ImportProgress): string {
  const day = `day ${Math.ceil(minutes / 1440)}`;
  return record === undefined ? `counters of ${day}` : `recorded series up to ${day}: ${record}`;
}

/** `from` and `to` are seconds since the epoch: start of the first minute and end of the last. */
export interface Imported {
  from: number;
  to: number;
  /** Minutes that were reported. */
  minutes: number;
  /** Samples and series are those of counters and recorded series together. */
  samples: number;
  series: number;
}

/** The data folder holds samples that the import would add to. */
export class HistoryOverlapError extends Error {}

/**
 * Days that Prometheus keeps: the baseline reads a week, comparisons and backtests want the year.
 */
export const RETENTION_DAYS = 400;

export const storageOf = (dataDir: string): string => join(dataDir, 'prometheus');

/**
 * Writes history into Prometheus' data folder: the counters as a running Tillwatch would have
 * exposed them, and what the recording rules would have recorded, for as long before its end as
 * charts show and rules look back, so that baselines are ready at once. Alert rules are left out.
 *
 * All or nothing: blocks are made in a folder of their own and moved in at the end; a failure or an
 * abort leaves no child process and nothing in Prometheus' data.
 *
 * @throws StorageInUseError while a Prometheus runs on the folder; HistoryOverlapError when the
 *   folder already holds samples in the range, or the range reaches past live ones; otherwise with
 *   the stderr of what failed
 */
export async function importHistory(options: ImportOptions): Promise<Imported> {
  const { dataDir, signal } = options;
  const { recording, alerts } = await readRules(options.rulesDir);
  // Refuses a circle before anything is begun.
  const inputs = inputsOf(recording);
  layerRules(recording, inputs);
  const rules = affectedRules(recording, new Set([...metricsOf(options), ...calendarMetrics(options)]), inputs);
  const storage = storageOf(dataDir);
  const staging = join(dataDir, 'import.tmp');
  makeFolder(storage);
  // Holds the lock of the folder until the blocks are in: nothing else can start on it, nor import
  // into it, meanwhile.
  const holder = await hold(storage, signal);
  try {
    if (options.to !== undefined) await refuseLate(holder.url, options.to, options);
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging);
    const isFresh = (await blocksIn(storage)).length === 0 && (await liveSince(holder.url, signal)) === undefined;
    const replay = await replayHistory({
      minutes: options.minutes,
      statuses: options.statuses !== false,
      authCodes: options.authCodes ?? [],
      rules,
      expressions: alerts.map((rule) => ({ expr: rule.expr, where: where(rule) })),
      neededAt: options.to,
      parent: staging,
      existing: isFresh ? undefined : holder.url,
      calendar: options.calendar,
      base: (from) => valuesBefore(holder.url, from, options),
      onPart: (from, to) => refuseOverlap(holder.url, { from, to }, options),
      ...progressOf(options),
      signal,
    });
    try {
      const blocks = await replay.snapshot();
      signal?.throwIfAborted();
      for (const block of await blocksIn(blocks)) await rename(join(blocks, block), join(storage, block));
      const { from, to, minutes, recorded } = replay;
      return {
        from,
        to,
        minutes,
        samples: replay.samples + recorded.samples,
        series: replay.series + recorded.series,
      };
    } finally {
      await replay.stop();
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
    await holder.stop();
  }
}

function progressOf({ onProgress }: ImportOptions): Pick<ReplayOptions, 'onMinute' | 'onRule'> {
  const state: ImportProgress = { minutes: 0 };
  return {
    onMinute: () => {
      state.minutes++;
      onProgress?.(state);
    },
    onRule: (_done, record) => {
      state.record = record;
      onProgress?.(state);
    },
  };
}

const metricsOf = (options: ImportOptions): string[] => [
  ...(options.statuses === false ? [] : [METRIC.transactions, METRIC.lastReport]),
  ...(options.authCodes === undefined ? [] : [METRIC.authCodes]),
];

const calendarMetrics = ({ calendar }: ImportOptions): string[] =>
  calendar === undefined ? [] : [...CALENDAR_METRICS];

/**
 * Says early that nothing can be imported, before a long file is read.
 * @throws StorageInUseError while a Prometheus runs on the folder
 */
export async function refuseInUse(dataDir: string, signal: AbortSignal | undefined): Promise<void> {
  const storage = storageOf(dataDir);
  // A Prometheus that was killed leaves its file too.
  const isLocked = await access(join(storage, 'lock')).then(
    () => true,
    () => false,
  );
  if (isLocked) await (await hold(storage, signal)).stop();
}

async function hold(storage: string, signal: AbortSignal | undefined): Promise<EphemeralPrometheus> {
  try {
    return await startEphemeralPrometheus(storage, signal);
  } catch (error) {
    if (!(error instanceof StorageInUseError)) throw error;
    throw new StorageInUseError(
      `${error.message}, so nothing can be imported into it: stop it (tillwatch up, or another import) first, ` +
        'or give another folder with --data DIR',
    );
  }
}

/**
 * The values at which earlier imports ended, so that the counters go on from there instead of
 * starting again at 0.
 */
async function valuesBefore(url: string, from: number, options: ImportOptions): Promise<Map<string, number>> {
  const base = new Map<string, number>();
  for (const metric of metricsOf(options)) {
    const imported = `last_over_time(${seriesText(metric, IMPORT_LABELS)}[50y])`;
    for (const { metric: named, value } of await instantQuery(url, imported, from, options.signal)) {
      const { __name__: _, ...labels } = named;
      base.set(seriesText(metric, labels), value);
    }
  }
  return base;
}

/** @param to seconds since the epoch: the end of what is known of the history */
async function refuseLate(url: string, to: number, options: ImportOptions): Promise<void> {
  const history = `the history, up to ${isoTime(to)},`;
  if (to > (options.now ?? Date.now() / 1000))
    throw new HistoryOverlapError(
      `${history} reaches into the future, where Prometheus could take no live samples any more: ` +
        'leave out what is later than now',
    );
  const live = await liveSince(url, options.signal);
  if (live !== undefined && live < to)
    throw new HistoryOverlapError(
      `${history} reaches past ${isoTime(live)}, from when on Prometheus holds live samples; it would drop ` +
        'them. Leave out what is later',
    );
}

/** @param part seconds since the epoch */
async function refuseOverlap(
  url: string,
  { from, to }: { from: number; to: number },
  options: ImportOptions,
): Promise<void> {
  await refuseLate(url, to, options);
  for (const metric of metricsOf(options)) {
    const query = `sum(count_over_time(${metric}[${to - from}s]))`;
    const [there] = await instantQuery(url, query, to, options.signal);
    if (there !== undefined)
      throw new HistoryOverlapError(
        `${storageOf(options.dataDir)} already holds ${there.value} samples of ${metric} within ` +
          `${isoTime(from)} to ${isoTime(to)}; importing would count these minutes twice. Leave them out of the ` +
          'file, or import into a fresh folder with --data DIR',
      );
  }
}

const isBlock = (name: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name);
const blocksIn = async (dir: string): Promise<string[]> => (await readdir(dir)).filter(isBlock);
