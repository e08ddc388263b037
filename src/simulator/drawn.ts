import { STATUSES, type Status } from '../domain/names.ts';
import type { Random } from '../domain/random.ts';
import type { Signal } from './incidents.ts';
import type { Means } from './model.ts';

/** Changes the means of one minute; `since` is the minutes since it began. */
export type Change = (means: Means, index: number, since: number) => void;

/** Something that happens in traffic, its size and length drawn. */
export interface Drawn {
  kind: string;
  /** The signal of an alert on it; `none` must not alert. */
  signal: Signal;
  minutes: number;
  change: Change;
}

/**
 * @param volume mean transactions a minute, which the size of what comes from nothing depends on
 */
export type Draw = (random: Random, volume: number) => Drawn;

export const between = (random: Random, low: number, high: number): number => low + (high - low) * random();
/** Both ends included. */
export const wholeBetween = (random: Random, low: number, high: number): number =>
  low + Math.floor((high - low + 1) * random());

function multiply(means: Means, status: Status, index: number, factor: number): void {
  means[status][index] = (means[status][index] ?? 0) * factor;
}

const times =
  (status: Status, factor: (since: number) => number): Change =>
  (means, index, since) =>
    multiply(means, status, index, factor(since));

const allTimes =
  (factor: (since: number) => number): Change =>
  (means, index, since) => {
    for (const status of STATUSES) multiply(means, status, index, factor(since));
  };

const plus =
  (status: Status, count: (since: number) => number): Change =>
  (means, index, since) => {
    means[status][index] = (means[status][index] ?? 0) + count(since);
  };

/**
 * Failures a minute at the least and at the most, by volume; between the volumes, straight in the
 * logarithms.
 */
const FAILURES = [
  [10, 0.7, 3],
  [130, 2, 10],
  [5000, 5, 50],
] as const;

export function failuresFor(volume: number): [least: number, most: number] {
  const [ten, some, many] = FAILURES;
  const [low, high] = volume <= some[0] ? [ten, some] : [some, many];
  const along = Math.log(volume / low[0]) / Math.log(high[0] / low[0]);
  const at = (a: number, b: number) => a * (b / a) ** along;
  return [at(low[1], high[1]), at(low[2], high[2])];
}

const drawFailures = (random: Random, volume: number): number => between(random, ...failuresFor(volume));

/** Times as many denied for some minutes. */
export const denied =
  (kind: string, factor: [number, number], minutes: [number, number]): Draw =>
  (random) => {
    const size = between(random, ...factor);
    return { kind, signal: 'denied', minutes: wholeBetween(random, ...minutes), change: times('denied', () => size) };
  };

/** Rises evenly for `rise` minutes, then stays for some more. */
export const deniedRamp =
  (kind: string, factor: [number, number], rise: [number, number], stay: number): Draw =>
  (random) => {
    const size = between(random, ...factor);
    const rising = wholeBetween(random, ...rise);
    const change = times('denied', (since) => 1 + (size - 1) * Math.min(1, since / (rising - 1)));
    return { kind, signal: 'denied', minutes: rising + stay, change };
  };

/** Failures in every minute, where there were next to none. */
export const failures =
  (minutes: [number, number]): Draw =>
  (random, volume) => {
    const length = wholeBetween(random, ...minutes);
    const size = drawFailures(random, volume);
    return { kind: 'failed', signal: 'failed', minutes: length, change: plus('failed', () => size) };
  };

/** Fails for one to three minutes, works for two to six, and so on. */
export const flapping: Draw = (random, volume) => {
  const minutes = wholeBetween(random, 40, 120);
  const size = drawFailures(random, volume);
  const isOn: boolean[] = [];
  while (isOn.length < minutes) {
    isOn.push(...Array.from({ length: wholeBetween(random, 1, 3) }, () => true));
    isOn.push(...Array.from({ length: wholeBetween(random, 2, 6) }, () => false));
  }
  return { kind: 'flapping', signal: 'failed', minutes, change: plus('failed', (since) => (isOn[since] ? size : 0)) };
};

export const reversed =
  (factor: [number, number], minutes: [number, number]): Draw =>
  (random) => {
    const size = between(random, ...factor);
    const length = wholeBetween(random, ...minutes);
    return { kind: 'reversed', signal: 'reversed', minutes: length, change: times('reversed', () => size) };
  };

/** All statuses at a share of usual. */
export const sales =
  (kind: string, share: [number, number], minutes: [number, number]): Draw =>
  (random) => {
    const size = between(random, ...share);
    const length = wholeBetween(random, ...minutes);
    return { kind, signal: 'volume', minutes: length, change: allTimes(() => size) };
  };

export const refunds: Draw = (random) => {
  const size = between(random, 15, 25);
  const minutes = wholeBetween(random, 15, 45);
  return { kind: 'refunds', signal: 'refunded', minutes, change: times('refunded', () => size) };
};

/** Customers are charged more than once: approvals alone rise. */
export const doubleCharging: Draw = (random) => {
  const size = between(random, 2.5, 3.5);
  const minutes = wholeBetween(random, 10, 40);
  return { kind: 'double-charging', signal: 'volume', minutes, change: times('approved', () => size) };
};

/** A status of one or two minutes that nobody should be called for. */
export const blip =
  (minutes: number): Draw =>
  (random, volume) => {
    const [, most] = failuresFor(volume);
    const which = wholeBetween(random, 0, 2);
    const changes = [times('denied', () => 6), plus('failed', () => 2 * most), times('reversed', () => 30)];
    return { kind: 'blip', signal: 'none', minutes, change: changes[which] as Change };
  };

/** Failures for two minutes, after which they are known to come and go. */
export const failedBlip: Draw = (_, volume) => {
  const [, most] = failuresFor(volume);
  return { kind: 'blip', signal: 'none', minutes: 2, change: plus('failed', () => most) };
};

/** Twice the traffic at the usual shares. */
export const doubleVolume: Draw = (random) => {
  const minutes = wholeBetween(random, 60, 120);
  const change = allTimes((since) => 1 + Math.min(1, since / 3, (minutes - since) / 3));
  return { kind: 'double-volume', signal: 'none', minutes, change };
};

/** Everything is down, as planned. */
export const planned: Draw = () => ({ kind: 'planned', signal: 'none', minutes: 120, change: allTimes(() => 0) });

export const failed = failures([10, 45]);
export const deniedSpike = denied('denied-spike', [3, 6], [5, 20]);
export const deniedStep = denied('denied-step', [1.8, 3], [180, 180]);
export const nightDenied = denied('night-denied', [4, 6], [20, 40]);
export const oneHourRamp = deniedRamp('denied-ramp', [3, 5], [60, 60], 10);
export const reversal = reversed([8, 30], [10, 40]);
export const volumeZero = sales('volume-zero', [0, 0], [10, 30]);
export const volumeDrop = sales('volume-drop', [0.4, 0.4], [20, 60]);
