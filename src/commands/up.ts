import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHistoryCalendar } from '../calendar/calendar-file.ts';
import { type Config, type Flags, isGiven, readConfig, SETTINGS, type SettingName } from '../config/config.ts';
import { UsageError } from '../config/usage-error.ts';
import { utcMinute } from '../domain/times.ts';
import { describeProgress, HistoryOverlapError, importHistory } from '../history/history.ts';
import { calledAs } from '../runtime/called-as.ts';
import { createLog, type Log, messageOf } from '../runtime/log.ts';
import { createProgress } from '../runtime/progress.ts';
import {
  createDemo,
  createDemoTraffic,
  DEMO_DIMENSION,
  DEMO_SEED,
  type Demo,
  type DemoTraffic,
} from '../simulator/demo.ts';
import { demoHistory, minuteBefore, postDemoTraffic } from '../simulator/demo-traffic.ts';
import { choosePorts, type StackPorts, type WantedPort } from '../stack/ports.ts';
import { type Stack, startStack } from '../stack/stack.ts';
import { type CommandIo, untilStopped } from './io.ts';
import { settingsIn, settingsOf } from './settings-file.ts';

/** Days of history that the demo writes. */
export const DEMO_DAYS = 14;

/** Writes the demo's fourteen days into Prometheus' data, unless an earlier run has. */
async function importDemo(
  traffic: DemoTraffic,
  config: Config,
  folder: string | undefined,
  io: CommandIo,
  log: Log,
): Promise<void> {
  const progress = createProgress(io.stderr);
  log('info', `writing ${DEMO_DAYS} days of generated history into Prometheus, so that it knows what is normal`);
  try {
    const { samples, series } = await importHistory({
      ...demoHistory(traffic, DEMO_DAYS),
      calendar: await readHistoryCalendar(config.calendar, config.timezone),
      dataDir: config.data,
      ...(folder !== undefined && { rulesDir: join(folder, 'prometheus', 'rules') }),
      onProgress: (state) => progress.show(describeProgress(state)),
      signal: io.signal,
    });
    log('info', `history is in place: ${samples} samples in ${series} series`);
  } catch (error) {
    if (!(error instanceof HistoryOverlapError)) throw error;
    log('info', 'history is there from an earlier run');
  } finally {
    progress.end();
  }
}

async function simulateTraffic(traffic: DemoTraffic, demo: Demo, stack: Stack, io: CommandIo, log: Log): Promise<void> {
  const clock = (minute: number) => utcMinute(minute * 60).slice(11);
  await postDemoTraffic({
    traffic,
    demo,
    url: stack.url,
    from: minuteBefore(),
    seed: DEMO_SEED,
    ...(stack.token !== undefined && { token: stack.token }),
    signal: io.signal,
    onRetry: (reason) => log('warn', reason),
    onMinute({ minute, labelled = [] }, recommendation) {
      const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
      const total = sum(labelled.flatMap(({ counts }) => Object.values(counts)));
      const denied = sum(labelled.map(({ counts }) => counts.denied ?? 0));
      log('info', `demo traffic of ${clock(minute)}: ${total} transactions, ${denied} denied: ${recommendation}`);
    },
  }).catch((error: unknown) => log('error', `the demo's traffic has stopped: ${messageOf(error)}`));
}

const EXAMPLE = `curl -H 'Content-Type: application/json' URL/api/v1/transactions \\
    -d '{"source": "me", "counts": {"approved": 116, "denied": 54}}'`;

function addresses({ url, prometheusUrl, alertmanagerUrl, prometheusPages }: Stack, demo: boolean): string {
  return `
Tillwatch runs.

  live page       ${url}/
  post counts     ${url}/api/v1/transactions
  what is unusual ${url}/api/v1/anomalies
  alerts, journal ${url}/api/v1/alerts
  API description ${url}/openapi.json
  explore PromQL  ${url}/explore
  Prometheus      ${prometheusUrl}${prometheusPages ? '/alerts' : ' (its API: this build has no web pages)'}
  Alertmanager    ${alertmanagerUrl}${prometheusPages ? '' : ' (likewise)'}

${demo ? 'Start an incident on the live page, or post' : 'Post'} a bad minute, and another one a minute later:

  ${EXAMPLE.replace('URL', url)}

Ctrl-C stops all of it.
`;
}

function portsOf(config: Config, flags: Flags, demo: boolean, env: NodeJS.ProcessEnv): StackPorts<WantedPort> {
  const port = (name: SettingName & ('port' | 'prometheusPort' | 'alertmanagerPort')) => ({
    flag: `--${SETTINGS[name].flag}`,
    port: config[name],
    movable: demo && !isGiven(name, flags, env),
  });
  return {
    service: port('port'),
    prometheus: port('prometheusPort'),
    alertmanager: port('alertmanagerPort'),
  };
}

/** A demo that nobody gave a folder gets one that goes with it. */
function dataFolder(config: Config, flags: Flags, demo: boolean, env: NodeJS.ProcessEnv): [Config, () => void] {
  if (!demo || isGiven('data', flags, env)) return [config, () => {}];
  const data = mkdtempSync(join(tmpdir(), 'tillwatch-demo-'));
  return [Object.freeze({ ...config, data }), () => rmSync(data, { recursive: true, force: true })];
}

async function runStack(
  config: Config,
  wanted: StackPorts<WantedPort>,
  { demo: withDemo, folder }: UpOptions,
  io: CommandIo,
  log: Log,
): Promise<number> {
  // Before the history is written, which takes a minute.
  const ports = await choosePorts(wanted, log);
  const traffic = createDemoTraffic();
  const demo = withDemo ? createDemo(traffic) : undefined;
  if (demo) await importDemo(traffic, config, folder, io, log);
  io.signal.throwIfAborted();
  const broken = new AbortController();
  const stop = AbortSignal.any([io.signal, broken.signal]);
  function failed(reason: string): void {
    log('error', reason);
    broken.abort('one of them cannot be kept running');
  }
  const stack = await startStack(config, ports, log, failed, { demo, folder });
  try {
    io.stdout.write(addresses(stack, withDemo));
    if (demo) void simulateTraffic(traffic, demo, stack, { ...io, signal: stop }, log);
    log('info', `${await untilStopped(stop)}: stopping`);
  } finally {
    await stack.stop();
    log('info', 'stopped');
  }
  return broken.signal.aborted ? 1 : 0;
}

export interface UpOptions {
  demo: boolean;
  /** A folder made by `init`. */
  folder?: string | undefined;
}

/** @throws UsageError where the folder is not one made by `init` */
function assertMade(folder: string, env: NodeJS.ProcessEnv): void {
  for (const needed of ['prometheus/prometheus.yml', 'alertmanager/alertmanager.yml'])
    if (!existsSync(join(folder, needed)))
      throw new UsageError(
        `--config ${folder}: ${needed} is not there. ${calledAs(process.argv[1] ?? '', env)} init ${folder} writes what is missing`,
      );
}

/** Counts that a demo makes up must not get among those of real transactions. */
function environment({ demo, folder }: UpOptions, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (folder === undefined) return env;
  assertMade(folder, env);
  return demo ? { ...settingsIn(folder), ...env } : settingsOf(folder, env);
}

/**
 * Runs the service, Prometheus and Alertmanager until it is told to stop. @returns the exit code
 */
export async function up(flags: Flags, options: UpOptions, outside: CommandIo): Promise<number> {
  const { demo } = options;
  const io = { ...outside, env: environment(options, outside.env) };
  const log = createLog((line) => io.stderr.write(line));
  const read = readConfig(flags, io.env);
  // No load balancer stands before a service that runs with its own Prometheus: nobody has to see
  // that it stops.
  const settings = Object.freeze({
    ...read,
    ...(!isGiven('drain', flags, io.env) && { drain: 0 }),
    ...(demo && { dimensions: [...new Set([...read.dimensions, DEMO_DIMENSION])] }),
  });
  const [config, cleanUp] = dataFolder(settings, flags, demo, io.env);
  try {
    return await runStack(config, portsOf(config, flags, demo, io.env), options, io, log);
  } catch (error) {
    if (io.signal.aborted) return 0;
    throw error;
  } finally {
    cleanUp();
  }
}
