import type { CsvHistory } from '../csv.ts';

/** A file's minutes as columns: the minutes that have a row, in order, and the count of each key in them (0 where it has none). */
export interface Columns {
  /** Minutes since the epoch. */
  minutes: Float64Array;
  /** Statuses, or auth codes. */
  keys: readonly string[];
  counts: ReadonlyMap<string, Float64Array>;
  total: Float64Array;
}

export function toColumns(history: CsvHistory): Columns {
  let size = 0;
  for (const _ of history.minutes()) size++;
  const minutes = new Float64Array(size);
  const total = new Float64Array(size);
  const counts = new Map(history.keys.map((key) => [key, new Float64Array(size)]));
  let at = 0;
  for (const { minute, counts: statuses, authCodes } of history.minutes()) {
    minutes[at] = minute;
    for (const [key, count] of Object.entries(statuses ?? authCodes ?? {})) {
      const column = counts.get(key);
      if (column) column[at] = count;
      total[at] = (total[at] ?? 0) + count;
    }
    at++;
  }
  return { minutes, keys: history.keys, counts, total };
}

/** The sum of several keys, minute by minute. */
export function sumOf({ minutes, counts }: Columns, keys: readonly string[]): Float64Array {
  const sum = new Float64Array(minutes.length);
  for (const key of keys) {
    counts.get(key)?.forEach((count, at) => {
      sum[at] = (sum[at] ?? 0) + count;
    });
  }
  return sum;
}

export const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

export const hourOf = (minute: number): number => Math.floor(minute / 60) % 24;

/** The middle value, or the mean of the two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The places of the `count` largest values, the largest first. */
export function largest(values: Float64Array, count: number): number[] {
  const top: number[] = [];
  values.forEach((value, at) => {
    if (top.length === count && value <= (values[top.at(-1) ?? 0] ?? 0)) return;
    const place = top.findIndex((other) => (values[other] ?? 0) < value);
    top.splice(place < 0 ? top.length : place, 0, at);
    if (top.length > count) top.pop();
  });
  return top;
}
