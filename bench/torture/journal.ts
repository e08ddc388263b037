import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from './client.ts';
import { memoryOf, serve } from './program.ts';
import { number, part, type Run, type Torture } from './row.ts';
import { inParallel } from './wait.ts';

const MOST_MEGABYTES = 500;
const MOST_FILE_MEGABYTES = 250;
const SLOWEST_MS = 5000;
/** Just below what the webhook takes: 32 MB. */
const ALERTS = 2500;
const ALERT_BYTES = 12_000;

/** A notification of the largest size. */
function notificationOf(index: number): string {
  const at = new Date(Date.now() - 60_000).toISOString();
  const alerts = Array.from({ length: ALERTS }, (_, i) => ({
    status: 'firing',
    labels: { alertname: 'Large', severity: 'warning', merchant: `${index} ${i}` },
    annotations: { summary: 'x'.repeat(ALERT_BYTES) },
    startsAt: at,
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: `${index}-${i}`,
  }));
  const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
  return JSON.stringify({
    version: '4',
    groupKey: `g${index}`,
    status: 'firing',
    receiver: 'r',
    externalURL: '',
    ...common,
    alerts,
  });
}

async function run(run: Run) {
  const { violations } = run;
  const notifications = part(run, 10_000, 20);
  const folder = await run.folder();
  let program = await serve(folder);
  let client = createClient(program.url, 4);
  const before = await memoryOf(program.pid);
  const headers = { 'Content-Type': 'application/json' };
  let [peak, slowest] = [0, 0];
  await inParallel(notifications, 2, async (index) => {
    const body = notificationOf(index);
    const { status, text } = await client.send({ method: 'POST', path: '/api/v1/alertmanager', headers, body });
    violations.check(
      [200, 204].includes(status),
      `a notification of ${body.length} bytes was answered ${status} ${text}`,
    );
    peak = Math.max(peak, await memoryOf(program.pid));
    if (index % 100 === 99) run.log(`${index + 1} of ${notifications}`);
  });
  async function look(): Promise<void> {
    for (const path of ['/api/v1/incidents', '/api/v1/alerts', '/-/ready', '/metrics']) {
      const began = performance.now();
      const { status } = await client.send({ path });
      const took = performance.now() - began;
      slowest = Math.max(slowest, took);
      violations.check(
        ![500, 504].includes(status) && took < SLOWEST_MS,
        `${path}: ${status} after ${Math.round(took)} ms`,
      );
    }
  }
  await look();
  client.close();
  await program.stop('SIGKILL');
  program = await serve(folder);
  client = createClient(program.url, 4);
  await look();
  const bytes = (await stat(join(folder, 'ledger.sqlite'))).size;
  const more = Math.round((peak - before) / 1e6);
  violations.check(more < MOST_MEGABYTES, `${more} MB more memory`);
  violations.check(bytes < MOST_FILE_MEGABYTES * 1e6, `the file has ${Math.round(bytes / 1e6)} MB`);
  client.close();
  await program.stop();
  return {
    done: `${number(notifications)} notifications of ${Math.round(notificationOf(0).length / 1e6)} MB`,
    seen: `${more} MB more memory, a file of ${Math.round(bytes / 1e6)} MB, slowest look ${Math.round(slowest)} ms`,
  };
}

export const journal: Torture = {
  name: 'journal',
  what: 'notifications of the largest size that is taken',
  goal: `all taken; under ${MOST_MEGABYTES} MB more memory and ${MOST_FILE_MEGABYTES} MB on disk; served as before, also after kill -9`,
  run,
};
