import { ABSENT, DAY, minutesOf, type TallySeries } from '../csv/tally.ts';

/**
 * A file's minutes as columns: the minutes that have a row, in order, and the count of each key in
 * them (0 where it has none).
 */
export interface Columns {
  /** Minutes since the epoch. */
  minutes: Float64Array;
  /** Statuses, or auth codes. */
  keys: readonly string[];
  counts: ReadonlyMap<string, Float64Array>;
  total: Float64Array;
}

/** Columns of some of a tally's series; those of one key are added up. */
export function toColumns(series: readonly TallySeries[]): Columns {
  const minutes = Float64Array.from(minutesOf(series));
  const total = new Float64Array(minutes.length);
  const keys = [...new Set(series.map(({ key }) => key))].sort();
  const counts = new Map(keys.map((key) => [key, new Float64Array(minutes.length)]));
  for (const { key, pages } of series) {
    const column = counts.get(key) ?? new Float64Array();
    let [day, page]: [number, Float64Array | undefined] = [Number.NaN, undefined];
    for (let at = 0; at < minutes.length; at++) {
      const minute = minutes[at] as number;
      if (Math.floor(minute / DAY) !== day) {
        day = Math.floor(minute / DAY);
        page = pages.get(day);
      }
      const count = page?.[minute - day * DAY] ?? ABSENT;
      if (count === ABSENT) continue;
      column[at] = (column[at] as number) + count;
      total[at] = (total[at] as number) + count;
    }
  }
  return { minutes, keys, counts, total };
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

/** The first place that is not before a minute. */
export function placeOf(minutes: Float64Array, minute: number): number {
  let [low, high] = [0, minutes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((minutes[middle] ?? 0) < minute) low = middle + 1;
    else high = middle;
  }
  return low;
}
