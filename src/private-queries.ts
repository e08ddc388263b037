import { abortable } from './abortable.ts';
import { type Labels, seriesText } from './openmetrics.ts';

async function ask<T>(url: string, signal: AbortSignal | undefined, body?: URLSearchParams): Promise<T> {
  const init = { signal: signal ?? null, ...(body === undefined ? {} : { method: 'POST', body }) };
  const answering = fetch(url, init).then(async (response) => {
    const answer = (await response.json()) as { data?: T; error?: string };
    if (answer.data === undefined) throw new Error(answer.error ?? `Prometheus answered ${response.status}`);
    return answer.data;
  });
  return abortable(answering, signal);
}

/** The series of an instant vector at `time` (seconds since the epoch). Throws with Prometheus' error. */
export async function instantQuery(
  url: string,
  query: string,
  time: number,
  signal?: AbortSignal,
): Promise<{ metric: Labels; value: number }[]> {
  const parameters = new URLSearchParams({ query, time: String(time) });
  const { result } = await ask<{ result: { metric: Labels; value: [number, string] }[] }>(
    `${url}/api/v1/query?${parameters}`,
    signal,
  );
  return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

/** Since when (seconds since the epoch) Prometheus holds samples that are not in blocks yet, if it does. */
export async function liveSince(url: string, signal?: AbortSignal): Promise<number | undefined> {
  const { headStats } = await ask<{ headStats: { numSeries: number; minTime: number } }>(
    `${url}/api/v1/status/tsdb`,
    signal,
  );
  return headStats.numSeries === 0 ? undefined : headStats.minTime / 1000;
}

/** A series of a range query's answer: its labels with `__name__`, and [seconds, value as text]. */
export interface RangeSeries {
  metric: Labels;
  values: [number, string][];
}

/** Seconds since the epoch, and seconds. */
export interface StepRange {
  start: number;
  end: number;
  step: number;
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
  try {
    const { result } = await ask<{ result: RangeSeries[] }>(`${url}/api/v1/query_range`, signal, body);
    return result;
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('too many samples')) || end - start < 2 * step) throw error;
  }
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
