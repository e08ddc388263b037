import { STATUSES, type Status } from '../domain/names.ts';
import { gaussian, randomFor } from '../domain/random.ts';

const DAY = 1440;

/** Mean transactions a minute by hour of the day, from two real days without their incidents. */
const HOURLY_VOLUME = [
  10.4, 3.6, 1.5, 1.3, 0.63, 5.3, 34.8, 96.3, 213, 344, 400, 410, 333, 317, 364, 432, 517, 556, 389, 220, 168, 125,
  82.5, 43.6,
];
/** Share of denied in all transactions by hour of the day, of the same days. */
const HOURLY_DENIED = [
  0.16, 0.155, 0.14, 0.16, 0.14, 0.13, 0.092, 0.094, 0.098, 0.094, 0.093, 0.091, 0.0855, 0.089, 0.0895, 0.0915, 0.092,
  0.093, 0.091, 0.095, 0.11, 0.11, 0.127, 0.139,
];
const SHARE = { failed: 0.0002, reversed: 0.005, backend_reversed: 0.0008, refunded: 0.004, processing: 0.00005 };
/** Sunday first. */
const WEEKDAYS = [0.7, 1, 0.98, 1, 1.02, 1.08, 0.85];
/** The least volume of any minute, as a share of the mean. */
const NIGHT_FLOOR = 0.02;

interface Noise {
  /** Standard deviation of the logarithm of a day's level. */
  day: number;
  /** The same of a first-order autoregression, and the minutes in which it forgets itself. */
  slow: number;
  tau: number;
  /** The same of each minute by itself. */
  minute: number;
}

const NOISE: Record<'volume' | Exclude<Status, 'approved'>, Noise> = {
  volume: { day: 0.05, slow: 0.04, tau: 90, minute: 0.03 },
  denied: { day: 0.05, slow: 0.05, tau: 120, minute: 0.03 },
  failed: { day: 0.2, slow: 0.4, tau: 120, minute: 0.1 },
  reversed: { day: 0.1, slow: 0.15, tau: 60, minute: 0.1 },
  backend_reversed: { day: 0.2, slow: 0.4, tau: 60, minute: 0.2 },
  refunded: { day: 0.1, slow: 0.1, tau: 120, minute: 0.05 },
  processing: { day: 0.3, slow: 0.5, tau: 60, minute: 0.3 },
};
const STREAMS = Object.keys(NOISE) as (keyof typeof NOISE)[];

export interface ModelOptions {
  /** 32-bit integer. */
  seed: number;
  /** Mean transactions a minute over a week, `volumeFactor` apart. */
  volumePerMinute: number;
  /** Minutes since the epoch, the first at midnight UTC. */
  from: number;
  to: number;
  /** A factor on the usual noise beyond chance; default 1. */
  noise?: number;
  /** Volume by day of the week, Sunday first; only the ratios count. */
  weekdays?: readonly number[];
  /** The least volume of any minute, as a share of the mean; default 0.02. */
  nightFloor?: number;
  /** A factor on the usual volume of a minute. */
  volumeFactor?: (minute: number) => number;
  /** A factor on the usual share of denied in a minute. */
  deniedFactor?: (minute: number) => number;
  /** People act so many minutes earlier than usual. */
  earlier?: (minute: number) => number;
  /**
   * Minutes by which the nightly batch may be early or late; default none, and up to two minutes
   * late.
   */
  batchOff?: number;
}

/** Mean counts of each minute, before chance; index 0 is the first minute. */
export type Means = Record<Status, Float64Array>;

/** Interpolates between the middles of hours, linearly in the logarithm. */
function byMinute(hourly: readonly number[]): number[] {
  return Array.from({ length: DAY }, (_, minute) => {
    const at = (minute + 0.5) / 60 - 0.5;
    const hour = Math.floor(at);
    const value = (index: number) => Math.log(hourly[(index + 24) % 24] ?? 1);
    return Math.exp(value(hour) + (at - hour) * (value(hour + 1) - value(hour)));
  });
}

function normalised(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value / mean);
}

const DENIED_SHARE = byMinute(HOURLY_DENIED);

/** Logarithms: what lasts longer than a minute, and what is of one minute alone. */
function noiseOf(name: keyof typeof NOISE, { seed, from, to, noise = 1 }: ModelOptions) {
  const { day, slow, tau, minute } = NOISE[name];
  const stream = 2000 + 4 * STREAMS.indexOf(name);
  const [ofDay, ofSlow, ofMinute] = [0, 1, 2].map((index) => randomFor(seed, stream + index, 0)) as [
    () => number,
    () => number,
    () => number,
  ];
  const lasting = new Float64Array(to - from);
  const single = new Float64Array(to - from);
  const kept = Math.exp(-1 / tau);
  let level = 0;
  let drift = slow * gaussian(ofSlow);
  for (let index = 0; index < lasting.length; index++) {
    if (index % DAY === 0) level = day * gaussian(ofDay);
    if (index > 0) drift = kept * drift + slow * Math.sqrt(1 - kept * kept) * gaussian(ofSlow);
    lasting[index] = noise * (level + drift);
    single[index] = noise * minute * gaussian(ofMinute);
  }
  return { lasting, single };
}

/** Reversals that are no incident: every night at 03:00 for ten minutes. */
function addNightlyBatch(means: Means, { seed, from, to, volumePerMinute, batchOff = 0 }: ModelOptions): void {
  const random = randomFor(seed, 2100, 0);
  for (let day = 0; day < to - from; day += DAY) {
    const late = batchOff === 0 ? Math.floor(3 * random()) : Math.round((2 * random() - 1) * batchOff);
    for (let index = day + 180 + late; index < Math.min(day + 190 + late, to - from); index++)
      means.reversed[index] = (means.reversed[index] ?? 0) + 0.08 * volumePerMinute;
  }
}

const weekdayOf = (minute: number): number => (Math.floor(minute / DAY) + 4) % 7;

/** Mean volume without noise, of each minute. */
function usualVolume(options: ModelOptions): (minute: number) => number {
  const { volumePerMinute, nightFloor = NIGHT_FLOOR } = options;
  const shape = normalised(normalised(byMinute(HOURLY_VOLUME)).map((value) => Math.max(value, nightFloor)));
  const weekdays = normalised(options.weekdays ?? WEEKDAYS);
  return (minute) => {
    const felt = minute + (options.earlier?.(minute) ?? 0);
    const usual = volumePerMinute * (shape[felt % DAY] ?? 1) * (weekdays[weekdayOf(felt)] ?? 1);
    return usual * (options.volumeFactor?.(minute) ?? 1);
  };
}

/**
 * Traffic of a payment provider, fitted to real days: volume by hour and weekday, shares by status,
 * and noise of each beyond chance:
 * by the day, by the hour and by the minute. A batch of reversals runs every night. The same
 * options give the same means.
 */
export function trafficMeans(options: ModelOptions): Means {
  const { from, to } = options;
  const means = Object.fromEntries(STATUSES.map((status) => [status, new Float64Array(to - from)])) as Means;
  const usual = usualVolume(options);
  const volume = noiseOf('volume', options);
  for (let index = 0; index < to - from; index++)
    means.approved[index] = usual(from + index) * Math.exp((volume.lasting[index] ?? 0) + (volume.single[index] ?? 0));
  const total = Float64Array.from(means.approved);
  for (const status of STATUSES) {
    if (status === 'approved') continue;
    const { lasting, single } = noiseOf(status, options);
    for (let index = 0; index < total.length; index++) {
      const felt = from + index + (options.earlier?.(from + index) ?? 0);
      const share =
        status === 'denied'
          ? (DENIED_SHARE[felt % DAY] ?? 0) * (options.deniedFactor?.(from + index) ?? 1)
          : SHARE[status];
      const mean = (total[index] ?? 0) * share * Math.exp((lasting[index] ?? 0) + (single[index] ?? 0));
      means[status][index] = mean;
      means.approved[index] = Math.max(0, (means.approved[index] ?? 0) - mean);
    }
  }
  addNightlyBatch(means, options);
  return means;
}
