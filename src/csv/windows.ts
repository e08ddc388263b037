import { durationSeconds, durationText } from '../domain/durations.ts';
import type { Columns } from './columns.ts';
import { headerText } from './header-names.ts';
import { timeText } from './time-columns.ts';
import { orderShownBy, readTime } from './times.ts';

type Rows = readonly (readonly string[])[];

/**
 * Says why transactions would be counted several times: each count is of a window longer than the
 * distance between rows, as of `increase(...[5m])` at each minute.
 * @param isSure true where the user has said which columns are counts
 */
export function overlap(columns: Columns, sample: Rows, isSure: boolean): string | undefined {
  const { header, status, count, wide } = columns;
  const counted = count === undefined ? wide.map(({ column }) => column) : [count];
  const metrics = status === undefined ? [] : sample.map((cells) => cells[status] ?? '');
  const names = [...counted.map((column) => headerText(header, column)), ...metrics];
  const window = names.map((name) => windowIn(name, isSure)).find((seconds) => seconds !== undefined);
  const step = stepOf(columns, sample);
  if (window !== undefined && step !== undefined && window > step)
    return `counts are of ${durationText(window)} each, and rows are ${durationText(step)} apart, ${severalTimes(window / step)}`;
  const rows = isSure || window !== undefined ? undefined : rowsSummed(columns, counted, sample);
  return rows === undefined
    ? undefined
    : `each count looks like the sum of ${rows} rows, as increase(...) over ${rows} steps is, ${severalTimes(rows)}. ` +
        'If they are counts, say so with --columns, such as --columns count=... or approved=...,denied=...';
}

const severalTimes = (times: number): string =>
  `so a transaction would be counted ${Math.round(times)} times: export the counts of each minute, ` +
  'in Grafana by increase(...[1m]) with a min interval of 1m';

/** Seconds of the window in a name: 300 for `increase(x[5m])`, `count_5m` and `approved (5 min)`. */
function windowIn(name: string, inQueries: boolean): number | undefined {
  const query = /\[((?:\d+[smhdw])+)(?::\w*)?\]/.exec(name)?.[1];
  const other = inQueries ? undefined : /(?:^|[\W_])(\d+) ?(m(?:in(?:ute)?s?)?|h(?:ours?)?)(?:$|[\W_])/i.exec(name);
  const text = query ?? (other ? `${other[1]}${other[2]?.charAt(0).toLowerCase()}` : '');
  const seconds = durationSeconds(text);
  return seconds > 0 ? seconds : undefined;
}

/** Seconds between rows of one series: rows of one minute are as far apart as they are many. */
function stepOf(columns: Columns, sample: Rows): number | undefined {
  const texts = new Set(sample.map((cells) => timeText(cells, columns)));
  const order = [...texts].map(orderShownBy).find((one) => one !== undefined) ?? 'day-first';
  const minutes = [...texts]
    .map((text) => readTime(text, { order, day: 0 }))
    .flatMap((time) => (typeof time === 'object' ? time.minute : []))
    .sort((a, b) => a - b);
  const most = Math.max(...minutes.map((minute) => minutes.lastIndexOf(minute) - minutes.indexOf(minute) + 1));
  if (most > 1) return Math.round(60 / most);
  const distances = minutes.slice(1).map((minute, at) => minute - (minutes[at] ?? 0));
  return distances.length === 0 ? undefined : 60 * Math.min(...distances);
}

/** Fewer counts may agree by chance. */
const ENOUGH_COUNTS = 100;
const MOST_SUMMED = 20;
/** The correlation of a sum's steps with those that far before. A wave that is no sum has -1. */
const SUM_LIKENESS = -0.5;
/** Steps at other distances have less to do with each other, where a wave has as much. */
const APART = -0.2;

/**
 * How many rows each count sums up. What a row adds to a sum falls out of it so many rows later: steps
 * go against those, and not, as those of counts do, against the steps just before.
 */
function rowsSummed(columns: Columns, counted: readonly number[], sample: Rows): number | undefined {
  const { status, code, telling, dimensions } = columns;
  const keys = [status, code, ...telling, ...dimensions.map(({ column }) => column)];
  const series = new Map<string, number[]>();
  for (const cells of sample)
    for (const column of counted) {
      const key = [column, ...keys.map((one) => cells[one ?? -1])].join('\0');
      series.set(key, [...(series.get(key) ?? []), Number(cells[column])]);
    }
  const most = (counts: readonly number[]) => new Set(counts).size;
  const [counts = []] = [...series.values()].sort((a, b) => most(b) - most(a));
  if (counts.length < ENOUGH_COUNTS || counts.some(Number.isNaN) || most(counts) < ENOUGH_COUNTS / 10) return undefined;
  const steps = counts.slice(1).map((count, at) => count - (counts[at] ?? 0));
  // An incident is a step up and one down, which no sum needs to explain.
  const usual = 3 * ([...steps].map(Math.abs).sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0);
  const even = steps.map((step) => Math.max(-usual, Math.min(usual, step)));
  const product = (distance: number) => even.slice(distance).reduce((sum, step, at) => sum + step * (even[at] ?? 0), 0);
  const likeness = (distance: number) => product(distance) / product(0);
  if (likeness(1) < APART) return undefined;
  const distances = Array.from({ length: MOST_SUMMED - 1 }, (_, at) => at + 2);
  return distances.find(
    (distance) =>
      Math.abs(likeness(distance) - SUM_LIKENESS) < 0.2 &&
      likeness(distance - 1) > APART &&
      likeness(distance + 1) > APART,
  );
}
