import { type History, slicesOf } from '../csv/files.ts';
import type { Labels, TallySeries } from '../csv/tally.ts';
import { APPROVED_CODES } from '../domain/auth-codes.ts';
import { JUDGED_STATUSES, STATUSES } from '../domain/names.ts';
import { scoreOf } from '../judge/band.ts';
import { priorOf } from './band.ts';
import { type CodeShare, describeCodes, leadingCodes } from './codes.ts';
import { type Columns, hourOf, largest, sumOf, toColumns, total } from './columns.ts';
import { type Hypothesis, hypothesesOf } from './hypotheses.ts';
import { type Recurring, splitRecurring } from './recurring.ts';
import { adviseSensitivity, type Sensitivity } from './sensitivity.ts';
import { badMinutes, clusterDispersion, type Judged, type Stretch, stretchesOf } from './stretches.ts';
import type { BandTunables } from './tunables.ts';
import { usualOdds } from './usual.ts';

/** One minute that stands out. `at` is in minutes since the epoch, like every time here. */
export interface WorstMinute {
  at: number;
  status: string;
  observed: number;
  expected: number;
  score: number;
}

export interface MinuteAnalysis {
  kind: 'minutes';
  /** Counts by status, and by auth code. */
  totals: Record<string, number>;
  authCodes?: Record<string, number>;
  /** First minute, and the one after the last. */
  from: number;
  to: number;
  /** Minutes that have a row. */
  minutes: number;
  total: number;
  /** Statuses; for a file of auth codes alone: approved and declined. */
  statuses: { status: string; count: number; share: number; perMinute: number; most: { at: number; count: number } }[];
  /** Hours of the day, UTC, that have a minute. */
  hours: { hour: number; minutes: number; perMinute: number; shares: Record<string, number> }[];
  gaps: { count: number; minutes: number; longest: Gap[] };
  repeated: { rows: number; first: number[] };
  busiest: { at: number; total: number }[];
  worst: WorstMinute[];
  /** The stretches in order of time, without those that recur. */
  stretches: Stretch[];
  recurring: Recurring[];
  codes?: CodeShare[];
  /** Each set of labels by itself, the largest first; absent where counts carry no dimensions. */
  slices?: SliceAnalysis[];
  sensitivity?: Sensitivity;
  /** In order of time. */
  hypotheses: Hypothesis[];
  /** The judged counts of each status, minute by minute, for the charts. */
  judged: (Judged & { bad: Uint8Array; dispersion: number })[];
  all: { minutes: Float64Array; total: Float64Array };
}

export interface SliceAnalysis {
  labels: Labels;
  total: number;
  totals: Record<string, number>;
  stretches: Stretch[];
}

export interface Gap {
  from: number;
  to: number;
  minutes: number;
}

const LISTED = 10;
/** In a file of auth codes alone, this stands for every code that is no approval. */
export const DECLINED = 'declined';

/**
 * Computes what an analyst looks at first: totals, shares, hours, gaps, the busiest and the worst
 * minutes, stretches above normal, auth codes and the sensitivity that suits.
 */
export function analyzeMinutes(history: History, tunables: BandTunables): MinuteAnalysis {
  const [statusSeries, codeSeries] = [history.statuses?.all(), history.codes?.all()];
  const codes = codeSeries && toColumns(codeSeries);
  const main = statusSeries ? toColumns(statusSeries) : declinedOf(codes ?? emptyColumns());
  const judged = judgeAll(main, tunables);
  const raised = judged.flatMap((status) => stretchesOf(status, status.bad)).sort((a, b) => a.from - b.from);
  const { once: stretches, recurring } = splitRecurring(raised, daysOf(main.minutes));
  const sensitivity = adviseSensitivity(judged, tunables);
  const found = {
    stretches: codes ? leadingCodes(stretches, codes) : stretches,
    gaps: gapsOf(main.minutes),
    ...slicesIn(history, tunables),
  };
  return {
    kind: 'minutes',
    totals: totalsOf(main),
    ...(codes && { authCodes: totalsOf(codes) }),
    from: main.minutes[0] ?? 0,
    to: (main.minutes.at(-1) ?? -1) + 1,
    minutes: main.minutes.length,
    total: total(main.total),
    statuses: statusesOf(main),
    hours: hoursOf(main),
    repeated: {
      rows: (history.statuses?.repeated.rows ?? 0) + (history.codes?.repeated.rows ?? 0),
      first: [...(history.statuses?.repeated.minutes ?? []), ...(history.codes?.repeated.minutes ?? [])]
        .sort((a, b) => a - b)
        .slice(0, LISTED),
    },
    busiest: largest(main.total, LISTED).map((at) => ({ at: main.minutes[at] ?? 0, total: main.total[at] ?? 0 })),
    worst: worstOf(judged),
    recurring,
    ...(codes && { codes: describeCodes(codes, stretches) }),
    ...found,
    ...(sensitivity && { sensitivity }),
    hypotheses: hypothesesOf(found, main),
    judged,
    all: { minutes: main.minutes, total: main.total },
  };
}

const emptyColumns = (): Columns => ({
  minutes: new Float64Array(),
  keys: [],
  counts: new Map(),
  total: new Float64Array(),
});

const totalsOf = ({ counts }: Columns): Record<string, number> =>
  Object.fromEntries([...counts].map(([key, column]) => [key, total(column)]));

const LISTED_SLICES = 50;

/** The slices of a history that has dimensions, each judged by itself as the rules judge it. */
function slicesIn(history: History, tunables: BandTunables): { slices?: SliceAnalysis[] } {
  const slices = slicesOf(history);
  if (!slices.some((labels) => Object.keys(labels).length > 0)) return {};
  const series = history.statuses?.all() ?? history.codes?.all() ?? [];
  const keyOf = (labels: Labels) => JSON.stringify(labels);
  const bySlice = new Map<string, TallySeries[]>();
  for (const one of series) bySlice.set(keyOf(one.labels), [...(bySlice.get(keyOf(one.labels)) ?? []), one]);
  const sized = [...bySlice.values()].map((own) => ({ own, size: own.reduce((sum, one) => sum + one.total, 0) }));
  const largestFirst = sized.sort((a, b) => b.size - a.size).slice(0, LISTED_SLICES);
  return {
    slices: largestFirst.map(({ own, size }) => {
      const columns = history.statuses ? toColumns(own) : declinedOf(toColumns(own));
      const judged = judgeAll(columns, tunables);
      const found = judged.flatMap((status) => stretchesOf(status, status.bad)).sort((a, b) => a.from - b.from);
      const { once } = splitRecurring(found, daysOf(columns.minutes));
      return { labels: own[0]?.labels ?? {}, total: size, totals: totalsOf(columns), stretches: once };
    }),
  };
}

/**
 * A file of auth codes as if it were one of two statuses; without an approval among them, nothing
 * is known of what was declined.
 */
function declinedOf(codes: Columns): Columns {
  if (!codes.keys.some((code) => APPROVED_CODES.includes(code))) return { ...codes, keys: [], counts: new Map() };
  const declined = codes.keys.filter((code) => !APPROVED_CODES.includes(code));
  const approved = codes.keys.filter((code) => APPROVED_CODES.includes(code));
  const counts = new Map([
    ['approved', sumOf(codes, approved)],
    [DECLINED, sumOf(codes, declined)],
  ]);
  return { ...codes, keys: ['approved', DECLINED], counts };
}

function judgeAll(columns: Columns, tunables: BandTunables): MinuteAnalysis['judged'] {
  const approved = columns.counts.get('approved');
  return [...JUDGED_STATUSES, DECLINED].flatMap((status) => {
    const count = columns.counts.get(status);
    if (count === undefined || total(count) === 0) return [];
    // Without approved transactions in the file, a status is compared with all that there are.
    const basis = approved && total(approved) > 0 ? approved : columns.total;
    const odds = usualOdds(columns.minutes, count, basis);
    const expected = columns.minutes.map((minute, at) => (odds[hourOf(minute)] ?? 0) * (basis[at] ?? 0));
    const prior = priorOf(total(count) / Math.max(total(basis), 1), tunables);
    const signal = { status, minutes: columns.minutes, count, expected, prior };
    const rough = badMinutes(signal, prior, tunables);
    const dispersion = clusterDispersion(signal, rough, tunables);
    return [{ ...signal, dispersion, bad: badMinutes(signal, dispersion, tunables) }];
  });
}

function statusesOf({ keys, counts, minutes, total: all }: Columns): MinuteAnalysis['statuses'] {
  const sum = Math.max(1, total(all));
  const known = [...STATUSES, DECLINED].filter((status) => keys.includes(status));
  return known.map((status) => {
    const column = counts.get(status) ?? new Float64Array();
    const [top = 0] = largest(column, 1);
    const count = total(column);
    return {
      status,
      count,
      share: count / sum,
      perMinute: count / Math.max(1, minutes.length),
      most: { at: minutes[top] ?? 0, count: column[top] ?? 0 },
    };
  });
}

function hoursOf({ keys, counts, minutes, total: all }: Columns): MinuteAnalysis['hours'] {
  const hours = Array.from({ length: 24 }, (_, hour) => ({
    hour,
    minutes: 0,
    sum: 0,
    byKey: new Map<string, number>(),
  }));
  minutes.forEach((minute, at) => {
    const hour = hours[hourOf(minute)];
    if (hour === undefined) return;
    hour.minutes++;
    hour.sum += all[at] ?? 0;
    for (const key of keys) hour.byKey.set(key, (hour.byKey.get(key) ?? 0) + (counts.get(key)?.[at] ?? 0));
  });
  return hours
    .filter((hour) => hour.minutes > 0)
    .map(({ hour, minutes: known, sum, byKey }) => ({
      hour,
      minutes: known,
      perMinute: sum / known,
      shares: Object.fromEntries([...byKey].map(([key, count]) => [key, sum === 0 ? 0 : count / sum])),
    }));
}

const daysOf = (minutes: Float64Array): number => new Set(minutes.map((minute) => Math.floor(minute / 1440))).size;

function gapsOf(minutes: Float64Array): MinuteAnalysis['gaps'] {
  const gaps: Gap[] = [];
  minutes.forEach((minute, at) => {
    const from = (minutes[at - 1] ?? minute - 1) + 1;
    if (minute > from) gaps.push({ from, to: minute, minutes: minute - from });
  });
  const longest = [...gaps].sort((a, b) => b.minutes - a.minutes).slice(0, LISTED);
  const missing = gaps.reduce((sum, gap) => sum + gap.minutes, 0);
  return { count: gaps.length, minutes: missing, longest: longest.sort((a, b) => a.from - b.from) };
}

function worstOf(judged: MinuteAnalysis['judged']): WorstMinute[] {
  return judged
    .flatMap(({ status, minutes, count, expected, dispersion }) => {
      const scores = count.map((seen, at) => scoreOf(seen, expected[at] ?? 0, dispersion));
      return largest(scores, LISTED).map((at) => ({
        at: minutes[at] ?? 0,
        status,
        observed: count[at] ?? 0,
        expected: expected[at] ?? 0,
        score: scores[at] ?? 0,
      }));
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, LISTED);
}
