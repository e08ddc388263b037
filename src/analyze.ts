import { priorOf } from './analyze/band.ts';
import { type CodeShare, describeCodes, leadingCodes } from './analyze/codes.ts';
import { type Columns, hourOf, largest, sumOf, toColumns, total } from './analyze/columns.ts';
import { type Recurring, splitRecurring } from './analyze/recurring.ts';
import { adviseSensitivity, type Sensitivity } from './analyze/sensitivity.ts';
import { badMinutes, clusterDispersion, type Judged, type Stretch, stretchesOf } from './analyze/stretches.ts';
import type { BandTunables } from './analyze/tunables.ts';
import { usualOdds } from './analyze/usual.ts';
import { scoreOf } from './band.ts';
import type { CsvHistory } from './csv.ts';
import { APPROVED_CODES } from './domain/auth-codes.ts';
import { JUDGED_STATUSES, STATUSES } from './names.ts';

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
  /** In order of time, without those that recur. */
  stretches: Stretch[];
  recurring: Recurring[];
  authCodes?: CodeShare[];
  sensitivity?: Sensitivity;
  /** What is judged, minute by minute, for the charts. */
  judged: (Judged & { bad: Uint8Array; dispersion: number })[];
  all: { minutes: Float64Array; total: Float64Array };
}

export interface Gap {
  from: number;
  to: number;
  minutes: number;
}

const LISTED = 10;
/** What stands for every code that is no approval, where only codes are known. */
export const DECLINED = 'declined';

/**
 * What an analyst looks at first: totals, shares, hours, gaps, the busiest and the worst minutes, stretches above normal, auth codes
 * and which sensitivity suits.
 * @param histories one by status, one by auth code, or both
 */
export function analyzeMinutes(histories: readonly CsvHistory[], tunables: BandTunables): MinuteAnalysis {
  const byStatus = histories.find(({ kind }) => kind === 'status');
  const byCode = histories.find(({ kind }) => kind === 'auth_code');
  const codes = byCode && toColumns(byCode);
  const main = byStatus ? toColumns(byStatus) : declinedOf(codes ?? emptyColumns());
  const judged = judgeAll(main, tunables);
  const found = judged.flatMap((status) => stretchesOf(status, status.bad)).sort((a, b) => a.from - b.from);
  const { once: stretches, recurring } = splitRecurring(found, daysOf(main.minutes));
  const first = byStatus ?? byCode;
  const sensitivity = adviseSensitivity(judged, tunables);
  return {
    kind: 'minutes',
    from: first?.from ?? 0,
    to: first?.to ?? 0,
    minutes: main.minutes.length,
    total: total(main.total),
    statuses: statusesOf(main),
    hours: hoursOf(main),
    gaps: gapsOf(main.minutes),
    repeated: {
      rows: histories.reduce((sum, { repeated }) => sum + repeated.rows, 0),
      first: histories
        .flatMap(({ repeated }) => repeated.minutes)
        .sort((a, b) => a - b)
        .slice(0, LISTED),
    },
    busiest: largest(main.total, LISTED).map((at) => ({ at: main.minutes[at] ?? 0, total: main.total[at] ?? 0 })),
    worst: worstOf(judged),
    stretches: codes ? leadingCodes(stretches, codes) : stretches,
    recurring,
    ...(codes && { authCodes: describeCodes(codes, stretches) }),
    ...(sensitivity && { sensitivity }),
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

/** A file of auth codes as if it were one of two statuses. */
function declinedOf(codes: Columns): Columns {
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
