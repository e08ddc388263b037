import type { HourlyFile, HourRow } from '../csv/hourly.ts';
import type { Comparison } from '../csv/hourly-names.ts';
import { countLaw } from './count-law.ts';

/**
 * The verdict on an hour: `no sales` where sales are usual, far `above` or `below`, or only worth
 * a `look`.
 */
export type HourVerdict = 'no sales' | 'below' | 'above' | 'look' | 'usual';

export interface HourFinding {
  hour: number;
  today: number;
  /** Mean of what it is compared with, averages counting double. */
  expected: number;
  /** The usual range: 99 of 100 such hours lie in it. */
  lower: number;
  upper: number;
  /** Today divided by expected; undefined where nothing is expected. */
  ratio?: number;
  /** Standard deviations, negative below. */
  score: number;
  /** Chance of a count as far out as this, on its side. */
  chance: number;
  verdict: HourVerdict;
  compared: Partial<Record<Comparison, number>>;
}

export interface HourlyAnalysis {
  kind: 'hourly';
  comparisons: Comparison[];
  /** Sums over the hours that today has. */
  total: { today: number; expected: number; compared: Partial<Record<Comparison, number>> };
  /** Relative standard deviation between the columns that is no counting noise: days differ. */
  spread: number;
  hours: HourFinding[];
  /**
   * Hours of the verdicts `no sales`, `below` and `above`, those that follow each other as one. The
   * last hour is inclusive.
   */
  standOut: { from: number; to: number; today: number; expected: number; verdict: HourVerdict }[];
  /** Running totals since midnight. */
  cumulative: { hour: number; today: number; expected: number; compared: Partial<Record<Comparison, number>> }[];
}

/** Days that a column is the mean of: a mean of n days has an n-th of a day's counting noise. */
const DAYS: Record<Comparison, number> = { yesterday: 1, same_day_last_week: 1, avg_last_week: 7, avg_last_month: 30 };
const WEIGHT: Record<Comparison, number> = { yesterday: 1, same_day_last_week: 1, avg_last_week: 2, avg_last_month: 2 };
/**
 * Among 24 hours, chance alone brings an hour that stands out in some twenty days, and one that is
 * worth a look in four days.
 */
const STANDS_OUT = 0.001;
const LOOK = 0.005;
const BEYOND = 0.01;
const ALMOST_POISSON = 1e-6;
/**
 * Days differ by this relative standard deviation where a single column cannot tell, and at least
 * by LEAST_SPREAD.
 */
const UNKNOWN_SPREAD = 0.2;
const LEAST_SPREAD = 0.05;

/**
 * Compares today's hours with the comparison columns. It allows for counting noise and for the
 * differences between days.
 */
export function analyzeHourly({ rows, comparisons }: HourlyFile): HourlyAnalysis {
  const known = rows.filter((row): row is Required<HourRow> => row.today !== undefined);
  const r = spreadOf(rows, comparisons);
  const hours = known.map((row) => findingOf(row, r));
  const cumulative = runningTotals(hours, comparisons);
  const last = cumulative.at(-1) ?? { today: 0, expected: 0, compared: {} };
  return {
    kind: 'hourly',
    comparisons,
    total: { today: last.today, expected: last.expected, compared: last.compared },
    spread: Math.sqrt(r),
    hours,
    standOut: merge(hours),
    cumulative,
  };
}

const entries = (compared: HourRow['compared']) => Object.entries(compared) as [Comparison, number][];

function meanOf(compared: HourRow['compared']): number {
  const [sum, weights] = entries(compared).reduce(
    ([total, weight], [name, value]) => [total + WEIGHT[name] * value, weight + WEIGHT[name]],
    [0, 0],
  );
  return weights === 0 ? 0 : sum / weights;
}

/** Relative variance of the columns around their mean, hour by hour, counting noise taken off. */
function spreadOf(rows: readonly HourRow[], comparisons: readonly Comparison[]): number {
  if (comparisons.length < 2) return UNKNOWN_SPREAD ** 2;
  let [squares, means] = [0, 0];
  for (const { compared } of rows) {
    const mean = meanOf(compared);
    for (const [name, value] of entries(compared)) squares += (value - mean) ** 2 - mean / DAYS[name];
    means += mean ** 2 * (comparisons.length - 1);
  }
  return means === 0 ? UNKNOWN_SPREAD ** 2 : Math.max(squares / means, LEAST_SPREAD ** 2);
}

function findingOf({ hour, today, compared }: Required<HourRow>, r: number): HourFinding {
  const expected = meanOf(compared);
  const law = countLaw(expected, r);
  const chance = today < expected ? law.atMost(today) : 1 - law.atMost(today - 1);
  return {
    hour,
    today,
    expected,
    lower: law.quantile(LOOK),
    upper: law.quantile(1 - LOOK),
    ...(expected > 0 && { ratio: today / expected }),
    score: (today - expected) / Math.sqrt(expected + r * expected ** 2 + 0.25),
    chance,
    verdict: verdictOf(today, expected, chance, beyondAll(today, compared)),
    compared,
  };
}

/**
 * Tells that counting noise alone does not explain the distance to any of the columns, however
 * much they differ among themselves.
 */
function beyondAll(today: number, compared: HourRow['compared']): boolean {
  const values = entries(compared).map(([, value]) => value);
  if (values.length < 2) return false;
  const [low, high] = [Math.min(...values), Math.max(...values)].map((mean) => countLaw(mean, ALMOST_POISSON).atMost);
  return 1 - (high?.(today - 1) ?? 1) < BEYOND || (low?.(today) ?? 1) < BEYOND;
}

function verdictOf(today: number, expected: number, chance: number, beyond: boolean): HourVerdict {
  if (chance >= LOOK) return beyond ? 'look' : 'usual';
  if (today === 0) return 'no sales';
  if (chance >= STANDS_OUT) return 'look';
  return today < expected ? 'below' : 'above';
}

function merge(hours: readonly HourFinding[]): HourlyAnalysis['standOut'] {
  const runs: HourlyAnalysis['standOut'] = [];
  for (const { hour, today, expected, verdict } of hours) {
    if (verdict === 'usual' || verdict === 'look') continue;
    const last = runs.at(-1);
    const follows = last !== undefined && last.to === hour - 1 && (last.verdict === 'above') === (verdict === 'above');
    if (!follows) runs.push({ from: hour, to: hour, today, expected, verdict });
    else
      Object.assign(last, {
        to: hour,
        today: last.today + today,
        expected: last.expected + expected,
        verdict: last.verdict === verdict ? verdict : 'below',
      });
  }
  return runs;
}

function runningTotals(hours: readonly HourFinding[], comparisons: readonly Comparison[]) {
  const sums = { today: 0, expected: 0, compared: Object.fromEntries(comparisons.map((name) => [name, 0])) };
  return hours.map(({ hour, today, expected, compared }) => {
    sums.today += today;
    sums.expected += expected;
    for (const [name, value] of entries(compared)) sums.compared[name] = (sums.compared[name] ?? 0) + value;
    return { hour, today: sums.today, expected: sums.expected, compared: { ...sums.compared } as HourRow['compared'] };
  });
}
