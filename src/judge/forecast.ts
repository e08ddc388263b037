import { STATUSES, type Status } from '../domain/names.ts';
import { DAY, type Hours, type LocalHours } from './hours.ts';

/** Same weekdays are taken where there are so many of them, else the days before. */
const FEWEST_WEEKS = 2;
const WEEKS = [7, 14, 21, 28];
const DAYS = [1, 2, 3, 4, 5, 6, 7];
/**
 * Limits of the factor by which today may differ from other days in the forecast, since an
 * incident of the morning need not last until the evening.
 */
const SCALE = { least: 0.5, most: 2 };

export const METHOD =
  'Each hour to come is the mean of the same hour on the same weekday of the last four weeks (of the last seven days where fewer than two ' +
  'weeks are known), times how today has been so far against those days (half to twice). It begins at the last full hour.';

export interface ForecastHour {
  hour: number;
  total: number;
  counts: Partial<Record<Status, number>>;
  /** Parts of the total by status, from 0 to 1. */
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

/** The usual count of an hour of a day. */
function usual(hours: Hours, status: Status, endAgo: (days: number) => number | undefined): number | undefined {
  const ago = (days: readonly number[]) => days.flatMap((n) => hours.get(status)?.get(endAgo(n) ?? Number.NaN) ?? []);
  const weeks = ago(WEEKS);
  return meanOf(weeks.length >= FEWEST_WEEKS ? weeks : ago(DAYS));
}

const totalOf = (of: (status: Status) => number | undefined): number => sum(STATUSES.map((status) => of(status) ?? 0));

/**
 * The rest of a day by the zone's clock.
 * @param at seconds since the epoch; nothing that was counted later is looked at
 */
export function forecastOf(hours: Hours, at: number, clock: LocalHours): Forecast {
  const day = clock.dayOf(at);
  const now = clock.lastEnd(at);
  const all = Array.from({ length: 24 }, (_, hour) => ({
    hour,
    end: clock.endOf(day, hour) ?? Number.NaN,
    usual: (status: Status) => usual(hours, status, (ago) => clock.endOf(day - ago, hour)),
  }));
  const past = all.filter(({ end }) => end <= now && hours.get('approved')?.has(end));
  const counted = sum(past.map(({ end }) => totalOf((status) => hours.get(status)?.get(end))));
  const normal = sum(past.map((one) => totalOf(one.usual)));
  const scale = normal > 0 ? Math.min(SCALE.most, Math.max(SCALE.least, counted / normal)) : 1;
  const coming = all.flatMap(({ hour, end, usual: usually }): ForecastHour[] => {
    if (!(end > now) || usually('approved') === undefined) return [];
    const counts = Object.fromEntries(STATUSES.map((status) => [status, scale * (usually(status) ?? 0)]));
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
 * The error of the forecast that was possible a day before, at the same time of day; null where
 * that is not known.
 */
export function missOfYesterday(hours: Hours, at: number, clock: LocalHours): Miss | null {
  const then = at - DAY;
  const day = clock.dayOf(then);
  const known = forecastOf(hours, then, clock).hours.flatMap(({ hour, total }) => {
    const end = clock.endOf(day, hour) ?? Number.NaN;
    return hours.get('approved')?.has(end) ? [{ total, actual: totalOf((status) => hours.get(status)?.get(end)) }] : [];
  });
  const [forecast, actual] = [sum(known.map(({ total }) => total)), sum(known.map((hour) => hour.actual))];
  return actual > 0 ? { forecast, actual, off: (forecast - actual) / actual } : null;
}
