import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labelsOf, seriesText } from '../domain/series-text.ts';
import { startEphemeralPrometheus, WRITABLE_RANGE } from '../prometheus/ephemeral-prometheus.ts';
import { parseQuery, takeSnapshot } from '../prometheus/ephemeral-queries.ts';
import { scheduleRules } from '../prometheus/in-order-of-need.ts';
import { lookBacks } from '../prometheus/look-back.ts';
import { recordRule, type TimeRange } from '../prometheus/record-rule.ts';
import { remoteWrite, type SeriesSamples } from '../prometheus/remote-write.ts';
import type { RecordingRule } from '../prometheus/rule-files.ts';
import { where } from '../prometheus/rule-graph.ts';
import { messageOf } from '../runtime/log.ts';
import { type CounterOptions, type CountersWritten, exposeCounters } from './counters.ts';
import { neededSpans, type Reader } from './needed.ts';

export interface ReplayOptions extends Omit<CounterOptions, 'base'> {
  /** Rules to evaluate; what they read is counters or recorded by another of them. */
  rules: readonly RecordingRule[];
  /** Further expressions that will be asked, to be refused before the history is played. */
  expressions?: readonly Expression[];
  /** Is told of each rule that is done with `PART` seconds of the history, and how many were. */
  onRule?: ((done: number, record: string) => void) | undefined;
  /** True where it must leave the machine to others: it takes one core. */
  gentle?: boolean;
  /** The folder to make its data folder in. Default: the one for temporary files. */
  parent?: string;
  /** Values that counters continue from. Default: they begin at 0. */
  base?: CounterOptions['base'];
  /** URL of a Prometheus that holds what was there before, for rules that look back into it. */
  existing?: string | undefined;
  /**
   * The end of the history in seconds since the epoch, where each rule is to be recorded for as
   * long before it as is needed after it.
   */
  neededAt?: number | undefined;
  /**
   * Is told of each part of the history, in seconds since the epoch, before it is evaluated. It
   * refuses the part by throwing.
   */
  onPart?: (from: number, to: number) => Promise<void>;
}

/** `where` tells people which rule it is of. */
export interface Expression {
  expr: string;
  where: string;
}

/** A Prometheus that holds counters and what rules recorded of them. */
export interface Replay extends CountersWritten {
  url: string;
  recorded: { samples: number; series: number };
  /** Writes everything as blocks. @returns the folder that holds them, until `stop` */
  snapshot: () => Promise<string>;
  /** Ends it and deletes its data. */
  stop: () => Promise<void>;
}

/** Range queries at a time; each takes one core, while it is not waiting for this process. */
const CONCURRENCY = 3;
/**
 * Seconds of history that a rule goes through at once. Nothing may be written further behind the
 * newest sample than `WRITABLE_RANGE`: while some rules go through a part, others can be at the
 * next one, and no further.
 */
export const PART = WRITABLE_RANGE / 2;
/** Samples of a series that are written at once. */
const BATCH = 5000;

/**
 * Plays history to an ephemeral Prometheus: counters as a running Tillwatch would have exposed
 * them, and each rule at the times at which it would have run, seeing all rules that it reads at
 * the same time.
 * @throws naming the rule whose expression fails, at once when Prometheus cannot parse it; nothing
 *   is left then
 */
export async function replayHistory(options: ReplayOptions): Promise<Replay> {
  const { signal } = options;
  const storage = await mkdtemp(join(options.parent ?? tmpdir(), 'tillwatch-replay-'));
  let end = async () => {};
  const stop = async () => {
    await end();
    await rm(storage, { recursive: true, force: true });
  };
  try {
    const { existing, gentle = false } = options;
    const prometheus = await startEphemeralPrometheus(storage, signal, { writable: true, existing, gentle });
    const { url } = prometheus;
    end = prometheus.stop;
    const spans = neededSpans(await readersOf(url, options));
    const played = await play(url, spans, options);
    const snapshot = async () => join(storage, 'snapshots', await takeSnapshot(url, signal));
    return { ...played, url, snapshot, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws naming the expression that Prometheus cannot parse */
async function readersOf(url: string, { rules, expressions = [], signal }: ReplayOptions): Promise<Reader[]> {
  const recorded = rules.map((rule) => ({ record: rule.record, expr: rule.expr, where: where(rule) }));
  const readers: Reader[] = [];
  for (const { expr, where: place, ...own } of [...recorded, ...expressions]) {
    const tree = await parseQuery(url, expr, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw new Error(`${place}: ${messageOf(error)}`);
    });
    readers.push({ ...own, lookBacks: lookBacks(tree) });
  }
  return readers;
}

async function play(
  url: string,
  spans: ReadonlyMap<string, number>,
  options: ReplayOptions,
): Promise<CountersWritten & Pick<Replay, 'recorded'>> {
  const { neededAt } = options;
  const batch = createBatch((series) => remoteWrite(url, series, options.signal));
  const recorded = { samples: 0, series: new Set<string>() };
  const take = async (series: SeriesSamples[]) => {
    for (const { labels, times } of series) {
      recorded.samples += times.length;
      recorded.series.add(seriesText('', labels));
    }
    await remoteWrite(url, series, options.signal);
  };
  let evaluated = 0;
  const schedule = scheduleRules<TimeRange>(CONCURRENCY, options.rules, async (rule, part) => {
    const start = neededAt === undefined ? part.from : neededAt - (spans.get(rule.record) ?? 0);
    await recordRule(url, rule, { ...part, from: Math.max(part.from, start) }, take);
    options.onRule?.(++evaluated, rule.record);
  });
  let from = Number.NaN;
  const evaluate = async (end: number) => {
    await batch.flush();
    while (from <= end) {
      const part = { from, to: Math.min(end, from + PART - 1), signal: options.signal };
      await options.onPart?.(part.from, part.to);
      schedule.add(part);
      await schedule.done(1);
      from = part.to + 1;
    }
  };
  const { base = async () => new Map() } = options;
  const counters = await exposeCounters({ ...options, base }, async (totals, time) => {
    if (Number.isNaN(from)) from = time;
    if (time >= from + PART) await evaluate(time - 60);
    await batch.add(totals, time);
  });
  await evaluate(counters.to);
  await schedule.done();
  return { ...counters, recorded: { samples: recorded.samples, series: recorded.series.size } };
}

function createBatch(write: (series: SeriesSamples[]) => Promise<void>) {
  let columns = new Map<string, { times: number[]; values: number[] }>();
  let samples = 0;
  const flush = async () => {
    const series = [...columns].map(([text, column]) => ({ labels: labelsOf(text), ...column }));
    columns = new Map();
    samples = 0;
    if (series.length > 0) await write(series);
  };
  const add = async (totals: ReadonlyMap<string, number>, time: number) => {
    for (const [series, value] of totals) {
      const column = columns.get(series) ?? { times: [], values: [] };
      columns.set(series, column);
      column.times.push(time);
      column.values.push(value);
    }
    if (++samples >= BATCH) await flush();
  };
  return { add, flush };
}
