import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findBinary } from '../../src/binaries/binaries.ts';
import { run } from '../../src/cli.ts';
import { seriesText } from '../../src/domain/series-text.ts';
import { importHistory, storageOf } from '../../src/history/history.ts';
import { instantQuery } from '../../src/prometheus/ephemeral-queries.ts';
import { createTestIo } from '../support/command-io.ts';
import { startHttpServer } from '../support/http-server.ts';
import { freePort, type Running, startProcess, waitFor } from '../support/processes.ts';
import { sourceOfMinutes } from '../support/rules-of-minutes.ts';
import { tempDir } from '../support/temp-dir.ts';

/**
 * One Prometheus that judges all slices, and two that share them, on one counter. They judge at the
 * same second: the paths are alike.
 */

const SHARDS = 2;
const HISTORY_MINUTES = 200;
const BAD_MINUTES = 5;

const ACQUIRERS = ['alpha', 'beta', 'gamma'];
const MERCHANTS = ['one', 'two', 'three', 'small'];
const USUAL = { approved: 24, denied: 3, failed: 1 };
const isSmall = (merchant: string) => merchant === 'small';

/**
 * What each acquirer has of each merchant in a minute. One acquirer denies many, at the end of the
 * history and since.
 */
const cells = (bad: boolean) =>
  ACQUIRERS.flatMap((acquirer) =>
    MERCHANTS.map((merchant) => {
      const approved = isSmall(merchant) ? 1 : USUAL.approved;
      const denied = bad && acquirer === 'alpha' ? 20 : USUAL.denied;
      const counts = isSmall(merchant) ? { approved, denied: 0, failed: 0 } : { ...USUAL, denied };
      return { labels: { acquirer, merchant }, counts, authCodes: { '00': counts.approved, '51': counts.denied } };
    }),
  );

/**
 * What the relabelling of a shard's scrapes adds to a series: Prometheus' hashmod is the end of an
 * MD5 sum.
 */
function marks(labels: Record<string, string>, shard: number): Record<string, string> {
  const hash = (value: string) => createHash('md5').update(value).digest().readBigUInt64BE(8);
  const own = Object.entries(labels).filter(([, value]) => hash(value) % BigInt(SHARDS) === BigInt(shard));
  return Object.fromEntries(own.map(([name]) => [`shard_${name}`, 'own']));
}

function* history(end: number, shard: number | undefined) {
  for (let minute = end - HISTORY_MINUTES; minute < end; minute++) {
    const labelled = cells(minute >= end - BAD_MINUTES).map((cell) => ({
      ...cell,
      labels: { ...cell.labels, ...(shard !== undefined && marks(cell.labels, shard)) },
    }));
    yield { minute, labelled };
  }
}

/**
 * A service that starts when `start` is called, and grows by a minute's counts at every minute.
 * Until then it answers no scrape: all that scrape it see the same first minute.
 */
async function startCounter() {
  let started: number | undefined;
  const lines = (since: number) => {
    const minutes = 1 + Math.floor(Date.now() / 60_000) - Math.floor(since / 60);
    return cells(true).flatMap(({ labels, counts, authCodes }) => [
      ...Object.entries(counts).map(
        ([status, count]) => `${seriesText('transactions_total', { ...labels, status })} ${count * minutes}\n`,
      ),
      ...Object.entries(authCodes).map(
        ([code, count]) =>
          `${seriesText('transactions_by_auth_code_total', { ...labels, auth_code: code })} ${count * minutes}\n`,
      ),
    ]);
  };
  const server = await startHttpServer((_request, response) => {
    if (started === undefined) {
      response.writeHead(503).end();
      return;
    }
    response
      .writeHead(200, { 'content-type': 'text/plain' })
      .end(`process_start_time_seconds ${started}\n${lines(started).join('')}`);
  });
  return {
    ...server,
    start: () => {
      started = Date.now() / 1000;
      return started;
    },
  };
}

/** Milliseconds after which something has gone wrong, however busy the machine is. */
const LONG = 500_000;
const secondOfMinute = () => (Date.now() / 1000) % 60;

interface Scrapes {
  metric_relabel_configs?: unknown[];
  scrape_configs?: { static_configs: unknown[] }[];
}

interface Server {
  url: string;
  process: Running;
}

const servers: Server[] = [];
let counter: Awaited<ReturnType<typeof startCounter>>;
/**
 * Seconds since the epoch: from then on nothing is made of the history's figures, where a shard has
 * only its own slices'.
 */
let from: number;

/** @param folder holds rules, and data below it */
async function startPrometheus(folder: string, port: number, scrapes: Scrapes, others: string[]): Promise<void> {
  const targets = [{ targets: [counter.url.replace('http://', '')] }];
  const config = {
    global: { scrape_interval: '1s', external_labels: { shard: String(port) } },
    rule_files: ['rules/*.yml'],
    scrape_configs: [
      { job_name: 'payments', static_configs: targets, metric_relabel_configs: scrapes.metric_relabel_configs ?? [] },
      ...(scrapes.scrape_configs ?? []).map((job) => ({ ...job, static_configs: [{ targets: others }] })),
    ],
  };
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const args = [
    '--config.file=prometheus.yml',
    `--storage.tsdb.path=${storageOf('.')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  servers.push({ url, process: await startProcess(await findBinary('prometheus'), args, { cwd: folder }) });
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: `Prometheus at ${url}` });
}

async function writeRules(...args: string[]): Promise<void> {
  const io = createTestIo();
  expect({ code: await run(['rules', '--for', 'prometheus', ...args], io), said: io.written.stderr }).toEqual({
    code: 0,
    said: '',
  });
}

/** Writes the history, starts the counter and the three Prometheus, and lets the counter count. */
async function play(): Promise<void> {
  const dir = await tempDir();
  const source = await sourceOfMinutes(dir);
  await writeRules('--rules', source, '--out', join(dir, 'one', 'rules'));
  await writeRules('--rules', source, '--shards', String(SHARDS), '--out', dir);
  const folders = ['one', 'shard-0', 'shard-1'].map((name) => join(dir, name));
  const end = Math.floor(Date.now() / 60_000);
  for (const [index, folder] of folders.entries()) {
    const minutes = history(end, index === 0 ? undefined : index - 1);
    await importHistory({ minutes, authCodes: ['00', '51'], dataDir: folder, rulesDir: join(folder, 'rules') });
  }
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  counter = await startCounter();
  for (const [index, folder] of folders.entries()) {
    const text = index === 0 ? '{}' : await readFile(join(folder, 'scrapes.yml'), 'utf8');
    await startPrometheus(folder, ports[index] ?? 0, parse(text) as Scrapes, [`127.0.0.1:${ports[2]}`]);
  }
  // All scrape each second: with some seconds of the minute left, each scrapes within it.
  await waitFor(() => secondOfMinute() > 2 && secondOfMinute() < 40, { what: 'a minute with time left' });
  from = Math.max(counter.start(), end * 60 + 75);
}
async function stop(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.process.stop()));
  await counter?.close();
}
afterAll(stop);

/** Seconds in which every group is evaluated once, with some to spare. */
const ROUND = 75;

/**
 * The newest value of each series of the last round, by the series. What shards record of
 * themselves is left out.
 */
async function recorded(url: string): Promise<Map<string, number>> {
  const now = Date.now() / 1000;
  const names = '{__name__=~".+:.+|tillwatch_slices", __name__!~"shard:.+"}';
  const series = await instantQuery(url, `last_over_time(${names}[${Math.min(ROUND, Math.floor(now - from))}s])`, now);
  return new Map(
    series.map(({ metric: { __name__: name = '', ...labels }, value }) => [seriesText(name, labels), value]),
  );
}

interface RulesAnswer {
  data: { groups: { lastEvaluation: string }[] };
}

const is = (a: number | undefined, b: number | undefined): boolean =>
  a === b || Math.abs((a ?? Number.NaN) - (b ?? Number.NaN)) <= 1e-9 * Math.abs(a ?? 0);

async function isDone(): Promise<boolean> {
  const answers = await Promise.all(servers.map(async ({ url }) => (await fetch(`${url}/api/v1/rules`)).json()));
  const groups = (answers as RulesAnswer[]).flatMap(({ data }) => data.groups);
  return groups.every(({ lastEvaluation }) => Date.parse(lastEvaluation) / 1000 > from);
}

async function differences() {
  const [whole = new Map<string, number>(), ...parts] = await Promise.all(servers.map(({ url }) => recorded(url)));
  const said = [...whole].flatMap(([series, value]) => {
    const values = parts.flatMap((part) => part.get(series) ?? []);
    return values.length > 0 && values.every((other) => is(value, other)) ? [] : [`${series} ${value}: ${values}`];
  });
  const more = parts.flatMap((part) => [...part.keys()]).filter((series) => !whole.has(series));
  return { whole, parts, said: [...said, ...more.map((series) => `only a shard has ${series}`)] };
}

/**
 * The differences when there are none, or when there were always some. A minute that one of the
 * three has not judged, because the machine was busy, stays in its sums for good.
 */
async function settled() {
  await waitFor(isDone, { what: 'all groups', timeout: LONG });
  let last = await differences();
  const agree = async () => {
    last = await differences();
    return last.said.length === 0;
  };
  await waitFor(agree, { what: 'all to agree', timeout: 2 * ROUND * 1000 }).catch(() => {});
  return last;
}

test('together they record exactly what one does, and each judges its own slices', async () => {
  await play();
  let last = await settled();
  // What is really different is different each time.
  for (let again = 0; again < 4 && last.said.length > 0; again++) {
    await stop();
    await play();
    last = await settled();
  }
  expect(last.said).toEqual([]);
  expect(last.whole.size).toBeGreaterThan(1000);
  const judged = last.parts.map((part) => [...part.keys()].filter((series) => JUDGED_SLICE.test(series)));
  expect(judged.map(({ length }) => length > 0)).toEqual([true, true]);
  expect(judged.flat().sort()).toEqual([...last.whole.keys()].filter((series) => JUDGED_SLICE.test(series)).sort());
}, 2_400_000);

const JUDGED_SLICE = /^status:transactions:increase1m\{.*level="(acquirer|merchant)"/;

test('shard 0 alone tells of the total, and names the slice of another shard that carries it', async () => {
  const told = 'incident:transactions:carries{level="total", by="acquirer"}';
  const [, first, second] = servers.map(({ url }) => url);
  const carriers = async () => {
    const carried = await instantQuery(first ?? '', `last_over_time(${told}[60s])`, Date.now() / 1000);
    return carried.length > 0 && carried.map(({ metric }) => metric.acquirer);
  };
  // A busy machine misses an evaluation now and then.
  expect(await waitFor(carriers, { what: 'the slice that carries it', timeout: LONG })).toEqual(['alpha']);
  const now = Date.now() / 1000;
  expect(
    await instantQuery(second ?? '', 'last_over_time(incident:transactions:told{level="total"}[60s])', now),
  ).toEqual([]);
});
