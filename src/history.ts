import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CountersWritten, IMPORT_LABELS, writeCounters } from './counters.ts';
import { evaluateLayers } from './evaluate.ts';
import { METRIC } from './names.ts';
import { seriesText } from './openmetrics.ts';
import {
  createBlocks,
  type PrivatePrometheus,
  StorageInUseError,
  startPrivatePrometheus,
} from './private-prometheus.ts';
import { instantQuery, liveSince } from './private-queries.ts';
import { readRules } from './rulefiles.ts';
import { affectedRules, layerRules } from './rulegraph.ts';
import type { MinuteCounts } from './simulate.ts';

export interface ImportOptions {
  /** In order of time. Statuses and codes that a minute does not name counted 0 in it. */
  minutes: AsyncIterable<MinuteCounts> | Iterable<MinuteCounts>;
  /** Whether the minutes hold counts by status; default true. */
  statuses?: boolean;
  /** The auth codes that the minutes hold. */
  authCodes?: readonly string[];
  /** The data folder; Prometheus keeps its own in `prometheus` below it. */
  dataDir: string;
  rulesDir: string;
  onProgress?: (progress: ImportProgress) => void;
  signal?: AbortSignal | undefined;
  /** Seconds since the epoch; what lies later is refused. */
  now?: number;
}

export type ImportProgress =
  | { step: 'minutes'; done: number }
  | { step: 'rules'; done: number; total: number; record: string };

/** `from` and `to` are seconds since the epoch: start of the first minute and end of the last. */
export interface Imported {
  from: number;
  to: number;
  /** Minutes that were reported. */
  minutes: number;
  /** Of counters and recorded series together. */
  samples: number;
  series: number;
}

/** The data folder holds samples that the import would add to. */
export class HistoryOverlapError extends Error {}

/** Days that Prometheus keeps: the baseline reads a week, comparisons and backtests want the year. */
export const RETENTION_DAYS = 400;

/** Where Prometheus keeps its data. */
export const storageOf = (dataDir: string): string => join(dataDir, 'prometheus');

/**
 * Writes history into Prometheus' data folder: the counters as a running Tillwatch would have exposed them, and every
 * series that the recording rules would have recorded, so that baselines are ready at once. Alert rules are left out.
 *
 * All or nothing: blocks are made in a folder of their own and moved in at the end; a failure or an abort
 * leaves no child process and nothing in Prometheus' data.
 *
 * @throws StorageInUseError while a Prometheus runs on the folder; HistoryOverlapError when the folder already holds
 *   samples in the range, or the range reaches past live ones; otherwise with the stderr of what failed
 */
export async function importHistory(options: ImportOptions): Promise<Imported> {
  const { dataDir, signal } = options;
  const { recording } = await readRules(options.rulesDir);
  const layers = layerRules(recording);
  const affected = new Set(affectedRules(recording, new Set(metricsOf(options))));
  const storage = storageOf(dataDir);
  const staging = join(dataDir, 'import.tmp');
  await mkdir(storage, { recursive: true });
  // Holds the lock of the folder until the blocks are in: nothing else can start on it, nor import into it, meanwhile.
  const holder = await hold(storage, signal);
  try {
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging);
    const counters = await stageCounters(holder, staging, options);
    const kept = await linkBlocks(storage, staging);
    await createBlocks(join(staging, 'counters.om'), staging, signal);
    const recorded = await evaluateLayers({
      storageDir: staging,
      layers: layers.map((rules) => rules.filter((rule) => affected.has(rule))).filter((rules) => rules.length > 0),
      from: counters.from,
      to: counters.to,
      onRule: (done, total, record) => options.onProgress?.({ step: 'rules', done, total, record }),
      signal,
    });
    signal?.throwIfAborted();
    await moveBlocks(staging, storage, kept);
    return {
      ...counters,
      samples: counters.samples + recorded.samples,
      series: counters.series + recorded.series,
    };
  } finally {
    await rm(staging, { recursive: true, force: true });
    await holder.stop();
  }
}

const metricsOf = (options: ImportOptions): string[] => [
  ...(options.statuses === false ? [] : [METRIC.transactions, METRIC.lastReport]),
  ...(options.authCodes === undefined ? [] : [METRIC.authCodes]),
];

async function hold(storage: string, signal: AbortSignal | undefined): Promise<PrivatePrometheus> {
  try {
    return await startPrivatePrometheus(storage, signal);
  } catch (error) {
    if (!(error instanceof StorageInUseError)) throw error;
    throw new StorageInUseError(
      `${error.message}, so nothing can be imported into it: stop it (tillwatch up, or another import) first, ` +
        'or give another folder with --data DIR',
    );
  }
}

async function stageCounters(
  holder: PrivatePrometheus,
  staging: string,
  options: ImportOptions,
): Promise<CountersWritten> {
  let done = 0;
  const written = await writeCounters(join(staging, 'counters.om'), {
    minutes: options.minutes,
    statuses: options.statuses !== false,
    authCodes: options.authCodes ?? [],
    base: (from) => valuesBefore(holder.url, from, options),
    onMinute: () => options.onProgress?.({ step: 'minutes', done: ++done }),
    signal: options.signal,
  });
  await refuseOverlap(holder.url, written, options);
  return written;
}

/** What earlier imports counted up to, so that the counters go on from there instead of starting again at 0. */
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

async function refuseOverlap(url: string, written: CountersWritten, options: ImportOptions): Promise<void> {
  const { from, to } = written;
  const range = `${iso(from)} to ${iso(to)}`;
  if (to > (options.now ?? Date.now() / 1000))
    throw new HistoryOverlapError(
      `the history (${range}) reaches into the future, where Prometheus could take no live samples any more: ` +
        'leave out what is later than now',
    );
  for (const metric of metricsOf(options)) {
    const query = `sum(count_over_time(${metric}[${to - from}s]))`;
    const [there] = await instantQuery(url, query, to, options.signal);
    if (there !== undefined)
      throw new HistoryOverlapError(
        `${storageOf(options.dataDir)} already holds ${there.value} samples of ${metric} within ${range}; importing ` +
          'would count these minutes twice. Leave them out of the file, or import into a fresh folder with --data DIR',
      );
  }
  const live = await liveSince(url, options.signal);
  if (live !== undefined && live < to)
    throw new HistoryOverlapError(
      `the history (${range}) reaches past ${iso(live)}, from when on Prometheus holds live samples; it would drop ` +
        'them. Leave out what is later',
    );
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

const isBlock = (name: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name);
const blocksIn = async (dir: string): Promise<string[]> => (await readdir(dir)).filter(isBlock);

/** Lets the staging folder see the blocks that are there already: baselines reach back into them. @returns their names */
async function linkBlocks(storage: string, staging: string): Promise<Set<string>> {
  const blocks = await blocksIn(storage);
  for (const block of blocks) {
    await mkdir(join(staging, block));
    for (const entry of await readdir(join(storage, block), { recursive: true, withFileTypes: true })) {
      const from = join(entry.parentPath, entry.name);
      const to = join(staging, from.slice(storage.length));
      if (entry.isDirectory()) await mkdir(to, { recursive: true });
      else await link(from, to).catch(() => copyFile(from, to));
    }
  }
  return new Set(blocks);
}

async function moveBlocks(staging: string, storage: string, except: ReadonlySet<string>): Promise<void> {
  for (const block of await blocksIn(staging)) {
    if (!except.has(block)) await rename(join(staging, block), join(storage, block));
  }
}
