import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBinary } from '../../src/binaries/binaries.ts';
import { run } from '../../src/cli.ts';
import { seriesText } from '../../src/domain/series-text.ts';
import { importHistory, storageOf } from '../../src/history/history.ts';
import { startEphemeralPrometheus } from '../../src/prometheus/ephemeral-prometheus.ts';
import { instantQuery } from '../../src/prometheus/ephemeral-queries.ts';
import { remoteWrite, type SeriesSamples } from '../../src/prometheus/remote-write.ts';
import { readRules } from '../../src/prometheus/rule-files.ts';
import { createTestIo } from '../support/command-io.ts';
import { freePort, startProcess, waitFor } from '../support/processes.ts';
import { sourceOfMinutes } from '../support/rules-of-minutes.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startVictoriaMetrics, startVmalert } from '../support/victoria-metrics.ts';

/**
 * Prometheus with the rules as they are written for it, and vmalert on VictoriaMetrics with those
 * that are written for it, on the same samples. An incident began in the last minute of the history
 * that both have.
 */

/** A minute, in each of two acquirers. */
const USUAL = { approved: 60, denied: 6, failed: 1 };
const BAD = { approved: 40, denied: 30, failed: 1 };
const ACQUIRERS = ['alpha', 'beta'];
const HISTORY_MINUTES = 1500;
/** Seconds that writing the history takes, with some to spare. */
const PREPARE = 25;
/**
 * Seconds into its minute at which Prometheus judges here. It decides by a hash of the file's path.
 */
const JUDGES_FROM = 48;

type Counts = typeof USUAL;
const codesOf = ({ approved, denied }: Counts) => ({ '00': approved, '51': denied });

function* historyUntil(end: number) {
  for (let minute = end - HISTORY_MINUTES; minute < end; minute++) {
    const counts = minute === end - 1 ? BAD : { ...USUAL, approved: USUAL.approved - (minute % 3) };
    yield {
      minute,
      labelled: ACQUIRERS.map((acquirer) => ({ labels: { acquirer }, counts, authCodes: codesOf(counts) })),
    };
  }
}

async function writeRules(engine: string, source: string, out: string): Promise<string> {
  const io = createTestIo();
  const url = 'https://tillwatch.example.com';
  const code = await run(['rules', '--for', engine, '--rules', source, '--url', url, '--out', out], io);
  expect({ code, stderr: io.written.stderr }).toEqual({ code: 0, stderr: '' });
  return out;
}

async function startPrometheus(dir: string, storage: string, ruleFiles: string[]) {
  const config = join(dir, `${await freePort()}.yml`);
  await writeFile(config, JSON.stringify({ rule_files: ruleFiles }));
  const url = `http://127.0.0.1:${await freePort()}`;
  const server = await startProcess(await findBinary('prometheus'), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${storage}`,
    `--web.listen-address=${url.replace('http://', '')}`,
    '--web.enable-remote-write-receiver',
  ]);
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: `Prometheus at ${url}` });
  return { url, stop: () => server.stop() };
}

/** Copies of the rules of which Prometheus judges some at any second of the minute. */
async function copiesOf(rules: string, dir: string): Promise<string[]> {
  const copies = Array.from({ length: 40 }, (_, index) => join(dir, `rules-${index}`));
  for (const copy of copies) await cp(rules, copy, { recursive: true });
  return copies;
}

/**
 * Of the copies one that a Prometheus without data judges late in a minute, seen in the one before
 * `until`.
 */
async function judgedLate(copies: string[], dir: string, until: number): Promise<string> {
  const scratch = await startPrometheus(
    dir,
    join(dir, 'scratch'),
    copies.map((copy) => join(copy, 'transactions.rules.yml')),
  );
  try {
    const evaluated = async () => {
      const { data } = (await (await fetch(`${scratch.url}/api/v1/rules`)).json()) as RulesAnswer;
      const late = data.groups.filter(({ lastEvaluation }) => {
        const second = (Date.parse(lastEvaluation) / 1000) % 60;
        return Date.parse(lastEvaluation) > 0 && second >= JUDGES_FROM && second < 57;
      });
      return late.at(0)?.file;
    };
    const file = await waitFor(evaluated, { what: 'a late group', timeout: until * 1000 - Date.now() });
    return file.replace(/\/[^/]*$/, '');
  } finally {
    await scratch.stop();
  }
}

interface RulesAnswer {
  data: { groups: { file: string; lastEvaluation: string }[] };
}

/** Every sample of a data folder. */
async function samplesIn(dataDir: string, end: number): Promise<SeriesSamples[]> {
  const reader = await startEphemeralPrometheus(storageOf(dataDir));
  try {
    const query = `{__name__=~".+"}[${HISTORY_MINUTES + 5}m]`;
    const answer = await fetch(`${reader.url}/api/v1/query?${new URLSearchParams({ query, time: String(end) })}`);
    const { data } = (await answer.json()) as { data: { result: RawSeries[] } };
    return data.result.map(({ metric, values }) => ({
      labels: metric,
      times: values.map(([time]) => time),
      values: values.map(([, value]) => Number(value.replace('Inf', 'Infinity'))),
    }));
  } finally {
    await reader.stop();
  }
}

interface RawSeries {
  metric: Record<string, string>;
  values: [number, string][];
}

/** What the counters count on from: their last samples. */
function createCounters(history: readonly SeriesSamples[], begin: number) {
  const counters = history.filter(({ labels }) => /^transactions_(total|by|last)/.test(labels.__name__ ?? ''));
  const grows = ({ acquirer, status, auth_code, __name__ }: SeriesSamples['labels']): number => {
    if (__name__ === 'transactions_last_report_timestamp_seconds') return 60;
    if (acquirer === undefined) return 0;
    if (status !== undefined) return BAD[status as keyof Counts] ?? 0;
    return codesOf(BAD)[auth_code as '00' | '51'] ?? 0;
  };
  return (time: number): SeriesSamples[] =>
    counters.map(({ labels, values }) => ({
      labels,
      times: [time],
      values: [(values[values.length - 1] ?? 0) + grows(labels) * Math.floor((time - begin) / 60)],
    }));
}

interface FiringAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  activeAt: string;
  state: string;
}

async function alertsOf(url: string): Promise<FiringAlert[]> {
  const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as { data: { alerts: FiringAlert[] } };
  return data.alerts.filter(({ labels, state }) => state === 'firing' && labels.alertname?.startsWith('Transactions'));
}

/** By labels, which differ by nothing else between the two. */
const byLabels = (alerts: readonly FiringAlert[]) =>
  new Map(alerts.map((alert) => [JSON.stringify(Object.entries(alert.labels).sort()), alert]));

let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
let storage: Awaited<ReturnType<typeof startVictoriaMetrics>>;
let vmalert: Awaited<ReturnType<typeof startVmalert>>;
/** Seconds since the epoch: the end of the history. */
let begin: number;
let source: string;
let pushing: AbortController;
let pushed: Promise<void>;

async function push(counters: ReturnType<typeof createCounters>, signal: AbortSignal): Promise<void> {
  for (let time = begin + 5; !signal.aborted; time += 5) {
    await sleep(Math.max(0, time * 1000 - Date.now()));
    for (const { url } of [prometheus, storage]) await remoteWrite(url, counters(time));
  }
}

async function start(): Promise<void> {
  const dir = await tempDir();
  source = await sourceOfMinutes(dir);
  const copies = await copiesOf(await writeRules('prometheus', source, join(dir, 'prometheus')), dir);
  const vmalertRules = await writeRules('vmalert', source, join(dir, 'vmalert'));
  // Both judge for the first time in the minute after next, when this one's counts are complete.
  begin = Math.ceil(Date.now() / 60_000 + PREPARE / 60 - 1) * 60;
  const late = judgedLate(copies, dir, begin + 59);
  const dataDir = join(dir, 'data');
  await mkdir(dataDir);
  const minutes = historyUntil(begin / 60);
  await importHistory({ minutes, authCodes: ['00', '51'], dataDir, rulesDir: source, now: begin });
  const history = await samplesIn(dataDir, begin);
  storage = await startVictoriaMetrics(join(dir, 'victoria'));
  await remoteWrite(storage.url, history);
  const rules = await late;
  await sleep((begin + 60) * 1000 - Date.now());
  prometheus = await startPrometheus(dir, storageOf(dataDir), [join(rules, '*.yml')]);
  vmalert = await startVmalert(storage.url, join(vmalertRules, '*.yml'));
  pushing = new AbortController();
  pushed = push(createCounters(history, begin), pushing.signal);
}

async function stop(): Promise<void> {
  pushing?.abort();
  await pushed;
  await Promise.all([prometheus?.stop(), vmalert?.stop()]);
  await storage?.stop();
}

/** True where one of them judged each minute since the history ended. */
async function judgedEach(url: string): Promise<boolean> {
  const judged = 'status:transactions:increase1m{status="denied", level="total"}';
  const query = `${judged}[${Math.floor(Date.now() / 1000 - begin - 1)}s]`;
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
  const { data } = (await answer.json()) as { data: { result: RawSeries[] } };
  const minutes = (data.result[0]?.values ?? []).map(([time]) => Math.floor((time - begin) / 60));
  return minutes.length > 0 && minutes.every((minute, index) => minute === index + 1);
}

/** Resolves when both tell of the incident. */
const bothTell = () =>
  waitFor(
    async () => {
      const [here, there] = [await alertsOf(prometheus.url), await alertsOf(vmalert.url)];
      return here.length > 0 && there.length >= here.length;
    },
    { what: 'alerts of both' },
  );

beforeAll(async () => {
  await start();
  await bothTell();
  // On a busy machine one of them may miss a minute, and tells of another incident then.
  while (!((await judgedEach(prometheus.url)) && (await judgedEach(storage.url)))) {
    await stop();
    await start();
    await bothTell();
  }
});
afterAll(stop);

/** The newest value of each series since the history ended, by the series. */
async function recordedSince(url: string, names: string): Promise<Map<string, number>> {
  const now = Date.now() / 1000;
  const query = `last_over_time({__name__=~"${names}"}[${Math.floor(now - begin - 1)}s])`;
  const series = await instantQuery(url, query, now);
  return new Map(
    series.map(({ metric, value }) => [seriesText(metric.__name__ ?? '', { ...metric, __name__: '' }), value]),
  );
}

test('an incident is told by both: the same alerts and numbers, within half a minute', async () => {
  const annotations = (alerts: Map<string, FiringAlert>) =>
    [...alerts].map(([labels, alert]) => [labels, alert.annotations]).sort();
  let [here, there] = [new Map<string, FiringAlert>(), new Map<string, FiringAlert>()];
  // Between the same minute's evaluations one of them is ahead.
  const agree = async () => {
    [here, there] = [byLabels(await alertsOf(prometheus.url)), byLabels(await alertsOf(vmalert.url))];
    return here.size > ACQUIRERS.length && isDeepStrictEqual(annotations(there), annotations(here));
  };
  // What differs is said below.
  await waitFor(agree, { what: 'both to agree' }).catch(() => {});
  expect(annotations(there)).toEqual(annotations(here));
  expect(here.size).toBe(1 + ACQUIRERS.length);
  for (const [labels, alert] of here) {
    expect(alert.annotations.description).toMatch(MESSAGE);
    expect(Math.abs(Date.parse(there.get(labels)?.activeAt ?? '') - Date.parse(alert.activeAt))).toBeLessThan(30_000);
  }
});

test('its messages keep their numbers until those of the next minute are there', async () => {
  const total = async () => (await alertsOf(vmalert.url)).find(({ labels }) => labels.level === 'total');
  const lengthOf = (alert: FiringAlert | undefined) => / for (\d) min/.exec(alert?.annotations.description ?? '')?.[1];
  const lengths = new Set<string | undefined>();
  await waitFor(
    async () => {
      lengths.add(lengthOf(await total()));
      return lengths.size > 2;
    },
    { what: 'the messages of three minutes' },
  );
  expect(lengths).not.toContain(undefined);
});

const MESSAGE =
  /^\d+ denied in the last [25] minutes, \d\.\d times normal: [\d.]+ expected .*, \d+ is the limit\.\nSince \d\d:\d\d UTC, .*, for \d min; \d+ in the worst minute, \d+ beyond normal so far; up to \d+ approvals a minute are lost/;

test('vmalert records every name that the rules have, and gives the same verdicts', async () => {
  const { recording } = await readRules(source);
  const names = [...new Set(recording.map(({ record }) => record))];
  const nameOf = (series: string) => series.replace(/\{.*/, '');
  const namesOf = (recorded: Map<string, number>) => [...new Set([...recorded.keys()].map(nameOf))];
  const verdicts = (recorded: Map<string, number>) =>
    [...recorded].filter(([series]) => /_window:transactions:\w+_normal\{|:increase(1m)?\{/.test(series)).sort();
  let [here, there] = [new Map<string, number>(), new Map<string, number>()];
  // Between the same minute's evaluations one of them is ahead.
  const agree = async () => {
    here = await recordedSince(prometheus.url, names.join('|'));
    there = await recordedSince(storage.url, names.join('|'));
    return (
      isDeepStrictEqual(namesOf(there).sort(), namesOf(here).sort()) &&
      isDeepStrictEqual(verdicts(there), verdicts(here))
    );
  };
  // What differs is said below.
  await waitFor(agree, { what: 'both to agree', timeout: 500_000 }).catch(() => {});
  expect(namesOf(there).sort()).toEqual(namesOf(here).sort());
  expect(namesOf(there).length).toBeGreaterThan(80);
  expect(verdicts(there)).toEqual(verdicts(here));
  expect(verdicts(here).length).toBeGreaterThan(100);
});
