import { JUDGED_STATUSES, METRIC, RECORDED, STATUSES, type Status, WINDOWS } from '../../src/domain/names.ts';
import { randomFor } from '../../src/domain/random.ts';
import { remoteWrite, type SeriesSamples } from '../../src/prometheus/remote-write.ts';
import { AUTH_CODES } from '../../src/simulator/feed.ts';
import { acquirers, PER_MINUTE, UTC_OFFSET } from './target.ts';

/** Minutes before the start of the measurement. */
type Ages = readonly number[];

/** One recorded name: its series for one acquirer, and when they have samples. */
interface Recorded {
  name: string;
  series: { labels: Record<string, string>; mean: number; isCount: boolean }[];
  ages: Ages;
  /** The value of a sample is its time. */
  isTime?: boolean;
}

const DAY = 1440;
const HOUR = 60;
/** The measurement takes some minutes, in which what the rules read moves towards it. */
const between = (newest: number, oldest: number): number[] =>
  Array.from({ length: oldest - newest + 1 }, (_, index) => newest + index);
const recent = (minutes: number): number[] => between(0, minutes);
const onDays = (days: readonly number[], newest: number, oldest: number): number[] =>
  days.flatMap((day) => between(day * DAY + newest, day * DAY + oldest));
const WEEK = [1, 2, 3, 4, 5, 6, 7];
const sorted = (...ages: Ages[]): number[] => [...new Set(ages.flat())].sort((a, b) => a - b);

const MINUTES = { '1m': 1, '2m': 2, '5m': 5, '15m': 15, '1h': 60 } as const;
const FIRST_PASS: readonly Status[] = [...JUDGED_STATUSES, 'processing'];
const BASELINE: readonly Status[] = ['approved', ...JUDGED_STATUSES];

const byStatus = (statuses: readonly Status[], mean: (perMinute: number) => number, isCount = true) =>
  statuses.map((status) => ({ labels: { status }, mean: mean(PER_MINUTE[status]), isCount }));
const byWindow = (
  statuses: readonly Status[],
  mean: (perMinute: number, window: number) => number,
  isCount = true,
): Recorded['series'] =>
  WINDOWS.flatMap((window) =>
    statuses.map((status) => ({
      labels: { status, window },
      mean: mean(PER_MINUTE[status], MINUTES[window]),
      isCount,
    })),
  );

/** The ages, in minutes, of samples that are that many minutes apart and as old as those hours. */
const every = (minutes: number, hours: number): number[] =>
  Array.from({ length: (hours * HOUR) / minutes }, (_, index) => (index + 1) * minutes);
/** A week of what is recorded once an hour. */
const HOURLY = every(HOUR, 168).map((age) => age - 55);
const ONE = [{ labels: {}, mean: PER_MINUTE.approved, isCount: false }];

/**
 * Everything that prometheus/rules reads of the past, and nothing else: each recorded name at the
 * ages at which a rule reads it, to the minute, with some minutes on either side. A year of
 * everything would cost the same to evaluate, and hours to write.
 */
const PER_ACQUIRER: readonly Recorded[] = [
  // Large enough to be judged minute by minute.
  { name: 'level:transactions:approved1h', series: ONE, ages: every(5, 168) },
  { name: 'slice:transactions:busiest1h', series: ONE, ages: [1, 6] },
  { name: RECORDED.perMinute, series: byStatus(STATUSES, (n) => n), ages: recent(70) },
  { name: RECORDED.observed, series: byWindow(STATUSES, (n, w) => n * w), ages: recent(70) },
  { name: RECORDED.expected, series: byWindow(BASELINE, (n, w) => n * w, false), ages: recent(70) },
  { name: 'status:transactions:reported1m', series: byStatus(['approved'], (n) => n), ages: recent(270) },
  { name: 'status:transactions:usual_day1m', series: byStatus(['approved'], (n) => n, false), ages: recent(270) },
  { name: 'status:transactions:usual1m', series: byStatus(['approved'], (n) => n, false), ages: recent(70) },
  { name: 'status:transactions:dirty', series: byStatus(FIRST_PASS, () => 0), ages: recent(70) },
  { name: 'status:transactions:excess1m', series: byStatus(STATUSES, () => 0), ages: recent(70) },
  {
    name: 'status_window:transactions:evidence',
    series: byWindow(JUDGED_STATUSES, (n, w) => n * Math.max(w - 1, 1)),
    ages: recent(70),
  },
  {
    name: 'status_window:transactions:peak1h',
    series: byWindow(JUDGED_STATUSES, () => 2, false),
    ages: onDays(WEEK, -34, -26),
  },
  {
    name: 'status_window:transactions:peak_count1h',
    series: byWindow(JUDGED_STATUSES, (n, w) => n * Math.max(w - 1, 1)),
    ages: onDays(WEEK, -34, -26),
  },
  { name: 'status_window:transactions:score', series: byWindow(JUDGED_STATUSES, () => 0.5, false), ages: recent(70) },
  { name: RECORDED.upper, series: byWindow(JUDGED_STATUSES, (n, w) => 3 * n * w, false), ages: recent(10) },
  {
    name: 'status_window:transactions:overdispersion',
    series: byWindow(BASELINE, (n, w) => 0.01 * n * w, false),
    ages: recent(10),
  },
  {
    name: 'status_window:transactions:short_evidence',
    series: byWindow(JUDGED_STATUSES, (n, w) => n * (w - 1)),
    ages: recent(10),
  },
  {
    name: 'status_window:transactions:short_above_normal',
    series: byWindow(JUDGED_STATUSES, () => 0),
    ages: recent(20),
  },
  { name: 'status_window:transactions:raised', series: byWindow(BASELINE, () => 0), ages: recent(40) },
  { name: 'status:transactions:told_excess1m', series: byStatus(JUDGED_STATUSES, () => 0), ages: recent(20) },
  { name: 'status:transactions:told_excess_of_hour1m', series: byStatus(JUDGED_STATUSES, () => 0), ages: recent(60) },
  { name: 'status:transactions:last_raised', series: byStatus(JUDGED_STATUSES, () => 0), ages: recent(10) },
  { name: 'status:transactions:last_above', series: byStatus(JUDGED_STATUSES, () => 0), ages: recent(12 * HOUR) },
  {
    name: 'status:transactions:last_calm',
    series: byStatus(JUDGED_STATUSES, () => 0),
    ages: recent(12 * HOUR),
    isTime: true,
  },
  { name: 'status:transactions:last_shift', series: byStatus(JUDGED_STATUSES, () => 0), ages: every(5, 24) },
  {
    name: 'status:transactions:last_normal',
    series: byStatus(JUDGED_STATUSES, () => 0),
    ages: every(5, 24),
    isTime: true,
  },
  { name: 'status:transactions:shifted', series: byStatus(JUDGED_STATUSES, () => 0), ages: [1, 6] },
  { name: 'status:transactions:blip1h', series: byStatus(JUDGED_STATUSES, () => 0), ages: every(HOUR, 336) },
  { name: 'status:transactions:blip14d', series: byStatus(JUDGED_STATUSES, () => 0), ages: [5, 65, 125] },
  { name: RECORDED.floor, series: byWindow(BASELINE, () => 2.5), ages: recent(10) },
  {
    name: 'status:transactions:odds15m',
    series: byStatus(FIRST_PASS, (n) => n / PER_MINUTE.approved, false),
    // Samples of the last day, every five minutes: subqueries look back that far.
    ages: sorted(
      recent(20),
      Array.from({ length: 300 }, (_, index) => index * 5),
      between(100, 130),
    ),
  },
  {
    name: 'status:transactions:clean1h',
    series: byStatus(BASELINE, (n) => n * 60),
    ages: sorted(
      ...[1, 2, 3, 4, 5].map((hour) => between(hour * HOUR - 20, hour * HOUR + 4)),
      onDays(WEEK, -50, -26),
      between(71 * HOUR - 20, 72 * HOUR + 4),
    ),
  },
  {
    name: 'status:transactions:rough_odds',
    series: byStatus(FIRST_PASS, (n) => n / PER_MINUTE.approved, false),
    ages: [1, 6],
  },
  { name: 'status:transactions:clean1h_days', series: byStatus(BASELINE, (n) => n * 60 * 7), ages: [1, 6] },
  { name: 'status:transactions:clean1h_today', series: byStatus(BASELINE, (n) => n * 60 * 5), ages: [1, 6] },
  {
    name: 'status:transactions:odds_days',
    series: byStatus(JUDGED_STATUSES, (n) => n / PER_MINUTE.approved, false),
    ages: every(5, 1),
  },
  {
    name: 'status:transactions:expected1h',
    series: byStatus(JUDGED_STATUSES, (n) => n * 60, false),
    ages: every(5, 6),
  },
  { name: 'status:transactions:today_factor', series: byStatus(JUDGED_STATUSES, () => 1, false), ages: [1, 6] },
  {
    name: 'status:transactions:odds',
    series: byStatus(JUDGED_STATUSES, (n) => n / PER_MINUTE.approved, false),
    ages: sorted(recent(10), between(DAY - 10, DAY + 10)),
  },
  {
    name: 'status:transactions:volume_residual',
    series: byStatus(['approved'], () => 0.01, false),
    ages: every(5, 168),
  },
  {
    name: 'status:transactions:volume_residual5h',
    series: byStatus(['approved'], () => 0.01, false),
    ages: every(5, 168),
  },
  { name: 'status:transactions:volume_noise', series: byStatus(['approved'], () => 0.01, false), ages: [5, 65, 125] },
  {
    name: 'status_window:transactions:guard_score',
    series: byWindow(JUDGED_STATUSES, () => 2, false),
    ages: [1, 11],
  },
  {
    name: 'status_window:transactions:dispersion1h',
    series: byWindow(JUDGED_STATUSES, () => 0.01, false),
    ages: HOURLY,
  },
  {
    name: 'status_window:transactions:quiet_residual_squares1h',
    series: byWindow(JUDGED_STATUSES, (n, w) => 60 * (n * w) ** 2 * 0.01, false),
    ages: HOURLY,
  },
  {
    name: 'status_window:transactions:quiet_expected_squares1h',
    series: byWindow(JUDGED_STATUSES, (n, w) => 60 * (n * w) ** 2, false),
    ages: HOURLY,
  },
  {
    name: 'status_window:transactions:quiet_minutes1h',
    series: byWindow(JUDGED_STATUSES, () => 60),
    ages: HOURLY,
  },
  {
    name: 'status_window:transactions:rough_dispersion',
    series: byWindow(JUDGED_STATUSES, () => 0.01, false),
    ages: [5, 65, 125],
  },
  {
    name: 'status:transactions:dispersion',
    series: byStatus(JUDGED_STATUSES, () => 0.01, false),
    ages: [5, 65, 125],
  },
];

/**
 * These series have the same names as the first ones above, but other ages: samples of a series
 * are written once, in order of time.
 */
const APPROVED_ON_DAYS = onDays([...WEEK, 14], -26, 12);

const CODES: readonly Recorded[] = [
  {
    name: 'auth_code:transactions:increase1m',
    series: AUTH_CODES.map((auth_code) => ({ labels: { auth_code }, mean: 10, isCount: true })),
    ages: recent(130),
  },
  {
    name: 'auth_code:transactions:odds1h',
    series: AUTH_CODES.filter((code) => code !== '00').map((auth_code) => ({
      labels: { auth_code },
      mean: 1,
      isCount: false,
    })),
    ages: recent(3 * DAY + 10),
  },
];

/** The time zone, which has not changed: the rules compare it with that of days before. */
function offsets(end: number): SeriesSamples {
  const times = Float64Array.from(onDays([0, ...WEEK, 14], 0, 60), (age) => end - age * 60).sort();
  return { labels: { __name__: METRIC.utcOffset }, times, values: times.map(() => UTC_OFFSET) };
}

/** Within a tenth of the mean, so that samples compress like real ones, not like a constant. */
function samplesOf(
  { name, ages, isTime }: Recorded,
  { labels, mean, isCount }: Recorded['series'][number],
  acquirer: string | undefined,
  end: number,
  seed: number,
): SeriesSamples {
  const all = name === RECORDED.perMinute && labels.status === 'approved' ? [...ages, ...APPROVED_ON_DAYS] : ages;
  const random = randomFor(seed, 1, all.length);
  const times = Float64Array.from(all, (age) => end - age * 60).sort();
  const values = times.map((time) => {
    if (isTime) return time;
    const value = mean * (0.9 + 0.2 * random());
    return isCount ? Math.round(value) : value;
  });
  const slice = acquirer !== undefined && { level: 'acquirer', acquirer };
  return { labels: { __name__: name, ...labels, ...slice }, times, values };
}

/** Samples of one request. */
const BATCH_SAMPLES = 200_000;

/**
 * Writes the history that the rules read, for `count` acquirers.
 * @param end seconds since the epoch
 * @param hasCalendar true where the time zone is known
 * @returns how many samples in how many series
 */
export async function writeHistory(url: string, count: number, end: number, hasCalendar: boolean) {
  let batch: SeriesSamples[] = [];
  const written = { samples: 0, series: 0 };
  let inBatch = 0;
  const flush = async () => {
    await remoteWrite(url, batch);
    batch = [];
    inBatch = 0;
  };
  const add = async (series: SeriesSamples) => {
    batch.push(series);
    inBatch += series.times.length;
    written.samples += series.times.length;
    written.series++;
    if (inBatch >= BATCH_SAMPLES) await flush();
  };
  const writeAll = async (recorded: readonly Recorded[], acquirer: string | undefined) => {
    for (const one of recorded)
      for (const series of one.series) await add(samplesOf(one, series, acquirer, end, written.series));
  };
  await writeAll(CODES, undefined);
  if (hasCalendar) await add(offsets(end));
  for (const acquirer of acquirers(count)) await writeAll(PER_ACQUIRER, acquirer);
  await flush();
  return written;
}
