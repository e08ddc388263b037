import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from './log.ts';
import { createOpenMetricsFile, type OpenMetricsFile, seriesText } from './openmetrics.ts';
import { createBlocks, startPrivatePrometheus } from './private-prometheus.ts';
import { type RangeSeries, rangeQuery, type StepRange } from './private-queries.ts';
import type { RecordingRule } from './rulefiles.ts';
import { where } from './rulegraph.ts';

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
  const take = (rule: RecordingRule, { samples, series }: { samples: number; series: number }) => {
    recorded.samples += samples;
    recorded.series += series;
    options.onRule?.(++done, total, rule.record);
  };
  for (const [index, rules] of layers.entries()) {
    const path = join(storageDir, `layer-${index}.om`);
    await evaluateLayer(rules, path, options, take);
    await createBlocks(path, storageDir, signal);
    await rm(path);
  }
  return recorded;
}

async function evaluateLayer(
  rules: RecordingRule[],
  path: string,
  options: EvaluateOptions,
  take: (rule: RecordingRule, recorded: { samples: number; series: number }) => void,
): Promise<void> {
  const prometheus = await startPrivatePrometheus(options.storageDir, options.signal);
  try {
    const file = await createOpenMetricsFile(path);
    try {
      await forEachAtOnce(CONCURRENCY, rules, async (rule) =>
        take(rule, await evaluateRule(prometheus.url, rule, file, options)),
      );
    } finally {
      await file.close();
    }
  } finally {
    await prometheus.stop();
  }
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
