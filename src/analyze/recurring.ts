import { median } from '../domain/median.ts';
import type { Stretch } from './stretches.ts';

/**
 * A rise that comes back at the same time of day, such as a nightly batch. Times of day are
 * minutes since midnight UTC.
 */
export interface Recurring {
  status: string;
  /** Earliest start and latest end. */
  fromMinuteOfDay: number;
  toMinuteOfDay: number;
  days: number;
  ofDays: number;
  /** Median count of a day. */
  typical: number;
}

const DAY = 1440;
/** The rules too know after three days what recurs. */
const LEAST_DAYS = 3;
const LEAST_SHARE = 1 / 3;
/** Starts that are at most this many minutes apart belong together. */
const AROUND = 20;

/** Minutes between two times of day, around midnight too. */
function apart(a: number, b: number): number {
  const distance = Math.abs((a % DAY) - (b % DAY));
  return Math.min(distance, DAY - distance);
}

/**
 * Tells stretches that recur from the others: the same status begins within 20 minutes of the same
 * time of day on three days or more, and on at least every third day of the file.
 * @param days that the file covers
 */
export function splitRecurring(
  stretches: readonly Stretch[],
  days: number,
): { once: Stretch[]; recurring: Recurring[] } {
  const recurring: Recurring[] = [];
  let left = [...stretches];
  for (const stretch of stretches) {
    if (!left.includes(stretch)) continue;
    const alike = left.filter(({ status, from }) => status === stretch.status && apart(from, stretch.from) <= AROUND);
    const on = new Set(alike.map(({ from }) => Math.floor(from / DAY))).size;
    if (on < LEAST_DAYS || on < days * LEAST_SHARE) continue;
    recurring.push(describe(alike, stretch, on, days));
    left = left.filter((each) => !alike.includes(each));
  }
  return { once: left, recurring };
}

function describe(alike: readonly Stretch[], first: Stretch, days: number, ofDays: number): Recurring {
  // Minutes are counted from the first stretch, so that a rise over midnight stays together.
  const offset = (minute: number) => ((((minute - first.from) % DAY) + DAY + DAY / 2) % DAY) - DAY / 2;
  const from = first.from + Math.min(...alike.map((stretch) => offset(stretch.from)));
  const to = first.from + Math.max(...alike.map((stretch) => offset(stretch.from) + stretch.to - stretch.from));
  return {
    status: first.status,
    fromMinuteOfDay: from % DAY,
    toMinuteOfDay: to % DAY,
    days,
    ofDays,
    typical: median(alike.map(({ observed }) => observed)),
  };
}
