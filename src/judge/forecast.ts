import { STATUSES, type Status } from '../domain/names.ts';
import { DAY, HOUR, type Hours } from './hours.ts';

/** Same weekdays are taken where there are so many of them, else the days before. */
const FEWEST_WEEKS = 2;
const WEEKS = [7, 14, 21, 28];
const DAYS = [1, 2, 3, 4, 5, 6, 7];
/**
 * How far today may be from other days in the forecast: an incident of the morning is not the
 * evening's.
 */
const SCALE = { least: 0.5, most: 2 };

export const METHOD =
  'Each hour to come is the mean of the same hour on the same weekday of the last four weeks (of the last seven days where fewer than two ' +
  'weeks are known), times how today has been so far against those days (half to twice). It begins at the last full hour.';

export interface ForecastHour {
  hour: number;
  total: number;
  counts: Partial<Record<Status, number>>;
  /** Of the total, by status. */
  shares: Partial<Record<Status, number>>;
}

export interface Forecast {
  /** The hours to come; those of which nothing is known are missing. */
  hours: ForecastHour[];
  /** Counted in the whole hours so far, and expected in those to come. */
  soFar: number;
  rest: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const meanOf = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : sum(numbers) / numbers.length;

/** What an hour usually has, by its end. */
function usual(hours: Hours, status: Status, end: number): number | undefined {
  const ago = (days: readonly number[]) => days.flatMap((n) => hours.get(status)?.get(end - n * DAY) ?? []);
  const weeks = ago(WEEKS);
  return meanOf(weeks.length >= FEWEST_WEEKS ? weeks : ago(DAYS));
}

const totalOf = (of: (status: Status) => number | undefined): number => sum(STATUSES.map((status) => of(status) ?? 0));

/**
 * The rest of a day. @param at seconds since the epoch; nothing that was counted later is looked at
 */
export function forecastOf(hours: Hours, at: number): Forecast {
  const midnight = Math.floor(at / DAY) * DAY;
  const now = Math.floor(at / HOUR) * HOUR;
  const ends = Array.from({ length: 24 }, (_, hour) => midnight + (hour + 1) * HOUR);
  const past = ends.filter((end) => end <= now && hours.get('approved')?.has(end));
  const counted = sum(past.map((end) => totalOf((status) => hours.get(status)?.get(end))));
  const normal = sum(past.map((end) => totalOf((status) => usual(hours, status, end))));
  const scale = normal > 0 ? Math.min(SCALE.most, Math.max(SCALE.least, counted / normal)) : 1;
  const coming = ends.flatMap((end, hour): ForecastHour[] => {
    if (end <= now || usual(hours, 'approved', end) === undefined) return [];
    const counts = Object.fromEntries(STATUSES.map((status) => [status, scale * (usual(hours, status, end) ?? 0)]));
    const total = sum(Object.values(counts));
    const shares = Object.entries(counts).map(([status, count]) => [status, total > 0 ? count / total : 0]);
    return [{ hour, total, counts, shares: Object.fromEntries(shares) }];
  });
  return { hours: coming, soFar: counted, rest: sum(coming.map(({ total }) => total)) };
}

export interface Miss {
  forecast: number;
  actual: number;
  /** (forecast - actual) / actual. */
  off: number;
}

/**
 * How far the forecast of the day before, made at the same time of day, was off; null where that is
 * not known.
 */
export function missOfYesterday(hours: Hours, at: number): Miss | null {
  const then = at - DAY;
  const midnight = Math.floor(then / DAY) * DAY;
  const known = forecastOf(hours, then).hours.flatMap(({ hour, total }) => {
    const end = midnight + (hour + 1) * HOUR;
    return hours.get('approved')?.has(end) ? [{ total, actual: totalOf((status) => hours.get(status)?.get(end)) }] : [];
  });
  const [forecast, actual] = [sum(known.map(({ total }) => total)), sum(known.map((hour) => hour.actual))];
  return actual > 0 ? { forecast, actual, off: (forecast - actual) / actual } : null;
}
