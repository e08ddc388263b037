import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '../../src/ledger/sqlite/driver.mjs';
import { postOf } from '../load/request.mjs';
import { type Row, row, whole } from '../load/rounds.ts';
import { type Generator, startGenerator, startTillwatch } from '../load/service.ts';
import { PROJECT } from '../project.ts';
import { memoryOf } from '../torture/program.ts';
import { keyed } from './requests.ts';

/** Keys and reports that a ledger holds when it is started. */
const KNOWN = 3_000_000;
/** A day and more, in steps a little below the hour that one step of a clock may take. */
const STEPS = 26;
const STEP_SECONDS = 3500;

/** A service with a ledger in a folder of its own, started. @returns seconds and memory */
async function start(folder: string) {
  const began = performance.now();
  const service = await startTillwatch([], { data: folder });
  const seconds = (performance.now() - began) / 1000;
  const memory = await memoryOf(Number(service.child.pid));
  await service.stop();
  return { seconds, memory };
}

/** As many rows as a day of keys and a week of reports may bring. */
function fill(file: string): void {
  const database = new DatabaseSync(file);
  const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${KNOWN})`;
  const now = Date.now();
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN');
  database.exec(`${numbers} INSERT INTO idempotency_keys (hash, at, body, answer)
    SELECT substr(hex(i * 2654435761 % 4294967296) || '0000000000000000000000', 1, 22), ${now}, '12345678901', hex(zeroblob(50)) FROM n`);
  database.exec(`${numbers} INSERT INTO identified_reports (identity, at, slots)
    SELECT ${Math.floor(now / 60_000) * 60} || ' ["pos-' || i || '",{}]', ${now}, '{"approved":116,"denied":6}' FROM n`);
  database.exec('COMMIT');
  database.close();
}

async function startRows(log: (line: string) => void): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tillwatch-bench-known-'));
  try {
    await start(folder);
    const empty = await start(folder);
    log(`filling a ledger with ${whole(KNOWN)} keys and reports`);
    fill(join(folder, 'ledger.sqlite'));
    const full = await start(folder);
    const [seconds, bytes] = [full.seconds - empty.seconds, full.memory - empty.memory];
    const what = `start with ${whole(KNOWN)} keys and reports / empty`;
    const took = `${full.seconds.toFixed(2)} s by ${empty.seconds.toFixed(2)} s`;
    const had = `${Math.round(full.memory / 1e6)} MB by ${Math.round(empty.memory / 1e6)} MB`;
    return [row(what, '<=', 3, seconds, ' s more', took), row(what, '<=', 100, bytes / 1e6, ' MB more', had)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Keyed reports for some seconds; the file that holds them; and as many again, once the first have
 * expired.
 */
async function bytesRows(generator: Generator, seconds: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tillwatch-bench-keys-'));
  const clock = join(folder, 'offset');
  const set = (steps: number) => writeFileSync(clock, String(steps * STEP_SECONDS));
  set(0);
  const node = ['--import', join(PROJECT, 'bench/torture/fake-date.mjs')];
  process.env.FAKE_DATE_FILE = clock;
  const size = () => statSync(join(folder, 'ledger.sqlite')).size;
  /** Does something with a service; SQLite empties its log into the file when it stops. */
  async function during<T>(work: (port: number) => Promise<T>): Promise<T> {
    const service = await startTillwatch([], { data: folder, node });
    try {
      return await work(service.port);
    } finally {
      await service.stop();
    }
  }
  const load = (port: number, seconds: number) => generator.run({ port, connections: 50, seconds, request: keyed() });
  const one = postOf('/api/v1/transactions', 'application/json', '{"status":"denied"}');
  try {
    await during(async () => {});
    const empty = size();
    const requests = await during(async (port) => {
      const { requests } = await load(port, seconds);
      // Time goes on in steps, each with a report.
      for (let i = 1; i <= STEPS; i++) {
        set(i);
        await generator.run({ port, connections: 1, seconds: 0, request: one });
      }
      return requests;
    });
    const first = size() - empty;
    const again = await during(async (port) => {
      let done = 0;
      while (done < requests) done += (await load(port, Math.max(1, seconds / 2))).requests;
      return done;
    });
    const second = size() - empty;
    const parts = `${whole(requests)} reports, ${(first / 1e6).toFixed(1)} MB`;
    return [
      row('bytes on disk a keyed report', '<=', 250, first / requests, ' B', parts),
      row(
        'the file after as many again, the first expired',
        '<=',
        1.3,
        second / first / (again / requests),
        'x',
        `${(second / 1e6).toFixed(1)} MB, ${whole(again)} reports`,
      ),
    ];
  } finally {
    delete process.env.FAKE_DATE_FILE;
    rmSync(folder, { recursive: true });
  }
}

/** Measures a ledger that holds much. */
export async function storedRows(seconds: number, log: (line: string) => void): Promise<Row[]> {
  const generator = startGenerator();
  try {
    return [...(await startRows(log)), ...(await bytesRows(generator, 5 * seconds))];
  } finally {
    generator.stop();
  }
}
