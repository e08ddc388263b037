import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Report } from '../src/intake/report.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { openLedger } from '../src/ledger/open.ts';
import { DatabaseSync } from '../src/ledger/sqlite/driver.mjs';
import { openSnapshot } from '../src/ledger/tools/store.ts';
import { type Postgres, startPostgres } from './support/postgres.ts';
import {
  type Answer,
  increases,
  minutesAgo,
  type Service,
  serveWith,
  startService,
  temporaryFolder,
  transactionLines,
} from './support/service.ts';

const denied = 'transactions_total{status="denied"}';
const lateDenied = 'transactions_late_total{status="denied"}';

const DAY = 86_400;

/** A report of one denied transaction, as the ledger takes it. */
function reportOf(time: number, source: string): Report {
  const entries = [{ slot: 'denied', status: 'denied' as const, count: 1 }];
  return { time, minute: Math.floor(time / 60_000) * 60, source, labels: {}, identified: true, entries };
}

const sortedLines = async (client: Service) => transactionLines(await client.metrics()).sort();

describe.each(['SQLite', 'PostgreSQL'])('on %s', (engine) => {
  let postgres: Postgres;
  let service: Service;
  let made = 0;
  /** Settings of a ledger of its own. */
  async function fresh(): Promise<{ data: string; ledger?: string }> {
    const data = temporaryFolder('ledger');
    return engine === 'SQLite' ? { data } : { data, ledger: await postgres.database(`ledger${++made}`) };
  }
  beforeAll(async () => {
    if (engine === 'PostgreSQL') postgres = await startPostgres();
    service = await startService({ ...(await fresh()), dimensions: 'acquirer' });
  });
  afterAll(async () => {
    await service?.close();
    await postgres?.stop();
  });

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
      expect(all).toEqual({ [denied]: 4, 'transactions_total{status="denied",acquirer="acme"}': 1 });
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
      const own = await fresh();
      const report = { timestamp: minutesAgo(2), source: 'pos', counts: { denied: 6 } };
      const current = await startService(own);
      await current.post(report);
      await current.close();
      // A minute later than the window, as far as the service can tell.
      const later = await startService({ ...own, lateness: '60s' });
      const changed = await increases(later, async () => {
        expect((await later.post(report)).json).toMatchObject({ duplicates: 1, late: 0 });
        expect((await later.post({ ...report, counts: { denied: 8 } })).json).toMatchObject({ accepted: 1, late: 1 });
      });
      expect(changed).toEqual({ [lateDenied]: 2 });
      await later.close();
    });
  });

  test('keys, minutes, totals, reports and journal survive a restart', async () => {
    const own = await fresh();
    const report = {
      timestamp: minutesAgo(1),
      source: 'pos',
      counts: { approved: 116, denied: 6 },
      authCodes: { 51: 6 },
    };
    const late = { timestamp: minutesAgo(60), status: 'denied', count: 3 };
    const first = await startService({ ...own, dimensions: 'acquirer' });
    await first.post(report);
    await first.post(late);
    const keyed = await first.post({ status: 'failed', labels: { acquirer: 'acme' } }, { 'Idempotency-Key': 'k' });
    const reportsOf = async (client: Service) => (await client.get('/api/v1/transactions')).json.reports;
    const [lines, reports] = [await sortedLines(first), await reportsOf(first)];
    await first.close();

    const second = await startService({ ...own, dimensions: 'acquirer' });
    expect(await sortedLines(second)).toEqual(lines);
    expect(await reportsOf(second)).toEqual(reports);
    expect((await second.post(report)).json).toMatchObject({ accepted: 0, duplicates: 1 });
    const again = await second.post({ status: 'failed', labels: { acquirer: 'acme' } }, { 'Idempotency-Key': 'k' });
    expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([keyed.text, 'true']);
    expect(await sortedLines(second)).toEqual(lines);
    await second.close();
  });

  describe('what counts once, and what adds up', () => {
    const event = { timestamp: minutesAgo(1), source: 'till', status: 'denied' };

    test('events without a count are each a transaction of their own', async () => {
      const increase = await deniedBy(async () => {
        await service.post(Array(200).fill(event));
        for (const key of ['e1', 'e2', 'e3']) await service.post(event, { 'Idempotency-Key': key });
      });
      expect(increase).toBe(203);
    });

    test('a key decides alone: three reports of one source and minute under three keys add up', async () => {
      const report = { timestamp: minutesAgo(1), source: 'keyed', counts: { denied: 6 } };
      const increase = await deniedBy(async () => {
        for (const key of ['k1', 'k2', 'k3', 'k3']) await service.post(report, { 'Idempotency-Key': key });
      });
      expect(increase).toBe(18);
    });

    test('rows of one body that name the same count are added up before anything is compared', async () => {
      const row = (count: number) => ({ timestamp: minutesAgo(3), source: 'rows', status: 'denied', count });
      const increase = await deniedBy(async () => {
        expect((await service.post([row(5), row(7)])).json).toMatchObject({ accepted: 2, duplicates: 0 });
        expect((await service.post([row(7), row(5)])).json).toMatchObject({ accepted: 0, duplicates: 2 });
        expect((await service.post([row(7), row(6)])).json).toMatchObject({ accepted: 2 });
        expect((await service.post(row(12))).status).toBe(409);
      });
      expect(increase).toBe(13);
    });

    test('the recommendation is given for all sources of the minute together, and for the labels of the report', async () => {
      const own = await startService({ ...(await fresh()), dimensions: 'acquirer' });
      const report = (source: string, counts: object) => ({
        timestamp: minutesAgo(1),
        source,
        counts,
        labels: { acquirer: source },
      });
      await own.post(report('a', { approved: 90, denied: 6 }));
      const { json } = await own.post(report('b', { approved: 10, denied: 1 }));
      expect(json.assessments).toEqual([
        expect.objectContaining({ status: 'denied', count: 7, total: 107 }),
        expect.objectContaining({ status: 'denied', count: 1, total: 11, labels: { acquirer: 'b' } }),
      ]);
      await own.close();
    });
  });

  describe('several services on one ledger', () => {
    test('the same key, source and minute and corrections, sent to each, count once and are answered as such', async () => {
      const own = { ...(await fresh()), dimensions: 'acquirer' };
      const replicas = await Promise.all([startService(own), startService(own), startService(own)]);
      const toAll = (body: unknown, headers = {}): Promise<Answer[]> =>
        Promise.all(replicas.map((one) => one.post(body, headers)));
      const minute = minutesAgo(1);
      const keyed = await toAll({ counts: { denied: 6 } }, { 'Idempotency-Key': 'everywhere' });
      expect(keyed.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(keyed.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(2);
      const report = (denied: number) => ({ timestamp: minute, source: 'pos', counts: { denied } });
      const accepted = (answers: Answer[]) => answers.reduce((sum, { json }) => sum + json.accepted, 0);
      expect(accepted(await toAll(report(5)))).toBe(1);
      expect(accepted(await toAll(report(8)))).toBe(1);
      expect((await toAll(report(7))).map(({ status }) => status)).toEqual([409, 409, 409]);
      // A label that only one has seen is known to the others.
      await replicas[0]?.post({ status: 'denied', labels: { acquirer: 'acme' } });
      await replicas[1]?.post({ status: 'denied', labels: { acquirer: 'acme' } });
      // The rules tell by this that the totals of the replicas are not to be added up.
      const identity = async (one: Service) =>
        (await one.metrics()).match(/^tillwatch_ledger_info\{ledger="(.+)"\} 1$/m)?.[1];
      const identities = await Promise.all(replicas.map(identity));
      expect(identities[0]).toMatch(/^[0-9a-f-]{36}$/);
      expect(new Set(identities).size).toBe(1);
      for (const one of replicas) {
        expect(await one.value(denied)).toBe(14);
        expect(await one.value('transactions_total{status="denied",acquirer="acme"}')).toBe(2);
      }
      await Promise.all(replicas.map((one) => one.close()));
    });

    test('scraped one after the other under load, no counter is ever lower than before', async () => {
      const own = await fresh();
      const replicas = await Promise.all([startService(own), startService(own)]);
      const senders = replicas.flatMap((one) => Array(5).fill(one) as Service[]);
      let over = false;
      const load = senders.map(async (one) => {
        while (!over) expect((await one.post({ status: 'denied' })).status).toBe(200);
      });
      let before = 0;
      for (let i = 0; i < 16; i++) {
        const value = (await replicas[i % 2]?.value(denied)) ?? -1;
        expect(value).toBeGreaterThanOrEqual(before);
        before = value;
      }
      over = true;
      await Promise.all(load);
      expect(before).toBeGreaterThan(0);
      await Promise.all(replicas.map((one) => one.close()));
    });

    test('more new series than one question reads are all at the next scrape, on each, and after a start', async () => {
      const flags = { ...(await fresh()), dimensions: 'acquirer', maxSeries: '100000' };
      const [one, other] = [await startService(flags), await startService(flags)];
      const acquirers = Array.from({ length: 3000 }, (_, number) => `a${number}`);
      for (let from = 0; from < acquirers.length; from += 1000) {
        const reports = acquirers.slice(from, from + 1000).map((acquirer) => ({
          counts: { approved: 5 },
          labels: { acquirer },
        }));
        expect((await one.post(reports)).status).toBe(200);
      }
      const expected = acquirers.map((name) => `transactions_total{status="approved",acquirer="${name}"} 5`).sort();
      const approved = async (client: Service) =>
        (await sortedLines(client)).filter((line) => line.startsWith('transactions_total{status="approved",'));
      expect(await approved(other)).toEqual(expected);
      expect(await approved(one)).toEqual(expected);
      await other.post({ counts: { approved: 1 }, labels: { acquirer: 'a0' } });
      expect(await one.value('transactions_total{status="approved",acquirer="a0"}')).toBe(6);
      await Promise.all([one.close(), other.close()]);
      const again = await startService(flags);
      expect(await approved(again)).toHaveLength(acquirers.length);
      await again.close();
    });
  });

  const open = async (where?: { data: string; ledger?: string }) =>
    openLedger({
      ledger: '',
      latenessSeconds: 900,
      maxSeries: 100,
      maxSources: 100,
      keepSeconds: 35 * DAY,
      log: () => {},
      ...(where ?? (await fresh())),
    });

  test('when too many wait for the disk, the next is told to come again, and nothing of it counts', async () => {
    const ledger = await open();
    const crowded = { ...ledger, waiting: () => 5000 };
    const { client, close } = await serveWith({ ledger: crowded });
    const answer = await client.post({ status: 'denied' });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await client.value(denied)).toBe(0);
    await close();
    await ledger.close();
  });

  describe('the clock', () => {
    const start = Date.now();
    let ledger: Ledger;
    const results = async (report: Report, key?: string) => {
      const keyed = key === undefined ? undefined : { key, fingerprint: key };
      const answer = () => ({ text: '', recommendation: '' });
      const { outcomes, replayed } = await ledger.record([report], { key: keyed, now: Date.now(), answer });
      return replayed ? 'replayed' : outcomes[0]?.result;
    };
    const many = (name: string) =>
      Promise.all(Array.from({ length: 600 }, (_, i) => results(reportOf(Date.now(), `${name} ${i}`), `${name} ${i}`)));
    beforeEach(async () => {
      vi.useFakeTimers({ toFake: ['Date'] });
      vi.setSystemTime(start);
      ledger = await open();
    });
    afterEach(async () => {
      vi.useRealTimers();
      await ledger.close();
    });

    test('that jumps by eight days and back expires nothing', async () => {
      const report = reportOf(start - 120_000, 'jump');
      expect(await results(report)).toBe('accepted');
      expect(await results(report, 'jump')).toBe('accepted');
      for (const [step, days] of [8, 0, -8, 0].entries()) {
        vi.setSystemTime(start + days * DAY * 1000);
        // So many that old rows are looked for.
        await many(`step ${step}`);
        expect(await results(report)).toBe('duplicate');
        expect(await results(report, 'jump')).toBe('replayed');
        // The newest report is never in the future, which would hide that none comes any more.
        expect((await ledger.totals(Date.now())).lastReport).toBe(Date.now() / 1000);
      }
    });

    test('that goes on forgets keys after a day, and reports after seven', async () => {
      const report = reportOf(start - 120_000, 'old');
      const known = async () => [await results(report), await results(report, 'old')];
      const hours = async (from: number, to: number) => {
        for (let hour = from; hour <= to; hour++) {
          vi.setSystemTime(start + hour * 3_600_000);
          await results(reportOf(Date.now(), 'hour'));
        }
      };
      expect(await known()).toEqual(['accepted', 'accepted']);
      await hours(1, 24);
      expect(await known()).toEqual(['duplicate', 'replayed']);
      await hours(25, 25);
      expect(await known()).toEqual(['duplicate', 'accepted']);
      await hours(26, 7 * 24 + 1);
      expect(await known()).toEqual(['accepted', 'accepted']);
    });
  });

  test('notifications, incidents and marks are kept up to a number and up to so many bytes', async () => {
    const own = await fresh();
    const ledger = await open(own);
    const large = JSON.stringify('x'.repeat(3_000_000));
    for (let i = 0; i < 24; i++) await ledger.addNotification(large);
    const kept = await openSnapshot(own.ledger ?? own.data);
    expect(await kept.query('SELECT COUNT(*) AS count FROM notifications')).toEqual([{ count: 22 }]);
    await kept.close();
    const newest = await ledger.notifications({ limit: 1000, bytes: 7_000_000 });
    expect(newest.map(({ id, body }) => [id, body.length])).toEqual([24, 23].map((id) => [id, large.length]));
    expect(await ledger.notifications({ limit: 1, bytes: 7_000_000 })).toEqual(newest.slice(0, 1));
    expect(await ledger.notifications({ limit: 1000, bytes: 1 })).toEqual(newest.slice(0, 1));

    const incident = { id: 'a', fingerprint: 'f', startsAt: 1000, endsAt: null, body: '{}' };
    const later = { ...incident, id: 'b', startsAt: 2000, endsAt: 3000 };
    const other = { ...incident, id: 'c', fingerprint: 'g' };
    await ledger.addNotification('{}', [incident, other]);
    const size = { limit: 10, bytes: 1e6 };
    expect(await ledger.incidents({ ...size, open: true })).toEqual([other, incident]);
    await ledger.addNotification('{}', [later]);
    const ended = { ...incident, endsAt: 2000 };
    expect(await ledger.incidents(size)).toEqual([later, other, ended]);
    expect(await ledger.incidents({ ...size, before: other })).toEqual([ended]);
    await ledger.endIncidents([
      { id: 'a', endsAt: 5000 },
      { id: 'c', endsAt: 1500 },
    ]);
    expect(await ledger.incidents({ ...size, open: true })).toEqual([]);
    expect(await ledger.incident('a')).toEqual(ended);
    expect(await ledger.incident('d')).toBe(undefined);

    await ledger.setMark('c', '1');
    await ledger.setMark('c', '2');
    expect(await ledger.incidents({ ...size, marked: true })).toEqual([{ ...other, endsAt: 1500, mark: '2' }]);
    const many = Array.from({ length: 10_001 }, (_, i) => ({
      ...later,
      id: `m${i}`,
      startsAt: 3000 + i,
      endsAt: 20_000,
    }));
    await ledger.addNotification('{}', many);
    expect(await ledger.incident('b')).toBe(undefined);
    expect(await ledger.incident('c')).toBeDefined();
    await ledger.close();
    // What still looks at it must not open it again, which would keep the program from ending.
    await expect(ledger.incident('c')).rejects.toThrow('it is closed');
  });

  test('a ledger of the first version is brought to the newest, with what people said', async () => {
    const own = await fresh();
    const first = await open(own);
    await first.addIncidents([{ id: 'a', fingerprint: 'f', startsAt: 1000, endsAt: null, body: '{}' }]);
    await first.close();
    const old = `ALTER TABLE incidents DROP COLUMN mark; CREATE TABLE marks (id TEXT, body TEXT);
      INSERT INTO marks (id, body) VALUES ('a', '1'); UPDATE ledger SET version = 1`;
    if (own.ledger !== undefined) await postgres.query(own.ledger, old);
    else {
      const database = new DatabaseSync(join(own.data, 'ledger.sqlite'));
      database.exec(old);
      database.close();
    }
    const second = await open(own);
    expect(await second.incident('a')).toMatchObject({ id: 'a', mark: '1' });
    await second.close();
  });

  test('any text can be a source, a label or a notification', async () => {
    const own = await startService({ ...(await fresh()), dimensions: 'acquirer' });
    const odd = 'a\u0000"\\\n\u{1f4b3}';
    const body = JSON.stringify({ status: 'denied', source: `${odd}\ud800`, labels: { acquirer: odd } });
    expect((await own.post(body)).status).toBe(200);
    expect((await own.post(body)).json).toMatchObject({ accepted: 1 });
    expect((await own.get('/api/v1/transactions')).json.reports).toHaveLength(2);
    await own.close();
  });
});
