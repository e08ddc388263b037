import { bandAt } from '../judge/band.ts';
import { dispersionOf, PAGING, type PagingWindow, tailOf } from './band.ts';
import type { BandTunables } from './tunables.ts';

/**
 * Consecutive minutes in which a status was above its band. Minutes since the epoch, the end
 * exclusive.
 */
export interface Stretch {
  status: string;
  from: number;
  to: number;
  observed: number;
  expected: number;
  /**
   * The distance from chance: the root of the Poisson deviance. The expected count is taken as at
   * least half an event.
   */
  score: number;
  /** The fullest minute. */
  peak: { at: number; count: number };
  /**
   * The issuer's answers that were behind it, the leading one first; absent where auth codes are
   * not known.
   */
  codes?: { code: string; count: number; excess: number }[];
}

/** One status, minute by minute. */
export interface Judged {
  status: string;
  minutes: Float64Array;
  count: Float64Array;
  expected: Float64Array;
  /** c^2 of this status where counts are too small to tell. */
  prior: number;
}

/** Stretches that are at most this many minutes apart are one. */
const APART = 10;
/** An hour is left to the backtest: it says when, not from when to when. */
const JUDGED_BY: readonly PagingWindow[] = ['2m', '5m', '15m'];

/**
 * A standard deviation each for what is nearly normal, and comparable between few and many events.
 */
function deviance(observed: number, expected: number): number {
  const usual = Math.max(expected, 0.5);
  return observed <= usual ? 0 : Math.sqrt(2 * (observed * Math.log(observed / usual) - (observed - usual)));
}

/** @param bad the minutes that `badMinutes` found */
export function stretchesOf(judged: Judged, bad: Uint8Array): Stretch[] {
  const found: { first: number; last: number }[] = [];
  bad.forEach((is, at) => {
    if (!is) return;
    const before = found.at(-1);
    const near = before && (judged.minutes[at] ?? 0) - (judged.minutes[before.last] ?? 0) <= APART;
    if (before && near) before.last = at;
    else found.push({ first: at, last: at });
  });
  const segments = found.map(({ first, last }) => likeliest(judged, first, last));
  return segments.filter(({ first, last }) => last > first).map(({ first, last }) => describe(judged, first, last));
}

/**
 * Finds the part of a stretch that was really raised, since windows reach into the quiet minutes
 * around it. It is the run with the largest sum of the log likelihood ratio of Poisson counts, for
 * counts raised as much as those of the whole stretch.
 */
function likeliest({ count, expected }: Judged, first: number, last: number): { first: number; last: number } {
  const sum = (values: Float64Array) => values.subarray(first, last + 1).reduce((total, value) => total + value, 0);
  const rise = Math.max(1.2, sum(count) / Math.max(sum(expected), 0.1));
  let best = { first, last: first, gain: Number.NEGATIVE_INFINITY };
  let [from, gain] = [first, 0];
  for (let at = first; at <= last; at++) {
    if (gain <= 0) [from, gain] = [at, 0];
    gain += (count[at] ?? 0) * Math.log(rise) - (expected[at] ?? 0) * (rise - 1);
    if (gain > best.gain) best = { first: from, last: at, gain };
  }
  return best;
}

/** Over-dispersion of the sums of five clean minutes. */
export function clusterDispersion(judged: Judged, bad: Uint8Array, tunables: BandTunables, length = 5): number {
  const sums = new Map<number, { count: number; mean: number }>();
  judged.minutes.forEach((minute, at) => {
    if (bad[at] === 1) return;
    const sum = sums.get(Math.floor(minute / length)) ?? { count: 0, mean: 0 };
    sum.count += judged.count[at] ?? 0;
    sum.mean += judged.expected[at] ?? 0;
    sums.set(Math.floor(minute / length), sum);
  });
  const all = [...sums.values()];
  const observed = all.map(({ count }) => count);
  const expected = all.map(({ mean }) => mean);
  return dispersionOf(observed, expected, judged.prior, tunables);
}

/**
 * 1 for each minute above its expected count in a window whose count, less its busiest minute, is
 * above the band.
 */
export function badMinutes(judged: Judged, dispersion: number, tunables: BandTunables): Uint8Array {
  const { minutes, count, expected } = judged;
  const { z, minEvents, noiseZ } = tunables;
  const r = tailOf(dispersion, tunables);
  const bad = new Uint8Array(minutes.length);
  for (const window of JUDGED_BY) {
    const length = PAGING[window];
    const share = (length - 1) / length;
    for (let at = 0; at < minutes.length; at++) {
      const { observed, most, mean, first } = windowAt(judged, at, length);
      if (observed - most < minEvents[window] - 0.5) continue;
      if (observed - most <= bandAt(mean * share, r, z[window], noiseZ)) continue;
      for (let minute = first; minute <= at; minute++) {
        const [seen = 0, usual = 0] = [count[minute], expected[minute]];
        if (seen > usual + Math.sqrt(usual)) bad[minute] = 1;
      }
    }
  }
  return bad;
}

/**
 * Sums over the minutes of the file among the `length` minutes that end with the one at a place.
 */
function windowAt({ minutes, count, expected }: Judged, at: number, length: number) {
  let [observed, most, mean, first] = [0, 0, 0, at];
  for (let place = at; place >= 0 && (minutes[at] ?? 0) - (minutes[place] ?? 0) < length; place--) {
    const here = count[place] ?? 0;
    observed += here;
    most = Math.max(most, here);
    mean += expected[place] ?? 0;
    first = place;
  }
  return { observed, most, mean, first };
}

function describe({ status, minutes, count, expected }: Judged, first: number, last: number): Stretch {
  let [observed, mean, peak] = [0, 0, first];
  for (let at = first; at <= last; at++) {
    observed += count[at] ?? 0;
    mean += expected[at] ?? 0;
    if ((count[at] ?? 0) > (count[peak] ?? 0)) peak = at;
  }
  return {
    status,
    from: minutes[first] ?? 0,
    to: (minutes[last] ?? 0) + 1,
    observed,
    expected: mean,
    score: deviance(observed, mean),
    peak: { at: minutes[peak] ?? 0, count: count[peak] ?? 0 },
  };
}
