import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Postgres, startPostgres } from './support/postgres.ts';
import { waitFor } from './support/processes.ts';
import {
  type Answer,
  minutesAgo,
  parseMetrics,
  type ServiceProcess,
  serveProcess,
  temporaryFolder,
} from './support/service.ts';

/** Kills of each ledger. `npm run torture` has two hundred. */
const KILLS = 3;
const SENDERS = 12;

/**
 * A report as a careful client sends it: the same body under the same key until it is acknowledged.
 */
interface Sent {
  key: string;
  timestamp: string;
  status: 'approved' | 'denied';
  count: number;
  acknowledged: boolean;
}

const submit = (client: ServiceProcess, { key, timestamp, status, count }: Sent): Promise<Answer> =>
  client.post({ timestamp, counts: { [status]: count } }, { 'Idempotency-Key': key });

function newReport(): Sent {
  const status = Math.random() < 0.5 ? 'approved' : 'denied';
  const count = 1 + Math.floor(Math.random() * 9);
  // Once for all its retries: at the turn of a minute another time would make another body under
  // the same key.
  return { key: randomUUID(), timestamp: minutesAgo(1), status, count, acknowledged: false };
}

/** Sends until the service is gone. A request that got no answer, or 503, stays unacknowledged. */
async function sendUntilGone(client: ServiceProcess, sent: Sent[], failures = [200]): Promise<void> {
  for (;;) {
    const report = newReport();
    sent.push(report);
    const answer = await submit(client, report).catch(() => undefined);
    if (answer === undefined) return;
    expect(failures, answer.text).toContain(answer.status);
    report.acknowledged = answer.status === 200;
  }
}

/** Sends again what was not acknowledged, until it is. */
async function sendAgain(client: ServiceProcess, sent: Sent[]): Promise<void> {
  for (const report of sent.filter(({ acknowledged }) => !acknowledged)) {
    await waitFor(async () => (await submit(client, report)).status === 200, { what: 'a report to be taken' });
    report.acknowledged = true;
  }
}

const sumOf = (sent: Sent[], status: string): number =>
  sent.filter((report) => report.status === status).reduce((sum, { count }) => sum + count, 0);

/** The counters never go backwards: of every series, over every restart. */
function expectNotLower(before: Map<string, number>, after: Map<string, number>): void {
  for (const [series, value] of before) {
    if (/^transactions_\w*total/.test(series)) expect(after.get(series), series).toBeGreaterThanOrEqual(value);
  }
}

const scrape = async (client: ServiceProcess) => parseMetrics(await client.metrics());

async function expectCounted(client: ServiceProcess, sent: Sent[]): Promise<void> {
  const counted = await scrape(client);
  for (const status of ['approved', 'denied'])
    expect(counted.get(`transactions_total{status="${status}"}`)).toBe(sumOf(sent, status));
}

/** SQLite's own opinion of the file that a kill has left. */
function expectSound(data: string): void {
  const database = new DatabaseSync(join(data, 'ledger.sqlite'));
  expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  database.close();
}

let postgres: Postgres;
let made = 0;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

async function freshLedger(engine: 'SQLite' | 'PostgreSQL') {
  const data = temporaryFolder('kill');
  const args = engine === 'SQLite' ? [] : ['--ledger', await postgres.database(`kill${++made}`)];
  return { data, serve: () => serveProcess(data, args) };
}

describe.each(['SQLite', 'PostgreSQL'] as const)('on %s', (engine) => {
  test('kill -9 at one moment after another under load: nothing acknowledged is lost, nothing counts twice', async () => {
    const { data, serve } = await freshLedger(engine);
    const sent: Sent[] = [];
    let before = new Map<string, number>();
    for (let round = 0; round < KILLS; round++) {
      if (engine === 'SQLite' && round > 0) expectSound(data);
      const service = await serve();
      const restarted = await scrape(service);
      expectNotLower(before, restarted);
      // What was acknowledged is there before any retry; what was not may be there too.
      for (const status of ['approved', 'denied']) {
        const total = restarted.get(`transactions_total{status="${status}"}`) ?? 0;
        const acknowledged = sent.filter((report) => report.acknowledged);
        expect(total).toBeGreaterThanOrEqual(sumOf(acknowledged, status));
        expect(total).toBeLessThanOrEqual(sumOf(sent, status));
      }
      await sendAgain(service, sent);
      const load = Array.from({ length: SENDERS }, () => sendUntilGone(service, sent));
      await sleep(20 + Math.random() * 250);
      before = await scrape(service);
      await sleep(Math.random() * 20);
      await service.process.stop('SIGKILL');
      await Promise.all(load);
    }
    const service = await serve();
    await sendAgain(service, sent);
    await expectCounted(service, sent);
    // Sent once more, everything is known already.
    for (const report of sent.slice(-50))
      expect((await submit(service, report)).headers.get('idempotency-replayed')).toBe('true');
    await expectCounted(service, sent);
    expect(sent.length).toBeGreaterThan(KILLS * SENDERS);
    await service.process.stop();
  });
});

// The same on SQLite is in torture.test.ts.
test('SIGTERM under load on PostgreSQL: what was counted was answered, and the service ends by itself', async () => {
  const { serve } = await freshLedger('PostgreSQL');
  const service = await serve();
  const sent: Sent[] = [];
  const load = Array.from({ length: SENDERS }, () => sendUntilGone(service, sent));
  await sleep(300);
  expect(await service.process.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  await Promise.all(load);
  expect(service.process.stderr()).toContain('stopped');
  expect(service.process.stdout()).toBe('');
  const after = await serve();
  await expectCounted(
    after,
    sent.filter(({ acknowledged }) => acknowledged),
  );
  await after.process.stop();
});

test('the database stops at once, again and again, under two services', async () => {
  const { serve } = await freshLedger('PostgreSQL');
  const services = [await serve(), await serve()];
  const sent: Sent[] = [];
  const load = services.flatMap((one) =>
    Array.from({ length: SENDERS / 2 }, () => sendUntilGone(one, sent, [200, 503])),
  );
  let before = new Map<string, number>();
  for (let round = 0; round < 2; round++) {
    await sleep(300);
    await postgres.crash();
    const now = await waitFor(
      async () => {
        const answer = await services[round % 2]?.get('/metrics');
        return answer?.status === 200 ? parseMetrics(answer.text) : undefined;
      },
      { what: 'a scrape' },
    );
    expectNotLower(before, now);
    before = now;
  }
  await services[0]?.process.stop('SIGKILL');
  await services[1]?.process.stop('SIGKILL');
  await Promise.all(load);
  const last = await serve();
  await sendAgain(last, sent);
  await expectCounted(last, sent);
  await last.process.stop();
});
