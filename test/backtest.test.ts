import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Firing, firings } from '../src/backtest/rules.ts';
import { runBacktest } from '../src/backtest/run.ts';
import { randomFor } from '../src/domain/random.ts';
import { seriesText } from '../src/domain/series-text.ts';
import { exposeCounters } from '../src/history/counters.ts';
import { importHistory } from '../src/history/history.ts';
import { replayHistory } from '../src/history/player.ts';
import { rangeQuery } from '../src/prometheus/ephemeral-queries.ts';
import type { Columns } from '../src/prometheus/range-columns.ts';
import { type AlertRule, readRules } from '../src/prometheus/rule-files.ts';
import { createNeeds, layerRules } from '../src/prometheus/rule-graph.ts';
import { AUTH_CODES, createTraffic, trafficMinutes } from '../src/simulator/feed.ts';
import { incidentAt } from '../src/simulator/incidents.ts';
import { expectFirings, type InputSeries, writeRuleFile } from './support/promtool.ts';
import { withStorage } from './support/storage.ts';
import { tempDir } from './support/temp-dir.ts';

const projectRules = fileURLToPath(new URL('../prometheus/rules', import.meta.url));
const smallRules = fileURLToPath(new URL('testdata/history-rules', import.meta.url));
const rule = (pending: number, keep: number, more: Partial<AlertRule> = {}): AlertRule => ({
  alert: `For${pending}Keep${keep}`,
  expr: 'x == 1',
  labels: { severity: 'warning' },
  file: 'f.yml',
  group: 'g',
  interval: 60,
  for: pending * 60,
  keepFiringFor: keep * 60,
  annotations: {},
  ...more,
});

/** Where a pattern of minutes, `#` true and `.` false, has a result. */
function columns(pattern: string, metric: Columns['metric'] = { __name__: 'x' }): Columns {
  const times = [...pattern].flatMap((sign, minute) => (sign === '#' ? [minute * 60] : []));
  return { metric, times: Float64Array.from(times), values: new Float64Array(times.length).fill(1) };
}
const fired = (one: AlertRule, pattern: string) =>
  firings(one, [columns(pattern)], { to: (pattern.length - 1) * 60, step: 60 });
/** The same minutes, `#` where it fires. */
const drawn = (one: AlertRule, pattern: string): string => {
  const found = fired(one, pattern);
  return [...pattern]
    .map((_, minute) => {
      const fires = found.some(({ startsAt, endsAt }) => minute * 60 >= startsAt && minute * 60 < (endsAt ?? Infinity));
      return fires ? '#' : '.';
    })
    .join('');
};

describe('firings', () => {
  it.each([
    ['fires at once', 0, 0, '.##..#.', '.##..#.'],
    ['fires when the expression has been true for as long as `for`', 2, 0, '.####.', '...##.'],
    ['begins the wait anew after one minute that was false', 2, 0, '##.###.', '.....#.'],
    ['fires on for keep_firing_for after the last true minute', 0, 3, '.#.......', '.####....'],
    ['counts keep_firing_for anew when it was true in between', 0, 3, '#..#.....', '#######..'],
    ['needs `for` again once it was resolved', 1, 2, '##...##..', '.###..###'],
  ])('%s', (_, pending, keep, truth, expected) => {
    expect(drawn(rule(pending, keep), truth)).toBe(expected);
  });

  it('has no end where it fires at the end, and keeps the value of its start', () => {
    const series = { ...columns('.##'), values: Float64Array.of(5, 15) };
    const [only, ...others] = firings(rule(0, 5), [series], { to: 120, step: 60 });
    expect(only).toMatchObject({ startsAt: 60, endsAt: null, value: 5, lastTrue: 120 });
    expect(others).toEqual([]);
  });

  it('tells series apart by their labels, which those of the rule override', () => {
    const labels = { severity: 'page', of: '{{ $labels.a }}' };
    const series = [columns('#', { a: '1' }), columns('#', { a: '2', severity: 'none' })];
    const found = firings(rule(0, 0, { labels }), series, { to: 0, step: 60 });
    expect(found.map((firing) => firing.labels)).toEqual([
      { a: '1', severity: 'page', of: '1' },
      { a: '2', severity: 'page', of: '2' },
    ]);
  });

  it('takes the sides of an `or` for one alert, unless both are true at once', () => {
    const at = { to: 180, step: 60 };
    const sides = (first: string, second: string) => [
      columns(first, { __name__: 'a' }),
      columns(second, { __name__: 'b' }),
    ];
    expect(firings(rule(0, 0), sides('##..', '..#.'), at)).toMatchObject([{ startsAt: 0, endsAt: 180 }]);
    expect(() => firings(rule(0, 0), sides('##..', '.##.'), at)).toThrow('two results at 1970-01-01T00:01:00.000Z');
  });

  it('refuses a label that only a running Prometheus can expand', () => {
    const labels = { level: '{{ if gt $value 1.0 }}high{{ end }}' };
    expect(() => firings(rule(0, 0, { labels }), [columns('#')], { to: 0, step: 60 })).toThrow(
      'label level is a template',
    );
  });

  it('decides as promtool does, on random truth with every `for` and keep_firing_for', async () => {
    const random = randomFor(7, 1, 2);
    const minutes = 240;
    // Stretches of random length: with a coin a minute nothing would ever be true for long.
    let pattern = '';
    while (pattern.length < minutes) pattern += (random() < 0.5 ? '#' : '.').repeat(1 + Math.floor(random() * 6));
    pattern = pattern.slice(0, minutes);
    const rules = [0, 1, 2, 4].flatMap((pending) => [0, 1, 3, 5].map((keep) => rule(pending, keep)));
    const expected = rules.flatMap((one) => fired(one, pattern));
    expect(expected.length).toBeGreaterThan(100);
    const { file } = await writeRuleFile([], rules);
    const input = { x: [...pattern].map((sign) => (sign === '#' ? 1 : 0)) };
    const names = rules.map(({ alert }) => alert);
    await expectFirings(file, input, names, expected);
    // And promtool does notice a minute more or less.
    const [first, ...others] = expected as [Firing, ...Firing[]];
    const late = { ...first, startsAt: first.startsAt + 60 };
    await expect(expectFirings(file, input, names, [late, ...others])).rejects.toThrow('alertname');
  });
});

const HOURS = 6;
const traffic = createTraffic({
  seed: 3,
  incidents: [
    incidentAt('denied-spike', 150),
    incidentAt('failed', 190),
    incidentAt('processing-stuck', 225),
    incidentAt('feed-dead', 275),
    incidentAt('reversed', 320),
  ],
});
const history = () => trafficMinutes(traffic, 0, HOURS * 60);
const options = { statuses: true, authCodes: AUTH_CODES, from: 0, to: HOURS * 3600 };

async function inputSeries(): Promise<InputSeries> {
  const input: Record<string, (number | '_')[]> = {};
  const base = async () => new Map();
  const counters = { minutes: history(), statuses: true, authCodes: AUTH_CODES, base, live: true };
  await exposeCounters(counters, async (totals, time) => {
    for (const [series, value] of totals) {
      input[series] ??= Array(time / 60).fill('_');
      input[series].push(value);
    }
  });
  return input;
}

describe('runBacktest', () => {
  it('fires what promtool fires, at every minute of six hours with incidents, on the rules of the project', async () => {
    const { recording, alerts } = await readRules(projectRules);
    const judged = alerts.filter(({ alert }) => /^(Transactions|AuthCode)/.test(alert));
    const needs = createNeeds(recording, new Set());
    const needed = new Set(judged.flatMap(({ expr }) => needs(expr).rules));
    const ordered = layerRules(recording).flatMap((layer) => layer.filter((one) => needed.has(one)));
    const { dir, file } = await writeRuleFile(ordered, judged);
    const { alerts: found } = await runBacktest({ ...options, minutes: history(), rules: await readRules(dir) });
    const names = judged.map(({ alert }) => alert);
    const fired = new Set(found.map(({ alertname }) => alertname));
    expect([...fired].sort()).toEqual([
      'AuthCodeAboveNormal',
      'TransactionsDeniedAboveNormal',
      'TransactionsFailedAboveNormal',
      'TransactionsProcessingStuck',
      'TransactionsReportsMissing',
      'TransactionsReversedAboveNormal',
    ]);
    const whole = found.map((alert) => ({ ...alert, labels: { ...alert.labels, severity: alert.severity } }));
    await expectFirings(file, await inputSeries(), names, whole);
  });

  it('records what an import records, and how long the feed is silent, which only what is played as live can tell', async () => {
    const dataDir = await tempDir();
    await importHistory({ minutes: history(), dataDir, rulesDir: projectRules, authCodes: AUTH_CODES });
    let names = '';
    let replayed = new Map<string, string>();
    await runBacktest({
      ...options,
      minutes: history(),
      rules: await readRules(projectRules),
      inspect: async ({ url, from, to }, recorded) => {
        names = [...new Set(recorded.map(({ record }) => record))].join('|');
        replayed = bySeries(await rangeQuery(url, `{__name__=~"${names}"}`, { start: from, end: to, step: 60 }));
      },
    });
    const imported = await withStorage(dataDir, async ({ columns }) =>
      bySeries(await columns(`{__name__=~"${names}"}`, 0, HOURS * 3600)),
    );
    expect(replayed.size).toBeGreaterThan(200);
    const silence = seriesText('', { __name__: 'feed:transactions:silent_seconds', feed: 'all' });
    expect([...replayed.keys()].sort()).toEqual([...imported.keys(), silence].sort());
    replayed.delete(silence);
    for (const [series, values] of replayed) expect([series, values]).toEqual([series, imported.get(series)]);
  });

  it('records what an import records over weeks, with days for which there is no data', async () => {
    const DAY = 1440;
    const weeks = function* () {
      for (let minute = 0; minute < 16 * DAY; minute++) {
        if (minute < 4 * DAY || minute >= 10 * DAY)
          yield { minute, counts: { approved: 50 + (minute % 97), denied: minute % 13 } };
      }
    };
    const dataDir = await tempDir();
    await importHistory({ minutes: weeks(), dataDir, rulesDir: smallRules });
    const { recording: rules } = await readRules(smallRules);
    const replay = await replayHistory({ minutes: weeks(), statuses: true, authCodes: [], rules });
    const query = '{__name__=~".*test.*"}';
    try {
      for (const day of [0, 3, 4, 9, 10, 13, 15]) {
        const range = { start: day * DAY * 60, end: (day + 1) * DAY * 60, step: 60 };
        const replayed = bySeries(await rangeQuery(replay.url, query, range));
        const imported = await withStorage(dataDir, ({ columns }) => columns(query, range.start, range.end));
        expect(replayed).toEqual(bySeries(imported));
        expect(replayed.size).toBeGreaterThan(day === 9 ? 0 : 10);
      }
    } finally {
      await replay.stop();
    }
  });

  it('leaves out what a history cannot tell, and says why', async () => {
    const minutes = [{ minute: 0, counts: { approved: 9, denied: 1 } }];
    const { leftOut, rules } = await runBacktest({
      ...options,
      authCodes: [],
      minutes,
      rules: await readRules(projectRules),
    });
    expect(leftOut).toContainEqual({ alertname: 'Watchdog', reason: 'reads no metric' });
    expect(leftOut).toContainEqual({
      alertname: 'TillwatchLedgerFailing',
      reason: 'reads tillwatch_ledger_failing, which the history does not have',
    });
    expect(leftOut).toContainEqual({
      alertname: 'AuthCodeAboveNormal',
      reason: 'reads transactions_by_auth_code_total, which the history does not have',
    });
    // It asks after counters of your own as well, and can't be true without `up`.
    expect(leftOut.find(({ alertname }) => alertname === 'TillwatchDown')?.reason).toMatch(/^reads up, /);
    expect(rules.every(({ alert }) => alert.startsWith('Transactions'))).toBe(true);
  });
});

/** Values to twelve digits, as text: two engines may add in another order. */
const bySeries = (series: readonly Columns[]): Map<string, string> =>
  new Map(
    series.map(({ metric, times, values }) => [
      seriesText('', metric),
      Array.from(times, (time, at) => `${time} ${values[at]?.toPrecision(12)}`).join('\n'),
    ]),
  );
