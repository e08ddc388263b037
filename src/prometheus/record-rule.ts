import { type Labels, seriesText } from '../domain/series-text.ts';
import { isoTime } from '../domain/times.ts';
import { messageOf } from '../runtime/log.ts';
import { rangeQuery, type StepRange } from './ephemeral-queries.ts';
import type { Columns } from './range-columns.ts';
import type { SeriesSamples } from './remote-write.ts';
import type { RecordingRule } from './rule-files.ts';
import { where } from './rule-graph.ts';

export interface TimeRange {
  /**
   * Seconds since the epoch, both included; rules are evaluated at the multiples of their group's
   * interval between them.
   */
  from: number;
  to: number;
  signal?: AbortSignal | undefined;
}

/**
 * Seconds. History is by minute: what runs more often live, for the sake of being early, sees
 * nothing new in between.
 */
const MINUTE = 60;
/** Seconds between the samples of a constant: a query looks back for five minutes. */
const CONSTANT_STEP = 4 * MINUTE;

/** Steps of one query. Prometheus refuses more than 11,000; fewer keep the answers small. */
const STEPS = 5000;

/**
 * Evaluates one recording rule over a range of the past.
 * @param take gets what it records, a stretch of time after the other, while Prometheus computes
 *   the next
 * @throws naming the rule when its expression fails
 */
export async function recordRule(
  url: string,
  rule: RecordingRule,
  { from, to, signal }: TimeRange,
  take: (recorded: SeriesSamples[]) => Promise<void>,
): Promise<void> {
  try {
    const answers = isConstant(rule.expr) ? repeated : queried;
    for await (const answer of answers(url, rule.expr, splitRange(from, to, Math.max(MINUTE, rule.interval)), signal)) {
      await take(recordedSeries(rule, answer));
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`${where(rule)}: ${messageOf(error)}`);
  }
}

/** The stretches in which a range is asked for, at multiples of `step`. */
export function splitRange(from: number, to: number, step: number): StepRange[] {
  const ranges: StepRange[] = [];
  for (let start = Math.ceil(from / step) * step; start <= to; start += STEPS * step) {
    const end = Math.min(Math.floor(to / step) * step, start + (STEPS - 1) * step);
    ranges.push({ start, end, step });
  }
  return ranges;
}

/** The answers in order of time; the next one is asked for while one is used. */
export async function* queried(
  url: string,
  query: string,
  ranges: StepRange[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Columns[]> {
  const ask = (range: StepRange | undefined) => {
    const answer = range === undefined ? undefined : rangeQuery(url, query, range, signal);
    // A failure counts when its turn has come, and not at all when another answer failed first.
    answer?.catch(() => {});
    return answer;
  };
  let next = ask(ranges[0]);
  for (let index = 0; next !== undefined; index++) {
    const answer = await next;
    next = ask(ranges[index + 1]);
    yield answer;
  }
}

/** `vector(3.7)`, as tunables are: the same at any time. */
const isConstant = (expr: string): boolean => /^\s*vector\([\d\s.+\-*/^()]+\)\s*$/.test(expr);

/** The answers of a constant, which is asked for once and kept as often as a query finds it. */
async function* repeated(
  url: string,
  query: string,
  ranges: StepRange[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Columns[]> {
  const [first] = ranges;
  if (first === undefined) return;
  const [value] = await rangeQuery(url, query, { ...first, end: first.start }, signal);
  for (const { start, end, step } of ranges) {
    const every = Math.max(step, CONSTANT_STEP);
    const times = Float64Array.from({ length: Math.ceil((end - start) / every) + 1 }, (_, index) =>
      Math.min(end, start + index * every),
    );
    if (value !== undefined) yield [{ metric: {}, times, values: times.map(() => value.values[0] ?? 0) }];
  }
}

/**
 * The answer under the rule's own name and labels. Series that differ in their name only (branches
 * of `or`) become one, in order of time.
 */
function recordedSeries(rule: RecordingRule, answer: Columns[]): SeriesSamples[] {
  const merged = new Map<string, SeriesSamples>();
  for (const { metric, times, values } of answer) {
    const labels: Labels = { ...metric, ...rule.labels, __name__: rule.record };
    const series = seriesText('', labels);
    const before = merged.get(series);
    merged.set(
      series,
      before === undefined ? { labels, times, values } : mergeByTime(before, { labels, times, values }),
    );
  }
  return [...merged.values()];
}

function mergeByTime(a: SeriesSamples, b: SeriesSamples): SeriesSamples {
  const samples = [a, b].flatMap(({ times, values }) =>
    Array.from(times, (time, index) => [time, values[index] ?? 0] as const),
  );
  samples.sort((x, y) => x[0] - y[0]);
  const twice = samples.find(([time], index) => samples[index + 1]?.[0] === time);
  if (twice === undefined)
    return { labels: a.labels, times: samples.map(([time]) => time), values: samples.map(([, value]) => value) };
  const { __name__: name = '', ...labels } = a.labels;
  const at = isoTime(twice[0]);
  throw new Error(`gives two values at ${at} for the one series ${seriesText(name, labels)}`);
}
