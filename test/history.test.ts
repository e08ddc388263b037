import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findBinary } from '../src/binaries/binaries.ts';
import type { MinuteCounts } from '../src/domain/minutes.ts';
import { RECORDED, STATUSES } from '../src/domain/names.ts';
import { type ImportOptions, importHistory, storageOf } from '../src/history/history.ts';
import { startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { rangeQuery } from '../src/prometheus/ephemeral-queries.ts';
import { remoteWrite } from '../src/prometheus/remote-write.ts';
import { AUTH_CODES, createTraffic, trafficMinutes } from '../src/simulator/feed.ts';
import { freePort, startProcess, waitFor } from './support/processes.ts';
import { blocksAndLeftovers, rowsOf, withStorage } from './support/storage.ts';
import { tempDir } from './support/temp-dir.ts';

const rulesDir = fileURLToPath(new URL('testdata/history-rules', import.meta.url));
const projectRules = fileURLToPath(new URL('../prometheus/rules', import.meta.url));
const START = Date.UTC(2026, 0, 5) / 60_000;
const DAY = 1440;

const importInto = (dataDir: string, minutes: Iterable<MinuteCounts>, options: Partial<ImportOptions> = {}) =>
  importHistory({ minutes, dataDir, rulesDir, ...options });
const minute = (index: number, approved: number, denied: number): MinuteCounts => ({
  minute: START + index,
  counts: { approved, denied },
});
/** Seconds at which minute `index` has ended. */
const endOf = (index: number) => (START + index + 1) * 60;

describe('importHistory', () => {
  it('writes each minute exactly, and the totals of a day', async () => {
    const dataDir = await tempDir();
    const day = [...trafficMinutes(createTraffic({ seed: 5 }), START, START + DAY)];
    const imported = await importInto(dataDir, day, { authCodes: AUTH_CODES });
    expect(imported).toMatchObject({ from: START * 60, to: (START + DAY) * 60, minutes: DAY });
    const sum = (pick: (counted: (typeof day)[number]) => number) =>
      day.reduce((all, counted) => all + pick(counted), 0);
    await withStorage(dataDir, async ({ values }) => {
      const counted = Object.fromEntries(STATUSES.map((status) => [status, sum(({ counts }) => counts[status])]));
      const total = `transactions_total{job="tillwatch", instance="import"}`;
      expect(await values(`${total} - ${total} offset 1d`, imported.to)).toEqual(counted);
      expect(await values('sum_over_time(status:test:increase1m[1d])', imported.to)).toEqual(counted);
      const codes = Object.fromEntries(AUTH_CODES.map((code) => [code, sum(({ authCodes }) => authCodes[code] ?? 0)]));
      expect(await values('transactions_by_auth_code_total', imported.to, 'auth_code')).toEqual(codes);
      expect(await values('transactions_last_report_timestamp_seconds', imported.to, '')).toEqual({
        '': imported.to - 60,
      });
      for (const index of [0, 1, 777, DAY - 1]) {
        expect(await values('status:test:increase1m', endOf(index))).toEqual(day[index]?.counts);
      }
    });
  });

  it('records what the rules would have recorded, whatever the order of files and rules', async () => {
    const dataDir = await tempDir();
    const counts = [minute(0, 90, 10), minute(1, 60, 40), minute(2, 200, 0), minute(3, 50, 50)];
    await importInto(dataDir, counts);
    await withStorage(dataDir, async ({ range, values }) => {
      const [share] = await range('status:test:share2m', endOf(0), endOf(3));
      expect(share?.values).toEqual([
        [endOf(0), '0.1'],
        [endOf(1), '0.25'],
        [endOf(2), String(40 / 300)],
        [endOf(3), String(50 / 300)],
      ]);
      expect(share?.metric).toEqual({ __name__: 'status:test:share2m', status: 'denied' });
      expect(await values('test:z:tunable', endOf(3), 'window')).toEqual({ '2m': 3.5 });
      expect(await values('{__name__="ALERTS"}', endOf(3), 'alertname')).toEqual({});
    });
  });

  it('evaluates an hourly group once an hour', async () => {
    const dataDir = await tempDir();
    await importInto(
      dataDir,
      Array.from({ length: 150 }, (_, index) => minute(index, 2, 1)),
    );
    await withStorage(dataDir, async ({ range }) => {
      const [hours] = await range('timestamp(status:test:increase1h{status="denied"})', START * 60, endOf(149));
      expect(new Set(hours?.values.map(([, value]) => Number(value)))).toEqual(new Set([endOf(59), endOf(119)]));
      const [sums] = await range('status:test:increase1h{status="approved"}', START * 60, endOf(149));
      expect(new Set(sums?.values.map(([, value]) => value))).toEqual(new Set(['120']));
    });
  });

  it('holds the counters still over a silence of the feed, and has no samples where the file has a hole', async () => {
    const dataDir = await tempDir();
    const hole = 3 * DAY;
    await importInto(dataDir, [minute(0, 7, 1), minute(4, 8, 2), minute(hole, 9, 3), minute(hole + 1, 10, 4)]);
    await withStorage(dataDir, async ({ range, values }) => {
      const [silence] = await range('status:test:increase1m{status="approved"}', endOf(0), endOf(4));
      expect(silence?.values.map(([, value]) => Number(value))).toEqual([7, 0, 0, 0, 8]);
      expect(await values('transactions_last_report_timestamp_seconds', endOf(3), '')).toEqual({ '': START * 60 });
      expect(await values('transactions_total', endOf(DAY))).toEqual({});
      expect(await values('status:test:increase1m{status=~"approved|denied"}', endOf(hole))).toEqual({
        approved: 9,
        denied: 3,
      });
    });
  });

  it('records a rule for as long before the end as charts show and other rules look back, and counters over all', async () => {
    const rules = await tempDir();
    await writeFile(
      join(rules, 'chain.yml'),
      `groups:
  - name: chain
    interval: 1h
    rules:
      - {record: minutes, expr: 'transactions_total{status="denied"}'}
      - {record: days, expr: "sum_over_time(minutes[3d] offset 2d)"}
      - {record: weeks, expr: "max_over_time(days[3d:1h])"}
      - {record: months, expr: "max_over_time(weeks[3d])"}
      - {alert: Alert, expr: "days > 0"}
`,
    );
    const hours = Array.from({ length: 40 * 24 }, (_, hour) => minute(hour * 60, hour, 1));
    const end = endOf((40 * 24 - 1) * 60);
    const recordedIn = async (options: Partial<ImportOptions>) => {
      const dataDir = await tempDir();
      await importInto(dataDir, hours, { rulesDir: rules, ...options });
      return await withStorage(dataDir, async ({ columns }) => {
        const names = ['transactions_total{status="denied"}', 'minutes', 'days', 'weeks', 'months'];
        const found = await Promise.all(
          names.map((name) => columns(`last_over_time(${name}[1m])`, START * 60, end, 3600)),
        );
        return found.map(
          ([series]) => new Map(Array.from(series?.times ?? [], (at, index) => [at, series?.values[index]])),
        );
      });
    };
    const [needed, whole] = [await recordedIn({ to: end }), await recordedIn({})];
    const days = needed.map((values) => (end - Math.min(...values.keys())) / 86_400);
    expect(days.map(Math.round)).toEqual([40, 14, 12, 11, 8]);
    const isExact = (at: number) => at > end - 2 * 86_400;
    for (const [index, values] of needed.entries())
      expect([...values].filter(([at]) => isExact(at))).toEqual(
        [...(whole[index] ?? [])].filter(([at]) => isExact(at)),
      );
    expect([...(needed[4]?.keys() ?? [])].filter(isExact)).toHaveLength(2 * 24);
  });

  it('makes the baseline ready with the rules of the project', async () => {
    const dataDir = await tempDir();
    const minutes = trafficMinutes(createTraffic({ seed: 5 }), START, START + 4 * DAY);
    const { to } = await importInto(dataDir, minutes, { authCodes: AUTH_CODES, rulesDir: projectRules });
    await withStorage(dataDir, async ({ values }) => {
      for (const name of [RECORDED.odds, RECORDED.perMinute]) expect(await values(name, to)).toHaveProperty('denied');
      for (const name of [RECORDED.upper, RECORDED.expected, RECORDED.floor, RECORDED.score]) {
        expect(Object.keys(await values(`${name}{status="denied"}`, to, 'window'))).toContain('1m');
      }
      const { denied = 0 } = await values(RECORDED.odds, to);
      expect(denied).toBeGreaterThan(0.05);
      expect(denied).toBeLessThan(0.12);
    });
  });
});

describe('importHistory on a folder that holds something', () => {
  it('goes on with the counters where the import before left them', async () => {
    const dataDir = await tempDir();
    await importInto(dataDir, [minute(0, 100, 10), minute(1, 100, 10)]);
    await importInto(dataDir, [minute(2, 1, 2), minute(3, 3, 4)]);
    await withStorage(dataDir, async ({ range, values }) => {
      expect(await values('transactions_total{status=~"approved|denied"}', endOf(3))).toEqual({
        approved: 204,
        denied: 26,
      });
      const [denied] = await range('status:test:increase1m{status="denied"}', endOf(0), endOf(3));
      expect(denied?.values.map(([, value]) => Number(value))).toEqual([10, 10, 2, 4]);
      // The second import saw the first: two minutes across the seam.
      expect(await values('status_window:test:increase{status="denied"}', endOf(2))).toEqual({ denied: 12 });
    });
  });

  it('takes history that is older than what is there', async () => {
    const dataDir = await tempDir();
    await importInto(dataDir, [minute(DAY, 1, 2), minute(DAY + 1, 3, 4)]);
    await importInto(dataDir, [minute(0, 100, 10), minute(1, 100, 20)]);
    await withStorage(dataDir, async ({ range, values }) => {
      const [before] = await range('status:test:increase1m{status="denied"}', endOf(0), endOf(1));
      expect(before?.values.map(([, value]) => Number(value))).toEqual([10, 20]);
      expect(await values('status:test:increase1m{status="denied"}', endOf(DAY + 1))).toEqual({ denied: 4 });
      expect(await values('transactions_total{status=~"approved|denied"}', endOf(1))).toEqual({
        approved: 200,
        denied: 30,
      });
    });
  });

  it('adds auth codes to transactions that are there already', async () => {
    const dataDir = await tempDir();
    await importInto(dataDir, [minute(0, 100, 10), minute(1, 100, 10)]);
    const codes = [0, 1].map((index) => ({ minute: START + index, authCodes: { '51': 10 } }));
    await importInto(dataDir, codes, { statuses: false, authCodes: ['51'] });
    await withStorage(dataDir, async ({ values }) => {
      expect(await values('transactions_by_auth_code_total', endOf(1), 'auth_code')).toEqual({ '51': 20 });
      expect(await values('status:test:increase1m{status="denied"}', endOf(1))).toEqual({ denied: 10 });
    });
  });

  it('refuses to count the same minutes twice, and says what to do', async () => {
    const dataDir = await tempDir();
    await importInto(dataDir, [minute(0, 100, 10), minute(1, 100, 10)]);
    const before = await blocksAndLeftovers(dataDir);
    await expect(importInto(dataDir, [minute(1, 100, 10)])).rejects.toThrow(
      /already holds 7 samples of transactions_total within 2026-01-05T00:01:00.000Z to .*twice.*fresh folder with --data DIR/,
    );
    expect(await blocksAndLeftovers(dataDir)).toEqual(before);
  });

  it('refuses while a Prometheus runs on it, and works once that has ended', async () => {
    const dataDir = await tempDir();
    await importInto(dataDir, [minute(0, 100, 10)]);
    const running = await startEphemeralPrometheus(storageOf(dataDir));
    await expect(importInto(dataDir, [minute(1, 1, 1)])).rejects.toThrow(/a Prometheus is running on .*stop it/);
    await running.stop();
    await expect(importInto(dataDir, [minute(1, 1, 1)])).resolves.toMatchObject({ minutes: 1 });
  });

  it('refuses at once what reaches past live samples', async () => {
    const dataDir = await tempDir();
    const running = await startEphemeralPrometheus(storageOf(dataDir), undefined, { writable: true });
    await remoteWrite(running.url, [{ labels: { __name__: 'up' }, times: [endOf(1)], values: [1] }]);
    await running.stop();
    let progressed = 0;
    const options = { to: endOf(2), onProgress: () => progressed++ };
    await expect(importInto(dataDir, [minute(0, 1, 1), minute(1, 1, 1), minute(2, 1, 1)], options)).rejects.toThrow(
      'the history, up to 2026-01-05T00:03:00.000Z, reaches past 2026-01-05T00:02:00.000Z',
    );
    expect(progressed).toBe(0);
    const known = [minute(0, 1, 1), minute(1, 1, 1)];
    await expect(importInto(dataDir, known, { to: endOf(1) })).resolves.toMatchObject({ minutes: 2 });
  });

  it('refuses what lies in the future, and minutes out of order', async () => {
    const dataDir = await tempDir();
    await expect(importInto(dataDir, [minute(0, 1, 1)], { now: START * 60 })).rejects.toThrow(
      'reaches into the future',
    );
    await expect(importInto(dataDir, [minute(1, 1, 1), minute(0, 1, 1)])).rejects.toThrow(
      'minutes are out of order: 2026-01-05T00:00:00.000Z after 2026-01-05T00:01:00.000Z',
    );
    await expect(importInto(dataDir, [])).rejects.toThrow('there is no minute to import');
    expect(await blocksAndLeftovers(dataDir)).toEqual([]);
  });
});

describe('rangeQuery', () => {
  it('gives the whole answer of a query that loads more samples than Prometheus allows at once', async () => {
    const dataDir = await tempDir();
    const { from, to } = await importInto(
      dataDir,
      Array.from({ length: 300 }, (_, index) => minute(index, index, 1)),
    );
    const range = { start: from, end: to, step: 60 };
    const whole = await withStorage(dataDir, ({ range }) => range('transactions_total', from, to));
    const [port, config] = [await freePort(), join(await tempDir(), 'prometheus.yml')];
    await writeFile(config, '{}');
    const prometheus = await startProcess(await findBinary('prometheus'), [
      `--config.file=${config}`,
      `--storage.tsdb.path=${storageOf(dataDir)}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--query.max-samples=1000',
    ]);
    try {
      const url = `http://127.0.0.1:${port}`;
      await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: 'Prometheus' });
      expect((await rangeQuery(url, 'transactions_total', range)).map(rowsOf)).toEqual(whole);
      expect(whole.map(({ values }) => values.length)).toEqual(STATUSES.map(() => 301));
      await expect(rangeQuery(url, 'count_over_time(transactions_total[1d:5s])', range)).rejects.toThrow(
        'too many samples',
      );
    } finally {
      await prometheus.stop();
    }
  });
});

describe('importHistory that fails', () => {
  it('leaves nothing behind when it is interrupted, neither files nor a Prometheus', async () => {
    const dataDir = await tempDir();
    const stop = new AbortController();
    const minutes = trafficMinutes(createTraffic({ seed: 5 }), START, START + DAY);
    const onProgress: ImportOptions['onProgress'] = ({ record }) => {
      if (record !== undefined) stop.abort('SIGINT');
    };
    await expect(importInto(dataDir, minutes, { signal: stop.signal, onProgress })).rejects.toBe('SIGINT');
    expect(await blocksAndLeftovers(dataDir)).toEqual([]);
    // One that still ran would hold the folder.
    await withStorage(dataDir, async ({ values }) =>
      expect(await values('transactions_total', endOf(DAY))).toEqual({}),
    );
  });

  it('names the rule that Prometheus cannot evaluate, with what it said', async () => {
    const [dataDir, broken] = [await tempDir(), await tempDir()];
    const rules = 'groups: [{name: g, rules: [{record: a, expr: "label_join(transactions_total, 1)"}]}]';
    await writeFile(join(broken, 'broken.yml'), rules);
    await expect(importInto(dataDir, [minute(0, 1, 1)], { rulesDir: broken })).rejects.toThrow(
      /broken\.yml: group g: a: .*label_join/,
    );
    expect(await blocksAndLeftovers(dataDir)).toEqual([]);
  });
});
