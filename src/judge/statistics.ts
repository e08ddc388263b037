import { PERCENTILES, STATUSES, type Status } from '../domain/names.ts';
import { HOUR, type Hours, type LocalHours } from './hours.ts';

/** Statistics of some counts; null where there are too few. */
export interface Summary {
  /** The number of hours that were counted. */
  hours: number;
  mean: number | null;
  /** The standard deviation of a sample. */
  deviation: number | null;
  /** By `p5`, `p25`, ...: interpolated linearly between neighbours. */
  percentiles: Record<string, number | null>;
}

function percentile(sorted: readonly number[], p: number): number | null {
  const at = ((sorted.length - 1) * p) / 100;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low === undefined || high === undefined ? null : low + (high - low) * (at - Math.floor(at));
}

export function summarise(counts: readonly number[]): Summary {
  const sorted = counts.toSorted((a, b) => a - b);
  const hours = sorted.length;
  const mean = hours === 0 ? null : sorted.reduce((sum, count) => sum + count, 0) / hours;
  const squares = sorted.reduce((sum, count) => sum + (count - (mean ?? 0)) ** 2, 0);
  return {
    hours,
    mean,
    deviation: hours < 2 ? null : Math.sqrt(squares / (hours - 1)),
    percentiles: Object.fromEntries(PERCENTILES.map((p) => [`p${p}`, percentile(sorted, p)])),
  };
}

export interface StatusStatistics extends Summary {
  status: Status;
  /** The same of each hour of the day, by the zone's clock. */
  byHour: (Summary & { hour: number })[];
  /** Means of each hour of each weekday; 1 is Monday. Hours that were never counted are missing. */
  byWeekday: { weekday: number; hour: number; hours: number; mean: number }[];
}

type Clock = Pick<LocalHours, 'hourOf' | 'dayOf'>;

/** Day 0, 1 January 1970, was a Thursday. */
const weekdayOf = (day: number): number => ((day + 3) % 7) + 1;

/** @param known counts of hours by their ends */
function meansByWeekday(known: readonly (readonly [number, number])[], { hourOf, dayOf }: Clock) {
  const cells = new Map<string, { weekday: number; hour: number; hours: number; sum: number }>();
  for (const [end, count] of known) {
    const [weekday, hour] = [weekdayOf(dayOf(end - HOUR)), hourOf(end - HOUR)];
    const cell = cells.get(`${weekday} ${hour}`) ?? { weekday, hour, hours: 0, sum: 0 };
    cells.set(`${weekday} ${hour}`, { ...cell, hours: cell.hours + 1, sum: cell.sum + count });
  }
  return [...cells.values()]
    .sort((a, b) => a.weekday - b.weekday || a.hour - b.hour)
    .map(({ sum, ...cell }) => ({ ...cell, mean: sum / cell.hours }));
}

/** The number of transactions an hour by status, and by the hour of the day. */
export function statisticsOf(hours: Hours, clock: Clock): StatusStatistics[] {
  const { hourOf } = clock;
  return STATUSES.map((status) => {
    const known = [...(hours.get(status) ?? [])];
    return {
      status,
      ...summarise(known.map(([, count]) => count)),
      byHour: Array.from({ length: 24 }, (_, hour) => ({
        hour,
        ...summarise(known.flatMap(([end, count]) => (hourOf(end - HOUR) === hour ? [count] : []))),
      })),
      byWeekday: meansByWeekday(known, clock),
    };
  });
}
