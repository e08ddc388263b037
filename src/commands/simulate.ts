import { readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../config.ts';
import { INCIDENT_KINDS, type Incident, type IncidentKind, incidentAt, placeIncidents } from '../incidents.ts';
import { messageOf } from '../log.ts';
import { parseTime } from '../parse-time.ts';
import { type Clock, postTraffic, REAL_CLOCK } from '../post-traffic.ts';
import { createTraffic, DEFAULT_VOLUME, type Traffic, type TrafficMinute, trafficMinutes } from '../simulate.ts';
import { writeAll } from '../write-all.ts';
import type { CommandIo } from './io.ts';

/** As they stand on the command line, to be checked here. */
export interface SimulateCommandOptions {
  /** Default 14; with `post` until stopped. */
  days?: string | number;
  seed?: string | number;
  /** `KIND`, placed by the seed, or `KIND@TIME`. */
  incident?: readonly string[];
  /** Default 2026-01-05T00:00:00Z, so that the same seed gives the same bytes; with `post` now. */
  start?: string;
  /** Mean transactions a minute. */
  volume?: string | number;
  /** File to write the incidents to. */
  labels?: string;
  authCodes?: boolean;
  post?: string;
  tokenFile?: string;
}

const DAY = 1440;
const DEFAULT_DAYS = 14;
const DEFAULT_START = '2026-01-05T00:00:00Z';
/** Live incidents: the first after a few normal minutes, the next when the last one is over and forgotten. */
const LIVE_LEAD_MINUTES = 3;
const LIVE_PAUSE_MINUTES = 30;

interface Plan {
  traffic: Traffic;
  seed: number;
  from: number;
  to: number | undefined;
}

/** `tillwatch simulate`. @returns the exit code: 0 done or stopped, 1 failed, 2 used wrongly */
export async function simulateCommand(
  options: SimulateCommandOptions,
  io: CommandIo,
  clock: Clock = REAL_CLOCK,
): Promise<number> {
  try {
    const plan = planOf(options, clock);
    if (options.labels !== undefined) await writeFile(options.labels, labelsCsv(plan.traffic.incidents));
    if (options.post !== undefined) await postLive(plan, options, io, clock);
    else await writeAll(io.stdout, csv(plan, options.authCodes === true), io.signal);
    return 0;
  } catch (error) {
    if (!io.signal.aborted) io.stderr.write(`${messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function planOf(options: SimulateCommandOptions, clock: Clock): Plan {
  const live = options.post !== undefined;
  const days =
    options.days === undefined && live ? undefined : number('--days', options.days ?? DEFAULT_DAYS, 1 / DAY, 3660);
  const seed = number('--seed', options.seed ?? 1, 0, 2 ** 32 - 1);
  if (!Number.isInteger(seed)) throw new UsageError(`--seed ${seed}: must be a whole number`);
  const volumePerMinute = number('--volume', options.volume ?? DEFAULT_VOLUME, 1, 1e6);
  if (options.post !== undefined && !URL.canParse(options.post))
    throw new UsageError(`--post ${options.post}: is no URL`);
  const from =
    options.start === undefined && live
      ? Math.floor(clock.now() / 60_000)
      : minuteOf('--start', options.start ?? DEFAULT_START);
  const to = days === undefined ? undefined : from + Math.round(days * DAY);
  const incidents = incidentsOf(options.incident ?? [], seed, from, live ? undefined : to);
  return { traffic: createTraffic({ seed, volumePerMinute, incidents }), seed, from, to };
}

function number(flag: string, value: string | number, min: number, max: number): number {
  const parsed = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (parsed >= min && parsed <= max) return parsed;
  throw new UsageError(`${flag} ${value}: must be a number from ${min < 1 && min > 0 ? 'more than 0' : min} to ${max}`);
}

function minuteOf(flag: string, text: string): number {
  const time = parseTime(text);
  if (!(time >= 0)) throw new UsageError(`${flag} ${text}: is no time; write it as 2026-01-05T00:00:00Z`);
  return Math.floor(time / 60_000);
}

function incidentsOf(asked: readonly string[], seed: number, from: number, to: number | undefined): Incident[] {
  const parsed = asked.map(parseIncident);
  const timed = parsed.flatMap(({ kind, start }) => (start === undefined ? [] : [incidentAt(kind, start)]));
  const kinds = parsed.flatMap(({ kind, start }) => (start === undefined ? [kind] : []));
  const placed = to === undefined ? oneAfterAnother(kinds, from) : placeIncidents(kinds, seed, from, to, timed);
  return [...timed, ...placed].sort((a, b) => a.start - b.start);
}

function parseIncident(text: string): { kind: IncidentKind; start: number | undefined } {
  const [name = '', time] = text.split('@');
  const kind = INCIDENT_KINDS.find((known) => known === name);
  if (kind === undefined) throw new UsageError(`--incident ${name}: is none of ${INCIDENT_KINDS.join(', ')}`);
  return { kind, start: time === undefined ? undefined : minuteOf('--incident', time) };
}

function oneAfterAnother(kinds: readonly IncidentKind[], from: number): Incident[] {
  let start = from + LIVE_LEAD_MINUTES;
  return kinds.map((kind) => {
    const incident = incidentAt(kind, start);
    start = incident.end + LIVE_PAUSE_MINUTES;
    return incident;
  });
}

async function postLive(plan: Plan, options: SimulateCommandOptions, io: CommandIo, clock: Clock): Promise<void> {
  const token = options.tokenFile === undefined ? undefined : (await readFile(options.tokenFile, 'utf8')).trim();
  await postTraffic({
    ...plan,
    to: plan.to ?? Number.POSITIVE_INFINITY,
    url: options.post ?? '',
    ...(token === undefined ? {} : { token }),
    signal: io.signal,
    clock,
    onRetry: (reason) => io.stderr.write(`${reason}\n`),
    onAnswer: ({ minute, counts }, recommendation) => {
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      io.stdout.write(`${iso(minute)} ${total} transactions, ${counts.denied} denied: ${recommendation}\n`);
    },
  });
}

function* csv(plan: Plan, byAuthCode: boolean): Generator<string> {
  yield byAuthCode ? 'timestamp,auth_code,count\n' : 'timestamp,status,count\n';
  for (const counted of trafficMinutes(plan.traffic, plan.from, plan.to ?? plan.from)) yield rows(counted, byAuthCode);
}

function rows(counted: TrafficMinute, byAuthCode: boolean): string {
  const time = iso(counted.minute);
  const counts = Object.entries(byAuthCode ? counted.authCodes : counted.counts);
  if (byAuthCode) counts.sort(([a], [b]) => (a < b ? -1 : 1));
  return counts.map(([key, count]) => `${time},${key},${count}\n`).join('');
}

/** `start,end,signal,kind`, the end exclusive, as `tillwatch backtest --labels` reads it. */
function labelsCsv(incidents: readonly Incident[]): string {
  const lines = incidents.map(({ start, end, signal, kind }) => `${iso(start)},${iso(end)},${signal},${kind}\n`);
  return `start,end,signal,kind\n${lines.join('')}`;
}

const iso = (minute: number): string => new Date(minute * 60_000).toISOString().replace('.000Z', 'Z');
