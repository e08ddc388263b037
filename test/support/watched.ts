import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firings } from '../../src/backtest/rules.ts';
import { findBinary } from '../../src/binaries/binaries.ts';
import { type Labels, seriesText } from '../../src/domain/series-text.ts';
import { importHistory, storageOf } from '../../src/history/history.ts';
import { startEphemeralPrometheus } from '../../src/prometheus/ephemeral-prometheus.ts';
import { instantQuery, rangeQuery } from '../../src/prometheus/ephemeral-queries.ts';
import type { AlertRule } from '../../src/prometheus/rule-files.ts';
import { readRules } from '../../src/prometheus/rule-files.ts';
import { AUTH_CODES, createTraffic, type TrafficMinute, trafficMinutes } from '../../src/simulator/feed.ts';
import { type IncidentKind, incidentAt } from '../../src/simulator/incidents.ts';
import { renderConfig } from '../../src/stack/render.ts';
import { startAlertmanager } from './alertmanager.ts';
import { createBlocks, createOpenMetricsFile } from './openmetrics.ts';
import { freePort, type Running, startProcess, waitFor } from './processes.ts';
import { minutesAgo, type Service, startService, temporaryFolder } from './service.ts';

const folder = fileURLToPath(new URL('../../prometheus', import.meta.url));
const RULES = join(folder, 'rules');

const DAY = 86_400;
/** A week and the six hours that a graph shows of it. */
const DAYS = 7.3;
/** A Wednesday evening, in seconds since the epoch. */
const BY_DAY = Date.UTC(2026, 10, 25, 20) / 1000;
/** Minutes before the end at which each begins. The first one is under way at the end. */
const INCIDENTS: [IncidentKind, number][] = [
  ['denied-spike', 10],
  ['failed', 70],
  ['reversed', 130],
  ['backend-reversed', 190],
  ['volume-drop', 265],
  ['auth-code', 320],
  ['denied-spike', 400],
  ['processing-stuck', 480],
  ['feed-dead', 600],
];
/**
 * The labelled copy ends so long before the end of the history, which is before the history
 * begins.
 */
const COPY = 10 * DAY;
const COPIED_LABELS = { acquirer: 'acme', merchant: 'shop-1' };
/** One acquirer and one merchant carry it all: the total once more at each of these levels. */
const COPIED_LEVELS = [
  { level: 'acquirer', acquirer: COPIED_LABELS.acquirer },
  { level: 'merchant', merchant: COPIED_LABELS.merchant },
];

/**
 * A Prometheus that has seen a week of payments with incidents, and watches a running Tillwatch.
 */
export interface Watched {
  url: string;
  /** The service's own address. */
  livePage: string;
  /** The end of the history, in seconds since the epoch. */
  end: number;
  /** The end of a copy of its last six hours that has the levels acquirer and merchant as well. */
  labelledEnd: number;
  stop: () => Promise<void>;
}

/**
 * Generated history with incidents, the series and the alerts that the shipped rules make of it,
 * then the shipped configuration live on a real service and a real Alertmanager. What is live comes
 * after the history's end, so that queries at that end always see the same.
 */
export async function startWatched(): Promise<Watched> {
  const data = temporaryFolder('watched');
  const end = Math.floor(Date.now() / 60_000) * 60;
  await writeHistory(data, end);
  const [address, prometheusUrl] = [`127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const alertmanager = await startAlertmanager(
    // The Watchdog comes to the service as well, wherever it goes otherwise.
    (config) => config.replaceAll('tillwatch:8080', address).replace('receiver: watchdog', 'receiver: journal'),
    {},
  );
  const calendar = join(data, 'calendar.yml');
  const yesterday = new Date(Date.now() - DAY * 1000).toISOString().slice(0, 10);
  await writeFile(calendar, `planned: [{name: upgrade, from: ${yesterday}, lasts: 3d, of: {issuer: none}}]\n`);
  const service = await startService({
    port: address.replace(/.*:/, ''),
    dimensions: 'acquirer,merchant',
    calendar,
    prometheusUrl,
    alertmanagerUrl: alertmanager.url,
  });
  const prometheus = await startPrometheus(prometheusUrl, data, service.url, alertmanager.url);
  const stop = async () => {
    await prometheus.stop();
    await service.close();
    await alertmanager.stop();
  };
  try {
    await live(service, prometheusUrl);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: prometheusUrl, livePage: `http://${address}`, end, labelledEnd: end - COPY, stop };
}

function* later(minutes: Iterable<TrafficMinute>, by: number): Generator<TrafficMinute> {
  for (const counted of minutes) yield { ...counted, minute: counted.minute + by };
}

async function writeHistory(dataDir: string, end: number): Promise<void> {
  // A small hour has too few reversals for an incident: the history is one that ended by day.
  const shift = Math.floor((end - BY_DAY) / 3600) * 60;
  const minute = end / 60 - shift;
  const incidents = INCIDENTS.map(([kind, before]) => incidentAt(kind, minute - before));
  const traffic = createTraffic({ seed: 1, incidents });
  const minutes = trafficMinutes(traffic, Math.round(minute - DAYS * 1440), minute);
  await importHistory({ minutes: later(minutes, shift), authCodes: AUTH_CODES, dataDir, rulesDir: RULES });
  const [alerts, copy] = [join(dataDir, 'alerts.om'), join(dataDir, 'copy.om')];
  await onStorage(dataDir, (url) => writeAlerts(url, end, alerts));
  await createBlocks(alerts, storageOf(dataDir));
  await onStorage(dataDir, (url) => writeCopy(url, end, copy));
  await createBlocks(copy, storageOf(dataDir));
}

async function onStorage(dataDir: string, use: (url: string) => Promise<void>): Promise<void> {
  const prometheus = await startEphemeralPrometheus(storageOf(dataDir));
  try {
    await use(prometheus.url);
  } finally {
    await prometheus.stop();
  }
}

/**
 * Writes the series that Prometheus would have recorded of each alert while it fired; import
 * leaves alerts out.
 */
async function writeAlerts(url: string, end: number, path: string): Promise<void> {
  const file = await createOpenMetricsFile(path);
  const { alerts } = await readRules(RULES);
  // The Watchdog fires live, with a label that only a running Prometheus fills in.
  for (const rule of alerts.filter(({ alert }) => alert !== 'Watchdog')) {
    for (const { labels, startsAt, endsAt } of await firingsOf(url, rule, end)) {
      const named = { ...labels, alertname: rule.alert };
      const state = seriesText('ALERTS', { ...named, alertstate: 'firing' });
      const since = seriesText('ALERTS_FOR_STATE', named);
      for (let time = startsAt; time < (endsAt ?? end + 60); time += 60)
        await file.write(`${state} 1 ${time}\n${since} ${startsAt} ${time}\n`);
    }
  }
  await file.close();
}

async function firingsOf(url: string, rule: AlertRule, end: number) {
  const range = { start: end - DAY, end, step: 60 };
  return firings(rule, await rangeQuery(url, rule.expr, range), { to: end, step: 60 });
}

const RECORDED =
  '{__name__=~"(status|status_window|window|auth_code|tillwatch):.+|ALERTS|ALERTS_FOR_STATE|transactions_last_report.+"}';

/**
 * The last six hours again, earlier and at more levels; of the counts the whole week, for
 * comparisons.
 */
async function writeCopy(url: string, end: number, path: string): Promise<void> {
  const file = await createOpenMetricsFile(path);
  const ranges: [string, number][] = [
    ['{__name__="status:transactions:increase1m"}', end - 7 * DAY - 6 * 3600],
    [RECORDED.replace('=~', '!="status:transactions:increase1m", __name__=~'), end - 6 * 3600],
  ];
  for (const [query, start] of ranges) {
    for (const { metric, times, values } of await rangeQuery(url, query, { start, end, step: 60 })) {
      const { __name__: name = '', ...labels } = metric as Labels;
      const levels = labels.level === undefined ? [{}] : [{}, ...COPIED_LEVELS];
      const copies = levels.map((level) => seriesText(name, { ...labels, ...level }));
      const shift = /^ALERTS_FOR_STATE|_timestamp_seconds$/.test(name) ? COPY : 0;
      for (const series of copies)
        for (const [index, time] of times.entries())
          await file.write(`${series} ${(values[index] ?? 0) - shift} ${time - COPY}\n`);
    }
  }
  await file.close();
}

async function startPrometheus(url: string, dataDir: string, service: string, alertmanager: string): Promise<Running> {
  const config = join(dataDir, 'prometheus.yml');
  const host = (address: string) => address.replace('http://', '');
  renderConfig(join(folder, 'prometheus.yml'), config, {
    'tillwatch:8080': host(service),
    'prometheus:9090': host(url),
    'alertmanager:9093': host(alertmanager),
  });
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('scrape_interval: 15s', 'scrape_interval: 1s'));
  const running = await startProcess(await findBinary('prometheus'), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${storageOf(dataDir)}`,
    '--storage.tsdb.retention.time=400d',
    `--web.listen-address=${host(url)}`,
  ]);
  const ready = async () => running.child.exitCode !== null || (await fetch(`${url}/-/ready`)).ok;
  await waitFor(ready, { what: `Prometheus at ${url}` });
  if (running.child.exitCode !== null) throw new Error(`Prometheus did not start:\n${running.stderr()}`);
  return running;
}

/** Reports of every result, until Prometheus has seen them and evaluated and sent its alerts. */
async function live(service: Service, url: string): Promise<void> {
  const seen = [
    'sum(rate(tillwatch_reports_total{result="accepted"}[4m])) > 0',
    'sum(rate(tillwatch_http_request_duration_seconds_count{code="422"}[4m])) > 0',
    'sum(rate(tillwatch_ledger_commit_duration_seconds_count[4m])) > 0',
    'tillwatch_baseline_age_seconds < 1e9',
    'tillwatch_watchdog_last_received_timestamp_seconds > 0',
    'tillwatch_change_timestamp_seconds{text="checkout 2.31"} > 0',
    'tillwatch_calendar{kind="planned"} > 0',
    'sum(rate(alertmanager_notifications_total[4m])) > 0',
    'sum(rate(prometheus_notifications_sent_total[4m])) > 0',
    'count(prometheus_rule_group_last_duration_seconds > 0)',
    'ALERTS{alertname="Watchdog", alertstate="firing"}',
  ];
  await service.send('POST', '/api/v1/changes', { text: 'checkout 2.31' });
  let minute = 0;
  const all = async () => {
    minute = (minute + 1) % 10;
    await service.post({ labels: COPIED_LABELS, counts: { approved: 90, denied: 5 }, authCodes: { '51': 5 } });
    await service.post({ source: 'till', timestamp: minutesAgo(minute), counts: { approved: 90 } });
    await service.post({ timestamp: minutesAgo(60), counts: { approved: 9 } });
    await service.post({ counts: { denied: -1 } });
    const answers = await Promise.all(seen.map((query) => instantQuery(url, query, Date.now() / 1000)));
    const missing = seen.filter((_, index) => answers[index]?.length === 0);
    if (missing.length > 0) throw new Error(`nothing of ${missing.join(', ')}`);
    return true;
  };
  await waitFor(all, { timeout: 100_000, what: 'Prometheus to have seen the service' });
}
