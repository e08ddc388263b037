import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { launchChromium, openPage } from './support/browser.ts';
import { fits } from './support/page.ts';
import { waitFor } from './support/processes.ts';
import { startRecorded } from './support/recorded.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

const COUNTS = 'status:transactions:increase1m';
const now = Math.floor(Date.now() / 60_000) * 60;

let browser: Browser;
let prometheus: EphemeralPrometheus;
let service: Service;
let tokensFile: string;
beforeAll(async () => {
  browser = await launchChromium();
  const of = (status: string, value: number) => ({
    name: COUNTS,
    labels: { level: 'total', status },
    at: (time: number) => (time > now - 3600 && time < now - 1800 ? undefined : value),
  });
  prometheus = await startRecorded([of('approved', 117), of('denied', 6)], now - 6 * 3600, now + 600);
  tokensFile = join(temporaryFolder('tokens'), 'tokens');
  writeFileSync(tokensFile, 'read let-me-have-a-look\n');
  service = await startService({ prometheusUrl: prometheus.url });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await service?.close();
  await prometheus?.stop();
});

const editor = (page: Page) => page.getByRole('textbox', { name: 'PromQL' });
const rows = (page: Page) => page.locator('#rows tbody tr');
const hasRows = (page: Page, n: number) => waitFor(async () => (await rows(page).count()) === n, { what: `${n} rows` });

it('completes names as one types, runs with the keyboard, and draws', async () => {
  const { page, complaints } = await openPage(browser, `${service.url}/explore`);
  await editor(page).click();
  // Chromium would keep the colours of text that is typed over, as style attributes.
  await page.keyboard.insertText('sum(\nrate(x[5m])\n)');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('status:trans');
  await page.getByRole('option', { name: /status:transactions:increase1m/ }).click();
  await page.keyboard.type('{sta');
  await page.getByRole('option', { name: 'status' }).first().click();
  await page.locator('#mistake', { hasText: /unexpected/i }).waitFor();
  await page.keyboard.press('Shift+Enter');
  await page.locator('#error').waitFor();
  expect(await page.locator('#error').innerText()).toMatch(/parse error/);
  await page.locator('.cm-lintRange-error, .cm-lintPoint-error').first().waitFor({ state: 'attached' });

  await page.keyboard.type('="denied"');
  await page.keyboard.press('Shift+Enter');
  await rows(page).first().waitFor();
  expect(await rows(page).allInnerTexts()).toEqual([expect.stringMatching(/status="denied"\S+\s+6$/)]);
  expect(await page.locator('#graph canvas').isVisible()).toBe(true);
  // The question that was refused: the browser tells of every answer that is an error.
  expect(complaints.filter((text) => !text.includes('422'))).toEqual([]);
  await page.context().close();
});

it('leads from a link to the same answer, and back', async () => {
  const query = `sum by (status) (${COUNTS}{level="total"})`;
  const { page, complaints } = await openPage(browser, `${service.url}/explore?${new URLSearchParams({ query })}`);
  await hasRows(page, 2);
  await page.getByRole('radio', { name: 'Table' }).press('Space');
  await page.locator('#graph').waitFor({ state: 'hidden' });
  expect(await rows(page).allInnerTexts()).toEqual([expect.stringMatching(/117/), expect.stringMatching(/6/)]);
  const shared = page.url();
  await page.goBack();
  await page.locator('#graph canvas').waitFor();
  await page.goto(shared);
  await hasRows(page, 2);
  expect(await editor(page).innerText()).toBe(query);
  expect(await page.getByRole('radio', { name: 'Table' }).isChecked()).toBe(true);
  expect(complaints).toEqual([]);
  await page.context().close();
});

it('has the cookbook, a click asks its question, and it looks right everywhere', async () => {
  const { page, complaints } = await openPage(browser, `${service.url}/explore`);
  await page.getByRole('button', { name: 'What share of all transactions is denied?' }).click();
  await page.getByText('Nothing at this time').waitFor();
  expect(await editor(page).innerText()).toContain('status_window:transactions:increase');
  await page.getByRole('button', { name: /same hour last week/ }).click();
  await editor(page).click();
  await fits(page);
  expect(complaints).toEqual([]);
  await page.context().close();
});

it('asks for a token where the service does', async () => {
  const own = await startService({ prometheusUrl: prometheus.url, tokensFile });
  const { page } = await openPage(browser, `${own.url}/explore?${new URLSearchParams({ query: COUNTS })}`);
  await page.getByRole('textbox', { name: 'Token' }).fill('let-me-have-a-look');
  await page.keyboard.press('Enter');
  await hasRows(page, 2);
  await page.context().close();
  await own.close();
});
