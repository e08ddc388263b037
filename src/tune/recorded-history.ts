import type { MinuteCounts } from '../domain/minutes.ts';
import { RECORDED, STATUSES, type Status } from '../domain/names.ts';
import type { Labels } from '../domain/series-text.ts';
import type { Prometheus } from '../prometheus/client.ts';

const COUNTS = `${RECORDED.slices}{status=~"${STATUSES.join('|')}"}`;
/** Slices beyond which only the total is taken: the rules' work grows with them. */
const MOST_SERIES = 300;
/** Samples and steps of one answer; Prometheus refuses more than 11,000 steps. */
const AT_ONCE = 200_000;
const STEPS = 5000;

/** The counts that Prometheus has recorded of each minute. Times are seconds since the epoch. */
export interface RecordedHistory {
  /** Start of the first minute that was counted and end of the last; equal where there is none. */
  from: number;
  to: number;
  minutes: Iterable<MinuteCounts>;
  /** The labels that counts carry; none where only the total is taken. */
  slices: Labels[];
  /** The number of series, where they were too many and only the total was taken. */
  summed?: number;
}

interface Column {
  status: Status;
  labels: Labels;
  /** By minute; NaN where nothing was recorded. */
  counts: Float64Array;
}

/**
 * Reads the counts of each minute as the rules recorded them.
 * @param from and `to`: seconds since the epoch, whole minutes
 * @throws PrometheusError; the signal's reason when it is aborted
 */
export async function readRecorded(
  prometheus: Prometheus,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<RecordedHistory> {
  const [counted] = await prometheus.instant(`count(last_over_time(${COUNTS}[1d]))`);
  const found = counted?.value ?? 0;
  const summed = found > MOST_SERIES;
  // One sample a minute: a gap must not repeat the minute before it.
  const one = `last_over_time(${COUNTS}[1m])`;
  const query = summed ? `sum by (status) (${one})` : one;
  const steps = Math.min(STEPS, Math.floor(AT_ONCE / Math.max(1, summed ? STATUSES.length : found)));
  const length = (to - from) / 60;
  const columns = new Map<string, Column>();
  for (let start = from + 60; start <= to; start += steps * 60) {
    signal.throwIfAborted();
    for (const { labels, points } of await prometheus.range(query, start, Math.min(to, start + (steps - 1) * 60), 60)) {
      const { __name__: _, status, ...rest } = labels;
      const key = JSON.stringify([status, rest]);
      const column = columns.get(key) ?? {
        status: status as Status,
        labels: rest,
        counts: new Float64Array(length).fill(Number.NaN),
      };
      columns.set(key, column);
      for (const [time, count] of points) column.counts[(time - from) / 60 - 1] = Math.round(count);
    }
  }
  const all = [...columns.values()];
  const isCounted = (at: number) => all.some(({ counts }) => !Number.isNaN(counts[at] ?? Number.NaN));
  let [first, last] = [0, length];
  while (first < last && !isCounted(first)) first++;
  while (last > first && !isCounted(last - 1)) last--;
  return {
    from: from + first * 60,
    to: from + last * 60,
    slices: [...new Map(all.map(({ labels }) => [JSON.stringify(labels), labels])).values()].filter(isLabelled),
    minutes: { [Symbol.iterator]: () => minutesOf(all, from / 60, first, last) },
    ...(summed && { summed: found }),
  };
}

const isLabelled = (labels: Labels): boolean => Object.keys(labels).length > 0;

function* minutesOf(columns: readonly Column[], start: number, first: number, last: number): Generator<MinuteCounts> {
  for (let at = first; at < last; at++) {
    const counts: Partial<Record<Status, number>> = {};
    const labelled = new Map<string, NonNullable<MinuteCounts['labelled']>[number]>();
    let known = false;
    for (const column of columns) {
      const { status, labels } = column;
      const count = column.counts[at] ?? Number.NaN;
      if (Number.isNaN(count)) continue;
      known = true;
      if (!isLabelled(labels)) {
        counts[status] = count;
        continue;
      }
      const key = JSON.stringify(labels);
      const slice = labelled.get(key) ?? { labels, counts: {} };
      labelled.set(key, slice);
      slice.counts[status] = count;
    }
    if (known) yield { minute: start + at, counts, labelled: [...labelled.values()] };
  }
}

/** The same counts, in which only some slices are apart; the others are part of the total alone. */
export function narrowed(history: RecordedHistory, keeps: (labels: Labels) => boolean): RecordedHistory {
  function* minutes(): Generator<MinuteCounts> {
    for (const { minute, counts, labelled = [] } of history.minutes) {
      const rest = { ...counts };
      for (const slice of labelled.filter(({ labels }) => !keeps(labels)))
        for (const [status, count] of Object.entries(slice.counts) as [Status, number][])
          rest[status] = (rest[status] ?? 0) + count;
      yield { minute, counts: rest, labelled: labelled.filter(({ labels }) => keeps(labels)) };
    }
  }
  const slices = history.slices.filter(keeps);
  return { ...history, slices, minutes: { [Symbol.iterator]: minutes } };
}
