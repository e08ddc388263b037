import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../src/runtime/log.ts';
import { PROJECT } from '../project.ts';
import { type Client, createClient, minuteBefore } from './client.ts';
import { unpacked } from './debian-tool.ts';
import { type ProgramOptions, serve } from './program.ts';
import { checkNotLower } from './reports.ts';
import type { Run, Torture } from './row.ts';
import { inParallel } from './wait.ts';

/** A way to set the service's clock while it runs: `offset` in seconds from the true time. */
interface Clock {
  how: string;
  options: ProgramOptions;
  set: (offset: number) => void;
}

/** libfaketime: every clock of the process but the monotonic one. */
async function fakeTime(run: Run, file: string): Promise<Clock> {
  const root = await unpacked(['libfaketime'], run);
  const library = (await readdir(root, { recursive: true })).find((path) => path.endsWith('libfaketimeMT.so.1'));
  if (library === undefined) throw new Error('the package libfaketime holds no library');
  return {
    how: 'libfaketime',
    options: {
      env: {
        LD_PRELOAD: join(root, library),
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    },
    set: (offset) => writeFileSync(file, `${offset < 0 ? '' : '+'}${offset}`),
  };
}

/** JavaScript's Date, which is the only clock that the service asks. */
export const ownDate = (file: string): Clock => ({
  how: "JavaScript's Date",
  options: {
    node: ['--import', join(PROJECT, 'bench/torture/fake-date.mjs')],
    env: { FAKE_DATE_FILE: file },
  },
  set: (offset) => writeFileSync(file, String(offset)),
});

/** More than the ledger takes before it looks for what is old. */
const PRUNING = 600;
const HOUR = 3600;
const DAY = 86_400;
const at = (text: string): number => Math.round((Date.parse(text) - Date.now()) / 1000);

/** The clock's settings in order; each is a jump while the service runs. */
const jumps = (): [string, number][] => [
  ['now', 0],
  ['an hour back', -HOUR],
  ['back to now', 0],
  ['an hour forth', HOUR],
  ['back to now again', 0],
  ['a second before the clocks go back', at('2026-10-25T00:59:59Z')],
  ['after the clocks have gone back', at('2026-10-25T01:30:00Z')],
  ['a second before the clocks go forth', at('2027-03-28T00:59:59Z')],
  ['after the clocks have gone forth', at('2027-03-28T01:00:30Z')],
  ['the end of 28 February of a leap year', at('2028-02-28T23:59:58Z')],
  ['leap day', at('2028-02-29T12:00:00Z')],
  ['the day after', at('2028-02-29T12:00:00Z') + DAY],
  ['the end of a year', at('2028-12-31T23:59:58Z')],
];

/**
 * Checks the documented limits: up to 15 minutes old is current, older is late, more than 5
 * minutes ahead is refused.
 */
async function checkLateness(client: Client, now: number, where: string, { violations }: Run): Promise<void> {
  const cases = [
    { minutes: 1, status: 200, late: 0 },
    { minutes: 13, status: 200, late: 0 },
    { minutes: 17, status: 200, late: 1 },
    { minutes: 60, status: 200, late: 1 },
    { minutes: -3, status: 200, late: 0 },
    { minutes: -8, status: 422, late: undefined },
  ];
  for (const { minutes, status, late } of cases) {
    const reply = await client.post({ timestamp: minuteBefore(minutes, now), status: 'denied', count: 1 });
    const right = reply.status === status && (status !== 200 || reply.json.late === late);
    violations.check(right, `${where}: a report ${minutes} minutes old was answered ${reply.status} ${reply.text}`);
  }
  // The same moment as people in Berlin write it.
  const offset = new Date(now)
    .toLocaleString('sv', { timeZone: 'Europe/Berlin', timeZoneName: 'longOffset' })
    .slice(-6);
  const local = new Date(now + Number(offset.slice(1, 3)) * HOUR * 1000).toISOString().slice(0, 19) + offset;
  const berlin = await client.post({ timestamp: local, status: 'denied', count: 1 });
  violations.check(berlin.json?.late === 0, `${where}: ${local} was answered ${berlin.status} ${berlin.text}`);
}

async function checkDates(client: Client, { violations }: Run): Promise<void> {
  for (const [timestamp, status] of [
    ['2028-02-29T11:59:00Z', 200],
    ['2027-02-29T11:59:00Z', 422],
    ['2100-02-29T11:59:00Z', 422],
  ] as const) {
    const reply = await client.post({ timestamp, status: 'denied' });
    violations.check(reply.status === status, `${timestamp} was answered ${reply.status} ${reply.text}`);
  }
}

/**
 * Eight days forth, back, and the same the other way round, in the middle of retries: all of them
 * are still known.
 */
async function checkRetries(client: Client, set: (offset: number) => void, { violations }: Run): Promise<void> {
  const report = { timestamp: minuteBefore(1), source: 'retried', counts: { denied: 1 } };
  const key = { 'Idempotency-Key': 'retried' };
  const first = await client.post(report);
  violations.check(first.json?.accepted === 1, `the first was answered ${first.status} ${first.text}`);
  await client.post({ status: 'denied' }, key);
  for (const days of [8, 0, -8, 0]) {
    set(days * DAY);
    // So many that what is old is looked for.
    await inParallel(
      PRUNING,
      20,
      async () => void (await client.post({ status: 'failed' }, { 'Idempotency-Key': randomUUID() })),
    );
    // Eight days before, a report of now is in the future.
    if (days >= 0) {
      const again = await client.post(report);
      violations.check(again.json?.duplicates === 1, `after ${days} days: ${again.status} ${again.text}`);
    }
    const { headers } = await client.post({ status: 'denied' }, key);
    violations.check(headers['idempotency-replayed'] === 'true', `after ${days} days the key is not known any more`);
  }
}

export async function turnClock(run: Run, clock: Clock) {
  clock.set(0);
  const { env, ...options } = clock.options;
  const program = await serve(await run.folder(), { ...options, env: { ...env, TZ: 'Europe/Berlin' } });
  const client = createClient(program.url, 1);
  let before = await client.scrape();
  const steps = jumps();
  for (const [where, offset] of steps) {
    clock.set(offset);
    await checkLateness(client, Date.now() + offset * 1000, where, run);
    if (where === 'leap day') await checkDates(client, run);
    const after = await client.scrape();
    checkNotLower(before, after, run.violations);
    const [was, is] = [before, after].map((series) => series.get('transactions_total{status="denied"}') ?? 0) as [
      number,
      number,
    ];
    run.violations.check(is > was, `${where}: transactions_total stayed at ${was}`);
    before = after;
  }
  clock.set(0);
  // ledger.test.ts tests it for the smaller scale.
  const isWhole = run.scale === 1;
  if (isWhole) await checkRetries(client, clock.set, run);
  client.close();
  await program.stop();
  return {
    done: `${steps.length} jumps of a running service's clock${isWhole ? ', and four of eight days amid retries' : ''}`,
    seen: `set by ${clock.how}, in the time zone of Berlin`,
  };
}

async function run(run: Run) {
  const file = join(await run.folder(), 'offset');
  const clock = await fakeTime(run, file).catch((error) => {
    run.log(`libfaketime cannot be had (${messageOf(error)}): the clock is JavaScript's Date`);
    return ownDate(file);
  });
  return turnClock(run, clock);
}

export const clock: Torture = {
  name: 'clock',
  what: 'clock an hour and eight days back and forth, daylight saving, leap day',
  goal: 'counters never lower, lateness as documented, retries count once',
  run,
};
