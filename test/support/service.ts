import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { AlertPathWatch } from '../../src/alerting/pipeline-health.ts';
import { openCalendar } from '../../src/calendar/calendar.ts';
import { UTC } from '../../src/calendar/calendar-file.ts';
import { NO_ENTRIES } from '../../src/calendar/entries.ts';
import { type Flags, readConfig } from '../../src/config/config.ts';
import { createAccess } from '../../src/http/access.ts';
import { type AppOptions, createApp } from '../../src/http/app.ts';
import { createEvents } from '../../src/http/events.ts';
import { watchChanges } from '../../src/http/recent-changes.ts';
import { startServer } from '../../src/http/server.ts';
import { noBaseline } from '../../src/judge/baseline.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { createHealth } from '../../src/metrics/health.ts';
import { createPrometheus } from '../../src/prometheus/client.ts';
import type { Log } from '../../src/runtime/log.ts';
import { startHttpServer } from './http-server.ts';
import { type Running, startProcess, waitFor } from './processes.ts';

/** The built program, as users start it. */
export const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Nothing listens on it, so that the service finds no Prometheus unless a test gives it one. */
const NOWHERE = 'http://127.0.0.1:61999';

const folders = new Set<string>();
const programs = new Set<Running>();
// Runs after the test file that imports this one: a test that failed half-way must leave nothing
// behind.
afterAll(async () => {
  await Promise.all([...programs].map((program) => program.stop('SIGKILL')));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder that goes when the test file ends. */
export function temporaryFolder(name = 'service'): string {
  const folder = mkdtempSync(join(tmpdir(), `tillwatch-${name}-`));
  folders.add(folder);
  return folder;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any;
}

export type Headings = Record<string, string>;

export interface Client {
  url: string;
  /** A request as given: a string or bytes go as they are, anything else as JSON. */
  send(method: string, path: string, body?: unknown, headers?: Headings): Promise<Answer>;
  get(path: string, headers?: Headings): Promise<Answer>;
  /** POSTs a report. */
  post(body: unknown, headers?: Headings): Promise<Answer>;
  /** The exposition, as text. */
  metrics(): Promise<string>;
  /** One series of the exposition, by its name and labels as exposed. */
  value(series: string): Promise<number | undefined>;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Speaks to a service as its users do. */
export function clientOf(url: string): Client {
  async function send(method: string, path: string, body?: unknown, headers: Headings = {}): Promise<Answer> {
    const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const response = await fetch(url + path, {
      method,
      headers: { ...type, ...headers },
      ...(raw !== undefined && { body: raw }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: toJson(text) };
  }
  const metrics = async () => (await send('GET', '/metrics')).text;
  return {
    url,
    send,
    metrics,
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (body, headers) => send('POST', '/api/v1/transactions', body, headers),
    value: async (series) => parseMetrics(await metrics()).get(series),
  };
}

/** Series as exposed -> value. */
export function parseMetrics(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/**
 * Series of transactions as exposed, line by line, without the gauge of the last minute, which a
 * minute that ends changes by itself.
 */
export const transactionLines = (metrics: string): string[] =>
  metrics.split('\n').filter((line) => /^transactions_(?!last_minute)/.test(line));

export interface Service extends Client {
  dir: string;
  /** Lines of log so far. */
  logged: string[];
  close(): Promise<void>;
}

/**
 * The real service in this process, on a free port, with a ledger of its own unless `data` names
 * one.
 */
export async function startService(flags: Partial<Flags> = {}): Promise<Service> {
  const dir = String(flags.data ?? temporaryFolder());
  const logged: string[] = [];
  const log: Log = (level, message) => logged.push(`${level} ${message}`);
  const settings = { port: '0', prometheusUrl: NOWHERE, alertmanagerUrl: NOWHERE, drain: '0', ...flags, data: dir };
  const server = await startServer(readConfig(settings as Flags, {}), log);
  return { ...clientOf(server.url), dir, logged, close: server.close };
}

const unknown = { ok: true, reason: 'not looked at in this test' };
const noPath: AlertPathWatch = {
  current: () => ({ prometheus: unknown, alertmanager: unknown, watchdog: unknown }),
  refresh: async () => {},
  watchdog: () => {},
  stop: () => {},
};

/**
 * The real application on a free port with parts of the test's own, and nothing started around it.
 */
export async function serveWith({ flags, ...parts }: Partial<AppOptions> & { ledger: Ledger; flags?: Partial<Flags> }) {
  const prometheus = createPrometheus(NOWHERE);
  const baseline = noBaseline('unavailable', 'no Prometheus in this test');
  const health = createHealth(
    'test',
    () => 0,
    parts.ledger,
    () => [],
    async () => [],
  );
  const app = createApp({
    config: readConfig({ ...flags } as Flags, {}),
    prometheus,
    baseline: { asked: Promise.resolve(), current: () => baseline, refresh: async () => {}, stop: () => {} },
    health,
    events: createEvents(health.streams),
    access: createAccess(''),
    assets: new Map(),
    path: noPath,
    calendar: openCalendar(NO_ENTRIES, UTC),
    changes: watchChanges(parts.ledger),
    log: () => {},
    stopping: new AbortController().signal,
    version: 'test',
    ...parts,
  });
  const { url, close } = await startHttpServer(app);
  return { client: clientOf(url), close };
}

export interface ServiceProcess extends Client {
  process: Running;
}

/** Starts the built program, without waiting for it to be ready. */
export async function runProgram(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const program = await startProcess(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env.PATH, ...env } });
  programs.add(program);
  void program.exited.then(() => programs.delete(program));
  return program;
}

/**
 * The built `tillwatch serve` as a process of its own; rejects with its log when it does not come
 * up.
 */
export async function serveProcess(
  dir: string,
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<ServiceProcess> {
  const running = await runProgram(
    ['serve', '--port', '0', '--data', dir, '--prometheus-url', NOWHERE, '--drain', '0', ...args],
    env,
  );
  let over = false;
  void running.exited.then(() => {
    over = true;
  });
  const url = await waitFor(
    () => {
      if (over) return 'ended';
      return /listening on (\S+)/.exec(running.stderr())?.[1];
    },
    { what: 'the service to listen' },
  );
  if (url === 'ended') throw new Error(`the service ended: ${running.stderr()}`);
  return { ...clientOf(url), process: running };
}

/** Runs a command line of the built program to its end. */
export async function runToEnd(args: string[], env: NodeJS.ProcessEnv = {}) {
  const running = await runProgram(args, env);
  const { code } = await running.exited;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

/** The counters of transactions that a request changed: series as exposed -> increase. */
export async function increases(client: Client, act: () => Promise<unknown>): Promise<Record<string, number>> {
  const counters = async () =>
    [...parseMetrics(await client.metrics())].filter(([series]) => /^transactions_\w*total/.test(series));
  const before = new Map(await counters());
  await act();
  const after = await counters();
  const changed = after.map(([series, value]) => [series, value - (before.get(series) ?? 0)] as const);
  return Object.fromEntries(changed.filter(([, increase]) => increase !== 0));
}

/** Start of the minute `n` minutes ago, as ISO 8601; negative ones are ahead. */
export const minutesAgo = (n: number): string =>
  new Date((Math.floor(Date.now() / 60_000) - n) * 60_000).toISOString().replace('.000', '');
