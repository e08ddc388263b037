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

const hasBand = ({ relativeVariance, floor }: Normal): boolean =>
  relativeVariance !== undefined && floor['1m'] !== undefined;

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
  const sensitivity = byWindow(samples, TUNABLE.z);
  // The files of rules are evaluated at different seconds: in the first minute some are missing.
  if (sensitivity['1m'] === undefined || ![...map.values()].some(hasBand))
    return noBaseline('warming-up', 'the rules have not recorded the band yet');
  const approved = samples.filter(({ labels }) => labels.__name__ === RECORDED.perMinute);
  const volumes = new Map(approved.map(({ labels, value }) => [addressOf(labels), value]));
  return {
    state: 'ready',
    asOf: asOf * 1000,
    normal: (status, labels) => map.get(addressOf(labels, status)),
    approved: (labels) => volumes.get(addressOf(labels, 'approved')),
    firing: firingOf(firing),
    tunables: {
      z: sensitivity,
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
/** A Prometheus that is started together with the service misses the first looks. */
const FAILURES = 10;

/** Keeps the newest baseline at hand, so that no POST waits for Prometheus. */
export function watchBaseline(prometheus: Prometheus, log: Log): BaselineWatch {
  let current = noBaseline('unavailable', 'Prometheus has not answered yet');
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let told: Baseline['state'] | undefined;
  let failures = 0;
  async function refresh(): Promise<void> {
    current = await readBaseline(prometheus);
    failures = current.state === 'unavailable' ? failures + 1 : 0;
    if (current.state === told || (failures > 0 && failures < FAILURES)) return;
    told = current.state;
    const why = current.reason === undefined ? '' : `: ${current.reason}`;
    log(told === 'unavailable' ? 'warn' : 'info', `baseline ${told}${why}`);
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
