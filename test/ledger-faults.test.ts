import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { open } from 'lmdb';
import { beforeAll, describe, expect, test } from 'vitest';
import { logPaths } from '../src/ledger/log.mjs';
import { sequence } from '../src/ledger/records.ts';
import { openStore, seal, unseal } from '../src/ledger/store.mjs';
import { witnessPath } from '../src/ledger/witness.mjs';
import { childrenOf, waitFor } from './support/processes.ts';
import {
  minutesAgo,
  PROGRAM,
  runProgram,
  runToEnd,
  type ServiceProcess,
  serveProcess,
  startService,
  temporaryFolder,
  transactionLines,
} from './support/service.ts';

const ledgerIn = (dir: string) => join(dir, 'ledger.mdb');
const COMMITS = 150;

/** A sound ledger, and the one that it was a commit before. */
let sound: string;
let older: string;
beforeAll(async () => {
  [sound, older] = [temporaryFolder('sound'), temporaryFolder('older')];
  const service = await startService({ data: sound, labels: 'acquirer' });
  for (let i = 0; i < COMMITS; i++) {
    const labels = { acquirer: `acquirer ${i % 9}` };
    const report = { timestamp: minutesAgo(i % 9), source: `s${i}`, counts: { denied: i, approved: 9 }, labels };
    await service.post(report, { 'Idempotency-Key': `key ${i}`.replace(' ', '-') });
  }
  await service.close();
  copyFileSync(ledgerIn(sound), ledgerIn(older));
  await writeOften(ledgerIn(sound));
  const again = await startService({ data: sound, labels: 'acquirer' });
  await again.post({ counts: { denied: 1 } });
  await again.close();
});

/** So many transactions that their number is told from others in the file. */
async function writeOften(file: string): Promise<void> {
  const { env, tables } = openStore(file);
  const state = unseal('meta', 'state', tables.meta.get('state') ?? Buffer.alloc(0));
  for (let i = 0; i < COMMITS; i++) tables.meta.putSync('state', seal('meta', 'state', state));
  await env.close();
}

const besides = (file: string) => [witnessPath(file), ...logPaths(file)];

/** A copy of a ledger, the sound one unless said otherwise, damaged. */
function damagedBy(damage: (file: string) => void, source = sound): string {
  const dir = temporaryFolder('damaged');
  for (const path of [ledgerIn(source), ...besides(ledgerIn(source))]) copyFileSync(path, path.replace(source, dir));
  damage(ledgerIn(dir));
  return dir;
}

const withoutLog = (file: string) => {
  for (const path of logPaths(file)) rmSync(path);
};

/** The counters that a service exposes. */
async function countersOf(service: ServiceProcess): Promise<string> {
  const lines = transactionLines(await service.metrics()).filter((line) => line.includes('total'));
  return lines.sort().join('\n');
}

/** The counters that a ledger holds. */
async function countersIn(dir: string): Promise<string> {
  const service = await serveProcess(dir);
  const counters = await countersOf(service);
  await service.process.stop();
  return counters;
}

const serveToEnd = (dir: string) => runToEnd(['serve', '--port', '0', '--data', dir]);

async function expectRefused(dir: string): Promise<string> {
  const before = readFileSync(ledgerIn(dir));
  const { code, stdout, stderr } = await serveToEnd(dir);
  expect(stderr).toContain(ledgerIn(dir));
  expect(stderr).toMatch(/cannot be used: \S.*Nothing was changed\. Put a backup in its place.*or move .* away/s);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(before.equals(readFileSync(ledgerIn(dir)))).toBe(true);
  return stderr;
}

function rewriteState(file: string, text: string | undefined): void {
  const { env, tables } = openStore(file);
  if (text === undefined) tables.meta.removeSync('state');
  else tables.meta.putSync('state', seal('meta', 'state', text));
  void env.close();
}

/**
 * Turns one bit of the newer of LMDB's two meta pages, so that it looks the older one: what LMDB then opens is sound,
 * and a commit short. Where the number of the transaction stands is found, not assumed: the one that differs by 1.
 */
function ageNewestPage(file: string): void {
  const bytes = readFileSync(file);
  const pageSize = 4096;
  for (let offset = 0; offset < 256; offset += 8) {
    const [a, b] = [bytes.readBigUInt64LE(offset), bytes.readBigUInt64LE(pageSize + offset)];
    const newest = a > b ? a : b;
    if ((a - b) ** 2n !== 1n || newest < BigInt(COMMITS) || newest > BigInt(COMMITS + 50)) continue;
    bytes.writeBigUInt64LE(newest - 128n, a > b ? offset : pageSize + offset);
    writeFileSync(file, bytes);
    return;
  }
  throw new Error('no meta pages found');
}

describe('a ledger that cannot be trusted stops the start, named, with what to do, and untouched', () => {
  test.each<[string, string, (file: string) => void]>([
    ['is empty', 'it is empty', (file) => truncateSync(file, 0)],
    ['is cut in half', '', (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
    ['is cut to a page', '', (file) => truncateSync(file, 4096)],
    ['is cut within its first page', '', (file) => truncateSync(file, 100)],
    ['is text', '', (file) => writeFileSync(file, 'timestamp,status,count\n'.repeat(1000))],
    ['is another database', '', (file) => writeFileSync(file, `SQLite format 3\0${'\0'.repeat(8175)}`)],
    ['is of a later version', 'version 4', (file) => rewriteState(file, '{"version":4}')],
    ['has lost its state', 'state record is missing', (file) => rewriteState(file, undefined)],
    [
      'is an older copy, its log lost',
      'was acknowledged',
      (file) => {
        copyFileSync(ledgerIn(older), file);
        withoutLog(file);
      },
    ],
    [
      'has a newest page that looks old, its log lost',
      'is missing, and it was not closed',
      (file) => {
        ageNewestPage(file);
        withoutLog(file);
      },
    ],
  ])('one that %s', async (_name, reason, damage) => {
    expect(await expectRefused(damagedBy(damage))).toContain(reason);
  });

  test("one that is another program's", async () => {
    const dir = temporaryFolder('other');
    const other = open({ path: ledgerIn(dir), noSubdir: true });
    await other.put('a', 'b');
    await other.close();
    await expectRefused(dir);
  });

  test('one with a single bit turned, wherever it is: refused, or not a count is different', async () => {
    // Only pages in use, so that there is something to hit.
    const source = temporaryFolder('compact');
    const { env } = openStore(ledgerIn(sound));
    await env.backup(ledgerIn(source), true);
    await env.close();
    const whole = readFileSync(ledgerIn(source));
    const expected = await countersIn(sound);

    let refused = 0;
    const turn = async (i: number) => {
      const dir = damagedBy((file) => {
        const bytes = Buffer.from(whole);
        const at = Math.floor(((i + 0.5) / FLIPS) * bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (i % 8));
        writeFileSync(file, bytes);
      });
      const counters = await countersIn(dir).catch(() => undefined);
      if (counters === undefined) refused++;
      else expect(counters, `byte of flip ${i}`).toBe(expected);
    };
    const FLIPS = 12;
    for (let i = 0; i < FLIPS; i += 2) await Promise.all([turn(i), turn(i + 1)]);
    expect(refused).toBeGreaterThan(FLIPS / 4);
  });
});

test.each<[string, (file: string) => void]>([
  ['is an older copy', (file) => copyFileSync(ledgerIn(older), file)],
  ['has a newest page that looks old', ageNewestPage],
])('a ledger that %s is made whole from its log', async (_name, damage) => {
  const expected = await countersIn(damagedBy(() => {}));
  expect(await countersIn(damagedBy(damage))).toBe(expected);
});

test('a ledger that is a backup needs nothing beside it', async () => {
  const dir = damagedBy((file) => {
    for (const path of besides(file)) rmSync(path);
  });
  expect(await countersIn(dir)).toBe(await countersIn(damagedBy(() => {})));
});

describe('a log that holds what the ledger was killed before taking over', () => {
  let killed: string;
  let expected: string;
  const POSTS = 60;
  const firstLog = (file: string) => logPaths(file)[0] ?? '';
  beforeAll(async () => {
    killed = temporaryFolder('killed');
    const service = await serveProcess(killed);
    for (let i = 0; i < POSTS; i++)
      await service.post({ timestamp: minutesAgo(1), source: `s${i}`, counts: { denied: i, approved: 9 } });
    await service.process.stop('SIGKILL');
    expected = await countersIn(damagedBy(() => {}, killed));
    expect(expected).toContain(`transactions_total{status="approved"} ${9 * POSTS}`);
  });

  function changeLog(change: (bytes: Buffer) => Buffer): string {
    return damagedBy((file) => writeFileSync(firstLog(file), change(readFileSync(firstLog(file)))), killed);
  }

  test.each<[string, string, (bytes: Buffer) => Buffer]>([
    ['is empty', 'was acknowledged', () => Buffer.alloc(0)],
    ['is cut in half', 'was acknowledged', (bytes) => bytes.subarray(0, bytes.length >> 1)],
    ['lost its last byte', 'was acknowledged', (bytes) => bytes.subarray(0, -1)],
    [
      'lost its first record',
      'is missing from its log',
      (bytes) => bytes.subarray(bytes.indexOf(bytes.subarray(0, 8), 1)),
    ],
    [
      'lost one in between',
      'is damaged',
      (bytes) => Buffer.from(bytes).fill(0, bytes.length >> 1, (bytes.length >> 1) + 900),
    ],
    ['is text', 'was acknowledged', (bytes) => Buffer.alloc(bytes.length, 'status,count\n')],
  ])('stops the start when it %s', async (_name, reason, change) => {
    expect(await expectRefused(changeLog(change))).toContain(reason);
  });

  test('stops the start when it is gone', async () => {
    expect(await expectRefused(damagedBy((file) => rmSync(firstLog(file)), killed))).toContain('is missing');
  });

  test('stops the start when it is all that is left', async () => {
    const dir = damagedBy((file) => rmSync(file), killed);
    const { code, stderr } = await serveToEnd(dir);
    expect(code).toBe(1);
    expect(stderr).toMatch(/it is missing, and its log \S+ is there\. Nothing was changed/);
  });

  test('may end in what was never acknowledged', async () => {
    const [half, zeros] = [(bytes: Buffer) => bytes.subarray(0, 700), () => Buffer.alloc(5000)];
    for (const tail of [half, zeros]) {
      const dir = damagedBy((file) => appendFileSync(firstLog(file), tail(readFileSync(firstLog(file)))), killed);
      expect(await countersIn(dir)).toBe(expected);
    }
  });

  test("is taken over by a copy of the ledger where LMDB cannot write the ledger's own file any more", async () => {
    const dir = damagedBy(() => {}, killed);
    const script = fileURLToPath(new URL('../src/ledger/verify.mjs', import.meta.url));
    const preload = new URL('support/failing-lmdb.mjs', import.meta.url).href;
    const before = statSync(ledgerIn(dir)).ino;
    await execa(process.execPath, ['--import', preload, script, ledgerIn(dir)]);
    expect(statSync(ledgerIn(dir)).ino).not.toBe(before);
    expect(existsSync(`${ledgerIn(dir)}.new`)).toBe(false);
    expect(await countersIn(dir)).toBe(expected);
  });

  test('with a single bit turned, wherever it is: refused, or not a count is different', async () => {
    const FLIPS = 12;
    let refused = 0;
    const turn = async (i: number) => {
      const dir = changeLog((bytes) => {
        const at = Math.floor(((i + 0.5) / FLIPS) * bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (i % 8));
        return bytes;
      });
      const counters = await countersIn(dir).catch(() => undefined);
      if (counters === undefined) refused++;
      else expect(counters, `byte of flip ${i}`).toBe(expected);
    };
    for (let i = 0; i < FLIPS; i += 2) await Promise.all([turn(i), turn(i + 1)]);
    expect(refused).toBe(FLIPS);
  });
});

const stateIn = ({ tables }: ReturnType<typeof openStore>) =>
  JSON.parse(unseal('meta', 'state', tables.meta.get('state') ?? Buffer.alloc(0)));

test('a ledger of version 1, which had no log, is taken as it is', async () => {
  const dir = damagedBy(withoutLog);
  const store = openStore(ledgerIn(dir));
  const { id, closed, ...state } = stateIn(store);
  await store.env.close();
  rewriteState(ledgerIn(dir), JSON.stringify({ ...state, version: 1 }));
  expect([id, closed]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), true]);
  expect(await countersIn(dir)).toBe(await countersIn(damagedBy(() => {})));
});

test('the list of a ledger of version 2, whose reports were objects, is read on beside what is added', async () => {
  const dir = damagedBy(() => {});
  const store = openStore(ledgerIn(dir));
  const state = stateIn(store);
  const [timestamp, receivedAt] = [Date.parse('2026-11-21T12:31:00Z'), Date.parse('2026-11-21T12:32:00Z')];
  const kept = {
    timestamp,
    receivedAt,
    source: 'of version 2',
    counts: { denied: 6 },
    authCodes: { 51: 6 },
    late: true,
  };
  const records = [
    [kept, { ...kept, source: 'with labels', labels: { acquirer: 'acme' } }],
    { ...kept, source: 'alone', timestamp: '2026-11-21T12:31:00.000Z', receivedAt: '2026-11-21T12:32:00.000Z' },
  ];
  for (const [index, record] of records.entries()) {
    const key = sequence(state.nextReport + 2 * index);
    store.tables.reports.putSync(key, seal('reports', key, JSON.stringify(record)));
  }
  await store.env.close();
  rewriteState(ledgerIn(dir), JSON.stringify({ ...state, version: 2, nextReport: state.nextReport + 3 }));

  const service = await startService({ data: dir, labels: 'acquirer' });
  await service.post({ source: 'added', counts: { denied: 2 }, authCodes: { 51: 2 }, labels: { acquirer: 'acme' } });
  await service.post({ status: 'failed', auth_code: '91', count: 3 });
  const { json } = await service.get('/api/v1/transactions?limit=5');
  await service.close();
  const times = { timestamp: '2026-11-21T12:31:00.000Z', receivedAt: '2026-11-21T12:32:00.000Z' };
  const now = { timestamp: expect.stringMatching(/Z$/), receivedAt: expect.stringMatching(/Z$/), late: false };
  expect(json.reports).toEqual([
    { ...now, counts: { failed: 3 }, authCodes: { 91: 3 } },
    { ...now, source: 'added', labels: { acquirer: 'acme' }, counts: { denied: 2 }, authCodes: { 51: 2 } },
    { ...kept, ...times, source: 'alone' },
    { ...kept, ...times, source: 'with labels', labels: { acquirer: 'acme' } },
    { ...kept, ...times },
  ]);
});

test('a ledger that was moved away is begun anew, its witness with it', async () => {
  const dir = temporaryFolder('anew');
  mkdirSync(dir, { recursive: true });
  copyFileSync(witnessPath(ledgerIn(sound)), witnessPath(ledgerIn(dir)));
  for (let i = 0; i < 2; i++) {
    const service = await serveProcess(dir);
    expect(await service.value('transactions_total{status="denied"}')).toBe(0);
    await service.process.stop();
  }
});

test('a witness that cannot be read proves nothing, and stops nothing', async () => {
  const dir = damagedBy((file) => writeFileSync(witnessPath(file), '\0\0'));
  const service = await serveProcess(dir);
  expect((await service.post({ status: 'denied' })).status).toBe(200);
  await service.process.stop();
});

const limitFiles = (pid: number, bytes: number | 'unlimited') =>
  execa('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);

/** Fills the ledger until a report is refused. LMDB first uses up the pages that it has freed. */
async function postUntilRefused(service: ServiceProcess) {
  for (let i = 0; i < 3000; i++) {
    const report = {
      timestamp: minutesAgo(1),
      source: `filler ${i} ${'x'.repeat(150)}`,
      counts: { failed: 1 },
      // A series of its own, so that one that never came to be would be missed at the next start.
      authCodes: { [i.toString(36)]: 1 },
    };
    const answer = await service.post(report);
    if (answer.status !== 200) return { answer, accepted: i, report };
  }
  throw new Error('the disk did not fill');
}

test('a full disk: 503 and nothing counted; once there is space, everything works again', async () => {
  const dir = temporaryFolder('full');
  const service = await serveProcess(dir);
  await service.post({ counts: { denied: 6 } }, { 'Idempotency-Key': 'before' });
  await limitFiles(service.process.pid, readFileSync(ledgerIn(dir)).length);

  const { answer, accepted, report } = await postUntilRefused(service);
  expect(answer.status, answer.text).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.json.detail).toContain('Nothing of this body was counted');
  expect(await service.value('transactions_total{status="failed"}')).toBe(accepted);
  expect(service.process.stderr()).toContain(ledgerIn(dir));

  await limitFiles(service.process.pid, 'unlimited');
  expect((await service.post(report)).json).toMatchObject({ accepted: 1, duplicates: 0 });
  expect((await service.post(report)).json).toMatchObject({ accepted: 0, duplicates: 1 });
  expect(await service.value('transactions_total{status="failed"}')).toBe(accepted + 1);
  await service.process.stop('SIGKILL');

  const again = await serveProcess(dir);
  expect(await again.value('transactions_total{status="failed"}')).toBe(accepted + 1);
  expect(await again.value('transactions_total{status="denied"}')).toBe(6);
  await again.process.stop();
});

test('a slow disk: who reports waits for it, and nobody else does', async () => {
  const dir = temporaryFolder('slow');
  const preload = new URL('support/slow-disk.mjs', import.meta.url).href;
  const service = await serveProcess(dir, [], { NODE_OPTIONS: `--import ${preload}` });
  await service.post({ counts: { denied: 6 } });

  let counted = false;
  const second = service.post({ counts: { denied: 1 } }).then((answer) => {
    counted = true;
    return answer;
  });
  for (let i = 0; i < 5; i++) expect((await service.get('/-/healthy')).status).toBe(200);
  expect(counted).toBe(false);
  expect(await service.value('transactions_total{status="denied"}')).toBe(6);
  expect((await second).status).toBe(200);
  await service.process.stop('SIGKILL');
  expect(await countersIn(dir)).toContain('transactions_total{status="denied"} 7');
});

/** Reports of their own, which take a megabyte of the log; of one minute, so that they are the same when sent again later. */
const manyReports = (name: string, timestamp = minutesAgo(1)) =>
  Array.from({ length: 2000 }, (_, i) => ({
    timestamp,
    source: `${name} ${i} ${'x'.repeat(80)}`,
    counts: { failed: 1 },
  }));

/** The process that writes the ledger's own file; undefined before its first order and after its end. */
const writerOf = ({ process: { pid } }: ServiceProcess): number | undefined => childrenOf(pid)[0];

const BEHIND = 'its log keeps what is reported';
const CAUGHT_UP = 'holds what its log kept';

async function expectSameAfterKill(service: ServiceProcess, dir: string): Promise<void> {
  const before = await countersOf(service);
  await service.process.stop('SIGKILL');
  expect(await countersIn(dir)).toBe(before);
}

test("a disk that takes the log and again and again nothing of the ledger's own file: reports go on, and nothing is missed", async () => {
  const dir = temporaryFolder('behind');
  const first = await serveProcess(dir);
  await first.post(manyReports('first'));
  await first.process.stop();
  // The log begins anew and stays under the limit, above which most of the ledger's own file is.
  const service = await serveProcess(dir);
  await limitFiles(service.process.pid, 65_536);
  expect((await service.post({ counts: { denied: 6 } })).status).toBe(200);

  // A writer that has failed is not trusted any more: each further try is another process.
  const writers = new Set<number>();
  const tried = async () => writers.add(await waitFor(() => writerOf(service), { what: 'the writer' })).size > 3;
  await waitFor(tried, { what: 'four tries' });
  expect(service.process.stderr()).toContain(BEHIND);
  expect((await service.post({ counts: { denied: 1 } })).status).toBe(200);

  await limitFiles(service.process.pid, 'unlimited');
  await waitFor(() => service.process.stderr().includes(CAUGHT_UP), { what: 'the ledger to be written again' });
  expect(await service.value('transactions_total{status="denied"}')).toBe(7);
  expect(await service.value('transactions_total{status="failed"}')).toBe(2000);
  await expectSameAfterKill(service, dir);
});

test("the process that writes the ledger's own file is killed again and again: nobody notices", async () => {
  const dir = temporaryFolder('writer');
  const service = await serveProcess(dir);
  const ROUNDS = 5;
  const minute = minutesAgo(1);
  for (let i = 0; i < ROUNDS; i++) {
    expect((await service.post(manyReports(`round ${i}`, minute))).status).toBe(200);
    const writer = await waitFor(() => writerOf(service), { what: 'the writer', timeout: 60_000 });
    // It has just been given its first order.
    process.kill(writer, 'SIGABRT');
    await waitFor(() => writerOf(service) !== writer, { what: 'its end' });
  }
  expect(await service.value('transactions_total{status="failed"}')).toBe(2000 * ROUNDS);
  expect((await service.post(manyReports('round 0', minute))).json).toMatchObject({ accepted: 0, duplicates: 2000 });
  await expectSameAfterKill(service, dir);
});

test('a start waits for what a killed one left writing: two at a time do LMDB harm', async () => {
  const dir = temporaryFolder('left-over');
  const killed = await serveProcess(dir);
  await killed.post({ counts: { denied: 6 } });
  const writer = await waitFor(() => writerOf(killed), { what: 'the writer', timeout: 60_000 });
  await waitFor(() => existsSync(`${ledgerIn(dir)}-writer`), { what: 'the writer at work' });
  process.kill(writer, 'SIGSTOP');
  await killed.process.stop('SIGKILL');

  const next = await runProgram(['serve', '--port', '0', '--data', dir]);
  const waits = `waiting for process ${writer} of a tillwatch that was killed`;
  await waitFor(() => next.stderr().includes(waits), { what: 'the start to wait' });
  expect(next.stderr()).not.toContain('listening');
  process.kill(writer, 'SIGCONT');
  await waitFor(() => next.stderr().includes('listening on'), { what: 'the start' });
  await next.stop();
  expect(await countersIn(dir)).toContain('transactions_total{status="denied"} 6');
});

test('no space at the first start: it ends, says so, and leaves no half ledger behind', async () => {
  const dir = temporaryFolder('nospace');
  const failed = await execa(
    'prlimit',
    ['--fsize=0', process.execPath, PROGRAM, 'serve', '--port', '0', '--data', dir],
    {
      reject: false,
    },
  );
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toContain(dir);
  expect(existsSync(ledgerIn(dir))).toBe(false);
  const service = await serveProcess(dir);
  await service.process.stop();
});

test.each([
  ['a folder that cannot be made', 'package.json/data'],
  ['a file', 'package.json'],
])('%s is no place for data', async (_name, place) => {
  const running = await runProgram(['serve', '--port', '0', '--data', place]);
  expect(await running.exited).toEqual({ code: 1, signal: null });
  expect(running.stderr()).toContain(`cannot keep data in ${place}`);
  expect(running.stderr()).toContain('--data');
});
