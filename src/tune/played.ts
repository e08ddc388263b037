import { compareAlerts } from '../backtest/compare.ts';
import { type BacktestAlert, runBacktest } from '../backtest/run.ts';
import type { CalendarAt } from '../calendar/series.ts';
import type { Rules } from '../prometheus/rule-files.ts';
import type { RecordedHistory } from './recorded-history.ts';

export const DAY = 86_400;
/** Days before those that are compared, from which the rules only learn. */
export const LEARNED_DAYS = 14;
/** The rules only learn from the first hours where less is known. */
export const FIRST_HOURS = 6 * 3600;

/** Times are seconds since the epoch. */
export interface Plan {
  /** The time in which alerts are compared. */
  from: number;
  to: number;
  /** The start of what the rules learned from. */
  learnedFrom: number;
  /** Beside the total. */
  slices: number;
}

export interface Compared {
  change: 'gone' | 'new' | 'stays';
  alert: BacktestAlert;
}

export interface PlayOptions {
  history: RecordedHistory;
  rules: Rules;
  /** Absent where there is no calendar and no mark. */
  calendar: CalendarAt | undefined;
  /** The start of the time in which alerts are compared. */
  from: number;
  /** `share` in [0, 1]. */
  onProgress: (share: number, rule: string) => void;
  signal: AbortSignal;
}

/** The alerts that rules would have fired on recorded counts; it takes one core. */
export async function playRecorded({ history, from, ...options }: PlayOptions): Promise<BacktestAlert[]> {
  const { alerts } = await runBacktest({ ...history, ...options, statuses: true, authCodes: [], gentle: true });
  return alerts.filter(({ startsAt }) => startsAt >= from);
}

/** What becomes of each alert, in order of time. */
export const changesBetween = (before: readonly BacktestAlert[], after: readonly BacktestAlert[]): Compared[] =>
  compareAlerts(before, after).flatMap(({ here, there }): Compared[] => {
    const alert = here ?? there;
    if (alert === undefined) return [];
    return [{ change: there === undefined ? 'gone' : here === undefined ? 'new' : 'stays', alert }];
  });
