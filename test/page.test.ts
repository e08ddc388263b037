import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, openPage, seriousProblems } from './support/browser.ts';
import { notification } from './support/notification.ts';
import { hasWord, looksRight, sees, startUp } from './support/page.ts';
import { type Running, waitFor } from './support/processes.ts';
import { type Client, startService, temporaryFolder } from './support/service.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

describe('without Prometheus', () => {
  it('says that nothing is being judged, and keeps taking counts', async () => {
    const calendar = join(temporaryFolder('page'), 'calendar.yml');
    const dayIn = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    writeFileSync(calendar, `campaigns: [{name: sale, from: ${dayIn(-1)}, to: ${dayIn(9)}}]`);
    const service = await startService({ calendar });
    await service.post({ source: 'till', counts: { approved: 10, denied: 1 } });
    const { page, complaints } = await openPage(browser, service.url);
    await hasWord(page, 'Not watching');
    await sees(page, /Nothing is being judged/);
    expect(await page.locator('#path-list .bad').first().innerText()).toContain('Prometheus');
    expect(await page.title()).toContain('Not watching');
    await page.getByRole('tab', { name: 'Reports' }).click();
    await service.post({ source: 'till-2', counts: { approved: 20 } });
    await sees(page, 'till-2');
    await looksRight(page);
    expect(await page.locator('#calendar').innerText()).toMatch(/^Campaign: sale until \d{4}-\d\d-\d\d 00:00 UTC$/);
    // It is there on the red of an alert as well.
    await page.evaluate('document.querySelector("#verdict").dataset.tone = "alert"');
    expect(await seriousProblems(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
    await service.close();
  });

  it('says which alerts fired when it was last known, and not that they do', async () => {
    const service = await startService();
    const told = notification({ startsAt: new Date(Date.now() - 600_000).toISOString() });
    expect((await service.send('POST', '/api/v1/alertmanager', told)).status).toBe(200);
    const { page } = await openPage(browser, service.url);
    await hasWord(page, 'Not watching');
    await sees(page, 'Fired when it was last known: Denied above normal.');
    await sees(page, 'Fired when last known');
    expect(await page.locator('#incident-list').innerText()).toMatch(/, its end is not known/);
    expect(await page.locator('#incident-list').innerText()).not.toMatch(/Firing|going on/);
    await looksRight(page);
    await page.context().close();
    await service.close();
  });

  it('says that the connection is lost, and comes back by itself', async () => {
    const service = await startService();
    const { page } = await openPage(browser, service.url);
    await hasWord(page, 'Not watching');
    await service.close();
    await sees(page, /Connection to Tillwatch lost/);
    expect(await page.title()).toContain('Connection lost');
    const again = await startService({ data: service.dir, port: new URL(service.url).port });
    await page.locator('#lost').waitFor({ state: 'hidden', timeout: 40_000 });
    expect(await page.locator('#link').innerText()).toBe('Connected, no verdicts');
    await page.context().close();
    await again.close();
  });

  it('asks for a token once, says when it is a wrong one, and keeps it for the tab', async () => {
    const tokensFile = join(temporaryFolder('tokens'), 'tokens');
    writeFileSync(tokensFile, 'read let-me-have-a-look\n');
    const service = await startService({ tokensFile });
    const { page } = await openPage(browser, service.url);
    await page.getByRole('textbox', { name: 'Token' }).fill('not-the-right-token');
    await page.keyboard.press('Enter');
    await sees(page, /this token is not known/);
    expect(await seriousProblems(page)).toEqual([]);
    await page.getByRole('textbox', { name: 'Token' }).fill('let-me-have-a-look');
    await page.keyboard.press('Enter');
    await hasWord(page, 'Not watching');
    await page.reload();
    await hasWord(page, 'Not watching');
    // It may only read: nothing is offered that it would be refused.
    await page.getByText('Read only').waitFor();
    expect(await page.getByRole('button', { name: 'Send a test message' }).count()).toBe(0);
    await page.context().close();
    await service.close();
  });
});

describe('from nothing', () => {
  let running: Running;
  let service: Client;
  beforeAll(async () => {
    ({ running, service } = await startUp(temporaryFolder('page'), '--dimensions', 'acquirer'));
  });
  afterAll(async () => {
    await running?.stop();
  });

  const post = (acquirer: string, counts: object) => service.post({ source: 'till', labels: { acquirer }, counts });

  it('shows how to post the first report, then learns, without a reload', async () => {
    const { page, complaints } = await openPage(browser, service.url);
    await hasWord(page, 'No data');
    expect(await page.locator('#curl').innerText()).toContain(`curl ${service.url}/api/v1/transactions`);
    await looksRight(page);
    // The zeros that are exposed before the first report are no counts that arrived.
    const zeros = async () => (await service.get('/api/v1/state')).json.anomalies.length > 0;
    await waitFor(zeros, { what: 'zeros', timeout: 200_000 });
    expect(await page.locator('#verdict .verdict-word').innerText()).toBe('No data');
    expect(await page.locator('.tile:visible, #band:visible, #days:visible, #past:visible').count()).toBe(0);

    await post('acme', { approved: 100, denied: 5 });
    await post('globex', { approved: 40, denied: 2 });
    await hasWord(page, 'Learning');
    expect(await page.locator('#first').isVisible()).toBe(false);

    // Slices are known after a quarter of an hour; the total is shown at once.
    await waitFor(async () => (await page.locator('.tile').count()) === 7, {
      what: 'a tile of every status',
      timeout: 200_000,
    });
    expect(await page.locator('#label-choice').isVisible()).toBe(false);
    await sees(page, 'normal: being learned');
    await looksRight(page);
    expect(complaints).toEqual([]);
    await page.context().close();
  }, 300_000);
});
