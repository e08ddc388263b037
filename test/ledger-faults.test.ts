import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqlite } from '../src/ledger/sqlite/sqlite.ts';
import { type Postgres, startPostgres } from './support/postgres.ts';
import { waitFor } from './support/processes.ts';
import { type Service, serveProcess, startService, temporaryFolder } from './support/service.ts';

const denied = 'transactions_total{status="denied"}';
const FAILING = 'tillwatch_ledger_failing';

const isReady = async (service: Service) => (await service.get('/-/ready')).status === 200;
const told = (service: Service, what: RegExp) => service.logged.filter((line) => what.test(line)).length;

describe('SQLite', () => {
  test('a folder with a ledger of the old form stops the start, and stays as it is', async () => {
    const data = temporaryFolder('old');
    writeFileSync(join(data, 'ledger.mdb'), 'old');
    await expect(startService({ data })).rejects.toThrow(/ledger of an old form \(ledger\.mdb\).*--data DIR/);
    expect(readdirSync(data)).toEqual(['ledger.mdb']);
  });

  test('a file that is no ledger stops the start, named', async () => {
    const data = temporaryFolder('other');
    writeFileSync(join(data, 'ledger.sqlite'), 'something else, and long enough to be looked at'.repeat(100));
    await expect(startService({ data })).rejects.toThrow(/cannot open the ledger .*ledger\.sqlite: .*not a database/);
  });

  test('a question that takes too long is given up, and the next one is answered', async () => {
    const engine = openSqlite(join(temporaryFolder('slow'), 'ledger.sqlite'));
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)';
    for (let i = 0; i < 5; i++) {
      await engine.read([['SELECT 1']]);
      const slow = engine.read([[`${numbers} SELECT i, hex(zeroblob(100)) AS text FROM n`]]);
      engine.abandon();
      await expect(slow).rejects.toThrow('did not answer in time');
    }
    expect(await engine.read([['SELECT 1 AS one']])).toEqual([[{ one: 1 }]]);
    await engine.close();
  });

  test('a file that could not be opened is opened again for the next question, and no half of a transaction is written', async () => {
    const file = join(temporaryFolder('opened'), 'ledger.sqlite');
    const engine = openSqlite(file);
    renameSync(file, `${file}.away`);
    await expect(engine.read([['SELECT 1']])).rejects.toThrow('is gone');
    renameSync(`${file}.away`, file);
    await expect(engine.write([['CREATE TABLE t (a)'], ['INSERT INTO u (a) VALUES (1)']])).rejects.toThrow(
      'no such table',
    );
    expect(await engine.read([["SELECT name FROM sqlite_master WHERE type = 'table'"]])).toEqual([[]]);
    await engine.close();
  });

  test('what is counted can be read by nobody else', async () => {
    const service = await startService();
    await service.post({ status: 'denied' });
    for (const name of readdirSync(service.dir)) expect(statSync(join(service.dir, name)).mode & 0o777).toBe(0o600);
    await service.close();
  });

  test.each(['ledger.sqlite', 'ledger.sqlite-wal'])(
    '%s is removed under a running service: 503, and it says so',
    async (name) => {
      const service = await startService();
      await service.post({ status: 'denied' });
      rmSync(join(service.dir, name));
      const answer = await service.post({ status: 'denied' });
      expect(answer.status).toBe(503);
      expect(answer.json.detail).toMatch(/was removed or replaced/);
      const ready = await service.get('/-/ready');
      expect([ready.status, ready.json.detail]).toEqual([503, expect.stringContaining('the ledger cannot commit')]);
      await service.post({ status: 'denied' });
      expect(told(service, /cannot commit/)).toBe(1);
      await expect(service.close()).rejects.toThrow(/stopped before everything was committed/);
    },
  );

  test('a service that is told to stop says that it is not ready, and goes on answering for a while', async () => {
    const service = await serveProcess(temporaryFolder('drain'), ['--drain', '2s']);
    const stopped = service.process.stop('SIGTERM');
    await waitFor(async () => (await service.get('/-/ready')).status === 503, { what: 'it to be not ready' });
    expect((await service.post({ status: 'denied' })).status).toBe(200);
    expect(await stopped).toEqual({ code: 0, signal: null });
  });
});

describe('PostgreSQL', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  test('one that acknowledges what is not on disk stops the start', async () => {
    const ledger = await postgres.database('hasty');
    await postgres.query(ledger, 'ALTER DATABASE hasty SET synchronous_commit = off');
    await expect(startService({ ledger })).rejects.toThrow(/synchronous_commit is off.*switch it on/);
  });

  test('one that is not there stops the start, and the password stays out of the message', async () => {
    const start = startService({ ledger: 'postgres://me:secret@127.0.0.1:1/db' });
    await expect(start).rejects.toThrow(/^cannot open the ledger postgres:\/\/127\.0\.0\.1:1\/db: /);
  });

  test('one that hangs: every request is answered 503, one line when it starts and one when it ends', async () => {
    const service = await startService({ ledger: await postgres.database('hangs') });
    expect((await service.post({ status: 'denied' })).status).toBe(200);
    postgres.freeze(true);
    try {
      const answers = await Promise.all([1, 2, 3].map(() => service.post({ status: 'denied' })));
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
      expect(answers[0]?.json.detail).toMatch(/(did not answer within 10 s|cannot be used).*Nothing was counted/);
      expect(await isReady(service)).toBe(false);
      expect((await service.get('/metrics')).status).toBe(503);
    } finally {
      postgres.freeze(false);
    }
    await waitFor(() => isReady(service), { what: 'it to be ready again' });
    expect([told(service, /cannot commit/), told(service, /commits again/)]).toEqual([1, 1]);
    expect(await service.value(denied)).toBe(1);
    expect(await service.value(FAILING)).toBe(0);
    await service.close();
  });
});
