import type { Labels } from './openmetrics.ts';

async function ask<T>(url: string, signal: AbortSignal | undefined): Promise<T> {
  const response = await fetch(url, { signal: signal ?? null });
  const answer = (await response.json()) as { data?: T; error?: string };
  if (answer.data === undefined) throw new Error(answer.error ?? `Prometheus answered ${response.status}`);
  return answer.data;
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
