import type { Status } from '../domain/names.ts';
import { type Random, randomFor } from '../domain/random.ts';

/** Mean counts of one minute, before chance. `denied` is the sum of its auth codes. */
export interface Intensity {
  status: Record<Exclude<Status, 'denied'>, number>;
  deniedCodes: Record<string, number>;
}

/**
 * The signal of an alert on the incident; `none` marks what must not alert. Several are joined by
 * `|`.
 */
export type Signal =
  | 'denied'
  | 'failed'
  | 'reversed'
  | 'refunded'
  | 'volume'
  | 'processing'
  | 'auth_code'
  | 'feed'
  | 'none';

interface Kind {
  signal: Signal;
  minutes: number;
  /** Changes the minute's means; `done` is the share of the incident that has passed, in [0, 1). */
  apply: (mean: Intensity, done: number) => void;
}

/** The code that most of a rise in denials carries: insufficient funds. */
export const LEADING_CODE = '51';
const RISING_CODE = '91';

function raise(mean: Intensity, status: 'reversed' | 'backend_reversed', factor: number): void {
  mean.status[status] *= factor;
}

function raiseCode(mean: Intensity, code: string, factor: number): void {
  mean.deniedCodes[code] = (mean.deniedCodes[code] ?? 0) * factor;
}

function raiseDenied(mean: Intensity, factor: number): void {
  const denied = Object.values(mean.deniedCodes).reduce((sum, count) => sum + count, 0);
  for (const code of Object.keys(mean.deniedCodes)) {
    raiseCode(mean, code, 1 + 0.2 * (factor - 1));
  }
  mean.deniedCodes[LEADING_CODE] = (mean.deniedCodes[LEADING_CODE] ?? 0) + 0.8 * (factor - 1) * denied;
}

function scale(mean: Intensity, factor: number): void {
  for (const status of Object.keys(mean.status) as (keyof Intensity['status'])[]) mean.status[status] *= factor;
  for (const code of Object.keys(mean.deniedCodes)) {
    raiseCode(mean, code, factor);
  }
}

/** Moves a share of what would have been approved to another status. */
function divert(mean: Intensity, status: 'failed' | 'processing', share: number): void {
  const moved = mean.status.approved * share;
  mean.status.approved -= moved;
  mean.status[status] += moved;
}

/**
 * 1 within the event, rising from 0 at its start and falling to 0 at its end, each over a 20th of
 * it.
 */
const plateau = (done: number): number => Math.min(1, done * 20, (1 - done) * 20);

const KINDS = {
  'denied-spike': { signal: 'denied', minutes: 15, apply: (mean) => raiseDenied(mean, 5) },
  'denied-ramp': {
    signal: 'denied',
    minutes: 70,
    apply: (mean, done) => raiseDenied(mean, 1 + 3 * Math.min(1, (done * 70) / 60)),
  },
  'denied-step': { signal: 'denied', minutes: 180, apply: (mean) => raiseDenied(mean, 2.2) },
  'night-denied': { signal: 'denied', minutes: 30, apply: (mean) => raiseDenied(mean, 5) },
  failed: { signal: 'failed', minutes: 25, apply: (mean) => divert(mean, 'failed', 0.05) },
  reversed: { signal: 'reversed', minutes: 25, apply: (mean) => raise(mean, 'reversed', 15) },
  'backend-reversed': { signal: 'reversed', minutes: 25, apply: (mean) => raise(mean, 'backend_reversed', 40) },
  'volume-drop': { signal: 'volume', minutes: 45, apply: (mean) => scale(mean, 0.4) },
  'volume-zero': { signal: 'volume', minutes: 20, apply: (mean) => scale(mean, 0) },
  'feed-dead': { signal: 'feed', minutes: 20, apply: () => {} },
  'processing-stuck': {
    signal: 'processing',
    minutes: 40,
    apply: (mean, done) => divert(mean, 'processing', 0.02 + 0.1 * done),
  },
  'auth-code': {
    signal: 'auth_code',
    minutes: 30,
    apply: (mean) => raiseCode(mean, RISING_CODE, 6),
  },
  'double-volume': { signal: 'none', minutes: 90, apply: (mean, done) => scale(mean, 1 + plateau(done)) },
} satisfies Record<string, Kind>;

export type IncidentKind = keyof typeof KINDS;

/** Kinds of labelled events; `double-volume` is one that must not alert. */
export const INCIDENT_KINDS = Object.keys(KINDS) as IncidentKind[];

/** Start and end in minutes since the epoch, the end exclusive. */
export interface Incident {
  kind: IncidentKind;
  signal: Signal;
  start: number;
  end: number;
}

/** @param minutes how long it lasts, as the kind does unless given */
export function incidentAt(kind: IncidentKind, start: number, minutes: number = KINDS[kind].minutes): Incident {
  return { kind, signal: KINDS[kind].signal, start, end: start + minutes };
}

export function applyIncident(incident: Incident, minute: number, mean: Intensity): void {
  KINDS[incident.kind].apply(mean, (minute - incident.start) / (incident.end - incident.start));
}

const DAY = 1440;
/** Minutes of the day in which an incident may start. */
const hoursOf = (kind: IncidentKind): [number, number] =>
  kind === 'night-denied' ? [3 * 60 + 40, 5 * 60 + 20] : [7 * 60, 23 * 60];

/**
 * Places one incident of each kind given (a kind may be given twice) in [from, to), in minutes
 * since the epoch, none within an hour and a half of another (or of those `taken`) where there is
 * room, and in the second half of the range where there is room, so that the first half can serve
 * as history. The same seed gives the same places.
 * @throws when they do not fit
 */
export function placeIncidents(
  kinds: readonly IncidentKind[],
  seed: number,
  from: number,
  to: number,
  taken: readonly Incident[] = [],
): Incident[] {
  const middle = Math.floor((from + to) / 2);
  const attempts: [number, number][] = [
    [middle, 90],
    [from, 90],
    [from, 45],
    [from, 15],
    [from, 0],
  ];
  for (const [first, distance] of attempts) {
    const placed = tryPlace(kinds, randomFor(seed, 0x1c1d, kinds.length), [first, to], distance, taken);
    if (placed) return placed.sort((a, b) => a.start - b.start);
  }
  throw new Error(`${kinds.length} incidents do not fit in ${((to - from) / DAY).toFixed(1)} days: ask for more days`);
}

function tryPlace(
  kinds: readonly IncidentKind[],
  random: Random,
  [from, to]: [number, number],
  distance: number,
  taken: readonly Incident[],
): Incident[] | undefined {
  const placed: Incident[] = [];
  // The long ones first: they are the hardest to find room for.
  const byLength = [...kinds].sort((a, b) => KINDS[b].minutes - KINDS[a].minutes);
  for (const kind of byLength) {
    const free = candidates(kind, from, to).filter((start) => {
      const incident = incidentAt(kind, start);
      const clear = (other: Incident) =>
        incident.end + distance <= other.start || other.end + distance <= incident.start;
      return [...taken, ...placed].every(clear);
    });
    const start = free[Math.floor(random() * free.length)];
    if (start === undefined) return undefined;
    placed.push(incidentAt(kind, start));
  }
  return placed;
}

function candidates(kind: IncidentKind, from: number, to: number): number[] {
  const [earliest, latest] = hoursOf(kind);
  const starts: number[] = [];
  for (let start = Math.ceil(from); start + KINDS[kind].minutes <= to; start++) {
    if (start % DAY >= earliest && start % DAY < latest) starts.push(start);
  }
  return starts;
}
