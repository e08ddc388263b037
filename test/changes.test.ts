import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RECORDED } from '../src/domain/names.ts';
import type { WhatIfLine } from '../src/http/what-if-answers.ts';
import { toldBy } from '../src/live/alert-words.ts';
import { launchChromium, openPage, seriousProblems } from './support/browser.ts';
import { listenTo } from './support/event-stream.ts';
import { type Postgres, startPostgres } from './support/postgres.ts';
import { startRecorded } from './support/recorded.ts';
import { runToEnd, type Service, startService, temporaryFolder } from './support/service.ts';

const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

describe.each(['SQLite', 'PostgreSQL'])('changes on %s', (engine) => {
  let postgres: Postgres | undefined;
  let flags: { data: string; ledger?: string };
  let service: Service;
  beforeAll(async () => {
    flags = { data: temporaryFolder('changes') };
    if (engine === 'PostgreSQL') {
      postgres = await startPostgres();
      flags.ledger = await postgres.database('changes');
    }
    service = await startService(flags);
  });
  afterAll(async () => {
    await service?.close();
    await postgres?.stop();
  });

  const post = (body: unknown) => service.send('POST', '/api/v1/changes', body);
  const texts = async (query = '') =>
    (await service.get(`/api/v1/changes${query}`)).json.changes.map(({ text }: { text: string }) => text);

  test('are listed, the latest first, after a restart too, and by time', async () => {
    await post({ text: 'gateway 7', at: ago(600), by: 'ana' });
    const { status, json } = await post({ text: '  checkout 2.31 ' });
    expect([status, json]).toEqual([200, { at: expect.any(String), text: 'checkout 2.31', by: '' }]);
    await post({ text: 'new rule', at: ago(60) });
    await service.close();
    service = await startService(flags);
    expect(await texts()).toEqual(['checkout 2.31', 'new rule', 'gateway 7']);
    expect(await texts(`?from=${ago(120)}&limit=1`)).toEqual(['checkout 2.31']);
    expect(await texts(`?from=${ago(700)}&to=${ago(500)}`)).toEqual(['gateway 7']);
  });

  test('the newest are a metric, with quotes and line ends harmless', async () => {
    for (let i = 0; i < 6; i++) await post({ text: `"deploy" ${i}`, at: ago(10 - i) });
    const exposed = (await service.metrics()).split('\n').filter((line) => /^tillwatch_change_\w+\{/.test(line));
    expect(exposed).toHaveLength(5);
    expect(exposed.join('\n')).toContain('text="\\"deploy\\" 5"');
    expect(exposed.join('\n')).toContain('text="checkout 2.31"');
  });

  test.each([
    [{}, 'text'],
    [{ text: ' ' }, 'text'],
    [{ text: 'x'.repeat(201) }, 'text'],
    [{ text: 'x', at: 'yesterday' }, 'at'],
    [{ text: 'x', at: '2275-01-01T00:00:00Z' }, 'at'],
    [{ text: 'x', at: '2020-01-01T00:00:00Z' }, 'at'],
    [{ text: 'x', who: 'ana' }, 'who'],
  ])('%j is refused', async (body, path) => {
    const { status, json } = await post(body);
    expect([status, json.errors[0].path]).toEqual([422, path]);
  });
});

describe('a change', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service?.close());

  test('is told of by the command, and every page hears of it', async () => {
    const events = await listenTo(service.url);
    const { code, stdout } = await runToEnd(['change', 'checkout', '2.31', '--by', 'ci', '--url', service.url]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\S+Z checkout 2\.31: drawn on the charts\n$/)]);
    expect(await events.next('change')).toMatchObject({ text: 'checkout 2.31', by: 'ci' });
    events.close();
  });

  test('that cannot be told says why, and what to do', async () => {
    const gone = await runToEnd(['change', 'x', '--url', 'http://127.0.0.1:61999']);
    expect([gone.code, gone.stderr]).toEqual([
      1,
      expect.stringMatching(/no Tillwatch answers at 127.0.0.1:61999.*--url/),
    ]);
    const long = await runToEnd(['change', 'x'.repeat(300), '--url', service.url]);
    expect([long.code, long.stderr]).toEqual([1, expect.stringContaining('text: must not be longer than 200')]);
    expect((await runToEnd(['change', 'x', '--url', 'ftp://x'])).code).toBe(2);
  });
});

test('what a change is called confuses no card of an alert', () => {
  const began = new Date(Math.floor(Date.now() / 60_000 - 6) * 60_000);
  const [, day, month] = began.toUTCString().split(' ');
  const since = `Since ${began.toISOString().slice(11, 16)} UTC, ${Number(day)} ${month} (20:16 local time)`;
  const told = (text: string) =>
    toldBy({
      annotations: {
        description: `9 denied: 1 expected.\n${since} (2 min after: ${text}), for 4 min; 8 in the worst minute, 7 beyond`,
      },
    });
  for (const text of ['checkout 2.31', 'a; b', 'worked on, for 3 min; done'])
    expect(told(text)).toMatchObject({ since: began.toISOString(), costs: '8 in the worst minute, 7 beyond' });
  const planned = toldBy({
    annotations: {
      description: 'A planned window has begun: nothing is judged. 9 denied in the last 2 minutes: 1 expected.',
      observed: '9',
      expected: '1',
    },
  });
  expect(planned).toMatchObject({ planned: true, window: '2 minutes', rest: '' });
  expect(toldBy({ annotations: { description: 'x' } })).toMatchObject({
    planned: false,
    since: '',
    costs: '',
    rest: 'x',
  });
});

/** The last line of an answer to POST /api/v1/what-if. */
const WOULD_BE: WhatIfLine = {
  result: {
    from: ago(7 * 1440),
    to: ago(0),
    learnedFrom: ago(21 * 1440),
    slices: 3,
    alerts: [
      {
        change: 'gone',
        alertname: 'TransactionsDeniedAboveNormal',
        labels: { status: 'denied', level: 'acquirer', acquirer: 'acme' },
        severity: 'critical',
        startsAt: ago(2000),
        endsAt: ago(1970),
        observed: 54,
        expected: 12,
      },
    ],
    tunables: [{ tunable: 'z', window: '1m', now: 3.3, changed: 4.13 }],
  },
};

/** By keyboard: what has the focus stays where the reader is. */
async function triesWhatIf(page: Page): Promise<void> {
  const asked = page.waitForRequest('**/api/v1/what-if');
  await page.route('**/api/v1/what-if', () => {}, { times: 1 });
  await page.getByText('What if it were more or less sensitive?').click();
  const [start, cancel] = ['Try it on the last 7 days', 'Cancel'].map((name) => page.getByRole('button', { name }));
  await start?.press('Enter');
  await asked;
  await cancel?.and(page.locator(':focus')).press('Enter');
  const result = page.getByRole('region', { name: 'What it would have done' });
  await result.getByText('Cancelled. Nothing was changed.').waitFor();
  await page.route('**/api/v1/what-if', (route) => route.fulfill({ body: `${JSON.stringify(WOULD_BE)}\n` }));
  await start?.and(page.locator(':focus')).press('Enter');
  await result.getByText('Would not have come: 1').waitFor();
  expect(await result.innerText()).toMatch(
    /^\w{3} \d+ \w{3,4}, \d\d:\d\d Denied above normal, acquirer acme: 54, 12 normal\s+Would be new: none/m,
  );
  expect(await seriousProblems(page)).toEqual([]);
}

test('the chart of the live page shows it, and what it would be like with another sensitivity', async () => {
  const now = Math.floor(Date.now() / 60_000) * 60;
  const of = (name: string, value: number) => ({
    name,
    labels: { level: 'total', status: 'denied', window: '1m' },
    at: () => value,
  });
  const band = [of(RECORDED.observed, 6), of(RECORDED.expected, 6), of(RECORDED.upper, 12), of(RECORDED.lower, 1)];
  const evaluated = { name: RECORDED.perMinute, labels: { level: 'total', status: 'denied' }, at: () => 6 };
  const prometheus = await startRecorded([...band, evaluated], now - 3600, now + 600);
  const service = await startService({ prometheusUrl: prometheus.url });
  await service.send('POST', '/api/v1/changes', { text: 'gateway 7', at: ago(20), by: 'ana' });
  const browser = await launchChromium();
  const { page, complaints } = await openPage(browser, service.url);
  // What was evaluated before the service started says nothing of now, so the chart comes with the next minute.
  await page.locator('#band-changes', { hasText: 'gateway 7 (ana)' }).waitFor({ timeout: 120_000 });
  await service.send('POST', '/api/v1/changes', { text: 'gateway 8' });
  await page.locator('#band-changes', { hasText: 'gateway 8' }).waitFor({ timeout: 20_000 });
  expect(await page.locator('#band-query').getAttribute('href')).toMatch(/^explore\?query=.*denied/);
  await triesWhatIf(page);
  expect(complaints).toEqual([]);
  await browser.close();
  await service.close();
  await prometheus.stop();
});
