import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RECORDED, SLICE_RECORDED, TUNABLE } from '../src/domain/names.ts';
import { seriesText } from '../src/domain/series-text.ts';
import { type EphemeralPrometheus, startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { createBlocks } from './support/openmetrics.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

/** Denied a minute now, and usually; approved a minute in the busiest hour. */
const SLICES = {
  total: { labels: { level: 'total' }, now: 40, usual: 20, busiest: 423 },
  large: { labels: { level: 'acquirer', acquirer: 'large' }, now: 17, usual: 15, busiest: 400 },
  bad: { labels: { level: 'acquirer', acquirer: 'bad' }, now: 22, usual: 4, busiest: 20 },
  small: { labels: { level: 'acquirer', acquirer: 'small' }, now: 1, usual: 1, busiest: 3 },
  idle: { labels: { level: 'acquirer', acquirer: 'idle' }, now: 0, usual: Number.NaN, busiest: 0.1 },
  tiny: { labels: { level: 'acquirer', acquirer: 'tiny' }, now: 0, usual: Number.NaN, busiest: 0.1 },
  poor: { labels: { level: 'acquirer', acquirer: 'poor' }, now: 0, usual: Number.NaN, busiest: 0.1 },
  web: { labels: { level: 'channel', channel: 'web' }, now: 40, usual: 15, busiest: 423 },
  card: { labels: { level: 'brand', brand: 'a card' }, now: 40, usual: 20, busiest: 423 },
} as const;

/** What the rules record of them, as Prometheus keeps it, up to now. */
async function writeRecorded(folder: string): Promise<void> {
  await mkdir(join(folder, 'data'), { recursive: true });
  const end = Math.floor(Date.now() / 60_000) * 60;
  const lines: string[] = [];
  const add = (name: string, labels: Record<string, string>, value: number, minutes = 2) => {
    for (let ago = minutes - 1; ago >= 0; ago--) lines.push(`${seriesText(name, labels)} ${value} ${end - 60 * ago}`);
  };
  for (const { labels, now, busiest } of Object.values(SLICES)) {
    add(RECORDED.levels, { ...labels, status: 'denied' }, now, 20);
    add(SLICE_RECORDED.busiest, labels, busiest);
  }
  for (const { labels, usual } of [SLICES.total, SLICES.large, SLICES.bad, SLICES.web, SLICES.card])
    add(RECORDED.expected, { ...labels, status: 'denied', window: '15m' }, 15 * usual);
  add(SLICE_RECORDED.expected, { ...SLICES.small.labels, status: 'denied' }, 60 * SLICES.small.usual);
  add(TUNABLE.judgedByMinutes, {}, 10);
  add(TUNABLE.judgedByHour, {}, 0.5);
  await writeFile(join(folder, 'recorded.om'), `${lines.join('\n')}\n# EOF\n`);
  await createBlocks(join(folder, 'recorded.om'), join(folder, 'data'));
}

let prometheus: EphemeralPrometheus;
let service: Service;
beforeAll(async () => {
  const folder = temporaryFolder('slices');
  await writeRecorded(folder);
  prometheus = await startEphemeralPrometheus(join(folder, 'data'));
  service = await startService({ prometheusUrl: prometheus.url });
});
afterAll(async () => {
  await service.close();
  await prometheus.stop();
});

const slices = async (query = '') => (await service.get(`/api/v1/slices?${query}`)).json;

describe('GET /api/v1/slices', () => {
  test('ranks slices by their share of what is beyond normal at the total, and says how each is judged', async () => {
    const { total, slices: ranked } = await slices('level=acquirer');
    // Fifteen minutes at the most: the last one may be older than a minute when it is asked for.
    expect(total).toMatchObject({ expected: 300, observed: expect.any(Number) });
    expect(ranked.map(({ labels }: { labels: { acquirer: string } }) => labels.acquirer)).toEqual([
      'bad',
      'large',
      'small',
      // Equals stand by name.
      'idle',
      'poor',
      'tiny',
    ]);
    const [bad, , small, , , tiny] = ranked;
    expect(bad.share).toBeGreaterThan(0.85);
    expect(bad).toMatchObject({ judged: 'minutes', expected: 60, excess: bad.observed - 60 });
    expect(bad.share).toBeCloseTo(bad.excess / total.excess, 9);
    expect(small).toMatchObject({ judged: 'hour', expected: 15 });
    expect(small.reason).toBe('3 approved a minute in the busiest hour of its last seven days; minutes need 10');
    expect(tiny).toMatchObject({ judged: 'no', expected: null, excess: null, share: null });
  });

  test('names what carries it, level by level', async () => {
    const { levels } = await slices();
    const said = Object.fromEntries(levels.map(({ level, says }: { level: string; says: string }) => [level, says]));
    expect(said.acquirer).toMatch(/^acquirer bad carries \d\d % of it$/);
    // The only value of a label carries everything at any time: that says nothing.
    expect(said.brand).toBe('no brand stands out');
  });

  test('has shares of all slices where together they are further beyond normal than the total', async () => {
    const { total, slices: ranked } = await slices('level=channel');
    expect(ranked).toMatchObject([{ labels: { channel: 'web' }, expected: 225, share: 1 }]);
    expect(ranked[0].excess).toBeGreaterThan(total.excess);
  });

  test('refuses what it does not know, and names it', async () => {
    const { status, json } = await service.get('/api/v1/slices?status=lost&limit=0');
    expect(status).toBe(422);
    expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual(['limit', 'status']);
  });
});

test('GET /api/v1/series shows one slice, or one level', async () => {
  const labelsOf = async (query: string) =>
    (await service.get(`/api/v1/series?status=denied&window=15m&${query}`)).json.series.map(
      ({ labels }: { labels: unknown }) => labels,
    );
  expect(await labelsOf('acquirer=bad')).toEqual([{ acquirer: 'bad' }]);
  expect(await labelsOf('level=total')).toEqual([{}]);
});
