import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  type Answer,
  minutesAgo,
  parseMetrics,
  type ServiceProcess,
  serveProcess,
  temporaryFolder,
} from './support/service.ts';

const KILLS = 20;
const SENDERS = 12;

/** A report as a careful client sends it: the same body under the same key until it is acknowledged. */
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
  // Once for all its retries: at the turn of a minute another time would make another body under the same key.
  return { key: randomUUID(), timestamp: minutesAgo(1), status, count, acknowledged: false };
}

/** Sends until the service is gone. A request that got no answer stays unacknowledged. */
async function sendUntilGone(client: ServiceProcess, sent: Sent[]): Promise<void> {
  for (;;) {
    const report = newReport();
    sent.push(report);
    const answer = await submit(client, report).catch(() => undefined);
    if (answer === undefined) return;
    expect(answer.status, answer.text).toBe(200);
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

test('kill -9 at twenty moments under load: nothing acknowledged is lost, nothing counts twice', async () => {
  const dir = temporaryFolder('kill');
  const sent: Sent[] = [];
  let before = new Map<string, number>();
  for (let round = 0; round < KILLS; round++) {
    const service = await serveProcess(dir);
    const restarted = await scrape(service);
    expectNotLower(before, restarted);
    // What was acknowledged is there before any retry; what was not may be there too.
    for (const status of ['approved', 'denied']) {
      const total = restarted.get(`transactions_total{status="${status}"}`) ?? 0;
      const acknowledged = sent.filter((report) => report.acknowledged);
      expect(total).toBeGreaterThanOrEqual(sumOf(acknowledged, status));
      expect(total).toBeLessThanOrEqual(sumOf(sent, status));
    }
    for (const report of sent.filter(({ acknowledged }) => !acknowledged)) {
      expect((await submit(service, report)).status).toBe(200);
      report.acknowledged = true;
    }
    const load = Array.from({ length: SENDERS }, () => sendUntilGone(service, sent));
    await sleep(20 + Math.random() * 250);
    before = await scrape(service);
    await sleep(Math.random() * 20);
    await service.process.stop('SIGKILL');
    await Promise.all(load);
  }
  const service = await serveProcess(dir);
  for (const report of sent.filter(({ acknowledged }) => !acknowledged)) await submit(service, report);
  const end = await scrape(service);
  expect(end.get('transactions_total{status="approved"}')).toBe(sumOf(sent, 'approved'));
  expect(end.get('transactions_total{status="denied"}')).toBe(sumOf(sent, 'denied'));
  // Sent once more, everything is known already.
  for (const report of sent.slice(-50))
    expect((await submit(service, report)).headers.get('idempotency-replayed')).toBe('true');
  expect((await scrape(service)).get('transactions_total{status="approved"}')).toBe(sumOf(sent, 'approved'));
  expect(sent.length).toBeGreaterThan(KILLS * SENDERS);
  await service.process.stop();
});

test('SIGTERM under load: what was counted was answered, and the service ends by itself', async () => {
  const dir = temporaryFolder('term');
  const service = await serveProcess(dir);
  const sent: Sent[] = [];
  const load = Array.from({ length: SENDERS }, () => sendUntilGone(service, sent));
  await sleep(300);
  expect(await service.process.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  await Promise.all(load);
  expect(service.process.stderr()).toContain('stopped');
  expect(service.process.stdout()).toBe('');

  const after = await serveProcess(dir);
  const answered = sent.filter(({ acknowledged }) => acknowledged);
  const end = await scrape(after);
  expect(end.get('transactions_total{status="approved"}')).toBe(sumOf(answered, 'approved'));
  expect(end.get('transactions_total{status="denied"}')).toBe(sumOf(answered, 'denied'));
  await after.process.stop();
});
