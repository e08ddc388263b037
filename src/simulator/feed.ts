import type { MinuteCounts } from '../domain/minutes.ts';
import { STATUSES, type Status } from '../domain/names.ts';
import { gaussian, poisson, randomFor, smoothNoise } from '../domain/random.ts';
import { applyIncident, type Incident, type IncidentKind, type Intensity, incidentAt } from './incidents.ts';

export type TrafficMinute = Required<Pick<MinuteCounts, 'minute' | 'authCodes'>> & { counts: Record<Status, number> };

export interface Traffic {
  /**
   * The report of a minute (since the epoch), or nothing while the feed is dead. A pure function
   * of the seed, the volume, the incidents and the minute: minutes may be asked for in any order.
   */
  at: (minute: number) => TrafficMinute | undefined;
  incidents: readonly Incident[];
  /**
   * Adds an incident that begins at a minute (since the epoch) and lasts so many, or as long as its
   * kind does.
   */
  add: (kind: IncidentKind, start: number, minutes?: number) => Incident;
}

export interface TrafficOptions {
  /** 32-bit integer. */
  seed: number;
  /** Mean transactions a minute over a week. */
  volumePerMinute?: number;
  /** The least transactions a minute, at any hour of any day, before noise; default none. */
  leastPerMinute?: number;
  incidents?: readonly Incident[];
  /** A factor on the usual noise beyond chance; default 1. */
  noise?: number;
  /**
   * Minutes that the nightly batch may come early or late; default none, and up to two minutes
   * late.
   */
  batchOff?: number;
}

export const DEFAULT_VOLUME = 250;

/** Approved transactions carry 00; denied ones share these, by weight. */
export const DENIAL_CODES: Record<string, number> = { '51': 0.42, '59': 0.25, '05': 0.16, '14': 0.1, '91': 0.07 };
export const AUTH_CODES: readonly string[] = ['00', ...Object.keys(DENIAL_CODES)].sort();

/** Shares of all transactions; `denied` is what it is at noon. */
const SHARE = {
  denied: 0.055,
  failed: 0.0004,
  reversed: 0.005,
  backend_reversed: 0.001,
  refunded: 0.006,
  processing: 0.0005,
};

/**
 * Standard deviations (of the logarithm) of a level a day long, of drift over an hour or two, and
 * of a minute.
 */
const NOISE: Record<keyof typeof SHARE | 'volume', { day: number; drift: number; minute: number }> = {
  volume: { day: 0.04, drift: 0.04, minute: 0.03 },
  denied: { day: 0.05, drift: 0.05, minute: 0.03 },
  failed: { day: 0.2, drift: 0.3, minute: 0.1 },
  reversed: { day: 0.1, drift: 0.12, minute: 0.08 },
  backend_reversed: { day: 0.15, drift: 0.3, minute: 0.15 },
  refunded: { day: 0.1, drift: 0.1, minute: 0.05 },
  processing: { day: 0.2, drift: 0.3, minute: 0.2 },
};
const STREAMS = Object.keys(NOISE) as (keyof typeof NOISE)[];

const DAY = 1440;
const DRIFT_MINUTES = 100;
/** Sunday first; of mean 1. */
const WEEKDAY = [0.84, 0.99, 0.98, 1, 1.03, 1.13, 1.03];
/** Volume at night, as a share of the busiest hour: a till somewhere is always open. */
const NIGHT_FLOOR = 0.17;

/** Two rushes, at lunch and after work, over a floor; of mean 1 over a day. */
const DAILY_SHAPE = normalised(
  Array.from({ length: DAY }, (_, minute) => {
    const hour = minute / 60;
    const rush = (at: number, width: number) => Math.exp(-(((hour - at) / width) ** 2) / 2);
    return NIGHT_FLOOR + 0.8 * rush(12.5, 2.6) + rush(18, 2.3);
  }),
);

function normalised(values: number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value / mean);
}

interface Background {
  seed: number;
  volume: number;
  least: number;
  noise: number;
  batchOff: number;
}

function noiseOf(name: keyof typeof NOISE, { seed, noise }: Background, minute: number): number {
  const { day, drift, minute: ownMinute } = NOISE[name];
  const stream = 16 * STREAMS.indexOf(name);
  const usual =
    day * smoothNoise(seed, stream + 1, minute, DAY) +
    drift * smoothNoise(seed, stream + 2, minute, DRIFT_MINUTES) +
    ownMinute * gaussian(randomFor(seed, stream + 3, minute));
  return Math.exp(noise * usual);
}

/** Cards are declined more at night: up to 1.5 times the share at noon. */
const deniedShare = (minuteOfDay: number): number =>
  SHARE.denied * (1.25 + 0.25 * Math.cos((2 * Math.PI * (minuteOfDay - 150)) / DAY));

/**
 * Every night at 03:00, up to two minutes late or as far off as asked for, for ten minutes:
 * reversals that are no incident.
 */
function nightlyBatch({ seed, volume, batchOff }: Background, minute: number): number {
  const random = randomFor(seed, 7, Math.floor(minute / DAY))();
  const late = batchOff === 0 ? Math.floor(3 * random) : Math.round((2 * random - 1) * batchOff);
  const since = (minute % DAY) - (3 * 60 + late);
  return since >= 0 && since < 10 ? 0.06 * volume : 0;
}

function intensityAt(traffic: Background, minute: number): Intensity {
  const { volume, least } = traffic;
  const minuteOfDay = minute % DAY;
  const weekday = WEEKDAY[(Math.floor(minute / DAY) + 4) % 7] ?? 1;
  const usual = Math.max(least, volume * weekday * (DAILY_SHAPE[minuteOfDay] ?? 1));
  const total = usual * noiseOf('volume', traffic, minute);
  const of = (name: keyof typeof SHARE, share: number) => total * share * noiseOf(name, traffic, minute);
  const denied = of('denied', deniedShare(minuteOfDay));
  const rest = {
    failed: of('failed', SHARE.failed),
    reversed: of('reversed', SHARE.reversed),
    backend_reversed: of('backend_reversed', SHARE.backend_reversed),
    refunded: of('refunded', SHARE.refunded),
    processing: of('processing', SHARE.processing),
  };
  const others = Object.values(rest).reduce((sum, mean) => sum + mean, denied);
  rest.reversed += nightlyBatch(traffic, minute);
  const deniedCodes = Object.fromEntries(Object.entries(DENIAL_CODES).map(([code, weight]) => [code, denied * weight]));
  return { status: { approved: total - others, ...rest }, deniedCodes };
}

/**
 * Each status and code has chance of its own, so that an incident in one leaves the counts of the
 * others as they were.
 */
function sample(seed: number, minute: number, mean: Intensity): TrafficMinute {
  const draw = (stream: number, value: number) => poisson(value, randomFor(seed, 1024 + stream, minute));
  const authCodes: Record<string, number> = {};
  for (const [code, value] of Object.entries(mean.deniedCodes)) authCodes[code] = draw(Number(code), value);
  const denied = Object.values(authCodes).reduce((sum, count) => sum + count, 0);
  const counts = {} as Record<Status, number>;
  STATUSES.forEach((status, index) => {
    counts[status] = status === 'denied' ? denied : draw(128 + index, mean.status[status]);
  });
  return { minute, counts, authCodes: { '00': counts.approved, ...authCodes } };
}

/**
 * Traffic of a shop chain: day and week shapes, noise beyond chance, a nightly batch, and the
 * incidents asked for.
 */
export function createTraffic(options: TrafficOptions): Traffic {
  const {
    seed,
    volumePerMinute: volume = DEFAULT_VOLUME,
    leastPerMinute: least = 0,
    noise = 1,
    batchOff = 0,
  } = options;
  const incidents = [...(options.incidents ?? [])];
  return {
    incidents,
    add: (kind, start, minutes) => {
      const incident = incidentAt(kind, start, minutes);
      incidents.push(incident);
      return incident;
    },
    at: (minute) => {
      const now = incidents.filter((incident) => incident.start <= minute && minute < incident.end);
      if (now.some((incident) => incident.kind === 'feed-dead')) return undefined;
      const mean = intensityAt({ seed, volume, least, noise, batchOff }, minute);
      for (const incident of now) applyIncident(incident, minute, mean);
      return sample(seed, minute, mean);
    },
  };
}

/** The minutes of [from, to), in minutes since the epoch, that are reported. */
export function* trafficMinutes(traffic: Traffic, from: number, to: number): Generator<TrafficMinute> {
  for (let minute = from; minute < to; minute++) {
    const counted = traffic.at(minute);
    if (counted) yield counted;
  }
}
