import type { MinuteCounts } from '../domain/minutes.ts';
import { STATUSES, type Status } from '../domain/names.ts';
import { poisson, type Random, randomFor } from '../domain/random.ts';
import type { Draw, Drawn } from './drawn.ts';
import { DENIAL_CODES, type TrafficMinute } from './feed.ts';
import { LEADING_CODE, type Signal } from './incidents.ts';
import type { Means } from './model.ts';

/** The time of a run and its chance. Times are minutes since the epoch. */
export interface Context {
  seed: number;
  /** Mean transactions a minute. */
  volume: number;
  from: number;
  /** Incidents that start from here on are scored; the time before is history. */
  scoreFrom: number;
  to: number;
  /** Random numbers for the scenario's own draws. */
  random: Random;
}

/** Something drawn that has its place in time; `start` is in minutes since the epoch. */
export interface Placed extends Drawn {
  start: number;
}

/** A labelled event, in minutes since the epoch, the end exclusive. */
export interface Labelled {
  kind: string;
  signal: Signal;
  start: number;
  end: number;
  /** The slice whose traffic it was in; default everybody's. */
  slice?: string;
}

/**
 * Generated traffic as it is reported, with what happened in it. Times are minutes since the epoch.
 */
export interface Run {
  /** In order of time. */
  minutes: MinuteCounts[];
  /** In order of time; those before `scoreFrom` too. */
  labels: Labelled[];
  from: number;
  scoreFrom: number;
  to: number;
}

export const DAY = 1440;
/** Minutes between incidents that are placed by chance, so that each can be told apart. */
const DISTANCE = 90;
const TRIES = 5000;

export interface Wanted {
  draw: Draw;
  /**
   * Days in which it may begin, counted from `first`, the last excluded; default all that are
   * scored.
   */
  days?: [number, number];
  /** Minutes of the day in which it may begin; default 07:00 to 23:00. */
  hours?: [number, number];
}

const BY_DAY: [number, number] = [7 * 60, 23 * 60];
export const BY_NIGHT: [number, number] = [3 * 60 + 40, 5 * 60 + 20];
export const ANY_HOUR: [number, number] = [0, DAY];

/**
 * Draws what is wanted and places it by chance, the longest first, each at least an hour and a half
 * from the others and from what is taken.
 * @param first the day from which days are counted, in minutes since the epoch
 * @throws when there is no room
 */
export function place(
  wanted: readonly Wanted[],
  { random, volume }: Pick<Context, 'random' | 'volume'>,
  [first, to]: [number, number],
  taken: readonly Placed[] = [],
): Placed[] {
  const drawn = wanted.map(({ draw, ...where }) => ({ ...draw(random, volume), where }));
  const placed: Placed[] = [];
  for (const { where, ...one } of drawn.sort((a, b) => b.minutes - a.minutes)) {
    const [firstDay, lastDay] = where.days ?? [0, (to - first) / DAY];
    const [earliest, latest] = where.hours ?? BY_DAY;
    const isFree = (start: number) =>
      start + one.minutes + DISTANCE <= to &&
      [...taken, ...placed].every(
        (other) => start >= other.start + other.minutes + DISTANCE || start + one.minutes + DISTANCE <= other.start,
      );
    let start = Number.NaN;
    for (let tries = 0; tries < TRIES && Number.isNaN(start); tries++) {
      const day = firstDay + Math.floor((lastDay - firstDay) * random());
      const at = first + day * DAY + earliest + Math.floor((latest - earliest) * random());
      if (isFree(at)) start = at;
    }
    if (Number.isNaN(start)) throw new Error(`${wanted.length} incidents do not fit: ask for more days`);
    placed.push({ ...one, start });
  }
  return placed.sort((a, b) => a.start - b.start);
}

/** Lets what is placed change the means of its minutes. */
export function applyAll(placed: readonly Placed[], means: Means, from: number): void {
  const length = means.approved.length;
  for (const { start, minutes, change } of placed)
    for (let since = 0; since < minutes; since++) {
      const index = start - from + since;
      if (index >= 0 && index < length) change(means, index, since);
    }
}

/**
 * Draws counts around their means. Most of the denied beyond `usual` carry one code: insufficient
 * funds.
 */
export function sampleCounts(seed: number, from: number, means: Means, usual: Float64Array): TrafficMinute[] {
  return Array.from(means.approved, (_, index) => {
    const minute = from + index;
    const draw = (stream: number, mean: number) => poisson(mean, randomFor(seed, 2200 + stream, minute));
    const mean = means.denied[index] ?? 0;
    const excess = Math.max(0, mean - (usual[index] ?? 0));
    const authCodes: Record<string, number> = {};
    for (const [code, weight] of Object.entries(DENIAL_CODES)) {
      const share = (mean - 0.8 * excess) * weight + (code === LEADING_CODE ? 0.8 * excess : 0);
      authCodes[code] = draw(Number(code), share);
    }
    const counts = {} as Record<Status, number>;
    STATUSES.forEach((status, at) => {
      counts[status] = draw(128 + at, means[status][index] ?? 0);
    });
    counts.denied = Object.values(authCodes).reduce((sum, count) => sum + count, 0);
    return { minute, counts, authCodes: { '00': counts.approved, ...authCodes } };
  });
}

export const labelOf = ({ kind, signal, start, minutes }: Placed): Labelled => ({
  kind,
  signal,
  start,
  end: start + minutes,
});
