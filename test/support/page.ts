import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { DESKTOP, PHONE, seeAll, seriousProblems, sideways } from './browser.ts';
import { type Running, waitFor } from './processes.ts';
import { type Client, clientOf, runProgram } from './service.ts';

export const sees = (page: Page, text: string | RegExp, timeout = 120_000) =>
  page.getByText(text).first().waitFor({ state: 'visible', timeout });
export const hasWord = (page: Page, text: string, timeout = 120_000) =>
  page.locator('#verdict .verdict-word', { hasText: text }).waitFor({ timeout });

/** A page looks right after all of it has been scrolled into view. */
export async function looksRight(page: Page): Promise<void> {
  await seeAll(page);
  await fits(page);
}

/** In both themes and at both sizes: nothing serious for axe, nothing to scroll sideways. */
export async function fits(page: Page): Promise<void> {
  for (const viewport of [PHONE, DESKTOP]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // Themes differ in colours alone.
      const rules = colorScheme === 'dark' ? ['color-contrast'] : [];
      expect(await seriousProblems(page, ...rules), `${viewport.width} ${colorScheme}`).toEqual([]);
    }
    expect(await sideways(page), `${viewport.width}`).toBeLessThanOrEqual(0);
  }
}

/** `tillwatch up` as built, with ports of its own. */
export async function startUp(data: string, ...args: string[]): Promise<{ running: Running; service: Client }> {
  const ports = ['--port', '0', '--prometheus-port', '0', '--alertmanager-port', '0'];
  const running = await runProgram(['up', '--data', data, ...ports, ...args], process.env);
  let over = false;
  void running.exited.then(() => {
    over = true;
  });
  await waitFor(() => over || running.stdout().includes('Tillwatch runs'), { timeout: 500_000, what: 'the stack' });
  if (over) throw new Error(`it ended:\n${running.stderr()}`);
  const url = /live page\s+(http:\/\/127\.0\.0\.1:\d+)/.exec(running.stdout())?.[1];
  return { running, service: clientOf(url ?? '') };
}
