import { afterEach, describe, expect, test } from 'vitest';
import { type EventStream, listenTo } from './support/event-stream.ts';
import { startHttpServer } from './support/http-server.ts';
import { waitFor } from './support/processes.ts';
import { minutesAgo, type Service, startService } from './support/service.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function started(flags = {}): Promise<Service> {
  const service = await startService(flags);
  cleanups.push(service.close);
  return service;
}

async function stream(service: Service): Promise<EventStream> {
  const opened = await listenTo(service.url);
  cleanups.push(opened.close);
  return opened;
}

const streams = (service: Service) => service.value('tillwatch_event_streams');
const alert = (alertname: string, status = 'firing') => ({
  status,
  labels: { alertname },
  annotations: {},
  startsAt: '2026-11-21T12:31:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: '',
  fingerprint: alertname,
});
const notification = (alertname: string) => ({
  version: '4',
  groupKey: alertname,
  status: 'firing',
  receiver: 'journal',
  groupLabels: { alertname },
  commonLabels: { alertname },
  commonAnnotations: {},
  externalURL: 'http://127.0.0.1',
  alerts: [alert(alertname)],
});

describe('GET /api/v1/events', () => {
  test('begins with the state, as GET /api/v1/state gives it', async () => {
    const service = await started();
    const listening = await stream(service);
    expect(listening.status).toBe(200);
    expect(listening.headers).toMatchObject({
      'content-type': expect.stringContaining('text/event-stream'),
      'x-accel-buffering': 'no',
    });
    const { time: _, ...told } = await listening.next('state');
    const { time: __, ...asked } = (await service.get('/api/v1/state')).json;
    expect(Object.keys(told).sort()).toEqual(Object.keys(asked).sort());
    expect(told).toMatchObject({ demo: null, verdict: { recommendation: 'unknown' }, anomalies: [], alerts: [] });
    // A page that comes later is told as well, although nothing has changed since.
    expect(await (await stream(service)).next('state')).toMatchObject({ verdict: told.verdict });
  });

  test('tells of each report that is counted, with the answer that its sender got, and of no duplicate', async () => {
    const service = await started();
    const listening = await stream(service);
    const report = { timestamp: minutesAgo(1), source: 'till', counts: { approved: 9, denied: 1 } };
    await service.post(report);
    await service.post(report);
    await service.post([
      { ...report, counts: { approved: 10 } },
      { status: 'failed', count: 2 },
    ]);
    await service.post({ status: 'lost' });
    await listening.next('report', ({ counts }) => counts.failed === 2);
    const told = listening.events.filter(({ name }) => name === 'report').map(({ data }) => data);
    const listed = (await service.get('/api/v1/transactions')).json.reports;
    expect(told).toEqual([...listed].reverse());
    expect(told).toHaveLength(3);
    expect(told[0].recommendation).toBe('unknown');
  });

  test('of a large body, tells of the last fifty reports', async () => {
    const service = await started();
    const listening = await stream(service);
    await service.post(Array.from({ length: 200 }, (_, i) => ({ status: 'denied', count: i })));
    await listening.next('report', ({ counts }) => counts.denied === 199);
    const told = listening.events.filter(({ name }) => name === 'report').map(({ data }) => data.counts.denied);
    expect(told).toEqual(Array.from({ length: 50 }, (_, i) => 150 + i));
  });

  test('tells of notifications; the Watchdog is a heartbeat, in the state but not in the journal', async () => {
    const service = await started();
    const listening = await stream(service);
    const send = (name: string) => service.send('POST', '/api/v1/alertmanager', notification(name));
    await listening.next('state');
    for (const name of ['Watchdog', 'TransactionsDeniedAboveNormal']) expect((await send(name)).status).toBe(200);
    const told = await listening.next('notification');
    const { journal } = (await service.get('/api/v1/alerts')).json;
    expect(journal).toEqual([told]);
    expect(told.alerts[0].labels.alertname).toBe('TransactionsDeniedAboveNormal');
    const { path } = await listening.next('state', ({ path }) => path.watchdog.arrivedAt !== undefined);
    expect(path.watchdog).toEqual({ ok: true, arrivedAt: expect.any(String) });
    const exposed = await service.value('tillwatch_watchdog_last_received_timestamp_seconds');
    expect(exposed).toBe(Date.parse(path.watchdog.arrivedAt) / 1000);
    expect((await service.get('/-/ready')).json.path.watchdog).toEqual(path.watchdog);
  });

  test('keeps a hundred streams, and says when to come back', async () => {
    const service = await started();
    const all = await Promise.all(Array.from({ length: 100 }, () => stream(service)));
    expect(await streams(service)).toBe(100);
    const refused = await service.get('/api/v1/events');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '15']);
    expect(refused.json.detail).toContain('100 event streams');
    all[0]?.close();
    await waitFor(async () => (await streams(service)) === 99, { what: 'the place of who went away' });
    expect((await stream(service)).status).toBe(200);
  });

  test('drops a reader that does not read, and goes on for the others', async () => {
    const service = await started();
    const [slow, quick] = [await stream(service), await stream(service)];
    slow.pause();
    const authCodes = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [String(10 + i), 1]));
    const bulky = Array.from({ length: 50 }, () => ({ counts: { denied: 90 }, authCodes }));
    let posts = 0;
    await waitFor(
      async () => {
        expect((await service.post(bulky)).status).toBe(200);
        posts++;
        return (await streams(service)) === 1;
      },
      { what: 'the slow reader to be dropped', timeout: 100_000 },
    );
    await service.post({ status: 'failed', count: 7 });
    await quick.next('report', ({ counts }) => counts.failed === 7);
    expect(quick.events.filter(({ name }) => name === 'report')).toHaveLength(50 * posts + 1);
  });

  test('ends when the service stops, and keeps it from nothing', async () => {
    const service = await startService();
    const listening = await listenTo(service.url);
    await listening.next('state');
    await service.close();
    await waitFor(listening.ended, { what: 'the end of the stream' });
  });
});

describe('Prometheus', () => {
  /** Counts the looks that only an open stream makes. */
  async function counting() {
    const asked: number[] = [];
    const server = await startHttpServer((request, response) => {
      if (decodeURIComponent(request.url ?? '').includes('timestamp(ALERTS)')) asked.push(performance.now());
      response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
    });
    cleanups.push(server.close);
    return { asked, url: server.url };
  }

  test('is looked at once a second for all streams together, and not at all without one', async () => {
    const { asked, url } = await counting();
    const service = await started({ prometheusUrl: url });
    await service.get('/api/v1/state');
    expect(asked).toHaveLength(0);
    const open = await Promise.all(Array.from({ length: 20 }, () => stream(service)));
    await waitFor(() => asked.length >= 5, { what: 'five looks' });
    // Twenty that look for themselves would have made five of them at once.
    expect((asked[4] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(3900);
    for (const one of open) one.close();
    await waitFor(async () => (await streams(service)) === 0, { what: 'all to have gone' });
    const last = asked.length;
    await service.get('/api/v1/state');
    expect(asked.length - last).toBeLessThanOrEqual(1);
  });

  test('that is slow lets nobody wait: first comes what is known without it, then what it says', async () => {
    const held: (() => void)[] = [];
    let isSlow = true;
    const data = { alerts: [], resultType: 'vector', result: [] };
    const server = await startHttpServer((_request, response) => {
      const answer = () => response.end(JSON.stringify({ status: 'success', data }));
      if (isSlow) held.push(answer);
      else answer();
    });
    cleanups.push(server.close);
    const service = await started({ prometheusUrl: server.url });
    const listening = await stream(service);
    const first = await listening.next('state');
    expect([first.path.prometheus.reason, first.verdict.recommendation]).toEqual([
      'Prometheus has not been asked yet',
      'unknown',
    ]);
    isSlow = false;
    for (const answer of held) answer();
    const { path } = await listening.next(
      'state',
      ({ path }) => path.prometheus.reason !== first.path.prometheus.reason,
    );
    expect(path.prometheus.reason).toContain('Prometheus has not evaluated the rules since Tillwatch started');
  });
});
