import { request } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_DAYS } from '../src/commands/up.ts';
import type { MinuteCounts } from '../src/domain/minutes.ts';
import { importHistory } from '../src/history/history.ts';
import { createDemoTraffic } from '../src/simulator/demo.ts';
import { demoHistory } from '../src/simulator/demo-traffic.ts';
import { DESKTOP, launchChromium, openPage, PHONE, seeAll, seriousProblems, tabTo } from './support/browser.ts';
import { startHttpServer } from './support/http-server.ts';
import { notification } from './support/notification.ts';
import { fits, hasWord, looksRight, sees, startUp } from './support/page.ts';
import { type Running, waitFor } from './support/processes.ts';
import { type Client, startService, temporaryFolder } from './support/service.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

const word = (page: Page) => page.locator('#verdict .verdict-word').innerText();
/**
 * A proxy that keeps answers about the past to itself, as a Prometheus that does not come to an end
 * would.
 */
async function holdSeries(target: string) {
  let held = 0;
  const proxy = await startHttpServer(({ url = '/', method, headers }, response) => {
    if (url.startsWith('/api/v1/series')) {
      held++;
      return;
    }
    const forwarded = request(target + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    response.on('close', () => forwarded.destroy());
    forwarded.on('error', () => response.destroy()).end();
  });
  return { ...proxy, held: () => held };
}

/** A way to a server that can stop answering, as a process does that is stopped. */
async function hangable(target: string) {
  let hangs = false;
  const proxy = await startHttpServer(({ url = '/', method, headers }, response) => {
    if (hangs) return;
    const forwarded = request(
      target + url,
      { method, headers: { ...headers, host: new URL(target).host } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    forwarded.on('error', () => response.destroy());
    forwarded.end();
  });
  return {
    ...proxy,
    hang: () => {
      hangs = true;
    },
  };
}

/** Of history, so that the baseline is there at once. */
const DAYS = 1;

/**
 * Writes a short history, and before it a few minutes with which the demo's own would begin: so the
 * demo finds its history there, and writes none. That it writes one is tested in up.test.ts.
 */
async function importShort(dataDir: string): Promise<void> {
  const traffic = createDemoTraffic();
  const { minutes: all, ...whole } = demoHistory(traffic, DEMO_DAYS);
  const minutes: MinuteCounts[] = [];
  for (const minute of all) {
    if (minutes.length === 5) break;
    minutes.push(minute);
  }
  const begin = whole.to - DEMO_DAYS * 86_400;
  await importHistory({ ...whole, minutes, to: begin + minutes.length * 60, dataDir });
  await importHistory({ ...demoHistory(traffic, DAYS), dataDir });
}

describe('the demo', () => {
  let running: Running;
  let service: Client;
  let page: Page;
  let complaints: string[];
  /** When it was up, in milliseconds since the epoch. */
  let upAt: number;
  beforeAll(async () => {
    const data = temporaryFolder('page');
    await importShort(data);
    ({ running, service } = await startUp(data, '--demo'));
    upAt = Date.now();
    expect(running.stderr()).toContain('history is there from an earlier run');
  });
  afterAll(async () => {
    await running?.stop();
  });

  it('is normal: within 150 KB, every status, its band, and every panel filled', async () => {
    const opened = await openPage(browser, service.url);
    ({ page, complaints } = opened);
    await page.locator('#band-chart canvas').waitFor({ timeout: 300_000 });
    await waitFor(async () => (await page.locator('.spark').count()) === 7, {
      what: 'seven sparklines',
      timeout: 300_000,
    });
    // Before the first verdict, which on a busy machine is minutes of events away.
    expect(opened.received()).toBeLessThan(150_000);
    await hasWord(page, 'OK', 300_000);
    expect(await page.locator('.tile').count()).toBe(7);
    expect(await page.locator('#band-readout').innerText()).toMatch(/\d+ denied; normal [\d.]+, up to [\d.]+/);
    await seeAll(page);
    await waitFor(async () => (await page.locator('#codes-rows tr').count()) >= 5, { what: 'the codes' });
    expect(await page.locator('#codes-rows').innerText()).toContain('insufficient funds');
    await waitFor(async () => (await page.locator('#hours-table tbody tr').count()) === 24, { what: 'the hours' });
    // In the last hour of a day nothing is to come.
    const { hours } = (await service.get('/api/v1/forecast')).json;
    expect(await page.locator('#hours-rest').innerText()).toMatch(
      hours.length === 0 ? /^$/ : /^Rest of today: about [\d,]+ /,
    );
    await waitFor(async () => (await page.locator('#heat tbody td').count()) === 7 * 24, { what: 'the heatmap' });
    await waitFor(async () => (await page.locator('#statistics tbody tr').count()) === 7, { what: 'the statistics' });
    await waitFor(async () => (await page.locator('#days-list .day').count()) === 7, { what: 'the days' });
    expect(await page.locator('#days-list .day').last().innerText()).toContain('not watched');
    expect(await page.locator('#last-hour-rows').innerText()).toMatch(/Denied\s+[\d,]+\s+[\d,.]+\s+[+−]?\d/);
    await looksRight(page);
    expect(complaints).toEqual([]);
  });

  it('is not OK while an alert would reach nobody, and says why once', async () => {
    const watchdog = (endsAt?: string) =>
      service.send(
        'POST',
        '/api/v1/alertmanager',
        notification({ labels: { alertname: 'Watchdog' }, ...(endsAt !== undefined && { endsAt }) }),
      );
    await watchdog(new Date().toISOString());
    await hasWord(page, 'Watch');
    await sees(page, 'Counts are normal, but an alert may reach nobody');
    expect(await page.locator('body').innerText()).toMatch(/The Watchdog has ended/);
    expect(await page.locator('#path-list .bad').innerText()).toBe('Watchdog has not arrived');
    await fits(page);
    await watchdog();
    await hasWord(page, 'OK');
  });

  it('has the rules and the thresholds in force on a page of their own', async () => {
    const { page, complaints } = await openPage(browser, `${service.url}/rules`);
    await waitFor(async () => (await page.locator('#rules-list .rule').count()) > 10, { what: 'the rules' });
    expect(await page.locator('#thresholds').innerText()).toMatch(/Denied\s+5m\s+[\d,.]+/);
    await looksRight(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('keeps the last counts, without a verdict and with their age, while Prometheus hangs', async () => {
    const prometheus = /Prometheus\s+(http:\/\/127\.0\.0\.1:\d+)/.exec(running.stdout())?.[1] ?? '';
    const proxy = await hangable(prometheus);
    const watching = await startService({ prometheusUrl: proxy.url });
    const { page, complaints } = await openPage(browser, watching.url);
    await waitFor(async () => (await page.locator('.tile').count()) === 7, { what: 'the tiles', timeout: 30_000 });
    await waitFor(async () => (await page.locator('#link').innerText()) === 'Live', {
      what: 'the link',
      timeout: 150_000,
    });
    proxy.hang();
    await hasWord(page, 'Not watching', 40_000);
    await sees(page, /nothing newer is known/);
    expect(await page.locator('.tile.stale').count()).toBe(7);
    expect(await page.locator('#tiles').innerText()).not.toContain('In its band');
    expect(await page.locator('#link').innerText()).toBe('Connected, no verdicts');
    expect(await seriousProblems(page)).toEqual([]);
    // Somebody who opens the page now sees them too, and what cannot be answered is not asked.
    complaints.splice(0);
    await page.reload();
    await page.locator('.tile.stale').first().waitFor();
    await sees(page, 'The chart comes when Prometheus answers again.');
    expect(complaints).toEqual([]);
    await page.context().close();
    await watching.close();
    await proxy.close();
  });

  it('does what a person asks for while panels still wait for the past', async () => {
    const proxy = await holdSeries(service.url);
    const { page } = await openPage(browser, proxy.url);
    await waitFor(() => proxy.held() >= 4, { what: 'the panels to ask' });
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the marks as CSV' }).click();
    expect((await download).suggestedFilename()).toBe('incidents.csv');
    await page.context().close();
    await proxy.close();
  });

  it('changes the chart by keyboard, and remembers it in the address', async () => {
    await page.getByRole('radio', { name: /^Denied/ }).focus();
    await page.keyboard.press('ArrowRight');
    await sees(page, 'Failed against normal');
    await page.getByRole('radio', { name: '12 h' }).press('Space');
    await waitFor(() => page.url().includes('status=failed') && page.url().includes('range=12h'), {
      what: 'the address',
    });
    await page.reload();
    await sees(page, 'Failed against normal');
    expect(await page.getByRole('radio', { name: '12 h' }).isChecked()).toBe(true);
    // The newest minute may not be recorded yet.
    await page.locator('#band-readout', { hasText: /\d failed/ }).waitFor({ timeout: 300_000 });
    const newest = await page.locator('#band-readout time').innerText();
    await page.locator('#band-chart').press('ArrowLeft');
    await page.locator('#band-chart').press('PageUp');
    expect(await page.locator('#band-readout time').innerText()).not.toBe(newest);
  });

  it('tells the whole story of an incident that a button starts, without a reload', async () => {
    // After a slow start the history's end is minutes old: answers are "unknown" for a minute, and
    // the story would begin without its "watch".
    const isJudged = async () => {
      const { verdict, path } = (await service.get('/api/v1/state')).json;
      const { json } = await service.post({ counts: { approved: 0, denied: 0 } });
      expect(Date.parse(path.prometheus.evaluatedAt) - upAt).toBeGreaterThan(60_000);
      expect([verdict, json]).toMatchObject([{ recommendation: 'ok' }, { recommendation: 'ok' }]);
      return true;
    };
    await waitFor(isJudged, { what: 'answers that are made of what is live', timeout: 500_000 });
    // As somebody who has not picked what the chart shows.
    await page.goto(service.url);
    await page.getByRole('button', { name: /Denials jump/ }).click();
    await sees(page, /Denials jump has begun/);
    for (const step of ['posted', 'watch', 'alert', 'fires', 'message'])
      await page.locator(`.step.done[data-step=${step}]`).waitFor({ timeout: 300_000 });
    // The warning about the code may come before the alert itself.
    const card = page.locator('.alert-card[data-severity=critical]').first();
    await card.waitFor({ timeout: 300_000 });
    expect(await word(page)).toContain('Alert');
    expect(await page.title()).toMatch(/^Alert: denied transactions above normal/i);
    expect(await page.locator('#announce').innerText()).toMatch(/^Alert: denied transactions above normal/i);
    expect(await card.innerText()).toMatch(/Observed in \d minutes\s+\d+\s+Normal\s+[\d.]+\s+Normal, at most\s+[\d.]+/);
    // The chart of it, what it costs and what to do stand in the card.
    await card.locator('#band-chart canvas').waitFor();
    expect(await card.innerText()).toMatch(/What it costs\s+\d+ in the worst minute.*What to do\s+Was something/s);
    for (const [size, bottom] of [
      [DESKTOP, DESKTOP.height],
      [PHONE, 1.5 * PHONE.height],
    ] as const) {
      await page.setViewportSize(size);
      await page.evaluate('scrollTo({ top: 0, behavior: "instant" })');
      const box = await page.locator('#band-chart canvas').boundingBox();
      expect((box?.y ?? Number.NaN) + (box?.height ?? 0), `${size.width}`).toBeLessThanOrEqual(bottom);
    }
    await page.setViewportSize(DESKTOP);
    expect(await card.getByRole('link', { name: /Runbook/ }).getAttribute('href')).toContain('#transactionsdenied');
    await page.getByRole('tab', { name: 'Journal' }).click();
    await page.locator('#message-list .entry', { hasText: 'Firing' }).first().waitFor();
    await page.setViewportSize(PHONE);
    const tooWide = `document.querySelector('#verdict .far').textContent = '100 % above normal';
      document.documentElement.scrollWidth - innerWidth`;
    expect(await page.evaluate(tooWide), 'the longest that it can say').toBeLessThanOrEqual(0);
    await looksRight(page);
  }, 1_800_000);

  it('silences an alert with the keyboard alone, and ends it', async () => {
    await page.locator('body').press('Control+Home');
    await page.reload();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.innerText')).toContain('Skip');
    await page.keyboard.press('Enter');
    await page.locator('.alert-card').first().waitFor();
    // A silence that comes before the first message keeps the service from having the incident.
    await page
      .getByRole('button', { name: /^Mark: Denied transactions/ })
      .first()
      .waitFor();
    await tabTo(page, /^Silence: Denied transactions/);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    expect(await seriousProblems(page)).toEqual([]);
    await dialog.waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('<b>CHG-1</b>');
    await page.keyboard.press('Tab');
    await page.keyboard.type('Maria');
    await page.keyboard.press('Enter');
    await sees(page, /: silent until/);
    // The total's silence covers its slices.
    const silenced = page.locator('.silenced').first();
    await silenced.waitFor();
    expect(await silenced.innerText()).toContain('by Maria: <b>CHG-1</b>');
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toMatch(/^Silence/);
    await tabTo(page, /^End it/);
    await page.keyboard.press('Enter');
    await silenced.waitFor({ state: 'hidden' });
  });

  it('marks an incident with the keyboard alone; the mark stays and is in the CSV', async () => {
    await tabTo(page, /^Mark: Denied transactions/);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    for (const key of ['ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
    expect(await dialog.getByRole('radio', { name: /False alarm/ }).isChecked()).toBe(true);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    // The slices' alerts belong to the incident of the total.
    await page.locator('.alert-card .badge', { hasText: 'False alarm, says Maria' }).first().waitFor();
    await page.reload();
    await page.locator('#incident-list .badge', { hasText: 'False alarm' }).first().waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the marks as CSV' }).click();
    expect((await download).suggestedFilename()).toBe('incidents.csv');
    expect((await service.get('/api/v1/incidents.csv')).text).toMatch(/^start,end,signal\n\S+,none/);
    expect(complaints).toEqual([]);
  });
});
