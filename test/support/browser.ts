import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The path of the browser: the value of CHROMIUM, or one of the usual names on PATH. */
function chromiumPath(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
  const path = process.env.CHROMIUM ?? found;
  if (path === undefined)
    throw new Error(
      `no Chromium: none of ${names.join(', ')} is on PATH. Install one (Debian: apt-get install chromium), or name it in CHROMIUM`,
    );
  return path;
}

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export interface Opened {
  page: Page;
  /**
   * Errors of the console, among them what the content security policy stopped, and uncaught ones.
   */
  complaints: string[];
  /** Bytes received so far on the wire, headers included, without the stream of events. */
  received(): number;
}

/** A page of its own, with a fresh session. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Opened> {
  // What turns without an end would be drawn without an end.
  const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(180_000);
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error.stack)));
  const network = await context.newCDPSession(page);
  const bytes = new Map<string, number>();
  // A stream of events grows as long as the page is open.
  const streams = new Set<string>();
  const add = (id: string, more: number) => streams.has(id) || bytes.set(id, (bytes.get(id) ?? 0) + more);
  network.on('Network.responseReceived', ({ requestId, response }) => {
    if (response.mimeType === 'text/event-stream') streams.add(requestId);
    add(requestId, response.encodedDataLength);
  });
  network.on('Network.dataReceived', ({ requestId, encodedDataLength, dataLength }) =>
    // The length on the wire of what still streams is only known as the length of its data.
    add(requestId, encodedDataLength || dataLength),
  );
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => bytes.set(requestId, encodedDataLength));
  await network.send('Network.enable');
  await page.goto(url);
  return { page, complaints, received: () => [...bytes.values()].reduce((sum, n) => sum + n, 0) };
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/**
 * All that axe finds wrong, in the theme and size that the page has now.
 * @param rules the only ones that are looked at; default all
 */
export async function violationsOf(page: Page, ...rules: string[]): Promise<Violation[]> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE);
  const options = JSON.stringify({ resultTypes: ['violations'], ...(rules.length > 0 && { runOnly: rules }) });
  // Passed checks stay in the browser, because they fill megabytes.
  return (await page.evaluate(`axe.run(${options}).then(({ violations }) => violations)`)) as Violation[];
}

/** Those of them that axe calls serious or critical. */
export async function seriousProblems(page: Page, ...rules: string[]): Promise<string[]> {
  return (await violationsOf(page, ...rules))
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
}

/** Goes through the whole page, so that what is only read when it is seen is there. */
export async function seeAll(page: Page): Promise<void> {
  const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
  for (let y = 0; y < height; y += 400) await page.mouse.wheel(0, 400);
  await page.evaluate('scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" })');
  await page.evaluate('scrollTo({ top: 0, behavior: "instant" })');
}

/** CSS pixels by which the page is wider than the window. */
export const sideways = async (page: Page): Promise<number> =>
  Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));

/** Name or text of what has the focus. */
const focused = async (page: Page): Promise<string> =>
  String(await page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.innerText'));

/**
 * Presses Tab until what has the focus is named so. @throws when a hundred presses do not lead
 * there
 */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 100; presses++) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not lead to ${name}`);
}
