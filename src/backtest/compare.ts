import { seriesText } from '../domain/series-text.ts';
import type { BacktestAlert } from './run.ts';

/** One alert as two rule folders have it; at least one of them does. */
export interface Difference {
  here: BacktestAlert | undefined;
  there: BacktestAlert | undefined;
}

/**
 * Alerts of one name and one set of labels that are at most this many seconds apart are taken for
 * the same.
 */
const NEAR = 10 * 60;

/**
 * Pairs the alerts of two backtests of the same history, in order of time: with its counterpart
 * each alert that has one near it, the others alone. Pairs that agree to the minute are included.
 */
export function compareAlerts(here: readonly BacktestAlert[], there: readonly BacktestAlert[]): Difference[] {
  const left = new Map<string, BacktestAlert[]>();
  for (const alert of there) left.set(keyOf(alert), [...(left.get(keyOf(alert)) ?? []), alert]);
  const pairs: Difference[] = here.map((alert) => {
    const candidates = left.get(keyOf(alert)) ?? [];
    const at = candidates.findIndex((other) => areNear(alert, other));
    return { here: alert, there: at < 0 ? undefined : candidates.splice(at, 1)[0] };
  });
  const alone = [...left.values()].flat().map((alert) => ({ here: undefined, there: alert }));
  return [...pairs, ...alone].sort((a, b) => startOf(a) - startOf(b));
}

const startOf = ({ here, there }: Difference): number =>
  Math.min(here?.startsAt ?? Number.POSITIVE_INFINITY, there?.startsAt ?? Number.POSITIVE_INFINITY);

/** `severity` may differ. */
const keyOf = ({ alertname, labels }: BacktestAlert): string => seriesText(alertname, labels);

const endOf = ({ endsAt }: BacktestAlert): number => endsAt ?? Number.POSITIVE_INFINITY;
const areNear = (a: BacktestAlert, b: BacktestAlert): boolean =>
  a.startsAt <= endOf(b) + NEAR && b.startsAt <= endOf(a) + NEAR;

/**
 * Minutes by which the alert of the second folder starts later, and lasts longer; `length` is null
 * where one still fires.
 */
export function changeOf(here: BacktestAlert, there: BacktestAlert): { start: number; length: number | null } {
  const lasts = ({ startsAt, endsAt }: BacktestAlert) => (endsAt === null ? Number.NaN : endsAt - startsAt);
  const length = (lasts(there) - lasts(here)) / 60;
  const bothFire = here.endsAt === null && there.endsAt === null;
  const start = (there.startsAt - here.startsAt) / 60;
  return { start, length: bothFire ? -start : Number.isNaN(length) ? null : length };
}

/** In words, or undefined where both have the same. */
export function describeDifference({ here, there }: Difference): string | undefined {
  if (here === undefined) return 'only there';
  if (there === undefined) return 'only here';
  const { start, length } = changeOf(here, there);
  const words = [
    ...(start === 0 ? [] : [`${Math.abs(start)} min ${start < 0 ? 'earlier' : 'later'} there`]),
    ...(length === null
      ? [there.endsAt === null ? 'still firing there' : 'ended there']
      : length === 0
        ? []
        : [`${Math.abs(length)} min ${length < 0 ? 'shorter' : 'longer'} there`]),
  ];
  return words.length === 0 ? undefined : words.join(', ');
}
