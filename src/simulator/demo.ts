import { z } from 'zod';
import { createTraffic, type Traffic } from './feed.ts';
import { INCIDENT_KINDS, type IncidentKind } from './incidents.ts';

interface Shown {
  title: string;
  does: string;
  /** Long enough that its alert fires, short enough to see it end. */
  minutes: number;
}

/** What a person may start. What the simulator knows beside these only looks different in a history. */
const KINDS: Partial<Record<IncidentKind, Shown>> = {
  'denied-spike': { title: 'Denials jump', does: 'five times as many are denied, most with code 51', minutes: 4 },
  'denied-step': { title: 'More denials', does: 'twice as many are denied, and some more', minutes: 6 },
  'denied-ramp': { title: 'Denials creep up', does: 'denials rise slowly to four times', minutes: 15 },
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
const SHOWN_KINDS = INCIDENT_KINDS.filter((kind) => KINDS[kind] !== undefined);

const running = z.object({ kind: z.string(), until: z.iso.datetime() });
export type RunningIncident = z.output<typeof running>;

export const demoState = z
  .object({
    kinds: z.array(z.object({ kind: z.string(), title: z.string(), does: z.string() })),
    running: z.array(running),
  })
  .meta({ id: 'Demo' });

export const DEMO_SEED = 1;
/** In fewer transactions a minute, as there are at night and on Sundays, an incident takes longer to tell from chance than a person watches. */
const LEAST_PER_MINUTE = 250;

/** Traffic in which an incident shows within two minutes, at whatever hour of whatever day it is started. */
export const createDemoTraffic = (): Traffic => createTraffic({ seed: DEMO_SEED, leastPerMinute: LEAST_PER_MINUTE });

/** The incidents that a person may start in the demo's traffic. */
export interface Demo {
  kinds: z.output<typeof demoState>['kinds'];
  running(): RunningIncident[];
  /** From this minute on. @throws NotStarted */
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
export function createDemo(traffic: Traffic, now: () => number = Date.now): Demo {
  const until = new Map<IncidentKind, number>();
  let next = new AbortController();
  const iso = (ms: number): string => new Date(ms).toISOString();
  function start(name: string): RunningIncident {
    const kind = SHOWN_KINDS.find((known) => known === name);
    const shown = kind && KINDS[kind];
    if (kind === undefined || shown === undefined)
      throw new NotStarted(`kind: must be one of ${SHOWN_KINDS.join(', ')}`, false);
    const end = until.get(kind) ?? 0;
    if (end > now()) throw new NotStarted(`${kind} runs already, until ${iso(end)}`, true);
    const incident = traffic.add(kind, Math.floor(now() / 60_000), shown.minutes);
    until.set(kind, incident.end * 60_000);
    const before = next;
    next = new AbortController();
    before.abort();
    return { kind, until: iso(incident.end * 60_000) };
  }
  return {
    kinds: SHOWN_KINDS.map((kind) => ({ kind, title: KINDS[kind]?.title ?? kind, does: KINDS[kind]?.does ?? '' })),
    running: () => [...until].filter(([, end]) => end > now()).map(([kind, end]) => ({ kind, until: iso(end) })),
    start,
    started: () => next.signal,
  };
}
