import { readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../config/usage-error.ts';
import type { MinuteCounts } from '../domain/minutes.ts';
import { STATUSES } from '../domain/names.ts';
import { isoSecond } from '../domain/times.ts';
import { messageOf } from '../runtime/log.ts';
import { writeAll } from '../runtime/write-all.ts';
import { createTraffic, DEFAULT_VOLUME } from '../simulator/feed.ts';
import {
  INCIDENT_KINDS,
  type Incident,
  type IncidentKind,
  incidentAt,
  placeIncidents,
} from '../simulator/incidents.ts';
import { dimensionsOf, makeRun } from '../simulator/make-run.ts';
import { type Clock, postTraffic, REAL_CLOCK } from '../simulator/post-traffic.ts';
import type { Labelled } from '../simulator/run.ts';
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '../simulator/scenarios.ts';
import { type Dimension, type Source, sliced, slicedTraffic } from '../simulator/slices.ts';
import type { CommandIo } from './io.ts';
import { timeOf } from './time-flag.ts';

/** The flags as they stand on the command line. They are checked here. */
export interface SimulateCommandOptions {
  /** By default 14 days; with `post` until stopped; with a scenario as many as it has. */
  days?: string | number;
  seed?: string | number;
  /** A scenario's name, or `list`. */
  scenario?: string;
  /**
   * `KIND`, placed by the seed, or `KIND@TIME`; `KIND/VALUE` in the traffic of one value of a
   * dimension alone.
   */
  incident?: readonly string[];
  /**
   * By default 2026-01-05T00:00:00Z, so that the same seed gives the same bytes; with `post` now;
   * with a scenario its own start.
   */
  start?: string;
  /** Mean transactions a minute. */
  volume?: string | number;
  /**
   * `NAME` or `NAME=N`, joined by commas: labels that share the traffic, and how many values each
   * has.
   */
  dimensions?: string;
  /** File to write the incidents to. */
  labels?: string;
  authCodes?: boolean;
  post?: string;
  tokenFile?: string;
}

const DAY = 1440;
const DEFAULT_DAYS = 14;
const DEFAULT_START = '2026-01-05T00:00:00Z';
const DEFAULT_VALUES = 8;
const MAX_VALUES = 1000;
/**
 * The first live incident begins after a few normal minutes, the next one when the last one is
 * over and forgotten.
 */
const LIVE_LEAD_MINUTES = 3;
const LIVE_PAUSE_MINUTES = 30;

interface Plan {
  traffic: Source;
  labels: readonly Labelled[];
  dimensions: readonly string[];
  seed: number;
  from: number;
  to: number | undefined;
  /** Incidents count from this minute on; default from the start. */
  scoreFrom?: number;
}

/** `tillwatch simulate`. @returns the exit code: 0 done or stopped, 1 failed, 2 used wrongly */
export async function simulateCommand(
  options: SimulateCommandOptions,
  io: CommandIo,
  clock: Clock = REAL_CLOCK,
): Promise<number> {
  try {
    if (options.scenario === 'list') {
      await writeAll(io.stdout, [scenarioList()], io.signal);
      return 0;
    }
    const plan = planOf(options, clock);
    if (options.labels !== undefined) {
      await writeFile(options.labels, labelsCsv(plan.labels));
      if (plan.scoreFrom !== undefined)
        io.stderr.write(`${options.labels}: score with --score-from ${iso(plan.scoreFrom)}\n`);
    }
    if (options.post !== undefined) await postLive(plan, options, io, clock);
    else await writeAll(io.stdout, csv(plan, options.authCodes === true), io.signal);
    return 0;
  } catch (error) {
    if (!io.signal.aborted) io.stderr.write(`${messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** One line for each scenario. */
export function scenarioList(): string {
  const width = Math.max(...SCENARIO_NAMES.map((name) => name.length));
  return SCENARIO_NAMES.map((name) => `${name.padEnd(width)}  ${SCENARIOS[name].does}\n`).join('');
}

function planOf(options: SimulateCommandOptions, clock: Clock): Plan {
  const seed = number('--seed', options.seed ?? 1, 0, 2 ** 32 - 1);
  if (!Number.isInteger(seed)) throw new UsageError(`--seed ${seed}: must be a whole number`);
  if (options.post !== undefined && !URL.canParse(options.post))
    throw new UsageError(`--post ${options.post}: is no URL`);
  const split = parseDimensions(options.dimensions);
  const plan =
    options.scenario === undefined
      ? trafficPlan(options, seed, clock, split)
      : scenarioPlan(options, seed, clock, split);
  const twice = plan.dimensions.find((name, at) => plan.dimensions.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`--dimensions: ${twice} is there twice`);
  if (options.authCodes === true && plan.dimensions.length > 0)
    throw new UsageError('--auth-codes: auth codes are not counted by dimensions; leave one of both away');
  return plan;
}

/** Makes the plan of traffic without end, with the incidents that are asked for. */
function trafficPlan(options: SimulateCommandOptions, seed: number, clock: Clock, split: readonly Dimension[]): Plan {
  const live = options.post !== undefined;
  const days =
    options.days === undefined && live ? undefined : number('--days', options.days ?? DEFAULT_DAYS, 1 / DAY, 3660);
  const volumePerMinute = number('--volume', options.volume ?? DEFAULT_VOLUME, 1, 1e6);
  const from =
    options.start === undefined && live
      ? Math.floor(clock.now() / 60_000)
      : minuteOf('--start', options.start ?? DEFAULT_START);
  const to = days === undefined ? undefined : from + Math.round(days * DAY);
  const incidents = incidentsOf(options.incident ?? [], seed, from, live ? undefined : to);
  const values = split.flatMap((dimension) => dimension.values);
  const stray = incidents.find(({ slice }) => slice !== undefined && !values.includes(slice));
  if (stray !== undefined)
    throw new UsageError(
      `--incident ${stray.kind}/${stray.slice}: is none of the values of --dimensions${values.map((value) => ` ${value}`).join('')}`,
    );
  const trafficOf = (value?: string) =>
    createTraffic({
      ...{ seed, volumePerMinute },
      incidents: incidents.filter(({ slice }) => slice === undefined || slice === value),
    });
  const all = trafficOf();
  const slices = new Set(incidents.flatMap(({ slice }) => slice ?? []));
  const own = [...slices].map((value) => ({ value, traffic: trafficOf(value) }));
  const traffic = split.length === 0 ? all : slicedTraffic(all, own, split, seed);
  return { traffic, labels: incidents, dimensions: namesOf(split), seed, from, to };
}

const namesOf = (split: readonly Dimension[]): string[] => split.map(({ name }) => name);

/**
 * Makes the plan of a scenario. Live, the scored days begin with today, and what comes before them
 * is not posted.
 */
function scenarioPlan(options: SimulateCommandOptions, seed: number, clock: Clock, split: readonly Dimension[]): Plan {
  const name = scenarioOf(options.scenario ?? '');
  if ((options.incident ?? []).length > 0)
    throw new UsageError(`--incident: the scenario ${name} has its own incidents; leave one of both away`);
  const { historyDays: usual, scoredDays, volume } = SCENARIOS[name];
  const days = number('--days', options.days ?? usual + scoredDays, usual + scoredDays, 3660);
  if (!Number.isInteger(days)) throw new UsageError(`--days ${days}: of a scenario must be whole days`);
  const historyDays = days - scoredDays;
  const live = options.post !== undefined;
  const now = Math.floor(clock.now() / 60_000);
  const start = options.start === undefined ? undefined : minuteOf('--start', options.start);
  if (start !== undefined && start % DAY !== 0)
    throw new UsageError(`--start ${options.start}: a scenario begins at midnight UTC`);
  const from = start ?? (live ? now - (now % DAY) - historyDays * DAY : undefined);
  const run = makeRun({
    ...{ name, seed, historyDays },
    volume: number('--volume', options.volume ?? volume, 1, 1e6),
    ...(from !== undefined && { from }),
  });
  const byMinute = new Map(run.minutes.map((counted) => [counted.minute, counted]));
  const { labels, scoreFrom, to } = run;
  const at = (minute: number) => {
    const counted = byMinute.get(minute);
    return counted === undefined || split.length === 0 ? counted : sliced(counted, split, seed);
  };
  return {
    traffic: { at },
    labels,
    dimensions: [...dimensionsOf(name), ...namesOf(split)],
    seed,
    from: live ? now : run.from,
    to,
    scoreFrom,
  };
}

function scenarioOf(text: string): ScenarioName {
  const name = SCENARIO_NAMES.find((known) => known === text);
  if (name !== undefined) return name;
  throw new UsageError(
    `--scenario ${text}: is none of ${SCENARIO_NAMES.join(', ')}; --scenario list says what each is`,
  );
}

function parseDimensions(text: string | undefined): Dimension[] {
  if (text === undefined) return [];
  return text.split(',').map((part) => {
    const [name = '', count = String(DEFAULT_VALUES), ...more] = part.trim().split('=');
    if (!/^[a-z][a-z0-9_]*$/.test(name) || more.length > 0)
      throw new UsageError(`--dimensions ${text}: write names in lower case, such as acquirer,channel=3`);
    const values = number('--dimensions', count, 1, MAX_VALUES);
    if (!Number.isInteger(values)) throw new UsageError(`--dimensions ${part}: must be a whole number of values`);
    return { name, values: Array.from({ length: values }, (_, nth) => `${name}-${nth + 1}`) };
  });
}

function number(flag: string, value: string | number, min: number, max: number): number {
  const parsed = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (parsed >= min && parsed <= max) return parsed;
  throw new UsageError(`${flag} ${value}: must be a number from ${min < 1 && min > 0 ? 'more than 0' : min} to ${max}`);
}

function minuteOf(flag: string, text: string): number {
  return Math.floor(timeOf(flag, text) / 60);
}

type SlicedIncident = Incident & { slice?: string };

function incidentsOf(asked: readonly string[], seed: number, from: number, to: number | undefined): SlicedIncident[] {
  const parsed = asked.map(parseIncident);
  const timed = parsed.flatMap(({ start, kind, ...slice }) =>
    start === undefined ? [] : [{ ...incidentAt(kind, start), ...slice }],
  );
  const untimed = parsed.filter(({ start }) => start === undefined);
  const kinds = untimed.map(({ kind }) => kind);
  const free = to === undefined ? oneAfterAnother(kinds, from) : placeIncidents(kinds, seed, from, to, timed);
  const placed = free.map((incident): SlicedIncident => {
    const [own] = untimed.splice(
      untimed.findIndex(({ kind }) => kind === incident.kind),
      1,
    );
    return own?.slice === undefined ? incident : { ...incident, slice: own.slice };
  });
  return [...timed, ...placed].sort((a, b) => a.start - b.start);
}

/** Reads `KIND[/VALUE][@TIME]`. */
function parseIncident(text: string): { kind: IncidentKind; start: number | undefined; slice?: string } {
  const [what = '', time] = text.split('@');
  const [name = '', slice] = what.split('/');
  const kind = INCIDENT_KINDS.find((known) => known === name);
  if (kind === undefined) throw new UsageError(`--incident ${name}: is none of ${INCIDENT_KINDS.join(', ')}`);
  const start = time === undefined ? undefined : minuteOf('--incident', time);
  return { kind, start, ...(slice !== undefined && { slice }) };
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
    onAnswer: (counted, recommendation) => {
      const of = (status: string) => piecesOf(counted).reduce((sum, { counts }) => sum + (counts[status] ?? 0), 0);
      const total = STATUSES.reduce((sum, status) => sum + of(status), 0);
      io.stdout.write(`${iso(counted.minute)} ${total} transactions, ${of('denied')} denied: ${recommendation}\n`);
    },
  });
}

interface Piece {
  labels: Readonly<Record<string, string>>;
  counts: Readonly<Record<string, number>>;
}

const piecesOf = ({ counts = {}, labelled }: MinuteCounts): readonly Piece[] => labelled ?? [{ labels: {}, counts }];

function* csv(plan: Plan, byAuthCode: boolean): Generator<string> {
  const key = byAuthCode ? 'auth_code' : 'status';
  yield `${['timestamp', key, 'count', ...plan.dimensions].join(',')}\n`;
  for (let minute = plan.from; minute < (plan.to ?? plan.from); minute++) {
    const counted = plan.traffic.at(minute);
    if (counted !== undefined) yield rows(counted, byAuthCode, plan.dimensions);
  }
}

function rows(counted: MinuteCounts, byAuthCode: boolean, dimensions: readonly string[]): string {
  const time = iso(counted.minute);
  const codes = Object.entries(counted.authCodes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (byAuthCode) return codes.map(([code, count]) => `${time},${code},${count}\n`).join('');
  const lines = piecesOf(counted).flatMap(({ labels, counts }) => {
    const slice = dimensions.map((name) => `,${labels[name] ?? ''}`).join('');
    return Object.entries(counts).map(([status, count]) => `${time},${status},${count}${slice}\n`);
  });
  return lines.join('');
}

/**
 * `start,end,signal,kind`, the end exclusive, as `tillwatch backtest --labels` reads it; `slice`
 * only where an incident is in one.
 */
function labelsCsv(labels: readonly Labelled[]): string {
  const sliced = labels.some(({ slice }) => slice !== undefined);
  const lines = labels.map(({ start, end, signal, kind, slice = '' }) => {
    const cells = [iso(start), iso(end), signal, kind, ...(sliced ? [slice] : [])];
    return `${cells.join(',')}\n`;
  });
  return `start,end,signal,kind${sliced ? ',slice' : ''}\n${lines.join('')}`;
}

const iso = (minute: number): string => isoSecond(minute * 60);
