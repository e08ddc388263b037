import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findBinary } from '../../src/binaries/binaries.ts';
import { storageOf } from '../../src/history/history.ts';
import { instantQuery } from '../../src/prometheus/ephemeral-queries.ts';
import { PROJECT } from '../../src/runtime/project.ts';
import { secretsFor, startAlertmanager, withReceivers } from '../support/alertmanager.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';
import { freePort, type Running, startProcess, waitFor } from '../support/processes.ts';
import { startHttpReceiver } from '../support/receivers.ts';
import { sourceOfMinutes } from '../support/rules-of-minutes.ts';
import { runToEnd, type ServiceProcess, serveProcess } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';

/**
 * Two services on one PostgreSQL, two Prometheus that scrape both, two Alertmanagers in a cluster.
 * An incident begins; one of each is killed while it lasts.
 */

const HISTORY_MINUTES = 200;
const BAD_MINUTES = 4;
const USUAL = { approved: 60, denied: 6, failed: 1 };
const BAD = { approved: 60, denied: 40, failed: 1 };
/** Seconds from one report to the next. */
const REPORTED_EVERY = 3;

type Alertmanager = Awaited<ReturnType<typeof startAlertmanager>>;
interface Prometheus {
  url: string;
  process: Running;
}

let postgres: Postgres;
let ledger: string;
let rules: string;
let slack: Awaited<ReturnType<typeof startHttpReceiver>>;
const services: ServiceProcess[] = [];
const alertmanagers: Alertmanager[] = [];
const prometheuses: Prometheus[] = [];
const stopping = new AbortController();
let reporting: Promise<void>;
let refused = 0;
/** When one of each was killed, in milliseconds since the epoch. */
let killed: number;

interface SlackMessage {
  attachments: { title: string }[];
}

const titles = () =>
  (slack.at('/slack') as SlackMessage[]).flatMap(({ attachments }) => attachments.map(({ title }) => title));
const hostOf = (url: string) => url.replace('http://', '');

/** Posts what a minute's end reports, or what came since the last time, to whichever service answers. */
async function report(body: unknown, key: string): Promise<void> {
  for (let attempt = 0; !stopping.signal.aborted; attempt++) {
    const service = services[attempt % services.length];
    const answer = await service?.post(body, { 'Idempotency-Key': key }).catch(() => undefined);
    if (answer?.status === 200) return;
    refused++;
  }
}

async function reportOnAndOn(): Promise<void> {
  const share = REPORTED_EVERY / 60;
  const counts = Object.fromEntries(Object.entries(BAD).map(([status, count]) => [status, Math.round(count * share)]));
  for (let number = 0; !stopping.signal.aborted; number++) {
    await report({ counts }, `live-${number}`);
    await new Promise((resolve) => setTimeout(resolve, REPORTED_EVERY * 1000));
  }
}

async function fillHistory(): Promise<void> {
  const end = Math.floor(Date.now() / 60_000);
  const reports = Array.from({ length: HISTORY_MINUTES }, (_, index) => ({
    timestamp: new Date((end - HISTORY_MINUTES + index) * 60_000).toISOString(),
    source: 'history',
    counts: index >= HISTORY_MINUTES - BAD_MINUTES ? BAD : { ...USUAL, approved: USUAL.approved - (index % 3) },
  }));
  await report(reports, 'history');
}

/**
 * Fills an empty folder from the ledger.
 * @returns the end of what was imported, in seconds since the epoch
 */
async function importFromLedger(dir: string): Promise<number> {
  const args = ['import', '--from-ledger', '--ledger', ledger, '--data', dir, '--rules', rules];
  const { code, stdout, stderr } = await runToEnd(args);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return Date.parse(/ to (\S+)$/m.exec(stdout)?.[1] ?? '') / 1000;
}

/** The file that docker-compose.yml's profile `ha` gives to both, with the addresses of this machine. */
async function configOf(replica: string): Promise<string> {
  const shipped = await readFile(join(PROJECT, 'prometheus', 'prometheus-ha.yml'), 'utf8');
  const config = parse(shipped.replace(/\$\{PROMETHEUS_REPLICA\}/, replica));
  config.global.scrape_interval = '1s';
  config.rule_files = [join(rules, '*.yml')];
  config.alerting.alertmanagers = [{ static_configs: [{ targets: alertmanagers.map(({ url }) => hostOf(url)) }] }];
  config.scrape_configs = [
    { job_name: 'tillwatch', static_configs: [{ targets: services.map(({ url }) => hostOf(url)) }] },
  ];
  return JSON.stringify(config);
}

async function startPrometheus(dir: string, replica: string): Promise<Prometheus> {
  await writeFile(join(dir, 'prometheus.yml'), await configOf(replica));
  const url = `http://127.0.0.1:${await freePort()}`;
  const process = await startProcess(await findBinary('prometheus'), [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${storageOf(dir)}`,
    `--web.listen-address=${hostOf(url)}`,
  ]);
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: `Prometheus at ${url}` });
  return { url, process };
}

async function startCluster(): Promise<void> {
  const ports = [await freePort(), await freePort()];
  for (const port of ports) {
    const others = ports.filter((other) => other !== port).map((other) => `--cluster.peer=127.0.0.1:${other}`);
    const edit = (config: string, folder: string) =>
      withReceivers(config, folder, { url: slack.url, mailPort: 1, interval: '2s' });
    const flags = [`--cluster.listen-address=127.0.0.1:${port}`, '--cluster.peer-timeout=2s', ...others];
    alertmanagers.push(await startAlertmanager(edit, secretsFor(slack.url), flags));
  }
  for (const { url } of alertmanagers)
    await waitFor(async () => (await clusterOf(url)).peers.length === 2, { what: 'a cluster of two' });
}

async function clusterOf(url: string): Promise<{ peers: unknown[] }> {
  return ((await (await fetch(`${url}/api/v2/status`)).json()) as { cluster: { peers: unknown[] } }).cluster;
}

beforeAll(async () => {
  const dir = await tempDir();
  rules = await sourceOfMinutes(dir);
  postgres = await startPostgres();
  ledger = await postgres.database('ledger');
  slack = await startHttpReceiver();
  for (const name of ['a', 'b']) services.push(await serveProcess(join(dir, `service-${name}`), ['--ledger', ledger]));
  await fillHistory();
  await startCluster();
  for (const replica of ['one', 'two']) {
    const folder = join(dir, replica);
    await mkdir(folder);
    await importFromLedger(folder);
    prometheuses.push(await startPrometheus(folder, replica));
  }
  reporting = reportOnAndOn();
});
afterAll(async () => {
  stopping.abort();
  await reporting;
  await Promise.all([
    ...prometheuses.map(({ process }) => process.stop()),
    ...alertmanagers.map((one) => one.stop()),
    ...services.map(({ process }) => process.stop()),
  ]);
  await postgres?.stop();
  await slack?.close();
});

const ofIncident = (alertmanager: Alertmanager) => alertmanager.alerts(['alertname="TransactionsDeniedAboveNormal"']);

interface AlertsAnswer {
  data: { alerts: { labels: Record<string, string>; state: string }[] };
}

async function firingAt({ url }: Prometheus): Promise<string[]> {
  const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as AlertsAnswer;
  const firing = data.alerts.filter(({ labels, state }) => state === 'firing' && labels.service === 'payments');
  return firing.map(({ labels }) => labels.alertname ?? '');
}

const sentBy = async ({ url }: Alertmanager): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sent = /^alertmanager_notifications_total\{integration="slack".*\} (\d+)$/m.exec(text)?.[1];
  return Number(sent ?? 0);
};

test('one incident is one message, though one of each part is killed while it lasts', async () => {
  const bothFire = async () => {
    const firing = await Promise.all(prometheuses.map(firingAt));
    return firing.every((names) => names.includes('TransactionsDeniedAboveNormal'));
  };
  await waitFor(bothFire, { what: 'both Prometheus to tell of the incident', timeout: 300_000 });
  await waitFor(() => titles().length > 0, { what: 'a message' });
  for (const alertmanager of alertmanagers) {
    const alerts = await ofIncident(alertmanager);
    expect(alerts.map(({ labels }) => labels.replica)).toEqual([undefined]);
  }
  const [first, second] = await Promise.all(alertmanagers.map(sentBy));
  expect((first ?? 0) + (second ?? 0)).toBe(1);
  const [sender, other] = first === 1 ? alertmanagers : alertmanagers.toReversed();
  await Promise.all([sender?.kill(), prometheuses[0]?.process.stop('SIGKILL'), services[0]?.process.stop('SIGKILL')]);
  killed = Date.now();
  // The one that is left goes on: it has heard of the incident again, twice.
  for (const round of [1, 2]) {
    const heard = async () => {
      const [alert] = (await ofIncident(other as Alertmanager)) as unknown as { updatedAt: string }[];
      return alert !== undefined && Date.parse(alert.updatedAt) > killed + round * 60_000;
    };
    await waitFor(heard, { what: 'Alertmanager to hear of the incident again', timeout: 200_000 });
  }
  // That a service is down is a message of its own.
  expect(titles().filter((title) => title.includes('denied'))).toHaveLength(1);
  expect(refused).toBeGreaterThan(0);
});

test('a Prometheus that was down gets its minutes from the ledger', async () => {
  const dir = await tempDir();
  const to = await importFromLedger(dir);
  const back = await startPrometheus(dir, 'one');
  prometheuses.push(back);
  const { url } = back;
  const denied = 'status:transactions:increase1m{status="denied", level="total"}';
  const [filled] = await instantQuery(url, `sum_over_time(${denied}[1d])`, to + 60);
  const sum = `SELECT SUM(count) AS sum FROM minute_totals WHERE status = 'denied' AND minute < ${to}`;
  expect(filled?.value).toBe(Number((await postgres.query(ledger, sum))[0]?.sum));
  const gap = Math.floor((to - killed / 1000) / 60);
  const [recorded] = await instantQuery(url, `count_over_time(${denied}[${gap}m])`, to);
  expect([gap > 0, recorded?.value]).toEqual([true, gap]);
});
