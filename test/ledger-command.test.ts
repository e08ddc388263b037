import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { createPrometheus } from '../src/prometheus/client.ts';
import { startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { createTestIo } from './support/command-io.ts';
import { type Postgres, startPostgres } from './support/postgres.ts';
import { type Service, startService, temporaryFolder, transactionLines } from './support/service.ts';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** The start of an hour that has ended. */
const HOUR_AGO = Math.floor(Date.now() / 1000 / HOUR) * HOUR - HOUR;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

async function tillwatch(...args: string[]) {
  const io = createTestIo();
  const code = await run(args, io);
  return { code, ...io.written };
}
const ask = async (place: string[], sql: string) => {
  const { code, stdout, stderr } = await tillwatch('ledger', 'sql', ...place, '--json', sql);
  expect(code, `${sql}: ${stderr}`).toBe(0);
  return JSON.parse(stdout);
};

/**
 * Counts of today, yesterday and a week ago, by two acquirers, with auth codes; a gap, and a report
 * that is corrected.
 */
async function fill(service: Service, days = [0, DAY, 7 * DAY]): Promise<void> {
  const reports = days.flatMap((ago, day) =>
    [0, 1, 2, 5].flatMap((minute) =>
      ['acme', 'bell'].map((acquirer, i) => ({
        timestamp: iso(HOUR_AGO - ago + minute * MINUTE),
        source: 'test',
        labels: { acquirer },
        counts: { approved: 100 + 10 * day + minute, denied: 5 + i + minute, failed: i, processing: 0 },
        authCodes: { '00': 100 + minute, 51: 3 + i, 59: 2 },
      })),
    ),
  );
  const answers = [
    await service.post(reports),
    await service.post({ ...reports[0], counts: { approved: 140 } }),
    await service.post({ counts: { approved: 7 } }, { 'Idempotency-Key': 'a' }),
    await service.post({ status: 'denied', count: 2, labels: { acquirer: 'acme' } }),
  ];
  for (const { status, text } of answers) expect(status, text).toBe(200);
}

const sorted = async (service: Service) => transactionLines(await service.metrics()).sort();

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe.each(['SQLite', 'PostgreSQL'])('a ledger in use in %s', (engine) => {
  let service: Service;
  let place: string[];
  let where: string;
  beforeAll(async () => {
    const data = temporaryFolder('ledger');
    const url = engine === 'SQLite' ? '' : await postgres.database('in_use');
    place = engine === 'SQLite' ? ['--data', data] : ['--ledger', url];
    where = engine === 'SQLite' ? data : url;
    service = await startService({ data, ledger: url, dimensions: 'acquirer' });
    await fill(service);
  });
  afterAll(() => service.close());

  test('is backed up into a private file, from which a service starts with the same counters', async () => {
    const folder = temporaryFolder('backup');
    const file = join(folder, 'backup.sqlite');
    const { code, stdout, stderr } = await tillwatch('ledger', 'backup', ...place, file);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await tillwatch('ledger', 'backup', ...place, file);
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('nothing is replaced') });

    const data = join(folder, 'data');
    mkdirSync(data);
    copyFileSync(file, join(data, 'ledger.sqlite'));
    const restored = await startService({ data, dimensions: 'acquirer' });
    expect(await sorted(restored)).toEqual(await sorted(service));
    const repeat = await restored.post({ counts: { approved: 7 } }, { 'Idempotency-Key': 'a' });
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    await restored.close();
  });

  test('is found in order; a counter that does not equal its minutes is found, and a label that has changed', async () => {
    const { code, stdout, stderr } = await tillwatch('ledger', 'verify', ...place);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('is in order');
    expect(stdout.includes('integrity_check')).toBe(engine === 'SQLite');

    const wrong =
      engine === 'SQLite' ? join(temporaryFolder('wrong'), 'ledger.sqlite') : await postgres.database('wrong');
    expect((await tillwatch('ledger', 'copy', where, wrong)).code).toBe(0);
    const change = `UPDATE series SET value = value + 1 WHERE labels = '{"status":"denied"}' AND metric = 'transactions_total';
      UPDATE series SET labels = '{"auth_code":"99"}' WHERE labels = '{"auth_code":"00"}'`;
    if (engine === 'PostgreSQL') await postgres.query(wrong, change);
    else {
      const { DatabaseSync } = await import('../src/ledger/sqlite/driver.mjs');
      const database = new DatabaseSync(wrong);
      database.exec(change);
      database.close();
    }
    const found = await tillwatch('ledger', 'verify', wrong);
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(
      /WRONG each counter of a status equals the sums of its minutes\n +\{"status":"denied"/,
    );
    expect(found.stdout).toMatch(/WRONG each series has the labels that it was made with\n .*99/);
  });

  test('moves to the other engine, and goes on from there', async () => {
    const to = engine === 'SQLite' ? await postgres.database('moved') : temporaryFolder('moved');
    expect(await tillwatch('ledger', 'copy', where, to)).toMatchObject({ code: 0 });
    const refused = await tillwatch('ledger', 'copy', where, to);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing is replaced') });
    const flags = engine === 'SQLite' ? { ledger: to } : { data: to };
    const moved = await startService({ ...flags, dimensions: 'acquirer' });
    expect(await sorted(moved)).toEqual(await sorted(service));
    const before = await moved.value('transactions_total{status="approved"}');
    await moved.post({ counts: { approved: 3 } }, { 'Idempotency-Key': 'after-the-move' });
    expect(await moved.value('transactions_total{status="approved"}')).toBe((before ?? 0) + 3);
    await moved.close();
    expect(await tillwatch('ledger', 'verify', to)).toMatchObject({ code: 0 });
  });

  test('is exported as counts by minute, by status and by auth code', async () => {
    const statuses = await tillwatch('ledger', 'export', '--csv', ...place);
    const lines = statuses.stdout.trim().split('\n');
    expect(lines[0]).toBe('timestamp,status,count,acquirer');
    expect(lines).toContain(`${iso(HOUR_AGO)},approved,140,acme`);
    expect(lines).toContain(`${iso(HOUR_AGO - DAY)},denied,6,bell`);
    expect(lines.filter((line) => line.endsWith(',approved,7,')).length).toBe(1);
    const codes = await tillwatch('ledger', 'export', '--auth-codes', ...place);
    expect(codes.stdout.split('\n').slice(0, 2)).toEqual([
      'timestamp,auth_code,count',
      `${iso(HOUR_AGO - 7 * DAY)},00,200`,
    ]);
  });

  test('is asked in SQL, and not changed', async () => {
    const sql = `SELECT minute, status, count, share FROM counts_by_minute WHERE epoch = ${HOUR_AGO} ORDER BY status`;
    const table = await tillwatch('ledger', 'sql', ...place, sql);
    expect(table.stdout.split('\n').slice(0, 3)).toEqual([
      'minute                status      count       share',
      '--------------------  ----------  -----  ----------',
      expect.stringMatching(/^\S+Z {2}approved {6}240 {4}0\.95238/),
    ]);
    const csv = await tillwatch('ledger', 'sql', ...place, '--csv', 'SELECT 1 AS a, \'x,"y"\' AS b;');
    expect(csv.stdout).toBe('a,b\n1,"x,""y"""\n');
    const refused: [string, number][] = [
      ['DELETE FROM series', 2],
      ['SELECT 1; DELETE FROM series', 1],
      ['WITH gone AS (DELETE FROM series RETURNING id) SELECT * FROM gone', 1],
      ['SELECT nothing FROM nowhere', 1],
    ];
    for (const [sql, code] of refused)
      expect(await tillwatch('ledger', 'sql', ...place, sql), sql).toMatchObject({
        code,
        stdout: '',
        stderr: expect.stringMatching(/./),
      });
    expect(await ask(place, 'SELECT COUNT(*) AS n FROM series')).not.toEqual([{ n: 0 }]);
  });
});

test('each query of docs/sql.md gives rows, and the same rows on both engines', async () => {
  const markdown = readFileSync(fileURLToPath(new URL('../docs/sql.md', import.meta.url)), 'utf8');
  const queries = [...markdown.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql = '']) => sql);
  expect(queries.length).toBeGreaterThanOrEqual(12);
  const data = temporaryFolder('sql');
  const service = await startService({ data, dimensions: 'acquirer' });
  await fill(service);
  // Of this very hour too: an hour ago may have been yesterday.
  for (const ago of [0, DAY, 7 * DAY])
    await service.post({ timestamp: iso(Math.floor(Date.now() / 1000) - ago), counts: { approved: 50, denied: 3 } });
  await service.close();
  const url = await postgres.database('queries');
  await tillwatch('ledger', 'copy', data, url);
  for (const sql of queries) {
    const rows = await ask(['--data', data], sql);
    expect(rows.length, sql).toBeGreaterThan(0);
    expect(await ask(['--ledger', url], sql), sql).toEqual(rows);
  }
});

test('a new Prometheus gets the history of the ledger with its recorded series', async () => {
  const data = temporaryFolder('refill');
  const service = await startService({ data, dimensions: 'acquirer' });
  await fill(service, [0]);
  await service.close();
  const { code, stdout, stderr } = await tillwatch('import', '--from-ledger', '--data', data);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^imported [45] minutes/);
  const server = await startEphemeralPrometheus(join(data, 'prometheus'));
  const prometheus = createPrometheus(server.url);
  const at = (query: string) => prometheus.instant(`sum(last_over_time(${query}[30d]))`);
  expect(await at('transactions_total{status="approved",acquirer="bell"}')).toEqual([{ labels: {}, value: 408 }]);
  expect(await at('transactions_by_auth_code_total{auth_code="51"}')).toEqual([{ labels: {}, value: 28 }]);
  expect((await at('status:transactions:increase1m')).length).toBe(1);
  await server.stop();
});

describe('used wrongly', () => {
  test.each([
    ['a folder without a ledger', ['ledger', 'verify', '--data', '/nonexistent'], 1, /no ledger .*--data DIR/],
    ['no file', ['ledger', 'backup'], 2, /missing required argument/],
    ['files and the ledger', ['import', 'a.csv', '--from-ledger'], 2, /--from-ledger/],
    ['neither', ['import'], 2, /file/],
    ['two formats', ['ledger', 'sql', '--csv', '--json', 'SELECT 1'], 2, /one of/],
  ])('%s: the exit code says so, and stderr what is wrong', async (_, args, code, message) => {
    expect(await tillwatch(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    expect(existsSync('/nonexistent')).toBe(false);
  });

  test('each command explains itself with an example', async () => {
    for (const name of ['backup', 'verify', 'export', 'copy', 'sql']) {
      const { code, stdout } = await tillwatch('ledger', name, '--help');
      expect(code).toBe(0);
      expect(stdout).toContain(`Example:\n  tillwatch ledger ${name} `);
    }
  });
});
