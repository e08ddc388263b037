import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Gauge, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { watchAlertPath } from '../src/alerting/pipeline-health.ts';
import { findBinary } from '../src/binaries/binaries.ts';
import type { State } from '../src/http/state.ts';
import { type Known, verdictOf } from '../src/http/status-line.ts';
import type { Anomaly } from '../src/judge/anomalies.ts';
import type { Alert } from '../src/prometheus/client.ts';
import { PROJECT } from '../src/runtime/project.ts';
import { renderConfig } from '../src/stack/render.ts';
import { startAlertmanager } from './support/alertmanager.ts';
import { type EventStream, listenTo } from './support/event-stream.ts';
import { freePort, type Running, startProcess, waitFor } from './support/processes.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

const host = (url: string) => new URL(url).host;

/** The shipped Prometheus configuration on a service that has no history. */
async function startPrometheus(url: string, service: string, alertmanager: string): Promise<Running> {
  const dir = temporaryFolder('state');
  const config = join(dir, 'prometheus.yml');
  renderConfig(join(PROJECT, 'prometheus', 'prometheus.yml'), config, {
    'tillwatch:8080': host(service),
    'prometheus:9090': host(url),
    'alertmanager:9093': host(alertmanager),
  });
  await writeFile(config, (await readFile(config, 'utf8')).replace('scrape_interval: 15s', 'scrape_interval: 1s'));
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(dir, 'tsdb')}`];
  return startProcess(await findBinary('prometheus'), [...flags, `--web.listen-address=${host(url)}`]);
}

describe('GET /api/v1/state, beside a real Prometheus and a real Alertmanager', () => {
  let service: Service;
  let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
  let prometheus: Running;
  let stream: EventStream;

  beforeAll(async () => {
    const port = await freePort();
    const prometheusUrl = `http://127.0.0.1:${await freePort()}`;
    const serviceUrl = `http://127.0.0.1:${port}`;
    alertmanager = await startAlertmanager((config) => config.replaceAll('http://tillwatch:8080', serviceUrl), {});
    service = await startService({ port: String(port), prometheusUrl, alertmanagerUrl: alertmanager.url });
    prometheus = await startPrometheus(prometheusUrl, service.url, alertmanager.url);
    stream = await listenTo(service.url);
  });
  afterAll(async () => {
    stream?.close();
    await prometheus?.stop();
    await service?.close();
    await alertmanager?.stop();
  });

  it('says step by step that alerts would arrive, once the Watchdog has', async () => {
    const { path, verdict, demo, alerts } = await stream.next(
      'state',
      ({ path }) => path.watchdog.arrivedAt !== undefined && path.prometheus.evaluatedAt !== undefined,
      100_000,
    );
    expect(path).toEqual({
      prometheus: { ok: true, evaluatedAt: expect.any(String) },
      alertmanager: { ok: true },
      watchdog: { ok: true, arrivedAt: expect.any(String) },
    });
    expect(verdict).toEqual({ recommendation: 'unknown', reason: 'No transactions have been counted yet' });
    expect({ demo, alerts }).toEqual({ demo: null, alerts: [] });
    const ready = await service.get('/-/ready');
    expect(ready.json.path).toMatchObject({ alertmanager: path.alertmanager, watchdog: path.watchdog });
    expect((await service.get('/api/v1/alerts')).json.journal).toEqual([]);
  });

  it('is told again when Prometheus has evaluated anew, without being asked', async () => {
    const evaluations = () => {
      const states = stream.events.filter(({ name }) => name === 'state').map(({ data }) => data.path.prometheus);
      return [...new Set(states.map(({ evaluatedAt }) => evaluatedAt).filter((at) => at !== undefined))];
    };
    await waitFor(() => evaluations().length >= 2, { what: 'another evaluation', timeout: 100_000 });
    expect(evaluations()).toEqual([...evaluations()].sort());
  });

  it('says how much of what is normal has been learned, and that of every status', async () => {
    // The rules count from the first evaluation on that has a sample of a minute before: what came
    // earlier they never see.
    const counted = (least: number) => (state: State) =>
      state.baseline.learning === true &&
      state.anomalies.some(({ lastHour }: Anomaly) => (lastHour.observed ?? -1) >= least);
    await stream.next('state', counted(0), 130_000);
    await service.post({ counts: { approved: 100, denied: 5 } });
    const { verdict, baseline, anomalies, definitions } = await stream.next('state', counted(1), 100_000);
    expect(verdict.reason).toMatch(/^Learning what is normal: \d+ min of 2 h so far$/);
    expect(baseline.state).toBe('warming-up');
    const approved = anomalies.find(({ status }: Anomaly) => status === 'approved');
    expect(approved).toMatchObject({ recommendation: 'unknown', reason: expect.stringContaining('not known yet') });
    expect(definitions.trend).toMatch(/beyond 2 it rises or falls, beyond 4 a lot/);
  }, 240_000);

  it('says so when Alertmanager is gone; the rest goes on', async () => {
    stream.events.splice(0);
    await alertmanager.stop();
    const { path } = await stream.next('state', ({ path }) => !path.alertmanager.ok);
    expect(path.alertmanager.reason).toContain('Alertmanager does not answer');
    expect(path.prometheus.ok).toBe(true);
  });

  it('says so when Prometheus is gone; reports are counted and told of all the same', async () => {
    stream.events.splice(0);
    await prometheus.stop();
    const { path, verdict, baseline } = await stream.next('state', ({ path }) => !path.prometheus.ok);
    expect(path.prometheus.reason).toContain('Prometheus does not answer');
    expect(verdict.recommendation).toBe('unknown');
    expect(verdict.reason).toMatch(/^What is normal is not known: Prometheus does not answer.*Counts are kept$/);
    expect(baseline.state).toBe('unavailable');
    await service.post({ counts: { refunded: 3 } });
    await stream.next('report', ({ counts }) => counts.refunded === 3);
    const ready = await service.get('/-/ready');
    expect([ready.status, ready.json.path.prometheus.ok]).toEqual([200, false]);
    expect((await service.get('/api/v1/state')).status).toBe(200);
  });
});

const MINUTE = 60_000;

describe('the alert path', () => {
  /** Looked at by a clock of its own, on a Prometheus that evaluated at `evaluated`. */
  function watch() {
    const time = { now: Date.parse('2026-11-21T12:00:00Z'), evaluated: undefined as number | undefined };
    const instant = async () => (time.evaluated === undefined ? [] : [{ labels: {}, value: time.evaluated / 1000 }]);
    const path = watchAlertPath({
      prometheus: { instant, range: async () => [], alerts: async () => [], rules: async () => [] },
      alertmanagerReady: async () => {},
      gauge: new Gauge({ name: 'watchdog', help: '.', registers: [new Registry()] }),
      log: () => {},
      now: () => time.now,
    });
    path.stop();
    return { path, time };
  }

  it('misses a Watchdog that has not come for ten minutes, from the start or from the last one', () => {
    const { path, time } = watch();
    expect(path.current().watchdog).toEqual({
      ok: false,
      awaited: true,
      reason: expect.stringContaining('has not arrived since Tillwatch started'),
    });
    time.now += 11 * MINUTE;
    expect(path.current().watchdog).toEqual({ ok: false, reason: expect.stringContaining('for 11 minutes') });
    path.watchdog('firing');
    expect(path.current().watchdog).toEqual({ ok: true, arrivedAt: '2026-11-21T12:11:00.000Z' });
    time.now += 10 * MINUTE;
    expect(path.current().watchdog.ok).toBe(true);
    time.now += 1;
    expect(path.current().watchdog).toMatchObject({ ok: false, arrivedAt: '2026-11-21T12:11:00.000Z' });
  });

  it('takes the end of the Watchdog for what it is', () => {
    const { path } = watch();
    path.watchdog('firing');
    path.watchdog('resolved');
    expect(path.current().watchdog).toMatchObject({
      ok: false,
      reason: expect.stringContaining('the Watchdog has ended'),
    });
    path.watchdog('firing');
    expect(path.current().watchdog.ok).toBe(true);
  });

  it('knows nothing of a step that has not been asked', () => {
    const { path } = watch();
    const unasked = { ok: false, reason: expect.stringMatching(/^(Prometheus|Alertmanager) has not been asked yet/) };
    expect(path.current()).toMatchObject({ prometheus: unasked, alertmanager: unasked });
  });

  it('misses an evaluation that is three minutes late, but gives a start time for the first', async () => {
    const { path, time } = watch();
    await path.refresh();
    const awaited = {
      ok: false,
      awaited: true,
      reason: expect.stringMatching(/^Prometheus has not evaluated the rules since/),
    };
    expect(path.current().prometheus).toEqual(awaited);
    // What was evaluated before says nothing of what has come since.
    time.evaluated = time.now - MINUTE;
    await path.refresh();
    expect(path.current().prometheus).toEqual({ ...awaited, evaluatedAt: '2026-11-21T11:59:00.000Z' });
    time.evaluated = undefined;
    await path.refresh();
    time.now += 4 * MINUTE;
    expect(path.current().prometheus).toEqual({ ok: false, reason: expect.stringContaining('evaluates no rules') });
    time.evaluated = time.now;
    await path.refresh();
    expect(path.current().prometheus).toEqual({ ok: true, evaluatedAt: '2026-11-21T12:04:00.000Z' });
    time.now += 4 * MINUTE;
    expect(path.current().prometheus).toMatchObject({ ok: false, reason: expect.stringContaining('4 minutes ago') });
  });
});

const alert = (alertname: string, severity: string, state = 'firing', description = ''): Alert => ({
  labels: { alertname, severity },
  annotations: { summary: `summary of ${alertname}`, description, silence_url: 'http://localhost:8080/' },
  state,
  value: '1',
});
const unusual = (labels: Record<string, string>): Anomaly => ({
  ...{ status: 'denied', labels, lastMinute: {}, lastMinutes: {}, lastHour: {}, firing: [] },
  recommendation: 'watch',
  reason: '54 denied in the last minute; 12 would be normal, up to 20',
});
const normal: Anomaly = { ...unusual({}), recommendation: 'ok', reason: '12 denied in the last minute' };
const well = { prometheus: { ok: true }, alertmanager: { ok: true }, watchdog: { ok: true } };
const known = (facts: Partial<Known>): Known => ({
  ...{ path: well, anomalies: [normal], alerts: [], ready: true, learning: false, reported: true },
  ...facts,
});

test.each([
  ['nothing', {}, 'ok', /^Everything is as it normally is at this time$/],
  ['three days not over', { learning: true }, 'ok', /less than three days of history/],
  ['a pending alert', { alerts: [alert('A', 'critical', 'pending')] }, 'ok', /normal/],
  ['an alert for nobody', { alerts: [alert('Watchdog', 'none')] }, 'ok', /normal/],
  ['an alert of others', { alerts: [{ ...alert('NodeDown', 'critical'), annotations: {} }] }, 'ok', /normal/],
  ['an alert', { alerts: [alert('A', 'warning')] }, 'alert', /^Summary of A$/],
  [
    'an alert that says how much',
    { alerts: [alert('A', 'warning', 'firing', '260 denied; 64.6 would be normal. Since 06:31.')] },
    'alert',
    /^Summary of A: 260 denied$/,
  ],
  [
    'three alerts, the critical one first',
    { alerts: [alert('A', 'warning'), alert('B', 'warning'), alert('C', 'critical')] },
    'alert',
    /^Summary of C; summary of A; and 1 more$/,
  ],
  ['an alert while all else is being learned', { ready: false, alerts: [alert('A', 'critical')] }, 'alert', /Summary/],
  [
    'a silent feed in a planned window',
    { planned: 'Planned: upgrade until 03:00 UTC', alerts: [alert('A', 'critical')] },
    'alert',
    /^Summary of A\. Planned: upgrade until 03:00 UTC; nothing is judged meanwhile$/,
  ],
  [
    'an alert that says itself that a planned window has begun',
    { planned: 'Planned: upgrade', alerts: [alert('A', 'critical', 'firing', 'A planned window has begun: wait.')] },
    'alert',
    /^Summary of A: A planned window has begun: wait$/,
  ],
  ['an unusual minute', { anomalies: [unusual({})] }, 'watch', /^Unusual, but no alert yet: 54 denied .* up to 20$/],
  [
    'one of an acquirer alone',
    { anomalies: [normal, unusual({ acquirer: 'acme' })] },
    'ok',
    /^Everything is as it normally is/,
  ],
  ['no history', { ready: false, reported: false }, 'unknown', /^No transactions have been counted yet$/],
  [
    'no judged minute',
    { anomalies: [{ ...normal, recommendation: 'unknown' }] },
    'unknown',
    /^The last minute is not judged/,
  ],
  [
    'a minute of which only sales are judged',
    {
      anomalies: [
        { ...normal, status: 'approved' },
        { ...normal, recommendation: 'unknown' },
      ],
    },
    'unknown',
    /^The last minute is not judged/,
  ],
  ['two hours and no band', { ready: false, history: 121 * MINUTE }, 'unknown', /two hours are known, the first bands/],
  ['80 minutes', { ready: false, history: 80 * MINUTE }, 'unknown', /: 1 h 20 min of 2 h so far$/],
  [
    'a start, after which no rule was evaluated',
    { path: { ...well, prometheus: { ok: false, awaited: true, reason: 'Prometheus has not evaluated the rules' } } },
    'unknown',
    /^Prometheus has not evaluated the rules$/,
  ],
  [
    'an alert at a start',
    { path: { ...well, prometheus: { ok: false, awaited: true } }, alerts: [alert('A', 'warning')] },
    'alert',
    /^Summary of A$/,
  ],
  ['an awaited Watchdog', { path: { ...well, watchdog: { ok: false, awaited: true } } }, 'ok', /normal/],
  [
    'no Prometheus',
    { path: { ...well, prometheus: { ok: false, reason: 'it is gone' } } },
    'unknown',
    /: it is gone. Counts are kept$/,
  ],
] as const)('the verdict on %s', (_name, facts, recommendation, reason) => {
  const verdict = verdictOf(known(facts as Partial<Known>));
  expect(verdict).toEqual({ recommendation, reason: expect.stringMatching(reason) });
});

test.each([
  [
    { watchdog: { ok: false, reason: 'the Watchdog has not arrived for 69 minutes' } },
    'the Watchdog has not arrived for 69 minutes',
  ],
  [{ alertmanager: { ok: false, reason: 'Alertmanager does not answer: why' } }, 'Alertmanager does not answer: why'],
])('is not OK where an alert may reach nobody: %j', (broken, untold) => {
  const path = { ...well, ...broken };
  expect(verdictOf(known({ path }))).toEqual({
    recommendation: 'watch',
    reason: `Everything is as it normally is at this time. An alert may reach nobody: ${untold}`,
    untold,
  });
  expect(verdictOf(known({ path, alerts: [alert('A', 'warning')] }))).toEqual({
    recommendation: 'alert',
    reason: `Summary of A. An alert may reach nobody: ${untold}`,
    untold,
  });
});
