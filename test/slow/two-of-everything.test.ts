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
import { parseMetrics, runToEnd, type ServiceProcess, serveProcess } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';

/**
 * Two services on one PostgreSQL, two Prometheus that scrape both, two Alertmanagers in a cluster.
 * An incident begins; one of each is killed while it lasts. The Alertmanager that was killed comes
 * back, then the other is killed.
 */

const HISTORY_MINUTES = 200;
const BAD_MINUTES = 4;
const USUAL = { approved: 60, denied: 6, failed: 1 };
const BAD = { approved: 60, denied: 40, failed: 1 };
/** Seconds from one report to the next. */
const REPORTED_EVERY = 3;
/** Milliseconds after which something has gone wrong, however busy the machine is. */
const LONG = 300_000;

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
/** Of the two Prometheus. */
const addresses: string[] = [];
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
  config.rule_files = [join(rules, '*.yml')];
  config.alerting.alertmanagers = [{ static_configs: [{ targets: alertmanagers.map(({ url }) => hostOf(url)) }] }];
  const replicas = config.scrape_configs.find((job: { job_name: string }) => job.job_name === 'replicas');
  config.scrape_configs = [
    { job_name: 'tillwatch', static_configs: [{ targets: services.map(({ url }) => hostOf(url)) }] },
    { ...replicas, static_configs: [{ targets: addresses.map(hostOf) }] },
  ];
  return JSON.stringify(config);
}

async function startPrometheus(dir: string, replica: string, url: string): Promise<Prometheus> {
  await writeFile(join(dir, 'prometheus.yml'), await configOf(replica));
  const process = await startProcess(await findBinary('prometheus'), [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${storageOf(dir)}`,
    `--web.listen-address=${hostOf(url)}`,
  ]);
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: `Prometheus at ${url}` });
  return { url, process };
}

/** The cluster's flags of a service in docker-compose.yml, with the addresses of this machine. */
function clusterFlags(flags: string[], own: number, all: readonly number[]): string[] {
  const peers = all.map((port) => `--cluster.peer=127.0.0.1:${port}`);
  return flags
    .filter((flag) => flag.startsWith('--cluster.'))
    .flatMap((flag) => (flag.startsWith('--cluster.peer=') ? peers : flag.replace(/=.*/, `=127.0.0.1:${own}`)));
}

async function startCluster(): Promise<void> {
  const compose = parse(await readFile(join(PROJECT, 'docker-compose.yml'), 'utf8'), { merge: true });
  const ports = [await freePort(), await freePort()];
  const receivers = { url: slack.url, mailPort: 1, interval: '2s', only: ['slack'] };
  const edit = (config: string, folder: string) => withReceivers(config, folder, receivers);
  for (const [index, name] of ['alertmanager', 'alertmanager-2'].entries()) {
    const flags = clusterFlags(compose.services[name].command, ports[index] ?? 0, ports);
    alertmanagers.push(await startAlertmanager(edit, secretsFor(slack.url), flags));
  }
  for (const one of alertmanagers) await inClusterOf(2, one);
}

interface StatusAnswer {
  cluster: { status: string; peers: unknown[] };
}

/** Resolves when an Alertmanager sees so many, itself included, and has learnt what they know. */
async function inClusterOf(size: number, { url }: Alertmanager): Promise<void> {
  const settled = async () => {
    const { cluster } = (await (await fetch(`${url}/api/v2/status`)).json()) as StatusAnswer;
    return cluster.status === 'ready' && cluster.peers.length === size;
  };
  await waitFor(settled, { what: `a cluster of ${size}`, timeout: LONG });
}

beforeAll(async () => {
  const dir = await tempDir();
  rules = await sourceOfMinutes(dir);
  postgres = await startPostgres();
  ledger = await postgres.database('ledger');
  slack = await startHttpReceiver();
  for (const name of ['a', 'b']) services.push(await serveProcess(join(dir, `service-${name}`), ['--ledger', ledger]));
  await fillHistory();
  const replicas = ['one', 'two'].map((name) => ({ name, folder: join(dir, name) }));
  async function fill(folder: string): Promise<void> {
    await mkdir(folder);
    await importFromLedger(folder);
  }
  await Promise.all([startCluster(), ...replicas.map(({ folder }) => fill(folder))]);
  for (const _ of replicas) addresses.push(`http://127.0.0.1:${await freePort()}`);
  const starts = replicas.map(({ folder, name }, index) => startPrometheus(folder, name, addresses[index] ?? ''));
  prometheuses.push(...(await Promise.all(starts)));
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

/** The sum of a metric's series that match; Alertmanager's metrics about itself. */
async function sumOf({ url }: Alertmanager, metric: RegExp): Promise<number> {
  const values = parseMetrics(await (await fetch(`${url}/metrics`)).text());
  return [...values].reduce((sum, [series, value]) => (metric.test(series) ? sum + value : sum), 0);
}

const sentToSlack = (one: Alertmanager) => sumOf(one, /^alertmanager_notifications_total\{integration="slack"/);
const sent = (one: Alertmanager) => sumOf(one, /^alertmanager_notifications_total\{/);
const learnt = (one: Alertmanager) => sumOf(one, /^alertmanager_nflog_gossip_messages_propagated_total$/);
const decisions = (one: Alertmanager) => sumOf(one, /^alertmanager_nflog_queries_total$/);

const titlesWith = (text: string) => titles().filter((title) => title.includes(text));

async function hearsOfIncident(alertmanager: Alertmanager, after: number): Promise<boolean> {
  const [alert] = (await ofIncident(alertmanager)) as unknown as { updatedAt: string }[];
  return alert !== undefined && Date.parse(alert.updatedAt) > after;
}

test('one incident is one message, though each part is killed while it lasts', async () => {
  // Only of a service that was there can they say that it is gone.
  for (const { url } of prometheuses) {
    const scraped = async () => (await instantQuery(url, 'tillwatch_build_info', Date.now() / 1000)).length === 2;
    await waitFor(scraped, { what: 'both to be scraped', timeout: LONG });
  }
  const bothFire = async () => {
    const firing = await Promise.all(prometheuses.map(firingAt));
    return firing.every((names) => names.includes('TransactionsDeniedAboveNormal'));
  };
  await waitFor(bothFire, { what: 'both Prometheus to tell of the incident', timeout: LONG });
  // By what both hold an alert ends at both in the same minute.
  for (const { url } of prometheuses) {
    const holds = async () => {
      const samples = await instantQuery(url, 'replica:transactions:held{status="denied"} == 1', Date.now() / 1000);
      return samples
        .map(({ metric }) => metric.replica)
        .sort()
        .join();
    };
    await waitFor(async () => (await holds()) === 'one,two', { what: 'what both hold to be seen', timeout: LONG });
  }
  await waitFor(() => titlesWith('denied').length > 0, { what: 'a message', timeout: LONG });
  for (const alertmanager of alertmanagers) {
    const heard = async () => (await ofIncident(alertmanager)).map(({ labels }) => labels.replica);
    await waitFor(async () => (await heard()).length > 0, { what: 'both to have heard of it', timeout: LONG });
    expect(await heard()).toEqual([undefined]);
  }
  const [first, second] = alertmanagers as [Alertmanager, Alertmanager];
  const counted = async () => (await sentToSlack(first)) + (await sentToSlack(second)) > 0;
  await waitFor(counted, { what: 'the sender to have counted it', timeout: LONG });
  const [sender, other] = (await sentToSlack(first)) > 0 ? [first, second] : [second, first];
  // Until then, a fifth of a second, the message would be sent again.
  const told = async () => (await learnt(other)) >= (await sent(sender));
  await waitFor(told, { what: 'the other to know what has been sent', timeout: LONG });

  await Promise.all([sender.kill(), prometheuses[0]?.process.stop('SIGKILL'), services[0]?.process.stop('SIGKILL')]);
  killed = Date.now();
  await inClusterOf(1, other);
  await sender.restart();
  await inClusterOf(2, sender);
  await other.kill();
  await inClusterOf(1, sender);
  const left = Date.now();
  await waitFor(() => hearsOfIncident(sender, left), { what: 'the one that is left to hear of it', timeout: LONG });
  await waitFor(() => titlesWith("can't be scraped").length > 0, { what: 'word of the service', timeout: LONG });
  const before = await decisions(sender);
  await waitFor(async () => (await decisions(sender)) >= before + 10, { what: 'a few decisions', timeout: LONG });
  expect(titlesWith('denied')).toHaveLength(1);
  expect(titlesWith("can't be scraped")).toHaveLength(1);
  expect(refused).toBeGreaterThan(0);
});

test('a Prometheus that was down gets its minutes from the ledger', async () => {
  const dir = await tempDir();
  const to = await importFromLedger(dir);
  const back = await startPrometheus(dir, 'one', `http://127.0.0.1:${await freePort()}`);
  prometheuses.push(back);
  const { url } = back;
  const denied = 'status:transactions:increase1m{status="denied", level="total"}';
  const [filled] = await instantQuery(url, `sum_over_time(${denied}[1d])`, to + 60);
  const sum = `SELECT SUM(count) AS sum FROM minute_totals WHERE status = 'denied' AND minute < ${to}`;
  expect(filled?.value).toBe(Number((await postgres.query(ledger, sum))[0]?.sum));
  expect(to * 1000).toBeGreaterThan(killed);
  const [recorded] = await instantQuery(url, `count_over_time(${denied}[5m])`, to);
  expect(recorded?.value).toBe(5);
});
