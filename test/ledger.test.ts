import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Outcome } from '../src/ledger/plan.ts';
import { openLedger } from '../src/ledger.ts';
import type { Report } from '../src/report.ts';
import {
  increases,
  minutesAgo,
  type Service,
  serveProcess,
  serveWith,
  startService,
  temporaryFolder,
  transactionLines,
} from './support/service.ts';

const denied = 'transactions_total{status="denied"}';
const lateDenied = 'transactions_late_total{status="denied"}';

let service: Service;
beforeAll(async () => {
  service = await startService({ labels: 'acquirer', data: temporaryFolder('ledger') });
});
afterAll(() => service.close());

/** The increase of denied over some requests. */
const deniedBy = async (act: () => Promise<unknown>) => (await increases(service, act))[denied] ?? 0;

describe('a retry counts once', () => {
  test('by its key: the first answer again', async () => {
    const body = { counts: { approved: 100, denied: 6 } };
    const answers: unknown[] = [];
    const increase = await deniedBy(async () => {
      for (let i = 0; i < 3; i++) {
        const { status, json, headers } = await service.post(body, { 'Idempotency-Key': 'three-times' });
        expect(status).toBe(200);
        expect(headers.get('idempotency-replayed')).toBe(i === 0 ? null : 'true');
        answers.push(json);
      }
    });
    expect(increase).toBe(6);
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    expect(answers[0]).toMatchObject({ accepted: 1, duplicates: 0 });
  });

  test('another body under a key is refused', async () => {
    const increase = await deniedBy(async () => {
      await service.post({ counts: { denied: 6 } }, { 'Idempotency-Key': 'reused' });
      const other = await service.post({ counts: { denied: 7 } }, { 'Idempotency-Key': 'reused' });
      expect(other.status).toBe(409);
      expect(other.json.detail).toContain('Idempotency-Key');
    });
    expect(increase).toBe(6);
  });

  test('a refused body leaves its key free', async () => {
    await service.post({ counts: { denied: -6 } }, { 'Idempotency-Key': 'corrected' });
    const answer = await service.post({ counts: { denied: 6 } }, { 'Idempotency-Key': 'corrected' });
    expect(answer.status).toBe(200);
  });

  test('by its source and minute, whatever the second and the form', async () => {
    const minute = minutesAgo(1);
    const increase = await deniedBy(async () => {
      const first = await service.post({ timestamp: minute, source: 'pos', counts: { approved: 90, denied: 6 } });
      expect(first.json).toMatchObject({ accepted: 1, duplicates: 0 });
      const again = await service.post({
        timestamp: minute.replace(':00Z', ':42Z'),
        source: 'pos',
        counts: { denied: 6, approved: 90 },
      });
      expect(again.json).toMatchObject({ accepted: 0, duplicates: 1 });
      expect(again.json.assessments).toEqual([expect.objectContaining({ status: 'denied', count: 6, total: 96 })]);
      const row = await service.post({ time: minute, source: 'pos', status: 'denied', F1: 6 });
      expect(row.json).toMatchObject({ accepted: 0, duplicates: 1 });
    });
    expect(increase).toBe(6);
  });

  test('another source, minute or label is another report', async () => {
    const report = { timestamp: minutesAgo(1), source: 'a', status: 'denied', count: 1 };
    const all = await increases(service, () =>
      service.post([
        report,
        { ...report, source: 'b' },
        { ...report, timestamp: minutesAgo(2) },
        { ...report, labels: { acquirer: 'acme' } },
        report,
      ]),
    );
    expect(all).toEqual({ [denied]: 3, 'transactions_total{status="denied",acquirer="acme"}': 1 });
  });

  test('without source or without time nothing says that it is a retry: it adds up', async () => {
    const increase = await deniedBy(async () => {
      for (let i = 0; i < 2; i++) {
        await service.post({ timestamp: minutesAgo(1), status: 'denied' });
        await service.post({ source: 'clockless', status: 'denied' });
      }
    });
    expect(increase).toBe(4);
  });

  test('fifty senders of one key at once', async () => {
    const body = { counts: { denied: 6 } };
    const increase = await deniedBy(async () => {
      const key = { 'Idempotency-Key': 'fifty' };
      const answers = await Promise.all(Array.from({ length: 50 }, () => service.post(body, key)));
      expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(49);
    });
    expect(increase).toBe(6);
  });

  test('fifty senders of one source and minute at once', async () => {
    const report = { timestamp: minutesAgo(1), source: 'chorus', counts: { denied: 6 } };
    const increase = await deniedBy(async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => service.post(report)));
      expect(answers.reduce((sum, { json }) => sum + json.accepted, 0)).toBe(1);
    });
    expect(increase).toBe(6);
  });
});

describe('a correction', () => {
  const minute = minutesAgo(2);
  const report = (count: number) => ({ timestamp: minute, source: 'correcting', counts: { denied: count } });

  test('upward adds the difference, downward is refused', async () => {
    const increase = await deniedBy(async () => {
      await service.post(report(6));
      const up = await service.post(report(9));
      expect(up.json).toMatchObject({ accepted: 1, duplicates: 0 });
      const down = await service.post(report(8));
      expect(down.status).toBe(409);
      expect(down.json.errors).toEqual([{ path: 'denied', message: expect.stringContaining('was 9 and is now 8') }]);
    });
    expect(increase).toBe(9);
  });

  test('that is refused takes the rest of its body with it', async () => {
    await service.post({ ...report(20), source: 'whole' });
    const changed = await increases(service, async () => {
      const answer = await service.post([{ status: 'failed' }, { ...report(1), source: 'whole' }]);
      expect(answer.status).toBe(409);
    });
    expect(changed).toEqual({});
  });

  test('that names one more status adds that', async () => {
    await service.post({ ...report(3), source: 'more' });
    const more = { ...report(3), source: 'more', counts: { denied: 3, failed: 2 } };
    expect(await increases(service, () => service.post(more))).toEqual({ 'transactions_total{status="failed"}': 2 });
  });
});

describe('lateness', () => {
  test('an old report counts only as late, and once', async () => {
    const report = { timestamp: minutesAgo(16), source: 'slow', counts: { denied: 54 }, authCodes: { 51: 54 } };
    const changed = await increases(service, async () => {
      expect((await service.post(report)).json).toMatchObject({ accepted: 1, late: 1, assessments: [] });
      expect((await service.post(report)).json).toMatchObject({ accepted: 0, duplicates: 1, late: 0 });
    });
    expect(changed).toEqual({ [lateDenied]: 54 });
  });

  test('a current report that is repeated when it is late stays counted once; what it adds then is late', async () => {
    const dir = temporaryFolder('late');
    const report = { timestamp: minutesAgo(2), source: 'pos', counts: { denied: 6 } };
    const current = await startService({ data: dir });
    await current.post(report);
    await current.close();
    // A minute later than the window, as far as the service can tell.
    const later = await startService({ data: dir, lateness: '60s' });
    const changed = await increases(later, async () => {
      expect((await later.post(report)).json).toMatchObject({ duplicates: 1, late: 0 });
      expect((await later.post({ ...report, counts: { denied: 8 } })).json).toMatchObject({ accepted: 1, late: 1 });
    });
    expect(changed).toEqual({ [lateDenied]: 2 });
    await later.close();
  });
});

const sortedLines = async (client: Service) => transactionLines(await client.metrics()).sort();

test('keys, minutes, totals, reports and journal survive a restart', async () => {
  const dir = temporaryFolder('restart');
  const report = {
    timestamp: minutesAgo(1),
    source: 'pos',
    counts: { approved: 116, denied: 6 },
    authCodes: { 51: 6 },
  };
  const late = { timestamp: minutesAgo(60), status: 'denied', count: 3 };
  const first = await startService({ data: dir, labels: 'acquirer' });
  await first.post(report);
  await first.post(late);
  const keyed = await first.post({ status: 'failed', labels: { acquirer: 'acme' } }, { 'Idempotency-Key': 'k' });
  const [lines, reports] = [await sortedLines(first), (await first.get('/api/v1/transactions')).json];
  await first.close();

  const second = await startService({ data: dir, labels: 'acquirer' });
  expect(await sortedLines(second)).toEqual(lines);
  expect((await second.get('/api/v1/transactions')).json).toEqual(reports);
  expect((await second.post(report)).json).toMatchObject({ accepted: 0, duplicates: 1 });
  const again = await second.post({ status: 'failed', labels: { acquirer: 'acme' } }, { 'Idempotency-Key': 'k' });
  expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([keyed.text, 'true']);
  expect(await sortedLines(second)).toEqual(lines);
  await second.close();
});

test('when too many wait for the disk, the next is told to come again, and nothing of it counts', async () => {
  const ledger = await openLedger(temporaryFolder('crowd'), { latenessSeconds: 900, maxSeries: 100, log: () => {} });
  const crowded = { ...ledger, waiting: () => 5000 };
  const { client, close } = await serveWith({ ledger: crowded });
  const answer = await client.post({ status: 'denied' });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await client.value(denied)).toBe(0);
  await close();
  await ledger.close();
});

/** A report of one denied transaction, as the ledger takes it. */
function reportOf(time: number, source: string): Report {
  const entries = [{ slot: 'denied', status: 'denied' as const, count: 1 }];
  return { time, minute: Math.floor(time / 60_000) * 60, source, labels: {}, identified: true, entries };
}

test('old keys are forgotten, however many there are', async () => {
  const ledger = await openLedger(temporaryFolder('old'), { latenessSeconds: 900, maxSeries: 100, log: () => {} });
  const twoDaysAgo = Date.now() - 2 * 86_400_000;
  const keyed = (i: number, fingerprint: string, now: number) =>
    ledger.record({ reports: [reportOf(now, `${i}`)], key: `key-${i}`, fingerprint, now, answer: () => fingerprint });
  await Promise.all(Array.from({ length: 3000 }, (_, i) => keyed(i, 'old', twoDaysAgo)));
  // Each commit forgets more than it brings.
  for (let i = 0; i < 8; i++)
    await ledger.record({ reports: [reportOf(Date.now(), 'now')], now: Date.now(), answer: () => '' });
  const answers = await Promise.all([0, 1500, 2999].map((i) => keyed(i, 'new', Date.now())));
  expect(answers.map(({ text }) => JSON.parse(text))).toEqual(['new', 'new', 'new']);
  await ledger.close();
});

describe('a retry counts once, wherever the clock goes in between', () => {
  const HOURS = 3_600_000;
  /** By how much the clock is off when sources report one minute, and whether they have before. */
  const ways: [name: string, steps: [ahead: number, sources: string, duplicate: boolean[]][]][] = [
    [
      'a clock that is ahead for a while',
      [
        [0, 'a', [false]],
        [1, '', []],
        [0, 'ab', [true, false]],
      ],
    ],
    [
      'a clock that was ahead at first',
      [
        [1, 'a', [false]],
        [0, 'ab', [true, false]],
        [1, 'bc', [true, false]],
      ],
    ],
    [
      'a clock that goes back',
      [
        [0, 'a', [false]],
        [-1, 'ab', [true, false]],
        [0, 'abc', [true, true, false]],
      ],
    ],
  ];
  test.each(ways)('%s', async (_, steps) => {
    const ledger = await openLedger(temporaryFolder('clock'), { latenessSeconds: 900, maxSeries: 100, log: () => {} });
    const start = Date.now();
    const duplicates = async (reports: Report[]) => {
      let found: boolean[] = [];
      const answer = (outcomes: Outcome[]) => {
        found = outcomes.map(({ duplicate }) => duplicate);
      };
      await ledger.record({ reports, now: Date.now(), answer });
      return found;
    };
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      for (const [ahead, sources, expected] of steps) {
        vi.setSystemTime(start + ahead * HOURS);
        // Another minute's comes between those of one.
        await duplicates([reportOf(Date.now(), 'other')]);
        expect(await duplicates([...sources].map((source) => reportOf(start - 120_000, source)))).toEqual(expected);
      }
    } finally {
      vi.useRealTimers();
    }
    await ledger.close();
  });
});

test('two services cannot write one ledger', async () => {
  const dir = temporaryFolder('shared');
  const first = await serveProcess(dir);
  await expect(serveProcess(dir)).rejects.toThrow(/in use by another tillwatch process/);
  await first.process.stop('SIGKILL');
  // The lock of the dead one is in nobody's way; of several that start now, one gets the folder.
  const starts = await Promise.allSettled(Array.from({ length: 4 }, () => serveProcess(dir)));
  const running = starts.filter((start) => start.status === 'fulfilled').map(({ value }) => value);
  expect(running).toHaveLength(1);
  await Promise.all(running.map(({ process }) => process.stop()));
});

test('of six that start at the same moment, where another was killed, one holds the folder, every time', async () => {
  const dir = temporaryFolder('held');
  for (let round = 0; round < 25; round++) {
    const processes = Array.from({ length: 6 }, () => fork('test/support/holder.mjs', [dir], { execArgv: [] }));
    try {
      await Promise.all(processes.map((child) => once(child, 'message')));
      const said = Promise.all(processes.map((child) => once(child, 'message')));
      for (const child of processes) child.send('hold');
      const answers = (await said).map(([answer]) => answer);
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      expect(answers.filter((answer) => answer.includes('in use by another tillwatch process'))).toHaveLength(5);
    } finally {
      const ends = processes.map((child) => once(child, 'exit'));
      for (const child of processes) child.kill('SIGKILL');
      await Promise.all(ends);
    }
  }
  // Those that were killed leave nothing behind but the last one's own.
  expect(readdirSync(dir)).toHaveLength(1);
});
