import { gaussian, poisson, type Random, randomFor } from '../domain/random.ts';
import { bandAt } from '../judge/band.ts';
import { PAGING, type PagingWindow } from './band.ts';

/** Clean traffic of one status, as the file has it. */
export interface CleanTraffic {
  status: string;
  /** Expected count of one minute in each hour of the day; 0 where the file knows nothing. */
  perMinute: readonly number[];
  /** Relative variance on top of Poisson: from minute to minute, and from hour to hour. */
  minuteDispersion: number;
  hourDispersion: number;
  /** Relative variance that the rules would know, by window. */
  known: Record<PagingWindow, number>;
}

/**
 * A window that was above the band for a low z, with the highest z for which it would be, and its
 * evidence.
 */
export interface Candidate {
  minute: number;
  z: number;
  events: number;
}

const LONGEST = 60;
/** Nobody would set z lower. */
export const LOWEST_Z = 2;
const HIGHEST_Z = 12;

/** A factor of mean 1 and the given variance. */
function wobble(variance: number, random: Random): number {
  if (variance <= 0) return 1;
  const spread = Math.log(1 + variance);
  return Math.exp(Math.sqrt(spread) * gaussian(random) - spread / 2);
}

/**
 * Draws weeks of traffic in which nothing is wrong, and finds the windows that the band would have
 * called anomalies all the same. Windows hold their count less the busiest minute, as in the rules.
 * @returns by window, in order of time
 */
export function chanceCandidates(
  traffic: CleanTraffic,
  weeks: number,
  noiseZ: number,
  seed: number,
): Record<PagingWindow, Candidate[]> {
  const random = randomFor(seed, hashOf(traffic.status), 0);
  const found: Record<PagingWindow, Candidate[]> = { '2m': [], '5m': [], '15m': [], '1h': [] };
  const [counts, means] = [new Float64Array(LONGEST), new Float64Array(LONGEST)];
  const extra = Math.max(0, traffic.minuteDispersion - traffic.hourDispersion);
  let level = 1;
  for (let minute = 0; minute < weeks * 10_080; minute++) {
    if (minute % 60 === 0) level = wobble(traffic.hourDispersion, random);
    const mean = traffic.perMinute[Math.floor(minute / 60) % 24] ?? 0;
    means[minute % LONGEST] = mean;
    counts[minute % LONGEST] = mean === 0 ? 0 : poisson(mean * level * wobble(extra, random), random);
    if (minute >= LONGEST - 1) judge(counts, means, minute, traffic, noiseZ, found);
  }
  return found;
}

function judge(
  counts: Float64Array,
  means: Float64Array,
  minute: number,
  { known }: CleanTraffic,
  noiseZ: number,
  found: Record<PagingWindow, Candidate[]>,
): void {
  let [sum, most, mean] = [0, 0, 0];
  for (let back = 0; back < LONGEST; back++) {
    const at = (minute - back) % LONGEST;
    const count = counts[at] ?? 0;
    sum += count;
    mean += means[at] ?? 0;
    if (count > most) most = count;
    const window = WINDOW_OF[back + 1];
    if (window === undefined) continue;
    const [events, expected] = [sum - most, (mean * back) / (back + 1)];
    if (expected > 0 && events > bandAt(expected, known[window], LOWEST_Z, noiseZ))
      found[window].push({ minute, events, z: reachedZ(events, expected, known[window], noiseZ) });
  }
}

const WINDOW_OF: Record<number, PagingWindow> = Object.fromEntries(
  Object.entries(PAGING).map(([window, length]) => [length, window as PagingWindow]),
);

/** The z at which the band is just at the count. */
function reachedZ(events: number, expected: number, r: number, noiseZ: number): number {
  let [low, high] = [LOWEST_Z, HIGHEST_Z];
  for (let step = 0; step < 20; step++) {
    const middle = (low + high) / 2;
    if (events > bandAt(expected, r, middle, noiseZ)) low = middle;
    else high = middle;
  }
  return low;
}

const hashOf = (text: string): number => [...text].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) | 0;

/** Candidates less than ten minutes apart are one alarm, as in the score of docs/detection.md. */
export function alarmsAmong(candidates: readonly Candidate[], z: number, minEvents: number): number {
  let [alarms, last] = [0, Number.NEGATIVE_INFINITY];
  for (const candidate of candidates) {
    if (candidate.z <= z || candidate.events < minEvents - 0.5) continue;
    if (candidate.minute - last >= 10) alarms++;
    last = candidate.minute;
  }
  return alarms;
}
