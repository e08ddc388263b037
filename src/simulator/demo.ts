import { z } from 'zod';
import type { MinuteCounts } from '../domain/minutes.ts';
import { isoOfMs } from '../domain/times.ts';
import { createTraffic } from './feed.ts';
import { type Incident, type IncidentKind, incidentAt } from './incidents.ts';
import { slicedWithCodes } from './slices.ts';

interface Shown {
  kind: IncidentKind;
  /** The acquirer in whose traffic alone it happens; default all of them. */
  acquirer?: string;
  title: string;
  does: string;
  /** Long enough that its alert fires, short enough to see it end. */
  minutes: number;
}

/** Acquirers that share the demo's traffic, the largest first. */
const ACQUIRERS = ['northbank', 'eastpay', 'westcard'] as const;
/** The label that tells them apart. */
export const DEMO_DIMENSION = 'acquirer';

/**
 * Incidents that a person may start. The simulator knows more, but they only look different in a
 * history.
 */
const KINDS: Record<string, Omit<Shown, 'kind'> & { kind?: IncidentKind }> = {
  'denied-spike': { title: 'Denials jump', does: 'five times as many are denied, most with code 51', minutes: 4 },
  'denied-step': { title: 'More denials', does: 'twice as many are denied, and some more', minutes: 6 },
  'denied-ramp': { title: 'Denials creep up', does: 'denials rise slowly to four times', minutes: 15 },
  'acquirer-denied': {
    kind: 'denied-spike',
    acquirer: ACQUIRERS[0],
    title: 'One acquirer denies',
    does: `${ACQUIRERS[0]} alone denies five times as many, most with code 51`,
    minutes: 5,
  },
  failed: { title: 'Failures', does: 'one in twenty that would be approved fails', minutes: 6 },
  reversed: { title: 'Reversals', does: 'fifteen times as many are reversed', minutes: 4 },
  'backend-reversed': { title: 'Backend reversals', does: 'the backend reverses forty times as many', minutes: 4 },
  'auth-code': { title: 'Issuer unavailable', does: 'six times as many denials with code 91', minutes: 5 },
  'volume-drop': { title: 'Sales drop', does: 'six in ten customers stay away', minutes: 8 },
  'volume-zero': { title: 'Sales stop', does: 'reports arrive, and count nothing', minutes: 6 },
  'feed-dead': { title: 'Feed dies', does: 'no reports arrive; the alert takes about three minutes', minutes: 7 },
  'processing-stuck': {
    title: 'Stuck in processing',
    does: 'more and more stay in processing; the alert takes about eight minutes',
    minutes: 11,
  },
  'double-volume': { title: 'Busy hour', does: 'twice the traffic at the usual shares: no alert', minutes: 6 },
};
const SHOWN: ReadonlyMap<string, Shown> = new Map(
  Object.entries(KINDS).map(([name, shown]) => [name, { ...shown, kind: shown.kind ?? (name as IncidentKind) }]),
);

export const runningIncident = z.object({ kind: z.string(), since: z.iso.datetime(), until: z.iso.datetime() });
export type RunningIncident = z.output<typeof runningIncident>;

export const demoState = z
  .object({
    kinds: z.array(z.object({ kind: z.string(), title: z.string(), does: z.string() })),
    running: z.array(runningIncident),
  })
  .meta({ id: 'Demo' });

export const DEMO_SEED = 1;
/**
 * With fewer transactions a minute, as at night and on Sundays, an incident takes longer to tell
 * from chance than a person watches.
 */
const LEAST_PER_MINUTE = 250;

export interface DemoTraffic {
  /** The report of a minute (since the epoch), or nothing while the feed is dead. */
  at: (minute: number) => MinuteCounts | undefined;
  /** Adds an incident to everybody's traffic, or to that of one acquirer. Times are minutes. */
  add: (kind: IncidentKind, start: number, minutes: number, acquirer?: string) => Incident;
}

/**
 * Traffic of some acquirers in which an incident shows within two minutes, at whatever hour of
 * whatever day it is started.
 */
export function createDemoTraffic(): DemoTraffic {
  const options = { seed: DEMO_SEED, leastPerMinute: LEAST_PER_MINUTE };
  const own = new Map(ACQUIRERS.map((acquirer) => [acquirer as string, createTraffic(options)]));
  const dimension = { name: DEMO_DIMENSION, values: ACQUIRERS };
  return {
    at: (minute) => {
      const labelled = [...own].flatMap(([acquirer, traffic]) => {
        const counted = traffic.at(minute);
        const slices = counted === undefined ? [] : slicedWithCodes(counted, dimension, DEMO_SEED);
        return slices.filter(({ labels }) => labels[DEMO_DIMENSION] === acquirer);
      });
      return labelled.length === 0 ? undefined : { minute, labelled };
    },
    add: (kind, start, minutes, acquirer) => {
      for (const [name, traffic] of own)
        if (acquirer === undefined || acquirer === name) traffic.add(kind, start, minutes);
      return incidentAt(kind, start, minutes);
    },
  };
}

/** The incidents that a person may start in the demo's traffic. */
export interface Demo {
  kinds: z.output<typeof demoState>['kinds'];
  running(): RunningIncident[];
  /** Starts an incident in this minute. @throws NotStarted */
  start(kind: string): RunningIncident;
  /** Aborted when the next incident starts. */
  started(): AbortSignal;
}

/** A kind of incident that the demo does not have, or that runs already. */
export class NotStarted extends Error {
  override name = 'NotStarted';
  readonly runs: boolean;
  constructor(message: string, runs: boolean) {
    super(message);
    this.runs = runs;
  }
}

/** @param now milliseconds since the epoch */
export function createDemo(traffic: Pick<DemoTraffic, 'add'>, now: () => number = Date.now): Demo {
  const begun = new Map<string, RunningIncident>();
  const runs = ({ until }: RunningIncident) => Date.parse(until) > now();
  let next = new AbortController();
  function start(name: string): RunningIncident {
    const shown = SHOWN.get(name);
    if (shown === undefined) throw new NotStarted(`kind: must be one of ${[...SHOWN.keys()].join(', ')}`, false);
    const last = begun.get(name);
    if (last !== undefined && runs(last)) throw new NotStarted(`${name} runs already, until ${last.until}`, true);
    const since = now();
    const incident = traffic.add(shown.kind, Math.floor(since / 60_000), shown.minutes, shown.acquirer);
    const started = { kind: name, since: isoOfMs(since), until: isoOfMs(incident.end * 60_000) };
    begun.set(name, started);
    const before = next;
    next = new AbortController();
    before.abort();
    return started;
  }
  return {
    kinds: [...SHOWN].map(([kind, { title, does }]) => ({ kind, title, does })),
    running: () => [...begun.values()].filter(runs),
    start,
    started: () => next.signal,
  };
}
