import { z } from 'zod';
import { addressOf, extraLabels } from '../domain/labels.ts';
import { JUDGED_STATUSES, type JudgedStatus, RECORDED, TUNABLE, type Window } from '../domain/names.ts';
import { isoOfMs } from '../domain/times.ts';
import type { Prometheus, Sample } from '../prometheus/client.ts';
import { type Log, messageOf } from '../runtime/log.ts';

/** The recorded normal of one status with one set of extra labels. */
export interface Normal {
  /** This status per approved transaction, now. */
  odds: number;
  relativeVariance?: number;
  /** The least that the upper edge of the band may be. */
  floor: Partial<Record<Window, number>>;
  /** True where the status had a blip of two minutes in the last two weeks. */
  blips?: boolean;
}

export interface Tunables {
  z: Partial<Record<Window, number>>;
  noiseZ: number;
  blipScore: number;
}

/** The rules' newest results, as far as a single minute is judged by them. */
export interface Baseline {
  state: 'ready' | 'warming-up' | 'unavailable';
  /** The reason why it is not ready. */
  reason?: string;
  /** The time at which the rules were evaluated, in milliseconds since the epoch. */
  asOf?: number;
  normal(status: JudgedStatus, labels: Readonly<Record<string, string>>): Normal | undefined;
  /** Approved transactions of the last recorded minute. */
  approved(labels: Readonly<Record<string, string>>): number | undefined;
  /**
   * The name of the alert of a status that fires for these labels, or for some of them. An alert
   * of an acquirer covers each of its merchants; an alert of the total covers only the total.
   */
  firing(status: JudgedStatus, labels: Readonly<Record<string, string>>): string | undefined;
  tunables: Tunables;
}

const NAMES = [
  ...[RECORDED.odds, RECORDED.relativeVariance, RECORDED.perMinute],
  ...[TUNABLE.z, TUNABLE.noiseZ, TUNABLE.blipScore],
];
/** The windows that a single POST is judged by; odds, counts and noise have none. */
const QUERY = `{__name__=~"${NAMES.join('|')}", window=~"|1m|2m"}`;
/**
 * The floor is recorded every five minutes, which is as far as a plain name looks back. It is read
 * as far back as the rules read it.
 */
const FLOOR = `last_over_time(${RECORDED.floor}{window=~"1m|2m"}[1h])`;
/** Blips are recorded once an hour, and read as far back as the rules read them. */
const BLIPS = `last_over_time(${RECORDED.blips}[3h]) == 1`;
const AS_OF = `max(timestamp(${RECORDED.odds}))`;
const FIRING = `ALERTS{alertstate="firing", status=~"${JUDGED_STATUSES.join('|')}"}`;

const NO_TUNABLES: Tunables = { z: {}, noiseZ: Number.NaN, blipScore: Number.NaN };

export function noBaseline(state: 'warming-up' | 'unavailable', reason: string): Baseline {
  return {
    state,
    reason,
    normal: () => undefined,
    approved: () => undefined,
    firing: () => undefined,
    tunables: NO_TUNABLES,
  };
}

function byWindow(samples: Sample[], name: string): Partial<Record<Window, number>> {
  const found = samples.filter(({ labels }) => labels.__name__ === name);
  return Object.fromEntries(found.map(({ labels, value }) => [labels.window, value]));
}

const constant = (samples: Sample[], name: string): number =>
  samples.find(({ labels }) => labels.__name__ === name)?.value ?? Number.NaN;

function normals(samples: Sample[], blips: Sample[]): Map<string, Normal> {
  const map = new Map<string, Normal>();
  for (const { labels, value } of samples)
    if (labels.__name__ === RECORDED.odds && Number.isFinite(value))
      map.set(addressOf(labels), { odds: value, floor: {} });
  for (const { labels, value } of samples) {
    const normal = map.get(addressOf(labels));
    if (labels.__name__ === RECORDED.relativeVariance && normal) normal.relativeVariance = value;
    if (labels.__name__ === RECORDED.floor && normal) normal.floor[labels.window as Window] = value;
  }
  for (const { labels } of blips) {
    const normal = map.get(addressOf(labels));
    if (normal) normal.blips = true;
  }
  return map;
}

function firingOf(alerts: Sample[]): Baseline['firing'] {
  const all = alerts.map(({ labels }) => ({ labels, extra: Object.entries(extraLabels(labels)) }));
  return (status, labels) => {
    const isTotal = Object.keys(labels).length === 0;
    const found = all.find(
      (alert) =>
        alert.labels.status === status &&
        (alert.extra.length === 0) === isTotal &&
        alert.extra.every(([name, value]) => labels[name] === value),
    );
    return found?.labels.alertname;
  };
}

/** Builds the baseline from the answers of one round of queries. */
export function toBaseline(
  samples: Sample[],
  firing: Sample[],
  asOf: number | undefined,
  blips: Sample[] = [],
): Baseline {
  const map = normals(samples, blips);
  if (map.size === 0 || asOf === undefined || Number.isNaN(new Date(asOf * 1000).getTime()))
    return noBaseline('warming-up', 'the rules need two hours of history before they know what is normal');
  const approved = samples.filter(({ labels }) => labels.__name__ === RECORDED.perMinute);
  const volumes = new Map(approved.map(({ labels, value }) => [addressOf(labels), value]));
  return {
    state: 'ready',
    asOf: asOf * 1000,
    normal: (status, labels) => map.get(addressOf(labels, status)),
    approved: (labels) => volumes.get(addressOf(labels, 'approved')),
    firing: firingOf(firing),
    tunables: {
      z: byWindow(samples, TUNABLE.z),
      noiseZ: constant(samples, TUNABLE.noiseZ),
      blipScore: constant(samples, TUNABLE.blipScore),
    },
  };
}

/**
 * Asks Prometheus once. Never throws: a Prometheus that fails is a baseline that is unavailable.
 */
export async function readBaseline(prometheus: Prometheus): Promise<Baseline> {
  try {
    const queries = [QUERY, FLOOR, FIRING, BLIPS, AS_OF].map((query) => prometheus.instant(query));
    const [samples = [], floors = [], firing = [], blips = [], asOf = []] = await Promise.all(queries);
    return toBaseline([...samples, ...floors], firing, asOf[0]?.value, blips);
  } catch (error) {
    return noBaseline('unavailable', messageOf(error));
  }
}

export const describedBaseline = z
  .object({
    state: z.enum(['ready', 'warming-up', 'unavailable']),
    asOf: z.iso.datetime().optional(),
    reason: z.string().optional(),
    learning: z.boolean().optional().meta({ description: 'There are less than three days of history' }),
  })
  .meta({ id: 'Baseline' });

export function describeBaseline({ state, asOf, reason }: Baseline): z.output<typeof describedBaseline> {
  return {
    state,
    ...(asOf !== undefined && { asOf: isoOfMs(asOf) }),
    ...(reason !== undefined && { reason }),
  };
}

export interface BaselineWatch {
  current(): Baseline;
  /** Resolves once Prometheus has been asked for the first time, whatever came of it. */
  asked: Promise<void>;
  /** Asks now, once. */
  refresh(): Promise<void>;
  stop(): void;
}

/**
 * Milliseconds between looks: rules are evaluated once a minute; a Prometheus that is starting is
 * noticed sooner.
 */
const LOOK_MS = 10_000;
const LOOK_AGAIN_MS = 2000;

/** Keeps the newest baseline at hand, so that no POST waits for Prometheus. */
export function watchBaseline(prometheus: Prometheus, log: Log): BaselineWatch {
  let current = noBaseline('unavailable', 'Prometheus has not answered yet');
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let looks = 0;
  async function refresh(): Promise<void> {
    const before = current.state;
    current = await readBaseline(prometheus);
    looks++;
    // A Prometheus that is started together with the service may miss the first look; the second
    // one tells.
    if (current.state !== before || (looks === 2 && current.state === 'unavailable')) {
      const why = current.reason === undefined ? '' : `: ${current.reason}`;
      log(current.state === 'unavailable' ? 'warn' : 'info', `baseline ${current.state}${why}`);
    }
  }
  async function loop(): Promise<void> {
    await refresh();
    if (!stopped) timer = setTimeout(loop, current.state === 'ready' ? LOOK_MS : LOOK_AGAIN_MS).unref();
  }
  return {
    asked: loop(),
    current: () => current,
    refresh,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
