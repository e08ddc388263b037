import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAlertmanager } from '../src/alerting/alertmanager.ts';
import { RECORDED, TOTAL } from '../src/domain/names.ts';
import { startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { startAlertmanager } from './support/alertmanager.ts';
import { listenTo } from './support/event-stream.ts';
import { DENIED, notification, type Told } from './support/notification.ts';
import { createBlocks } from './support/openmetrics.ts';
import { freePort, waitFor } from './support/processes.ts';
import { type Client, runToEnd, type Service, serveProcess, startService, temporaryFolder } from './support/service.ts';

const AT = '2026-03-02T10:20:37.250Z';
const LATER = '2026-03-02T10:41:37.250Z';

async function tell(client: Client, told: Told): Promise<void> {
  const answer = await client.send('POST', '/api/v1/alertmanager', notification(told));
  expect(answer.status, answer.text).toBe(200);
}
const incidentsOf = async (client: Client) => (await client.get('/api/v1/incidents')).json.incidents;
const mark = (client: Client, id: string, body: unknown) => client.send('POST', `/api/v1/incidents/${id}/mark`, body);

describe('the incidents of a journal', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  test('an alert is one incident from its first notification to its resolved one, under one id', async () => {
    await tell(service, {});
    const [open] = await incidentsOf(service);
    expect(open).toMatchObject({
      alertname: DENIED.alertname,
      severity: 'critical',
      labels: { status: 'denied', service: 'payments' },
      summary: 'denied above normal',
      startsAt: AT,
      endsAt: null,
      peakScore: null,
      mark: null,
      acknowledgement: null,
    });
    await tell(service, {});
    await tell(service, { endsAt: LATER });
    expect(await incidentsOf(service)).toEqual([{ ...open, endsAt: LATER, seconds: 21 * 60 }]);
  });

  test('somebody looks after it while it lasts, and not when it has ended', async () => {
    const service = await startService();
    const fingerprint = 'taken';
    await tell(service, { fingerprint, startsAt: '2026-03-01T08:00:07Z' });
    const found = async () =>
      (await incidentsOf(service)).find((one: { startsAt: string }) => one.startsAt.startsWith('2026-03-01'));
    const { id } = await found();
    const take = (body: object, whose = id) => service.send('POST', `/api/v1/incidents/${whose}/acknowledge`, body);
    const { status, json } = await take({ by: 'ana', comment: 'called the acquirer' });
    expect([status, json.acknowledgement]).toEqual([
      200,
      { by: 'ana', comment: 'called the acquirer', at: expect.any(String) },
    ]);
    await tell(service, { fingerprint, startsAt: '2026-03-01T08:00:07Z' });
    expect((await found()).acknowledgement.by).toBe('ana');
    expect((await take({ comment: 'who?' })).json.errors[0].path).toBe('by');
    expect((await take({ by: 'ana' }, 'nobody')).status).toBe(404);
    await tell(service, { fingerprint, startsAt: '2026-03-01T08:00:07Z', endsAt: '2026-03-01T08:10:07Z' });
    expect((await take({ by: 'bob' })).status).toBe(409);
    expect((await found()).acknowledgement.by).toBe('ana');
    await service.close();
  });

  test('the same alert at another time is another incident, listed first; the Watchdog is none', async () => {
    await tell(service, { startsAt: '2026-03-03T08:00:07Z' });
    await tell(service, { labels: { alertname: 'Watchdog', severity: 'none' }, fingerprint: 'ffffffffffffffff' });
    const all = await incidentsOf(service);
    expect(all.map((one: { startsAt: string }) => one.startsAt)).toEqual(['2026-03-03T08:00:07.000Z', AT]);
    expect(new Set(all.map((one: { id: string }) => one.id)).size).toBe(2);
    expect((await service.get('/api/v1/incidents?limit=1')).json.incidents).toEqual([
      { ...all[0], seconds: expect.any(Number) },
    ]);
  });

  test('one whose resolved notification never came has ended by the time the next begins', async () => {
    await tell(service, { startsAt: '2026-03-04T08:00:07Z' });
    const [newest, before] = await incidentsOf(service);
    expect(newest.endsAt).toBeNull();
    expect(before).toMatchObject({ startsAt: '2026-03-03T08:00:07.000Z', endsAt: '2026-03-04T08:00:07.000Z' });
  });

  test('a time that cannot be read makes no incident, and no error', async () => {
    const before = await incidentsOf(service);
    await tell(service, { startsAt: 'yesterday', fingerprint: 'eeeeeeeeeeeeeeee' });
    expect((await incidentsOf(service)).length).toBe(before.length);
  });

  test('no time that a webhook names makes a route fail', async () => {
    for (const startsAt of ['+275760-09-13T00:00:00.000Z', '9999-12-31T23:59:59Z', '-000001-01-01T00:00:00Z'])
      await tell(service, { startsAt, endsAt: startsAt, fingerprint: startsAt });
    await tell(service, { endsAt: '+275760-09-13T00:00:00.000Z', fingerprint: 'far' });
    const far = (await incidentsOf(service)).find((one: { startsAt: string }) => one.startsAt === AT);
    expect(Date.parse(far.endsAt)).toBeLessThanOrEqual(Date.now() + 1000);
    await mark(service, far.id, { verdict: 'incident', by: 'ana' });
    for (const path of ['/api/v1/incidents', '/api/v1/incidents.csv', '/api/v1/alerts', '/api/v1/state'])
      expect((await service.get(path)).status, path).toBe(200);
  });

  test.each([
    ['no verdict', { by: 'ana' }, 'verdict'],
    ['another verdict', { verdict: 'fine', by: 'ana' }, 'verdict'],
    ['nobody who says so', { verdict: 'expected' }, 'by'],
    ['a blank name', { verdict: 'expected', by: '  ' }, 'by'],
    ['a comment of another kind', { verdict: 'expected', by: 'ana', comment: 5 }, 'comment'],
    ['a comment too long', { verdict: 'expected', by: 'ana', comment: 'x'.repeat(2001) }, 'comment'],
    ['an unknown key', { verdict: 'expected', by: 'ana', until: 1 }, 'until'],
  ])('refuses a mark with %s, and names the field', async (_, body, field) => {
    const [{ id }] = await incidentsOf(service);
    const answer = await mark(service, id, body);
    expect(answer.status, answer.text).toBe(422);
    expect(answer.json.errors.map((error: { path: string; message: string }) => error.path + error.message)).toEqual([
      expect.stringContaining(field),
    ]);
    expect((await incidentsOf(service))[0].mark).toBeNull();
  });

  test('a mark is an event to the pages that are open', async () => {
    const stream = await listenTo(service.url);
    const [{ id }] = await incidentsOf(service);
    const { json } = await mark(service, id, { verdict: 'expected', by: 'ana' });
    expect(await stream.next('marks')).toEqual(json);
    stream.close();
  });

  test('an incident that there is not is a 404', async () => {
    const answer = await mark(service, '0000000000000000', { verdict: 'expected', by: 'ana' });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });
});

/** A Prometheus that holds scores of a status, by window, one a minute from that of AT on. */
async function recordedScores(scores: Record<string, [window: string, values: number[]]>) {
  const folder = temporaryFolder('scores');
  const from = Math.floor(Date.parse(AT) / 60_000) * 60;
  const lines = Object.entries(scores).flatMap(([status, [window, values]]) =>
    values.map(
      (value, i) =>
        `${RECORDED.score}{level="${TOTAL}",status="${status}",window="${window}"} ${value} ${from + 60 * i}`,
    ),
  );
  writeFileSync(join(folder, 'scores.om'), [`# TYPE ${RECORDED.score} gauge`, ...lines, '# EOF', ''].join('\n'));
  mkdirSync(join(folder, 'data'));
  await createBlocks(join(folder, 'scores.om'), join(folder, 'data'));
  return startEphemeralPrometheus(join(folder, 'data'));
}

test('the peak is the worst recorded score of its status while it fired, and is known once Prometheus has gone', async () => {
  const prometheus = await recordedScores({
    denied: ['5m', [2, 4, 7.5, 9.25, 6, 3, 2, 40]],
    failed: ['1m', [99, 99, 99]],
    approved: ['15m', [-1, -5, -6.5, -2, 3, 0]],
  });
  const service = await startService({ prometheusUrl: prometheus.url });
  const [startsAt, endsAt] = [AT, new Date(Date.parse(AT) + 5 * 60_000).toISOString()];
  const alarmed = { denied: DENIED.alertname, failed: 'TransactionsFailedAboveNormal', approved: 'VolumeBelowNormal' };
  for (const [status, alertname] of Object.entries(alarmed))
    await tell(service, { labels: { alertname, severity: 'critical', status }, startsAt, endsAt, fingerprint: status });
  const code = { alertname: 'AuthCodeAboveNormal', severity: 'warning', auth_code: '51' };
  await tell(service, { labels: code, startsAt, endsAt, fingerprint: 'code' });
  const peaks = async () =>
    Object.fromEntries(
      (await incidentsOf(service)).map((one: { labels: Record<string, string>; peakScore: number }) => [
        one.labels.status ?? one.labels.auth_code,
        one.peakScore,
      ]),
    );
  // One minute alone never pages, so its scores are no peak.
  const expected = { denied: 9.25, failed: null, approved: -6.5, 51: null };
  expect(await peaks()).toEqual(expected);
  await prometheus.stop();
  expect(await peaks()).toEqual(expected);
  await service.close();
});

describe('marks', () => {
  test('are kept through kill -9, and replaced when marked again', async () => {
    const data = temporaryFolder('marks');
    let service = await serveProcess(data);
    await tell(service, { endsAt: LATER });
    await tell(service, { startsAt: '2026-03-05T08:00:07Z' });
    const [second, first] = await incidentsOf(service);
    expect((await mark(service, first.id, { verdict: 'incident', by: 'ana' })).status).toBe(200);
    const answer = await mark(service, second.id, { verdict: 'incident', by: 'ana', comment: ' a real one ' });
    expect(answer.json.mark).toEqual({
      verdict: 'incident',
      by: 'ana',
      comment: 'a real one',
      at: expect.stringMatching(/Z$/),
    });
    const again = await mark(service, second.id, { verdict: 'false-alarm', by: 'bo' });
    await service.process.stop('SIGKILL');

    service = await serveProcess(data);
    const [newest, oldest] = await incidentsOf(service);
    expect(newest).toEqual({ ...again.json, seconds: expect.any(Number) });
    expect(newest.mark).toMatchObject({ verdict: 'false-alarm', by: 'bo', comment: '' });
    expect(oldest.mark.verdict).toBe('incident');
    await service.process.stop();
  });
});

test('the exported labels are what `backtest --labels` scores by', async () => {
  const service = await startService();
  const minute = (n: number) => new Date(Date.UTC(2026, 2, 2) + n * 60_000).toISOString();
  // Twelve quiet hours, then five minutes of denials.
  const rows = Array.from({ length: 14 * 60 }, (_, n) => {
    const denied = n >= 720 && n < 725 ? 400 : n % 7;
    return [`${minute(n)},approved,100`, `${minute(n)},denied,${denied}`].join('\n');
  });
  await tell(service, { startsAt: minute(722), endsAt: minute(731), fingerprint: 'a' });
  await tell(service, { startsAt: minute(300), endsAt: minute(310), fingerprint: 'b' });
  await tell(service, { startsAt: minute(400), endsAt: minute(410), fingerprint: 'c' });
  await tell(service, { labels: { alertname: 'TillwatchDown' }, startsAt: minute(500), fingerprint: 'd' });
  const [own, real, unmarked, quiet] = await incidentsOf(service);
  expect(unmarked.mark).toBeNull();
  await mark(service, own.id, { verdict: 'incident', by: 'ana' });
  await mark(service, real.id, { verdict: 'incident', by: 'ana' });
  await mark(service, quiet.id, { verdict: 'false-alarm', by: 'ana', comment: 'load test, "loud"' });
  const { text, headers } = await service.get('/api/v1/incidents.csv');
  await service.close();
  expect(headers.get('content-type')).toContain('text/csv');
  expect(text).toBe(
    [
      'start,end,signal',
      '2026-03-02T04:55:00Z,2026-03-02T05:10:00Z,none',
      '2026-03-02T11:57:00Z,2026-03-02T12:11:00Z,denied',
      '',
    ].join('\n'),
  );

  const folder = temporaryFolder('labels');
  const [history, labels] = [join(folder, 'history.csv'), join(folder, 'labels.csv')];
  writeFileSync(history, ['timestamp,status,count', ...rows, ''].join('\n'));
  writeFileSync(labels, text);
  const { code, stdout, stderr } = await runToEnd(['backtest', history, '--labels', labels, '--json'], process.env);
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout).score).toMatchObject({ incidents: 1, detected: 1, falseAlarms: 0 });
});

test('4,000 alerts in one notification are 4,000 incidents; the journal says how many it left out', async () => {
  const service = await startService();
  const filler = 'x'.repeat(1000);
  const told = notification({});
  const alerts = Array.from({ length: 4000 }, (_, i) => ({
    ...told.alerts[0],
    labels: { ...DENIED, merchant: String(i) },
    annotations: { summary: filler },
    fingerprint: String(i),
    startsAt: new Date(Date.parse(AT) + i).toISOString(),
  }));
  const answer = await service.send('POST', '/api/v1/alertmanager', { ...told, alerts, truncatedAlerts: 5 });
  expect(answer.status, answer.text.slice(0, 200)).toBe(200);
  const { incidents } = (await service.get('/api/v1/incidents?limit=1000')).json;
  expect(incidents.length).toBe(1000);
  expect(incidents[999].labels.merchant).toBe('3000');
  const [entry] = (await service.get('/api/v1/alerts')).json.journal;
  expect(entry.alerts.length).toBeGreaterThan(100);
  expect(entry.alerts.length + entry.truncatedAlerts).toBe(4005);
  await service.close();
});

test('huge notifications are cut, so that none of them is too much to read again', async () => {
  const service = await startService();
  const huge = 'é'.repeat(800_000);
  const { alerts, ...head } = notification({ labels: { ...DENIED, merchant: huge } });
  for (const body of [
    { ...head, alerts: [{ ...alerts[0], annotations: { summary: huge } }] },
    {
      ...head,
      groupKey: huge,
      commonLabels: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`l${i}`, '1'])),
      alerts,
    },
    {
      ...head,
      alerts: [{ ...alerts[0], labels: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`l${i}`, '1'])) }],
    },
  ])
    expect((await service.send('POST', '/api/v1/alertmanager', body)).status).toBe(200);
  const { text, json } = await service.get('/api/v1/alerts');
  expect(json.journal.length).toBe(3);
  expect(text.length).toBeLessThan(1_600_000);
  expect((await service.get('/api/v1/incidents')).text.length).toBeLessThan(100_000);
  await service.close();
});

describe('beside a real Alertmanager', () => {
  let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
  let prometheus: Awaited<ReturnType<typeof startEphemeralPrometheus>>;
  let service: Service;
  beforeAll(async () => {
    const port = await freePort();
    alertmanager = await startAlertmanager(
      (config) =>
        config
          .replaceAll('http://tillwatch:8080', `http://127.0.0.1:${port}`)
          .replace(/group_wait: .*/, 'group_wait: 0s')
          .replace(/group_interval: .*/, 'group_interval: 1s'),
      {},
    );
    prometheus = await startEphemeralPrometheus(temporaryFolder('no-rules'));
    service = await startService({
      port: String(port),
      alertmanagerUrl: alertmanager.url,
      prometheusUrl: prometheus.url,
    });
  });
  afterAll(async () => {
    await service?.close();
    await prometheus?.stop();
    await alertmanager?.stop();
  });

  /** @returns ends it */
  async function silence(name: string, value: string): Promise<() => Promise<void>> {
    const client = createAlertmanager(alertmanager.url);
    const id = await client.createSilence({
      matchers: [{ name, value, isRegex: false, isEqual: true }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 3_600_000).toISOString(),
      createdBy: 'ana',
      comment: 'known',
    });
    return () => client.expireSilence(id);
  }
  const named = async (alertname: string) =>
    (await incidentsOf(service)).filter((one: { alertname: string }) => one.alertname === alertname);
  const annotations = { summary: 'denied above normal' };

  test('an incident ends when its alert does, also while that is silenced', async () => {
    const alert = { labels: { ...DENIED, service: 'payments' }, annotations };
    await alertmanager.post([alert]);
    const first = async () => (await named(DENIED.alertname))[0];
    const { id, startsAt } = await waitFor(first, { what: 'the incident' });
    await silence('alertname', DENIED.alertname);
    expect((await first()).endsAt).toBeNull();
    await alertmanager.post([{ ...alert, startsAt, endsAt: new Date().toISOString() }]);
    const ended = await waitFor(async () => ((await first()).endsAt === null ? undefined : first()), {
      what: 'the end of the incident',
      timeout: 60_000,
    });
    expect(ended).toMatchObject({ id, startsAt });
    expect(Math.abs(Date.parse(ended.endsAt) - Date.now())).toBeLessThan(60_000);
  });

  test('an alert that is silenced before it is told of is an incident, the same as later messages tell of', async () => {
    const alertname = 'TransactionsFailedAboveNormal';
    const endSilence = await silence('team', 'silenced');
    const labels = { alertname, severity: 'critical', status: 'failed', level: 'total', team: 'silenced' };
    await alertmanager.post([
      { labels, annotations },
      // The total explains its slice.
      { labels: { ...labels, level: 'acquirer', acquirer: 'acme' }, annotations },
      { labels: { ...labels, status: 'reversed', escalation: 'worse' }, annotations },
      { labels: { alertname: 'Watchdog', severity: 'none', team: 'silenced' } },
      { labels: { alertname: 'DiskFull', severity: 'warning', team: 'silenced' } },
    ]);
    const all = async () =>
      (await incidentsOf(service)).filter(({ labels }: { labels: { team?: string } }) => labels.team === 'silenced');
    await waitFor(async () => (await all()).length > 0, { what: 'the incidents', timeout: 60_000 });
    expect((await all()).map((one: { alertname: string }) => one.alertname).sort()).toEqual(['DiskFull', alertname]);
    const [{ id }] = await named(alertname);
    const note = { by: 'ana', comment: 'planned' };
    expect((await service.send('POST', `/api/v1/incidents/${id}/acknowledge`, note)).status).toBe(200);
    const told = async () =>
      (await service.get('/api/v1/alerts')).json.journal.some(
        ({ commonLabels }: { commonLabels: Record<string, string> }) => commonLabels.alertname === alertname,
      );
    expect(await told()).toBe(false);
    await endSilence();
    await waitFor(told, { what: 'the message', timeout: 60_000 });
    expect(await named(alertname)).toMatchObject([{ id, summary: annotations.summary, acknowledgement: note }]);
  });
});
