import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from './log.ts';
import { createOpenMetricsFile, type Labels, type OpenMetricsFile, seriesText } from './openmetrics.ts';
import { createBlocks, startPrivatePrometheus } from './private-prometheus.ts';
import type { RecordingRule } from './rulefiles.ts';
import { where } from './rulegraph.ts';

/** A series of a range query's answer: its labels with `__name__`, and [seconds, value as text]. */
export interface RangeSeries {
  metric: Labels;
  values: [number, string][];
}

export interface EvaluateOptions {
  /** A Prometheus storage folder that no Prometheus runs on; the results become blocks in it. */
  storageDir: string;
  /** As `layerRules` gives them. */
  layers: RecordingRule[][];
  /** Seconds since the epoch; rules are evaluated at the multiples of their group's interval from `from` to `to`. */
  from: number;
  to: number;
  /** Told after each rule. */
  onRule?: (done: number, total: number, record: string) => void;
  signal?: AbortSignal | undefined;
}

/** Of one query. Prometheus refuses more than 11,000; fewer keep the answers small. */
const STEPS = 5000;
/** Range queries at a time; each takes one core. */
const CONCURRENCY = 2;

/**
 * Evaluates recording rules over a range of the past, layer by layer on a private Prometheus, as Prometheus would
 * have live if all rules were one chain.
 * @returns what was recorded
 * @throws naming the rule whose expression fails
 */
export async function evaluateLayers(options: EvaluateOptions): Promise<{ samples: number; series: number }> {
  const { layers, storageDir, signal } = options;
  const total = layers.flat().length;
  const recorded = { samples: 0, series: 0 };
  let done = 0;
  for (const [index, rules] of layers.entries()) {
    const file = await createOpenMetricsFile(join(storageDir, `layer-${index}.om`));
    const prometheus = await startPrivatePrometheus(storageDir, signal);
    try {
      await forEachAtOnce(CONCURRENCY, rules, async (rule) => {
        const { samples, series } = await evaluateRule(prometheus.url, rule, file, options);
        recorded.samples += samples;
        recorded.series += series;
        options.onRule?.(++done, total, rule.record);
      });
    } finally {
      await Promise.all([prometheus.stop(), file.close()]);
    }
    await createBlocks(file.path, storageDir, signal);
    await rm(file.path);
  }
  return recorded;
}

async function forEachAtOnce<T>(limit: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  // Every worker has ended before an error goes on, so that nothing still writes to what the caller cleans up.
  const ended = await Promise.allSettled(Array.from({ length: limit }, worker));
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
}

async function evaluateRule(url: string, rule: RecordingRule, file: OpenMetricsFile, options: EvaluateOptions) {
  const ranges = splitRange(options.from, options.to, rule.interval);
  const seen = new Set<string>();
  let samples = 0;
  try {
    await queryAhead(url, rule.expr, ranges, options.signal, async (answer) => {
      for (const [series, values] of recordedSeries(rule, answer)) {
        seen.add(series);
        samples += values.length;
        await writeValues(file, series, values);
      }
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new Error(`${where(rule)}: ${messageOf(error)}`);
  }
  return { samples, series: seen.size };
}

interface StepRange {
  start: number;
  end: number;
  step: number;
}

function splitRange(from: number, to: number, step: number): StepRange[] {
  const ranges: StepRange[] = [];
  for (let start = Math.ceil(from / step) * step; start <= to; start += STEPS * step) {
    ranges.push({ start, end: Math.min(to, start + (STEPS - 1) * step), step });
  }
  return ranges;
}

/** Hands on one answer after the other, in order of time, while Prometheus computes the next. */
async function queryAhead(
  url: string,
  query: string,
  ranges: StepRange[],
  signal: AbortSignal | undefined,
  take: (answer: RangeSeries[]) => Promise<void>,
): Promise<void> {
  const ask = (range: StepRange | undefined) => {
    const answer = range === undefined ? undefined : rangeQuery(url, query, range, signal);
    // Its failure counts when its turn has come, or not at all when another failed first.
    answer?.catch(() => {});
    return answer;
  };
  let next = ask(ranges[0]);
  for (let index = 0; next !== undefined; index++) {
    const answer = await next;
    next = ask(ranges[index + 1]);
    await take(answer);
  }
}

async function writeValues(file: OpenMetricsFile, series: string, values: [number, string][]): Promise<void> {
  for (let at = 0; at < values.length; at += 1000) {
    const lines = values.slice(at, at + 1000).map(([time, value]) => `${series} ${value} ${time}\n`);
    await file.write(lines.join(''));
  }
}

/**
 * The answer under the rule's own name and labels. Series that differ in their name only (branches of `or`) become one,
 * in order of time.
 */
function recordedSeries(rule: RecordingRule, answer: RangeSeries[]): Map<string, [number, string][]> {
  const merged = new Map<string, [number, string][]>();
  for (const { metric, values } of answer) {
    const { __name__: _, ...labels } = metric;
    const series = seriesText(rule.record, { ...labels, ...rule.labels });
    const before = merged.get(series);
    merged.set(series, before === undefined ? values : mergeByTime(before, values, series));
  }
  return merged;
}

function mergeByTime(a: [number, string][], b: [number, string][], series: string): [number, string][] {
  const values = [...a, ...b].sort((x, y) => x[0] - y[0]);
  const twice = values.find(([time], index) => values[index + 1]?.[0] === time);
  if (twice === undefined) return values;
  throw new Error(`gives two values at ${new Date(twice[0] * 1000).toISOString()} for the one series ${series}`);
}

/**
 * Evaluates an expression at start, start + step, ... end (seconds). Ranges of more than 11,000 steps are the caller's to split; one
 * that loads too many samples at once is halved here.
 */
export async function rangeQuery(
  url: string,
  query: string,
  range: StepRange,
  signal?: AbortSignal,
): Promise<RangeSeries[]> {
  const { start, end, step } = range;
  const body = new URLSearchParams({ query, start: String(start), end: String(end), step: String(step) });
  const response = await fetch(`${url}/api/v1/query_range`, { method: 'POST', body, signal: signal ?? null });
  const answer = (await response.json()) as { data?: { result: RangeSeries[] }; error?: string };
  if (answer.data !== undefined) return answer.data.result;
  if (!answer.error?.includes('too many samples') || end - start < 2 * step)
    throw new Error(answer.error ?? `Prometheus answered ${response.status}`);
  const half = Math.floor((end - start) / step / 2) * step;
  const first = await rangeQuery(url, query, { start, end: start + half, step }, signal);
  return joinInTime(first, await rangeQuery(url, query, { start: start + half + step, end, step }, signal));
}

function joinInTime(first: RangeSeries[], second: RangeSeries[]): RangeSeries[] {
  const joined = new Map<string, RangeSeries>();
  for (const series of [...first, ...second]) {
    const key = seriesText('', series.metric);
    joined.set(key, { metric: series.metric, values: [...(joined.get(key)?.values ?? []), ...series.values] });
  }
  return [...joined.values()];
}
