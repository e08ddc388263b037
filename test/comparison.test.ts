import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RECORDED } from '../src/domain/names.ts';
import { gaussian, poisson, randomFor } from '../src/domain/random.ts';
import { farFromNormal } from '../src/judge/far-from-normal.ts';
import { type EphemeralPrometheus, startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { createBlocks } from './support/openmetrics.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

const MIDNIGHT = Date.UTC(2026, 2, 30) / 1000;
const AT = '2026-03-30T15:30:00Z';
const SPIKE = 12;
const DROP = 13;
/** Minutes of the day that Prometheus was down: over an hour's mark, and for long. */
const DOWN_OVER_MARK = { daysAgo: 1, from: 8 * 60 + 55, to: 9 * 60 + 5 };
const DOWN_FOR_LONG = { daysAgo: 0, from: 3 * 60, to: 3 * 60 + 20 };

const random = randomFor(7, 0, 0);
/** Counts a minute by acquirer, days ago and minute of the day. */
const COUNTS = Object.fromEntries(
  ['acme', 'beta'].map((acquirer) => [
    acquirer,
    Array.from({ length: 29 }, (_, daysAgo) =>
      Array.from({ length: 1440 }, (_, minute) => {
        const hour = Math.floor(minute / 60);
        const mean = 20 + 15 * Math.sin((hour / 24) * 2 * Math.PI) - (daysAgo % 7 === 1 ? 8 : 0);
        const today = daysAgo > 0 ? 1 : hour === SPIKE ? 1.5 : hour === DROP ? 0.4 : 1;
        return Math.round(mean * today * (0.8 + 0.4 * random()));
      }),
    ),
  ]),
);

const isDown = (daysAgo: number, minute: number) =>
  [DOWN_OVER_MARK, DOWN_FOR_LONG].some((hole) => daysAgo === hole.daysAgo && minute >= hole.from && minute < hole.to);

/** What an hour holds of the minutes that are recorded, as if it had 60. */
function hourly(acquirers: string[], daysAgo: number, hour: number): number {
  const minutes = Array.from({ length: 60 }, (_, i) => hour * 60 + i).filter((minute) => !isDown(daysAgo, minute));
  const counts = acquirers.flatMap((acquirer) => minutes.map((minute) => COUNTS[acquirer]?.[daysAgo]?.[minute] ?? 0));
  return Math.round((counts.reduce((sum, count) => sum + count, 0) * 60) / minutes.length);
}

/** The recorded counts of each minute as Prometheus keeps them; denied are a tenth of approved. */
async function writeHistory(folder: string): Promise<void> {
  await mkdir(join(folder, 'data'), { recursive: true });
  const file = createWriteStream(join(folder, 'history.om'));
  file.write(`# TYPE ${RECORDED.levels} gauge\n`);
  const series = [
    ...Object.keys(COUNTS).map((acquirer) => ({ labels: `level="acquirer",acquirer="${acquirer}"`, of: [acquirer] })),
    { labels: 'level="total"', of: Object.keys(COUNTS) },
  ];
  for (const { labels, of } of series)
    for (const [status, share] of [['approved', 1] as const, ['denied', 0.1] as const])
      for (let daysAgo = 28; daysAgo >= 0; daysAgo--)
        for (let minute = 0; minute < 1440; minute++) {
          const end = MIDNIGHT - daysAgo * 86_400 + (minute + 1) * 60;
          if (isDown(daysAgo, minute) || end > Date.parse(AT) / 1000) continue;
          const count = of.reduce((sum, acquirer) => sum + (COUNTS[acquirer]?.[daysAgo]?.[minute] ?? 0), 0);
          file.write(`${RECORDED.levels}{status="${status}",${labels}} ${share * count} ${end}\n`);
        }
  file.end('# EOF\n');
  await finished(file);
  await createBlocks(join(folder, 'history.om'), join(folder, 'data'));
}

let prometheus: EphemeralPrometheus;
let service: Service;
beforeAll(async () => {
  const folder = temporaryFolder('comparison');
  await writeHistory(folder);
  prometheus = await startEphemeralPrometheus(join(folder, 'data'));
  service = await startService({ prometheusUrl: prometheus.url, dimensions: 'acquirer,channel' });
});
afterAll(async () => {
  await service.close();
  await prometheus.stop();
});

const compared = async (query: string) => (await service.get(`/api/v1/comparison?at=${AT}&${query}`)).json;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const ago = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('GET /api/v1/comparison', () => {
  const BOTH = ['acme', 'beta'];

  test.each([
    ['of all acquirers', 'status=approved', BOTH],
    ['of one acquirer', 'status=approved&acquirer=acme', ['acme']],
  ])('has every whole hour of today beside the days before, %s', async (_, query, acquirers) => {
    const { day, status, hours } = await compared(query);
    expect({ day, status, length: hours.length }).toEqual({ day: '2026-03-30', status: 'approved', length: 24 });
    for (const { hour, ...shown } of hours) {
      const of = (daysAgo: number) => hourly(acquirers, daysAgo, hour);
      expect(shown, `hour ${hour}`).toEqual({
        today: hour >= 15 || hour === 3 ? null : of(0),
        yesterday: of(1),
        sameDayLastWeek: of(7),
        average7d: expect.closeTo(mean(ago(1, 7).map(of)), 6),
        average28d: expect.closeTo(mean(ago(1, 28).map(of)), 6),
        far: hour === SPIKE ? 'above' : hour === DROP ? 'below' : null,
      });
    }
  });

  test('total is all statuses together', async () => {
    const [total, approved, denied] = await Promise.all(
      ['total', 'approved', 'denied'].map(async (status) => (await compared(`status=${status}`)).hours[10].today),
    );
    expect(Math.abs(total - approved - denied)).toBeLessThanOrEqual(1);
    expect((await compared('')).status).toBe('total');
  });

  test('an hour whose mark Prometheus missed is there; one of which it missed much is not', async () => {
    const { hours } = await compared('status=approved');
    expect([hours[8].yesterday, hours[9].yesterday]).toEqual([hourly(BOTH, 1, 8), hourly(BOTH, 1, 9)]);
    expect(hours[3].today).toBeNull();
  });

  test('a day in the past is shown as it stood then', async () => {
    const { json } = await service.get('/api/v1/comparison?status=approved&at=2026-03-29T06:10:00Z');
    expect(json.day).toBe('2026-03-29');
    expect(json.hours[5].today).toBe(hourly(BOTH, 1, 5));
    expect(json.hours[6].today).toBeNull();
  });

  test('without data everything is null, and nothing is marked', async () => {
    const { json } = await service.get('/api/v1/comparison');
    expect(new Set(json.hours.flatMap(({ hour, ...rest }: { hour: number }) => Object.values(rest)))).toEqual(
      new Set([null]),
    );
    expect(json.definition).toMatch(/3 robust standard deviations/);
  });

  test.each([
    ['status=lost', 'status'],
    ['at=yesterday', 'at'],
    ['at=2999-01-01T00:00:00Z', 'at'],
    ['shop=1', 'shop'],
    ['acquirer=a&acquirer=b', 'acquirer'],
  ])('refuses ?%s, and names it', async (query, named) => {
    const { status, json } = await service.get(`/api/v1/comparison?${query}`);
    expect(status).toBe(422);
    expect(json.detail).toContain(named);
  });

  test('without a Prometheus it is a 503 that says when to come again', async () => {
    const alone = await startService();
    const { status, headers, json } = await alone.get('/api/v1/comparison');
    expect({ status, retry: headers.get('retry-after') }).toEqual({ status: 503, retry: '15' });
    expect(json.detail).toContain('Prometheus does not answer');
    await alone.close();
  });
});

/**
 * Counts of a day: a mean by hour and weekday, chance, and what varies beyond it from day to day
 * and hour to hour.
 */
function simulate(days: number, level: number, spread: number, seed: number) {
  const random = randomFor(seed, days, level);
  const ofDay = Array.from({ length: days + 1 }, () => Math.exp((spread * gaussian(random)) / 2));
  return Array.from({ length: 24 }, (_, hour) => {
    const counts = ofDay.map((factor, daysAgo) => {
      const weekday = daysAgo % 7 === 2 ? 0.6 : 1;
      const mean = level * weekday * (1 + 0.6 * Math.sin((hour / 24) * 2 * Math.PI));
      return poisson(mean * factor * Math.exp(spread * gaussian(random)), random);
    });
    return { today: counts[0] ?? 0, before: counts.slice(1) };
  });
}

describe('what is far from normal', () => {
  const LEVELS = [0.3, 3, 30, 1000, 50_000];
  const SEEDS = Array.from({ length: 40 }, (_, i) => i + 1);
  const markedShare = (days: number, spread: number, level: number) => {
    const marks = SEEDS.flatMap((seed) => farFromNormal(simulate(days, level, spread, seed)));
    return marks.filter((mark) => mark !== null).length / marks.length;
  };

  test.each([3, 5, 7, 14, 28])('after %i normal days fewer than one hour in a hundred is marked', (days) => {
    for (const level of LEVELS)
      for (const spread of [0, 0.1, 0.3])
        expect(markedShare(days, spread, level), `${level} an hour, spread ${spread}`).toBeLessThan(0.01);
  });

  const withToday = (level: number, factor: number, days = 28) =>
    SEEDS.map((seed) => {
      const hours = simulate(days, level, 0.05, seed);
      const changed = hours.map((hour, at) => (at === 6 ? { ...hour, today: Math.round(hour.today * factor) } : hour));
      return farFromNormal(changed)[6];
    });

  test.each([
    ['half as much again', 1000, 1.5, 'above'],
    ['a third less', 1000, 0.6, 'below'],
    ['three times as many of few', 12, 3.5, 'above'],
    ['nothing where thirty are usual', 20, 0, 'below'],
  ])('%s is marked', (_, level, factor, mark) => {
    const marks = withToday(level, factor);
    expect(marks.filter((each) => each === mark).length / marks.length).toBeGreaterThan(0.8);
  });

  test('a few more of nearly none are not marked, nor anything before there are three days', () => {
    const hours = (today: number, before: number[]) => farFromNormal([{ today, before }])[0];
    expect(hours(3, new Array(28).fill(0))).toBeNull();
    expect(hours(30, new Array(28).fill(0))).toBe('above');
    expect(hours(100_000, [10, 10])).toBeNull();
    expect(hours(100_000, [10, 10, 10])).toBe('above');
  });

  test('a day that is always low at this weekday is not marked, nor does one bad day before hide a new one', () => {
    const week = Array.from({ length: 28 }, (_, i) => ((i + 1) % 7 === 0 ? 400 : 1000));
    const today = (count: number, before: (number | null)[]) => farFromNormal([{ today: count, before }])[0];
    expect(today(410, week)).toBeNull();
    expect(today(1000, week)).toBe('above');
    expect(today(410, week.slice(0, 9))).toBeNull();
    expect(today(100, week)).toBe('below');
    expect(today(1000, [null, 990, 5000, ...new Array(25).fill(1000)])).toBeNull();
    expect(today(5000, [null, 990, 5000, ...new Array(25).fill(1000)])).toBe('above');
  });
});
