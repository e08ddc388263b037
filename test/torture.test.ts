import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ATTACKS } from '../bench/torture/attacks.ts';
import { createClient, totalOf } from '../bench/torture/client.ts';
import { ownDate, turnClock } from '../bench/torture/clock.ts';
import { torture } from '../bench/torture/command.ts';
import { memoryOf, serve } from '../bench/torture/program.ts';
import type { Run, Torture } from '../bench/torture/row.ts';
import { TORTURES } from '../bench/torture/tortures.ts';
import { alertmanager, breakUpstreams, prometheus } from '../bench/torture/upstreams.ts';
import { inParallel } from '../bench/torture/wait.ts';
import { type ServiceProcess, serveProcess, temporaryFolder } from './support/service.ts';

/**
 * The rows of `npm run torture` that have no shorter form of their own, at a small scale. The
 * others: kill -9 in kill.test.ts, the disk in ledger-faults.test.ts, receivers in messages.test.ts
 * and receivers-down.test.ts, whose tests that row runs.
 */
const rowNamed = (name: string): Torture => {
  const row = TORTURES.find((one) => one.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row;
};

test.each([
  ['sigterm', 0.01],
  ['retries', 0.02],
  ['fuzz', 0.01],
  ['labels', 0.02],
  ['access', 0.3],
  ['dependencies', 1],
])('%s, at the scale of %d', async (name, scale) => {
  const { violations, first, done } = await torture(rowNamed(name), scale, () => {});
  expect({ violations, first }).toEqual({ violations: 0, first: [] });
  expect(done).toMatch(/\d/);
});

test('the clock of a running service goes back and forth, over daylight saving and a leap day', async () => {
  const file = join(temporaryFolder('clock'), 'offset');
  const row: Torture = { ...rowNamed('clock'), run: (run: Run) => turnClock(run, ownDate(file)) };
  const { first } = await torture(row, 0.1, () => {});
  expect(first).toEqual([]);
});

test('an upstream that talks garbage, at the start and later, and is mended', async () => {
  const run = async (run: Run) => {
    await breakUpstreams([prometheus, alertmanager], ['garbage'], run);
    return { done: 'both', seen: '' };
  };
  const { first } = await torture({ ...rowNamed('upstreams'), run }, 1, () => {});
  expect(first).toEqual([]);
});

test('five thousand reports over fifty connections: each counted, and nothing of them stays in memory', async () => {
  const program = await serve(temporaryFolder('steady'));
  const client = createClient(program.url, 50);
  const body = { source: 'x'.repeat(60), counts: { approved: 1 } };
  const send = (count: number) => inParallel(count, 50, async () => void (await client.post(body)));
  // What is compiled and cached at first is no growth.
  await send(1000);
  const before = await memoryOf(program.pid);
  await send(5000);
  // 3 MB were seen; keeping all of a request and its answer would take more than this.
  expect((await memoryOf(program.pid)) - before).toBeLessThan(20e6);
  expect(totalOf(await client.scrape())).toBe(6000);
  client.close();
  await program.stop();
});

let service: ServiceProcess;
beforeAll(async () => {
  service = await serveProcess(temporaryFolder('hostile'));
});
afterAll(() => service.process.stop());

// Slow senders and silent connections take as long as the service's patience: npm run torture.
const quick = ATTACKS.filter(({ name }) => !/^(slow|idle)/.test(name));
test.each(quick)('$name: borne, and another client is served', async ({ run }) => {
  const attack = run({ url: service.url, port: Number(new URL(service.url).port), scale: 0.02 });
  const other = createClient(service.url, 1);
  expect((await other.post({ status: 'denied' })).status).toBe(200);
  expect(await attack).toBeUndefined();
  expect((await other.post({ status: 'denied' })).status).toBe(200);
  other.close();
});

test('a violation makes a row that is not met; an error in it, too', async () => {
  const row = (run: Torture['run']): Torture => ({ name: 'x', what: 'x', goal: 'none', run });
  const violated = await torture(
    row(async ({ violations }) => {
      for (let i = 0; i < 7; i++) violations.check(i % 2 === 0, `odd ${i}`);
      return { done: '7', seen: '' };
    }),
    1,
    () => {},
  );
  expect(violated).toMatchObject({ violations: 3, first: ['odd 1', 'odd 3', 'odd 5'] });
  const broken = await torture(
    row(() => Promise.reject(new Error('no disk'))),
    1,
    () => {},
  );
  expect(broken).toMatchObject({ violations: 1, done: 'broken off' });
  expect(broken.first[0]).toContain('no disk');
});
