import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logPaths } from '../src/ledger/log.mjs';
import { openStore } from '../src/ledger/store.mjs';
import { readState, takeOver } from '../src/ledger/take-over.mjs';
import { type LedgerOptions, openLedger } from '../src/ledger.ts';
import { METRIC } from '../src/names.ts';
import type { Report } from '../src/report.ts';
import { waitFor } from './support/processes.ts';
import { temporaryFolder } from './support/service.ts';

/** Small enough that a few hundred reports go around it many times. */
const SMALL = { turn: 4096, full: 32_768 };
const options = (more: Partial<LedgerOptions> = {}): LedgerOptions => ({
  latenessSeconds: 900,
  maxSeries: 100,
  log: () => {},
  logLimits: SMALL,
  ...more,
});

type Ledger = Awaited<ReturnType<typeof openLedger>>;

function reportOf(source: string): Report {
  const entries = [{ slot: 'denied', status: 'denied' as const, count: 1 }];
  const time = Date.now();
  return { time, minute: Math.floor(time / 60_000) * 60, source, labels: {}, identified: true, entries };
}

const record = (ledger: Ledger, reports: Report[]) => ledger.record({ reports, now: Date.now(), answer: () => '' });

function denied(ledger: Ledger): number {
  const series = ledger.chunks(METRIC.transactions).flatMap((chunk) => chunk.series);
  return series.find(({ labels }) => labels.status === 'denied')?.value ?? Number.NaN;
}

const sizes = (dir: string) => logPaths(join(dir, 'ledger.mdb')).map((path) => statSync(path).size);

test('the log goes around: it stays small, and what it held is found in the ledger, before a restart and after', async () => {
  const dir = temporaryFolder('around');
  const sent = Array.from({ length: 400 }, (_, i) => reportOf(`source ${i}`));
  for (let round = 0; round < 2; round++) {
    const ledger = await openLedger(dir, options());
    for (const report of sent) await record(ledger, [report]);
    // A repeat of each is recognised, wherever it is by now.
    expect(denied(ledger)).toBe(400);
    expect(ledger.reports(1000)).toHaveLength(400);
    const sources = ledger.reports(400).map((report) => (report as { source: string }).source);
    expect(sources).toEqual(sent.map(({ source }) => source).reverse());
    await ledger.close();
  }
  for (const size of sizes(dir)) expect(size).toBeLessThan(SMALL.full + SMALL.turn);
});

test('notes and marks are read in order while they move from the log to the ledger', async () => {
  const dir = temporaryFolder('notes');
  const ledger = await openLedger(dir, options());
  for (let i = 0; i < 200; i++) {
    await ledger.note({ n: i, text: 'x'.repeat(200) });
    await ledger.mark(`mark ${i % 5}`, { n: i });
    expect(ledger.notes(3)).toMatchObject([i, i - 1, i - 2].filter((n) => n >= 0).map((n) => ({ n })));
    expect(ledger.notesFrom(0).map(({ number }) => number)).toEqual(Array.from({ length: i + 1 }, (_, n) => n));
  }
  expect(ledger.marks()).toEqual([195, 196, 197, 198, 199].map((n) => ({ n })));
  await ledger.close();
});

test('a ledger that cannot take over its log goes on until that is full, then refuses, and recovers by itself', async () => {
  const dir = temporaryFolder('behind');
  const told: string[] = [];
  const ledger = await openLedger(dir, options({ log: (_level, message) => told.push(message) }));
  await record(ledger, [reportOf('first')]);
  // The disk gives back something else than what was written.
  const path = logPaths(join(dir, 'ledger.mdb'))[0] ?? '';
  const whole = readFileSync(path);
  const overwrite = (bytes: Buffer) => {
    const file = openSync(path, 'r+');
    writeSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
  };
  overwrite(Buffer.from(whole).fill(0, 40, 60));

  let accepted = 1;
  const refused = await (async () => {
    for (let i = 0; i < 1000; i++) {
      const error = await record(ledger, [reportOf(`source ${i}`)]).then(
        () => undefined,
        (error: Error) => error,
      );
      if (error !== undefined) return error;
      accepted++;
    }
    return undefined;
  })();
  expect(refused).toMatchObject({
    name: 'LedgerUnavailable',
    message: expect.stringMatching(/commit \d+ .*its log/),
  });
  expect(accepted).toBeGreaterThan(10);
  expect(denied(ledger)).toBe(accepted);
  expect(told).toContainEqual(expect.stringContaining('its log keeps what is reported until it is full'));
  expect(sizes(dir)[0]).toBeLessThan(2 * SMALL.full);

  overwrite(whole);
  await waitFor(
    () =>
      record(ledger, [reportOf('again')]).then(
        () => true,
        () => undefined,
      ),
    { what: 'the ledger to recover' },
  );
  expect(denied(ledger)).toBe(accepted + 1);
  await ledger.close();
  const after = await openLedger(dir, options());
  expect(denied(after)).toBe(accepted + 1);
  await after.close();
});

test('the writer of a service that was killed, still at work beside the next one, takes nothing back', async () => {
  const dir = temporaryFolder('left-over');
  const ledger = await openLedger(dir, options());
  for (let i = 0; i < 20; i++) await record(ledger, [reportOf(`source ${i}`)]);
  await ledger.close();
  const file = join(dir, 'ledger.mdb');
  const store = openStore(file);
  const before = readState(store.tables);
  takeOver(store, file, { to: before.commits - 1, state: { closed: false } });
  expect(readState(store.tables)).toEqual(before);
  await store.env.close();
});

test('an answer that has expired is not given again, and its key is as new', async () => {
  const dir = temporaryFolder('expired');
  const ledger = await openLedger(dir, options());
  const keyed = (fingerprint: string, now: number, source: string) =>
    ledger.record({ reports: [reportOf(source)], key: 'key', fingerprint, now, answer: () => fingerprint });
  await keyed('old', Date.now() - 2 * 86_400_000, 'a');
  expect((await keyed('new', Date.now(), 'b')).text).toBe('"new"');
  await ledger.close();
  // Clearing away the old one has left the new one.
  const after = await openLedger(dir, options());
  const again = { reports: [reportOf('b')], key: 'key', fingerprint: 'new', now: Date.now(), answer: () => 'other' };
  expect(await after.record(again)).toEqual({ text: '"new"', replayed: true });
  await after.close();
});
