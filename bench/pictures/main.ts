/**
 * Takes the pictures of the README from a running demo, while an alert fires: `npm run demo`, start
 * an incident on the live page, wait for its message, then `npm run pictures -- URL`. The message is
 * what the shipped templates make of the newest notification in the journal.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { z } from 'zod';
import type { journalEntry } from '../../src/alerting/notification.ts';
import { findBinary } from '../../src/binaries/binaries.ts';
import { PROJECT } from '../project.ts';

const [url = 'http://127.0.0.1:8080'] = process.argv.slice(2);
const pictures = join(PROJECT, 'docs', 'pictures');
const work = mkdtempSync(join(tmpdir(), 'tillwatch-pictures-'));

const answer = await fetch(`${url}/api/v1/alerts?limit=50`);
const { journal } = (await answer.json()) as { journal: z.output<typeof journalEntry>[] };
const told = journal.find(({ status, alerts }) => status === 'firing' && alerts.some(({ labels }) => labels.status));
if (told === undefined) throw new Error('nothing fires: start an incident on the live page, and wait for its message');

const amtool = await findBinary('amtool');
const data = join(work, 'notification.json');
writeFileSync(data, JSON.stringify(told));
const folder = join(PROJECT, 'alertmanager', 'templates');
const templates = readdirSync(folder).map((name) => `--template.glob=${join(folder, name)}`);
const render = (name: string): string =>
  execFileSync(
    amtool,
    ['template', 'render', ...templates, `--template.text={{ template "${name}" . }}`, `--template.data=${data}`],
    { encoding: 'utf8' },
  ).trim();

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const bold = (text: string): string => escaped(text).replaceAll(/\*([^*\n]+)\*/g, '<b>$1</b>');
const message = `<!doctype html><meta charset="utf-8"><style>
  body { margin: 0; padding: 16px; width: 760px; font: 15px/1.46 Lato, 'Segoe UI', Arial, sans-serif; color: #1d1c1d; background: #fff }
  .head { font-weight: 900 } .head small { font-weight: 400; color: #616061; margin-left: 6px }
  .attachment { margin-top: 6px; padding: 2px 0 2px 12px; border-left: 4px solid #a30200; white-space: pre-line }
  .title { font-weight: 700; color: #1264a3 } button { font: 700 13px/1 Arial; margin: 8px 8px 0 0; padding: 8px 12px; background: #fff; border: 1px solid #bbb; border-radius: 4px }
</style><div class="head">Tillwatch<small>${new Date(told.receivedAt).toISOString().slice(11, 16)}</small></div>
<div class="attachment"><div class="title">${escaped(render('tillwatch.title'))}</div>${bold(render('slack.tillwatch.text'))}
<button>Look</button><button>What to do</button><button>Silence</button></div>`;

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
  await page.goto(url);
  await page.locator('#alert-list li').first().waitFor();
  await page.locator('#band-chart canvas').waitFor();
  await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => {});
  await page.screenshot({ path: join(pictures, 'page.png') });
  const chat = await browser.newPage({ viewport: { width: 792, height: 100 }, deviceScaleFactor: 1.5 });
  await chat.setContent(message);
  await chat.screenshot({ path: join(pictures, 'message.png'), fullPage: true });
} finally {
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}
process.stdout.write(`wrote page.png and message.png to ${pictures}\n`);
