import { median } from '../domain/median.ts';
import { bandAt } from '../judge/band.ts';
import { PAGING, type PagingWindow, tailOf } from './band.ts';
import { hourOf } from './columns.ts';
import { alarmsAmong, type Candidate, type CleanTraffic, chanceCandidates, LOWEST_Z } from './simulated.ts';
import { clusterDispersion, type Judged } from './stretches.ts';
import type { BandTunables } from './tunables.ts';

/** The effect of one window's settings at this file's volume, and a suggestion. */
export interface WindowAdvice {
  window: PagingWindow;
  z: number;
  minEvents: number;
  /**
   * False alarms a week that chance alone brings, all statuses together, with the settings as they
   * are.
   */
  falseAlarmsPerWeek: number;
  /** The lowest z that keeps chance to the goal; undefined where even the highest does not. */
  lowestZ?: number;
  suggestedZ: number;
  /** More than now only if no z keeps to the goal. */
  suggestedMinEvents: number;
  suggestedFalseAlarmsPerWeek: number;
}

export interface StatusNoise {
  status: string;
  /** Expected count a minute: mean over the hours known, and in the quietest and the busiest. */
  perMinute: { mean: number; quietest: number; busiest: number };
  /**
   * Relative standard deviation on top of chance, from minute to minute and from hour to hour, on
   * clean minutes.
   */
  dispersion: { minute: number; hour: number };
  /**
   * The counts from which each window calls something above normal, with the settings as they are,
   * in an hour of middling traffic.
   */
  finds: { window: PagingWindow; expected: number; upper: number }[];
}

export interface Sensitivity {
  /** Clean minutes that it was learned from. */
  minutes: number;
  weeksDrawn: number;
  goalPerWeek: number;
  windows: WindowAdvice[];
  statuses: StatusNoise[];
}

const WEEKS = 52;
const SEED = 1;
/**
 * One in four weeks by chance alone, over all windows and statuses: the rest of one a week is left
 * to what is not chance.
 */
const GOAL = 0.25;
/** With less than two hours, nothing can be said. */
const LEAST_MINUTES = 120;
const HIGHEST_Z = 6;
const STEP = 0.1;
const GRID = Array.from({ length: Math.round((HIGHEST_Z - LOWEST_Z) / STEP) + 1 }, (_, step) =>
  Number((LOWEST_Z + step * STEP).toFixed(1)),
);
const WINDOWS = Object.keys(PAGING) as PagingWindow[];

/**
 * Suggests the z and min_events that suit the volume and the over-dispersion of a file. It draws a
 * year of its traffic without incidents, and counts what the band of the rules would have called
 * anomalies.
 * @returns undefined where the file is too short
 */
export function adviseSensitivity(
  judged: readonly (Judged & { bad: Uint8Array })[],
  tunables: BandTunables,
): Sensitivity | undefined {
  const traffic = judged.map((status) => cleanTraffic(status, tunables));
  const seen = traffic.filter(({ perMinute }) => perMinute.some((mean) => mean > 0));
  const minutes = Math.min(...judged.map(({ bad }) => bad.filter((is) => is === 0).length));
  if (seen.length === 0 || minutes < LEAST_MINUTES) return undefined;
  const drawn = seen.map((status) => chanceCandidates(status, WEEKS, tunables.noiseZ, SEED));
  return {
    minutes,
    weeksDrawn: WEEKS,
    goalPerWeek: GOAL,
    windows: WINDOWS.map((window) =>
      adviseWindow(
        window,
        drawn.map((each) => each[window]),
        tunables,
      ),
    ),
    statuses: seen.map((status) => noiseOf(status, tunables)),
  };
}

function cleanTraffic(judged: Judged & { bad: Uint8Array }, tunables: BandTunables): CleanTraffic {
  const hours = Array.from({ length: 24 }, () => ({ sum: 0, minutes: 0 }));
  judged.minutes.forEach((minute, at) => {
    const hour = hours[hourOf(minute)];
    if (judged.bad[at] === 1 || hour === undefined) return;
    hour.sum += judged.expected[at] ?? 0;
    hour.minutes++;
  });
  const perMinute = hours.map(({ sum, minutes }) => (minutes === 0 ? 0 : sum / minutes));
  const minuteDispersion = clusterDispersion(judged, judged.bad, tunables, 1);
  const hourDispersion = Math.min(minuteDispersion, clusterDispersion(judged, judged.bad, tunables, 60));
  const known = knownVariance(perMinute, minuteDispersion, hourDispersion, tunables);
  return { status: judged.status, perMinute, minuteDispersion, hourDispersion, known };
}

/**
 * The relative variance as the rules take it: a window of w minutes keeps the slow part and a w-th
 * of the quick one.
 */
function knownVariance(perMinute: readonly number[], quick: number, slow: number, tunables: BandTunables) {
  const known = perMinute.filter((mean) => mean > 0);
  const weekOfHour = (known.reduce((sum, mean) => sum + mean, 0) / Math.max(1, known.length)) * 60 * 7;
  const of = (window: PagingWindow) =>
    tailOf(Math.max(tunables.dispersionMin ** 2, slow + Math.max(0, quick - slow) / PAGING[window]), tunables) +
    1 / (weekOfHour + 1);
  return { '2m': of('2m'), '5m': of('5m'), '15m': of('15m'), '1h': of('1h') };
}

function adviseWindow(window: PagingWindow, drawn: readonly Candidate[][], tunables: BandTunables): WindowAdvice {
  const [z, minEvents] = [tunables.z[window], tunables.minEvents[window]];
  const rate = (atZ: number, events = minEvents) =>
    drawn.reduce((sum, candidates) => sum + alarmsAmong(candidates, atZ, events), 0) / WEEKS;
  const kept = (perWeek: number) => perWeek <= GOAL / WINDOWS.length;
  const lowestZ = GRID.find((candidate) => kept(rate(candidate)));
  const suggestedZ = lowestZ === undefined ? z : Math.max(z, lowestZ);
  let suggestedMinEvents = minEvents;
  while (lowestZ === undefined && suggestedMinEvents < 2 * minEvents + 10 && !kept(rate(z, suggestedMinEvents)))
    suggestedMinEvents++;
  return {
    window,
    z,
    minEvents,
    falseAlarmsPerWeek: rate(z),
    ...(lowestZ !== undefined && { lowestZ }),
    suggestedZ,
    suggestedMinEvents,
    suggestedFalseAlarmsPerWeek: rate(suggestedZ, suggestedMinEvents),
  };
}

function noiseOf(
  { status, perMinute, minuteDispersion, hourDispersion, known }: CleanTraffic,
  tunables: BandTunables,
): StatusNoise {
  const seen = perMinute.filter((mean) => mean > 0);
  const finds = WINDOWS.map((window) => {
    const share = (PAGING[window] - 1) / PAGING[window];
    const expected = median(seen) * PAGING[window];
    const band = bandAt(expected * share, known[window], tunables.z[window], tunables.noiseZ);
    return { window, expected, upper: Math.max(band, tunables.minEvents[window] - 0.5) / share };
  });
  return {
    status,
    perMinute: {
      mean: seen.reduce((sum, mean) => sum + mean, 0) / seen.length,
      quietest: Math.min(...seen),
      busiest: Math.max(...seen),
    },
    dispersion: { minute: Math.sqrt(minuteDispersion), hour: Math.sqrt(hourDispersion) },
    finds,
  };
}
