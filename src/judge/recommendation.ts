import { JUDGED_STATUSES, type JudgedStatus, STATUSES, type Status } from '../domain/names.ts';
import { bandAt, scoreOf } from './band.ts';
import type { Baseline, Normal, Tunables } from './baseline.ts';

export const RECOMMENDATIONS = ['ok', 'watch', 'alert', 'unknown'] as const;
export type Recommendation = (typeof RECOMMENDATIONS)[number];

type Counts = Partial<Record<Status, number>>;

/**
 * One minute as all sources have reported it, with one set of labels or in total, and the minutes
 * before it.
 */
export interface Minute {
  labels: Readonly<Record<string, string>>;
  counts: Counts;
  previous: Counts;
  /** The counts of two minutes before. */
  earlier: Counts;
}

export interface Assessment {
  status: JudgedStatus;
  labels?: Readonly<Record<string, string>> | undefined;
  count: number;
  /** Transactions of all statuses in the minute. */
  total: number;
  /** Its part of the total, 0 to 1. */
  share: number;
  /** Share that is normal for this volume at this time of day, and the largest that still is. */
  expected?: number;
  upper?: number;
  /** The same as numbers of transactions. */
  expectedCount?: number;
  upperCount?: number;
  /** Distance from expected in standard deviations. */
  score?: number;
  recommendation: Recommendation;
  reason: string;
}

/**
 * The count of a status that is normal beside so many approved. The half stands for what is still
 * possible when none is approved (transactions.rules.yml).
 */
const expectedBeside = (approved: number, odds: number): number => (approved + 0.5) * odds;

/**
 * The relative variance of that count: the recorded one, and the chance of the approvals
 * themselves (approval_noise, baseline.rules.yml).
 */
function varianceBeside(
  approved: number,
  { relativeVariance = 0 }: Normal,
  { z, noiseZ }: Pick<Tunables, 'z' | 'noiseZ'>,
): number {
  return relativeVariance + ((z['1m'] ?? Number.NaN) / noiseZ) ** 2 / (approved + 0.5);
}

/**
 * The largest normal count beside so many approved: the band, at least the floor.
 * The rules record the same as status_window:transactions:upper.
 * @param window 1m, or 2m of which the busier minute is left out
 * @returns a number of transactions, undefined where the rules have not recorded what it needs
 */
export function upperBound(
  approved: number,
  window: '1m' | '2m',
  normal: Normal,
  tunables: Pick<Tunables, 'z' | 'noiseZ'>,
): number | undefined {
  const { noiseZ } = tunables;
  const [z, least] = [tunables.z[window], normal.floor[window]];
  if (normal.relativeVariance === undefined || z === undefined || least === undefined) return undefined;
  const expected = expectedBeside(approved, normal.odds);
  const r = varianceBeside(approved, normal, tunables);
  const bound = Math.max(bandAt(window === '2m' ? expected / 2 : expected, r, z, noiseZ), least);
  // A rule that divided by zero records NaN, as does one whose tunable is missing; nothing is above
  // NaN or below it.
  return Number.isFinite(bound) ? bound : undefined;
}

function total(counts: Counts): number {
  let sum = 0;
  for (const status of STATUSES) sum += counts[status] ?? 0;
  return sum;
}
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
/** Undefined where there are none, which JSON leaves out. */
const named = (labels: Minute['labels']) => (Object.keys(labels).length === 0 ? undefined : labels);
/** Rounds to six digits. */
function round(n: number): number {
  if (Number.isInteger(n)) return n;
  // A power of ten up to 10^22 is exact, so that this is what the digits say; text takes ten times
  // as long.
  const scale = 10 ** (5 - Math.floor(Math.log10(Math.abs(n))));
  return scale >= 1 && scale <= 1e22 ? Math.round(n * scale) / scale : Number(n.toPrecision(6));
}
/** A share that a count would have, the other transactions being as they are. */
const shareOf = (count: number, others: number): number => (count + others === 0 ? 0 : count / (count + others));

/** The assessment of a status without a band: unknown, unless an alert fires. */
function unjudged(
  status: JudgedStatus,
  minute: Minute,
  total: number,
  firing: string | undefined,
  why: string,
): Assessment {
  const count = minute.counts[status] ?? 0;
  const share = round(shareOf(count, total - count));
  const [recommendation, reason] =
    firing === undefined ? (['unknown', why] as const) : (['alert', `${firing} is firing; ${why}`] as const);
  return { status, labels: named(minute.labels), count, total, share, recommendation, reason };
}

function assessStatus(status: JudgedStatus, minute: Minute, all: number, baseline: Baseline): Assessment {
  const firing = baseline.firing(status, minute.labels);
  const normal = baseline.normal(status, minute.labels);
  if (normal === undefined)
    return unjudged(status, minute, all, firing, baseline.reason ?? 'no baseline for these labels yet');
  const said = minute.counts.approved;
  const approved = said ?? baseline.approved(minute.labels) ?? 0;
  const count = minute.counts[status] ?? 0;
  const expected = expectedBeside(approved, normal.odds);
  const upper = upperBound(approved, '1m', normal, baseline.tunables);
  if (upper === undefined) return unjudged(status, minute, all, firing, 'the rules have not recorded the band yet');
  const others = all - count + (said === undefined ? approved : 0);
  const recommendation = firing === undefined ? verdict(status, minute, approved, upper, normal, baseline) : 'alert';
  const assessment: Assessment = {
    status,
    labels: named(minute.labels),
    count,
    total: others + count,
    share: round(shareOf(count, others)),
    expected: round(shareOf(expected, others)),
    upper: round(shareOf(upper, others)),
    expectedCount: round(expected),
    upperCount: round(upper),
    score: round(scoreOf(count, expected, varianceBeside(approved, normal, baseline.tunables))),
    recommendation,
    reason: '',
  };
  assessment.reason = reasonFor(assessment, normal, firing);
  return assessment;
}

/**
 * True where the minute two before was bad as well, or where the status had no blip of two minutes
 * lately. The rules ask the same (lasting.rules.yml).
 */
function lasting(status: JudgedStatus, { earlier, labels }: Minute, normal: Normal, baseline: Baseline): boolean {
  if (!normal.blips) return true;
  const approved = earlier.approved ?? baseline.approved(labels) ?? 0;
  const variance = varianceBeside(approved, normal, baseline.tunables);
  return scoreOf(earlier[status] ?? 0, expectedBeside(approved, normal.odds), variance) > baseline.tunables.blipScore;
}

/** One minute above its band is to be watched; two in a row are an alert. */
function verdict(
  status: JudgedStatus,
  minute: Minute,
  approved: number,
  upper: number,
  normal: Normal,
  baseline: Baseline,
): Recommendation {
  const count = minute.counts[status] ?? 0;
  const before = minute.previous.approved ?? baseline.approved(minute.labels) ?? 0;
  const both = upperBound(approved + before, '2m', normal, baseline.tunables) ?? Number.POSITIVE_INFINITY;
  const two = Math.min(count, minute.previous[status] ?? 0) > both;
  if (two && lasting(status, minute, normal, baseline)) return 'alert';
  return count > upper ? 'watch' : 'ok';
}

function reasonFor(a: Assessment, normal: Normal, firing: string | undefined): string {
  const band = `normal here is ${percent(a.expected ?? 0)}, up to ${percent(a.upper ?? 0)}`;
  const where = Object.values(a.labels ?? {}).map((value) => `${value}: `);
  const facts = `${where.join('')}${a.status} is ${percent(a.share)} of ${a.total} transactions; ${band}`;
  if (firing !== undefined) return `${facts}; ${firing} is firing`;
  if (a.recommendation === 'watch' && normal.blips)
    return `${facts}; there was a blip in the last two weeks: two minutes alone are no alert`;
  if (a.recommendation === 'watch') return `${facts}; one minute alone is no alert`;
  return a.recommendation === 'alert' ? `${facts}; the minute before was above normal too` : facts;
}

/**
 * Judges each judged status that the minutes name by the recorded series; has no threshold of its
 * own.
 */
export function assess(minutes: readonly Minute[], baseline: Baseline): Assessment[] {
  const assessments: Assessment[] = [];
  for (const minute of minutes) {
    const all = total(minute.counts);
    for (const status of JUDGED_STATUSES)
      if (minute.counts[status] !== undefined) assessments.push(assessStatus(status, minute, all, baseline));
  }
  return assessments;
}

const GRAVEST_FIRST = ['alert', 'watch', 'ok', 'unknown'] as const;

/** The gravest of several, with its reason; unknown only where nothing is known. */
export function overall(assessments: readonly Assessment[]): Pick<Assessment, 'recommendation' | 'reason'> | undefined {
  for (const grave of GRAVEST_FIRST) {
    const found = assessments.find(({ recommendation }) => recommendation === grave);
    if (found !== undefined) return { recommendation: grave, reason: found.reason };
  }
  return undefined;
}
