import { INCIDENT_KINDS, type Incident, type IncidentKind, placeIncidents } from '../../src/incidents.ts';
import { randomFor } from '../../src/random.ts';
import type { Label } from '../../src/score.ts';
import { createTraffic, type TrafficMinute, trafficMinutes } from '../../src/simulate.ts';

export interface RunOptions {
  seed: number;
  volumePerMinute: number;
  historyDays: number;
  scoredDays: number;
  /** Of each kind of incident in the scored days. */
  perKind: number;
  /** Default: all. */
  kinds?: readonly IncidentKind[];
}

/** Traffic with labels. Times are seconds since the epoch. */
export interface Run {
  minutes: TrafficMinute[];
  labels: Label[];
  from: number;
  scoreFrom: number;
  to: number;
}

const DAY = 1440;
/** A Monday. */
const START = Date.UTC(2026, 0, 5) / 60_000;
/** Unlabelled in the sense of the score: what history is really like. From the third day on, so that there is something to learn first. */
const IN_HISTORY: readonly IncidentKind[] = ['denied-spike', 'denied-step', 'failed', 'reversed', 'volume-zero'];
const HISTORY_FROM_DAY = 3;
/** One minute in which a status is this many times itself: a hiccup that nobody should be called for. */
const BLIP_FACTOR = 6;
const BLIPS_A_DAY = 1;

/**
 * The same seed gives the same run. Its scored days hold `perKind` of every kind of incident, at least an hour and a half apart, and
 * what must not alert, labelled `none`: doubled volume and blips of a minute. The nightly batch of reversals is in every day.
 * @throws when the incidents do not fit in the scored days
 */
export function makeRun(options: RunOptions): Run {
  const { seed, volumePerMinute, historyDays, scoredDays, perKind } = options;
  const scoreFrom = START + historyDays * DAY;
  const to = scoreFrom + scoredDays * DAY;
  const kinds = (options.kinds ?? INCIDENT_KINDS).flatMap((kind) => Array.from({ length: perKind }, () => kind));
  // It places in the second half of a range while there is room there: that half is the scored days.
  const scored = placeIncidents(kinds, seed, scoreFrom - scoredDays * DAY, to);
  if (scored.some(({ start }) => start < scoreFrom))
    throw new Error(`${kinds.length} incidents do not fit in ${scoredDays} days: give more days`);
  const history = placeIncidents(IN_HISTORY, seed + 1, START + HISTORY_FROM_DAY * DAY, scoreFrom - DAY / 4);
  const incidents = [...history, ...scored];
  const traffic = createTraffic({ seed, volumePerMinute, incidents });
  const blips = placeBlips(seed, incidents, START + HISTORY_FROM_DAY * DAY, to);
  const minutes = [...trafficMinutes(traffic, START, to)].map((minute) =>
    blips.has(minute.minute) ? withBlip(minute, seed) : minute,
  );
  const labels = [...incidents.map(labelOf), ...[...blips].map(blipLabel)].sort((a, b) => a.start - b.start);
  return { minutes, labels, from: START * 60, scoreFrom: scoreFrom * 60, to: to * 60 };
}

/** Minutes at least half an hour from any incident, so that a false alarm cannot be taken for a detection. */
function placeBlips(seed: number, incidents: readonly Incident[], from: number, to: number): Set<number> {
  const blips = new Set<number>();
  for (let day = from; day < to; day += DAY / BLIPS_A_DAY) {
    const minute = day + Math.floor(randomFor(seed, 0xb11b, day)() * (DAY / BLIPS_A_DAY));
    const isClear = incidents.every(({ start, end }) => minute < start - 30 || minute > end + 30);
    if (isClear && minute < to) blips.add(minute);
  }
  return blips;
}

function withBlip(minute: TrafficMinute, seed: number): TrafficMinute {
  if (randomFor(seed, 0xb11c, minute.minute)() < 0.5) {
    const authCodes = Object.entries(minute.authCodes).map(([code, n]) => [code, code === '00' ? n : n * BLIP_FACTOR]);
    const counts = { ...minute.counts, denied: minute.counts.denied * BLIP_FACTOR };
    return { ...minute, counts, authCodes: Object.fromEntries(authCodes) };
  }
  return { ...minute, counts: { ...minute.counts, reversed: minute.counts.reversed * BLIP_FACTOR } };
}

const labelOf = ({ start, end, signal, kind }: Incident): Label => ({
  start: start * 60,
  end: end * 60,
  signals: [signal],
  note: kind,
});
const blipLabel = (minute: number): Label => ({
  start: minute * 60,
  end: (minute + 1) * 60,
  signals: ['none'],
  note: 'blip',
});
