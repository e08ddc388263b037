import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretsFor, startAlertmanager, withReceivers } from './support/alertmanager.ts';
import { startHttpServer } from './support/http-server.ts';
import { freePort, waitFor } from './support/processes.ts';
import { type RecordedSeries, startRecorded } from './support/recorded.ts';
import { runToEnd, type Service, startService } from './support/service.ts';

/** What stands outside: a chat that takes messages, a pager that refuses its key, a webhook. */
const got: { path: string; body: string }[] = [];
let outside: Awaited<ReturnType<typeof startHttpServer>>;
let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
let service: Service;
beforeAll(async () => {
  outside = await startHttpServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push({ path: request.url ?? '', body });
    response.writeHead(request.url === '/pagerduty' ? 400 : 200).end('ok');
  });
  const port = String(await freePort());
  alertmanager = await startAlertmanager(
    (config, folder) =>
      withReceivers(config, folder, { url: outside.url, mailPort: 1, interval: '500ms' }).replaceAll(
        `${outside.url}/api/v1/alertmanager`,
        `http://127.0.0.1:${port}/api/v1/alertmanager`,
      ),
    secretsFor(outside.url),
  );
  service = await startService({ port, alertmanagerUrl: alertmanager.url });
});
afterAll(async () => {
  await service?.close();
  await alertmanager?.stop();
  await outside?.close();
});

test('its numbers are of the whole window: the limit is above what is normal', async () => {
  const now = Math.floor(Date.now() / 1000);
  const denied = { level: 'total', status: 'denied', window: '5m' };
  const recorded = [
    ['increase', denied, 109],
    ['expected', denied, 101.5],
    ['upper', denied, 97],
  ].map(([name, labels, value]) => ({ name: `status_window:transactions:${name}`, labels, at: () => value }));
  const share = { name: 'window:transactions:evidence_share', labels: { window: '5m' }, at: () => 0.6 };
  const prometheus = await startRecorded([...recorded, share] as RecordedSeries[], now - 600, now + 600);
  const port = String(await freePort());
  const shipped = await startAlertmanager(
    (config) => config.replaceAll('http://tillwatch:8080', `http://127.0.0.1:${port}`),
    {},
  );
  const own = await startService({ port, alertmanagerUrl: shipped.url, prometheusUrl: prometheus.url });
  const { json } = await own.send('POST', '/api/v1/test-alert', {});
  expect(json.alert.annotations.description).toContain('in the last 5 minutes: 109; normal 102, up to 162.');
  await own.close();
  await Promise.all([shipped.stop(), prometheus.stop()]);
}, 90_000);

test('a test reaches the chat and the journal, marked as one, and its end is told', async () => {
  const { code, stdout } = await runToEnd(['test-alert', '--receiver', 'slack', '--url', service.url]);
  expect([code, stdout]).toEqual([0, 'slack (slack): delivered: it took the message\n']);
  const slack = got.filter(({ path }) => path === '/slack').map(({ body }) => body);
  expect(slack[0]).toContain('TEST: this is a test message');
  expect(slack[0]).toContain(`${service.url}/docs/runbook`);
  await waitFor(() => got.filter(({ path }) => path === '/slack').length > 1, { what: 'its end to be told' });
  const journal = await service.send('POST', '/api/v1/test-alert', { receiver: 'journal' });
  expect(journal.json).toMatchObject({
    alert: { labels: { alertname: 'TillwatchTest', test: 'true' } },
    outcomes: [{ receiver: 'journal', kind: 'webhook', result: 'delivered', reason: 'it is in the journal' }],
  });
}, 90_000);

test('a receiver that refuses is named with the reason, and what no route reaches is said', async () => {
  const refused = await runToEnd(['test-alert', '--receiver', 'pagerduty', '--url', service.url]);
  expect([refused.code, refused.stdout]).toEqual([
    1,
    expect.stringMatching(/^pagerduty \(pagerduty\): refused: it refused/),
  ]);
  const nowhere = await service.send('POST', '/api/v1/test-alert', { receiver: 'fax' });
  expect([nowhere.status, nowhere.json.detail]).toEqual([
    409,
    expect.stringMatching(/there is no receiver fax; there are journal/),
  ]);
  const unrouted = await service.send('POST', '/api/v1/test-alert', { receiver: 'watchdog' });
  expect([unrouted.status, unrouted.json.detail]).toEqual([
    409,
    expect.stringContaining('no alert is routed to watchdog'),
  ]);
}, 90_000);

test('another test at once is delivered too: no group of an earlier one holds it back', async () => {
  const port = String(await freePort());
  const shipped = await startAlertmanager(
    (config) => config.replaceAll('http://tillwatch:8080', `http://127.0.0.1:${port}`),
    {},
  );
  const own = await startService({ port, alertmanagerUrl: shipped.url });
  for (const _ of [1, 2]) {
    const { json } = await own.send('POST', '/api/v1/test-alert', {});
    expect(json.outcomes).toMatchObject([{ receiver: 'journal', result: 'delivered' }]);
  }
  await own.close();
  await shipped.stop();
}, 90_000);

test('without Alertmanager it says so', async () => {
  const own = await startService();
  const { status, json } = await own.send('POST', '/api/v1/test-alert', {});
  expect([status, json.detail]).toEqual([503, expect.stringContaining('Alertmanager does not answer')]);
  await own.close();
});
