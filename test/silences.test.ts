import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAlertmanager } from './support/alertmanager.ts';
import { listenTo } from './support/event-stream.ts';
import { type Service, startService } from './support/service.ts';

const DENIED = 'TransactionsDeniedAboveNormal';
const ASKED = { alertname: DENIED, labels: { status: 'denied' }, minutes: 90, createdBy: 'ana', comment: 'load test' };

let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
let service: Service;
beforeAll(async () => {
  alertmanager = await startAlertmanager((config) => config, {});
  service = await startService({ alertmanagerUrl: alertmanager.url });
});
afterAll(async () => {
  await service.close();
  await alertmanager.stop();
});

const silence = (body: unknown) => service.send('POST', '/api/v1/silences', body);
const silences = async () => (await service.get('/api/v1/silences')).json.silences;
const end = (id: string) => service.send('DELETE', `/api/v1/silences/${id}`);

describe('silences', () => {
  test('silence the alert that they name and no other, until they are ended', async () => {
    await alertmanager.post([
      { labels: { alertname: DENIED, status: 'denied', service: 'payments' } },
      { labels: { alertname: DENIED, status: 'failed', service: 'payments' } },
    ]);
    const before = Date.now();
    const { status, json, text } = await silence(ASKED);
    expect(status, text).toBe(200);
    expect(Date.parse(json.endsAt) - before).toBeGreaterThanOrEqual(90 * 60_000);
    expect(await silences()).toEqual([
      {
        id: json.id,
        state: 'active',
        matchers: [
          { name: 'alertname', value: DENIED, isRegex: false, isEqual: true },
          { name: 'status', value: 'denied', isRegex: false, isEqual: true },
        ],
        startsAt: expect.any(String),
        endsAt: json.endsAt,
        createdBy: 'ana',
        comment: 'load test',
      },
    ]);
    const silenced = async () =>
      Object.fromEntries((await alertmanager.alerts()).map((one) => [one.labels.status, one.status.silencedBy]));
    expect(await silenced()).toEqual({ denied: [json.id], failed: [] });

    expect((await end(json.id)).json).toEqual({ id: json.id });
    expect(await silences()).toEqual([]);
    expect(await silenced()).toEqual({ denied: [], failed: [] });
  });

  test('a silence that begins or ends is an event to the pages that are open', async () => {
    const stream = await listenTo(service.url);
    const { id } = (await silence(ASKED)).json;
    const holds = (data: { silences: { id: string }[] }) => data.silences.some((one) => one.id === id);
    expect(await stream.next('silences', holds)).toEqual({ silences: await silences() });
    await end(id);
    expect(await stream.next('silences', (data) => !holds(data))).toEqual({ silences: [] });
    stream.close();
  });

  test('an ended one, and one that never was, is a 404', async () => {
    const { id } = (await silence({ ...ASKED, labels: {} })).json;
    expect((await end(id)).status).toBe(200);
    for (const gone of [id, '00000000-0000-4000-8000-000000000000', 'x', '..%2fstatus']) {
      const { status, json } = await end(gone);
      expect(status, gone).toBe(404);
      expect(json.detail).toContain('GET /api/v1/silences');
    }
  });

  test.each([
    ['no alert', { alertname: undefined }, 'alertname'],
    ['a blank alert', { alertname: ' ' }, 'alertname'],
    ['the alert that shows that alerting works', { alertname: 'Watchdog' }, 'alertname'],
    ['no end', { minutes: undefined }, 'minutes'],
    ['no time', { minutes: 0 }, 'minutes'],
    ['more than a week', { minutes: 10_081 }, 'minutes'],
    ['half a minute', { minutes: 1.5 }, 'minutes'],
    ['minutes as text', { minutes: '5' }, 'minutes'],
    ['nobody who asks', { createdBy: '' }, 'createdBy'],
    ['no reason', { comment: undefined }, 'comment'],
    ['a label that is none', { labels: { 'a-b': 'c' } }, 'labels'],
    ['a label that is empty', { labels: { status: '' } }, 'labels.status'],
    ['another alert among the labels', { labels: { alertname: 'X' } }, 'labels.alertname'],
    ['an unknown key', { until: 'noon' }, 'until'],
  ])('with %s is refused, names the field, and silences nothing', async (_, wrong, field) => {
    const { status, json, text } = await silence({ ...ASKED, ...wrong });
    expect(status, text).toBe(422);
    expect(JSON.stringify(json.errors)).toContain(field);
    expect(await silences()).toEqual([]);
  });

  test('without an Alertmanager each is a 503 that says what to do', async () => {
    const alone = await startService();
    for (const [method, path, body] of [
      ['GET', '/api/v1/silences', undefined],
      ['POST', '/api/v1/silences', ASKED],
      ['DELETE', '/api/v1/silences/00000000-0000-4000-8000-000000000000', undefined],
    ] as const) {
      const { status, headers, json } = await alone.send(method, path, body);
      expect({ status, retry: headers.get('retry-after') }).toEqual({ status: 503, retry: '15' });
      expect(json.detail).toMatch(/Alertmanager does not answer.*--alertmanager-url/);
    }
    await alone.close();
  });
});
