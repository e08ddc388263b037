import { type Labels, seriesText } from '../domain/series-text.ts';
import { abortable } from '../runtime/abortable.ts';
import { type Columns, readMatrix } from './range-columns.ts';

/** Compressing for a loopback costs both sides more than it saves. */
const HEADERS = { 'Accept-Encoding': 'identity' };

async function ask<T>(url: string, signal: AbortSignal | undefined): Promise<T> {
  const answering = fetch(url, { headers: HEADERS, signal: signal ?? null }).then(async (response) =>
    dataOf<T>(await response.text(), response.status),
  );
  return abortable(answering, signal);
}

function dataOf<T>(text: string, status: number): T {
  let answer: { data?: T; error?: string } = {};
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`Prometheus answered ${status}: ${text.slice(0, 200).trim()}`);
  }
  if (answer.data === undefined) throw new Error(answer.error ?? `Prometheus answered ${status}`);
  return answer.data;
}

/**
 * The series of an instant vector at `time` (seconds since the epoch). Throws with Prometheus'
 * error.
 */
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

/**
 * Prometheus's syntax tree of an expression. @throws with Prometheus's words where it cannot parse
 * it
 */
export async function parseQuery(url: string, query: string, signal?: AbortSignal): Promise<unknown> {
  return await ask<unknown>(`${url}/api/v1/parse_query?${new URLSearchParams({ query })}`, signal);
}

/** A node of the syntax tree of an expression, as far as it is read here. */
export interface SyntaxNode {
  type: string;
  /** Name and matchers of a selector. */
  name?: string;
  matchers?: { name: string; type: string; value: string }[];
  /** Function and arguments of a call. */
  func?: { name: string };
  args?: SyntaxNode[];
  /** The operator of a binary expression, and its sides. */
  op?: string;
  lhs?: SyntaxNode;
  rhs?: SyntaxNode;
  /** The operand of a node that holds one expression. */
  expr?: SyntaxNode;
}

/** Throws with Prometheus' words when an expression cannot be parsed. */
export async function parseTree(url: string, query: string, signal?: AbortSignal): Promise<SyntaxNode> {
  return ask(`${url}/api/v1/parse_query?${new URLSearchParams({ query })}`, signal);
}

/**
 * Writes all samples of a writable Prometheus as blocks. @returns the name of the folder below
 * `snapshots`
 */
export async function takeSnapshot(url: string, signal?: AbortSignal): Promise<string> {
  const answering = fetch(`${url}/api/v1/admin/tsdb/snapshot`, {
    method: 'POST',
    headers: HEADERS,
    signal: signal ?? null,
  });
  const response = await abortable(answering, signal);
  return dataOf<{ name: string }>(await response.text(), response.status).name;
}

/**
 * The time (seconds since the epoch) from which Prometheus holds samples that are not in blocks
 * yet, if it does.
 */
export async function liveSince(url: string, signal?: AbortSignal): Promise<number | undefined> {
  const { headStats } = await ask<{ headStats: { numSeries: number; minTime: number } }>(
    `${url}/api/v1/status/tsdb`,
    signal,
  );
  return headStats.numSeries === 0 ? undefined : headStats.minTime / 1000;
}

/** Seconds since the epoch, and seconds. */
export interface StepRange {
  start: number;
  end: number;
  step: number;
}

/**
 * Evaluates an expression at start, start + step, ... end (seconds). Ranges of more than 11,000
 * steps are the caller's to split; one that loads too many samples at once is halved here.
 */
export async function rangeQuery(
  url: string,
  query: string,
  range: StepRange,
  signal?: AbortSignal,
): Promise<Columns[]> {
  const { start, end, step } = range;
  try {
    return await askRange(url, query, range, signal);
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('too many samples')) || end - start < 2 * step) throw error;
  }
  const half = Math.floor((end - start) / step / 2) * step;
  const first = await rangeQuery(url, query, { start, end: start + half, step }, signal);
  return joinInTime(first, await rangeQuery(url, query, { start: start + half + step, end, step }, signal));
}

async function askRange(url: string, query: string, range: StepRange, signal?: AbortSignal): Promise<Columns[]> {
  const { start, end, step } = range;
  const body = new URLSearchParams({ query, start: String(start), end: String(end), step: String(step) });
  const init = { method: 'POST', body, headers: HEADERS, signal: signal ?? null };
  const answering = fetch(`${url}/api/v1/query_range`, init).then(async (response) => {
    const json = Buffer.from(await response.arrayBuffer());
    return readMatrix(json, Math.floor((end - start) / step) + 1) ?? dataOf<never>(json.toString(), response.status);
  });
  return abortable(answering, signal);
}

function joinInTime(first: Columns[], second: Columns[]): Columns[] {
  const joined = new Map<string, Columns>();
  for (const series of [...first, ...second]) {
    const key = seriesText('', series.metric);
    const before = joined.get(key);
    joined.set(key, before === undefined ? series : appended(before, series));
  }
  return [...joined.values()];
}

const appended = (first: Columns, second: Columns): Columns => ({
  metric: first.metric,
  times: Float64Array.of(...first.times, ...second.times),
  values: Float64Array.of(...first.values, ...second.values),
});
