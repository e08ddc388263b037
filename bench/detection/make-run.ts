import { INCIDENT_KINDS, type Incident, type IncidentKind, placeIncidents } from '../../src/incidents.ts';
import { randomFor } from '../../src/random.ts';
import type { Label } from '../../src/score.ts';
import { createTraffic, type TrafficMinute, trafficMinutes } from '../../src/simulate.ts';

/** What makes a run harder than the base, one thing at a time. */
export const VARIANTS = {
  base: 'as histories are',
  noise: 'all noise doubled',
  blips: 'hiccups of two minutes',
  batch: 'the nightly batch up to 15 minutes off',
  shift: 'twice the denied for the scored days, and no incident',
} as const;
export type Variant = keyof typeof VARIANTS;

export interface RunOptions {
  variant: Variant;
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
/** A status that is this many times itself for a minute or two: a hiccup that nobody should be called for. */
const BLIP_FACTOR = 6;
const BLIPS_A_DAY = 1;
const BATCH_OFF = 15;

/**
 * The same seed gives the same run. Its scored days hold `perKind` of every kind of incident, at least an hour and a half apart, and
 * what must not alert, labelled `none`: doubled volume and blips; in the variant `shift` nothing but that. The nightly batch of
 * reversals is in every day.
 * @throws when the incidents do not fit in the scored days
 */
export function makeRun(options: RunOptions): Run {
  const { variant, seed, volumePerMinute, historyDays, scoredDays } = options;
  const scoreFrom = START + historyDays * DAY;
  const to = scoreFrom + scoredDays * DAY;
  const history = placeIncidents(IN_HISTORY, seed + 1, START + HISTORY_FROM_DAY * DAY, scoreFrom - DAY / 4);
  const range = { from: START * 60, scoreFrom: scoreFrom * 60, to: to * 60 };
  if (variant === 'shift') {
    const traffic = createTraffic({ seed, volumePerMinute, incidents: history });
    const minutes = withMoreDenied([...trafficMinutes(traffic, START, to)], options, scoreFrom);
    const shift = { start: scoreFrom * 60, end: to * 60, signals: ['denied'], note: 'shift' };
    return { minutes, labels: [...history.map(labelOf), shift], ...range };
  }
  const incidents = [...history, ...scoredIncidents(options, scoreFrom, to)];
  const harder = { ...(variant === 'noise' && { noise: 2 }), ...(variant === 'batch' && { batchOff: BATCH_OFF }) };
  const traffic = createTraffic({ seed, volumePerMinute, incidents, ...harder });
  const blips = placeBlips(options, incidents, START + HISTORY_FROM_DAY * DAY, to);
  const minutes = withBlips([...trafficMinutes(traffic, START, to)], blips);
  const labels = [...incidents.map(labelOf), ...blips.map(blipLabel)].sort((a, b) => a.start - b.start);
  return { minutes, labels, ...range };
}

function scoredIncidents(options: RunOptions, scoreFrom: number, to: number): Incident[] {
  const { seed, scoredDays, perKind } = options;
  const kinds = (options.kinds ?? INCIDENT_KINDS).flatMap((kind) => Array.from({ length: perKind }, () => kind));
  // It places in the second half of a range while there is room there: that half is the scored days.
  const scored = placeIncidents(kinds, seed, scoreFrom - scoredDays * DAY, to);
  if (scored.some(({ start }) => start < scoreFrom))
    throw new Error(`${kinds.length} incidents do not fit in ${scoredDays} days: give more days`);
  return scored;
}

/** From a minute on, with the denied of other traffic of the same volume as well: twice as many, and as much chance as that has. */
function withMoreDenied(minutes: readonly TrafficMinute[], { seed, volumePerMinute }: RunOptions, from: number) {
  const others = createTraffic({ seed: seed + 2, volumePerMinute });
  return minutes.map((minute) => {
    const other = minute.minute < from ? undefined : others.at(minute.minute);
    if (other === undefined) return minute;
    const authCodes = Object.fromEntries(
      Object.entries(minute.authCodes).map(([code, n]) => [code, code === '00' ? n : n + (other.authCodes[code] ?? 0)]),
    );
    return { ...minute, counts: { ...minute.counts, denied: minute.counts.denied + other.counts.denied }, authCodes };
  });
}

interface Blip {
  /** Minutes since the epoch. */
  start: number;
  end: number;
  status: 'denied' | 'reversed';
}

/** At least half an hour from any incident, so that a false alarm cannot be taken for a detection. */
function placeBlips({ seed, variant }: RunOptions, incidents: readonly Incident[], from: number, to: number): Blip[] {
  const blips: Blip[] = [];
  for (let day = from; day < to; day += DAY / BLIPS_A_DAY) {
    const start = day + Math.floor(randomFor(seed, 0xb11b, day)() * (DAY / BLIPS_A_DAY));
    const isClear = incidents.every((incident) => start < incident.start - 30 || start > incident.end + 30);
    const end = start + (variant === 'blips' ? 2 : 1);
    const status = randomFor(seed, 0xb11c, start)() < 0.5 ? 'denied' : 'reversed';
    if (isClear && end <= to) blips.push({ start, end, status });
  }
  return blips;
}

function withBlips(minutes: readonly TrafficMinute[], blips: readonly Blip[]): TrafficMinute[] {
  return minutes.map((minute) => {
    const blip = blips.find(({ start, end }) => start <= minute.minute && minute.minute < end);
    if (blip === undefined) return minute;
    const more = { ...minute, counts: { ...minute.counts, [blip.status]: minute.counts[blip.status] * BLIP_FACTOR } };
    return blip.status === 'denied' ? { ...more, authCodes: times(minute.authCodes, BLIP_FACTOR) } : more;
  });
}

const times = (authCodes: TrafficMinute['authCodes'], factor: number) =>
  Object.fromEntries(Object.entries(authCodes).map(([code, n]) => [code, code === '00' ? n : n * factor]));

const labelOf = ({ start, end, signal, kind }: Incident): Label => ({
  start: start * 60,
  end: end * 60,
  signals: [signal],
  note: kind,
});
const blipLabel = ({ start, end }: Blip): Label => ({
  start: start * 60,
  end: end * 60,
  signals: ['none'],
  note: 'blip',
});
