import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBinary } from '../src/binaries/binaries.ts';
import { importHistory, storageOf } from '../src/history/history.ts';
import { instantQuery } from '../src/prometheus/ephemeral-queries.ts';
import { startAlertmanager } from './support/alertmanager.ts';
import { startHttpServer } from './support/http-server.ts';
import { freePort, type Running, startProcess, waitFor } from './support/processes.ts';
import { startStrictServices } from './support/strict-services.ts';
import { switchOn } from './support/switches.ts';
import { tempDir } from './support/temp-dir.ts';

/**
 * "You need nothing but the files": the rules and the Alertmanager configuration as they are, a
 * counter of one's own that Kubernetes adds its labels to, and no Tillwatch anywhere. What comes
 * out is read in Slack.
 */
const shipped = fileURLToPath(new URL('../prometheus', import.meta.url));
/** A minute. The counter is a service's own, so it grows whenever somebody pays. */
const USUAL = { approved: 120, denied: 12 };
const DENIED_NOW = 60;
const DAY = 1440;

let slack: Awaited<ReturnType<typeof startStrictServices>>;
let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
let counter: Awaited<ReturnType<typeof startCounter>>;
let prometheus: Running;
let url: string;

async function startCounter() {
  const startedAt = Date.now();
  const server = await startHttpServer((_request, response) => {
    const minutes = (Date.now() - startedAt) / 60_000;
    const lines = Object.entries({ approved: USUAL.approved, denied: DENIED_NOW }).map(
      ([status, rate]) => `transactions_total{status="${status}"} ${1000 + Math.floor(rate * minutes)}\n`,
    );
    response
      .writeHead(200, { 'content-type': 'text/plain' })
      .end(`# TYPE transactions_total counter\n${lines.join('')}`);
  });
  return server;
}

/** A day of usual traffic, as the baseline; imported before anything runs. */
async function importUsual(dataDir: string): Promise<void> {
  const end = Math.floor(Date.now() / 60_000);
  const minutes = Array.from({ length: DAY }, (_, index) => ({ minute: end - DAY + index, counts: USUAL }));
  await importHistory({ minutes, dataDir, rulesDir: join(shipped, 'rules') });
}

const hostOf = (address: string) => address.replace('http://', '');

/**
 * prometheus.yml with the job that its comments show, for a pod as Kubernetes' discovery labels it.
 */
async function startPrometheus(dataDir: string): Promise<Running> {
  const text = await readFile(join(shipped, 'prometheus.yml'), 'utf8');
  const job = `
  - job_name: payments
    static_configs:
      - targets: [${hostOf(counter.url)}]
        labels: { pod: payments-5f7d9-abcde, namespace: shop, endpoint: http, container: payments }
`;
  const config = join(dataDir, 'prometheus.yml');
  const own = text
    .replaceAll('prometheus:9090', hostOf(url))
    .replaceAll('alertmanager:9093', hostOf(alertmanager.url))
    .replace('rules/*.yml', join(shipped, 'rules/*.yml'))
    .replace('scrape_configs:', `scrape_configs:${job}`);
  await writeFile(config, own);
  return startProcess(await findBinary('prometheus'), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${storageOf(dataDir)}`,
    `--web.listen-address=${hostOf(url)}`,
  ]);
}

const withoutTillwatch = (config: string): string =>
  config.replaceAll(/^ *# -+ only with Tillwatch\n[\s\S]*?# -+ end: Tillwatch\n/gm, '');

beforeAll(async () => {
  const dataDir = await tempDir();
  await importUsual(dataDir);
  [slack, counter, url] = [await startStrictServices(), await startCounter(), `http://127.0.0.1:${await freePort()}`];
  alertmanager = await startAlertmanager(
    (config, folder) => switchOn(withoutTillwatch(config), ['slack']).replaceAll('/etc/alertmanager/', `${folder}/`),
    { slack_url: `${slack.url}/slack` },
  );
  prometheus = await startPrometheus(dataDir);
}, 300_000);
afterAll(async () => {
  await prometheus?.stop();
  await alertmanager?.stop();
  await Promise.all([counter?.close(), slack?.close()]);
});

test('denials at five times the usual are one message in Slack, and nothing is told that is only about a Tillwatch', async () => {
  const messages = () => slack.at('/slack').flatMap(({ attachments }) => attachments);
  await waitFor(() => messages().length > 0, { what: 'a message in Slack', timeout: 420_000 });
  const [first] = messages();
  expect(first.title).toBe('CRITICAL: denied transactions above normal (still learning what is normal) (payments)');
  expect(first.text).toMatch(/^\d+ denied in the last \d+ minutes, \d\.\d times normal: \d+(\.\d)? expected/);
  expect(first.text).toMatch(
    /\nSince \d\d:\d\d UTC, \d+ \w+, for \d+ min; \d+ in the worst minute, \d+ beyond normal so far/,
  );
  expect(messages().map(({ title }) => title)).toEqual([first.title]);
  expect(slack.refused).toEqual([]);
  const firing = await instantQuery(url, 'ALERTS{alertstate="firing", alertname!="Watchdog"}', Date.now() / 1000);
  expect(firing.map(({ metric }) => metric.alertname)).toEqual(['TransactionsDeniedAboveNormal']);
  expect(firing.map(({ metric }) => metric.pod ?? 'summed')).toEqual(['summed']);
  const failed = await (await fetch(`${alertmanager.url}/metrics`)).text();
  const failures = [...failed.matchAll(/^alertmanager_notifications_failed_total\{.*\} ([^0].*)$/gm)];
  expect(failures.map(([line]) => line)).toEqual([]);
}, 480_000);
