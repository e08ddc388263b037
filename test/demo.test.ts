import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MinuteCounts } from '../src/domain/minutes.ts';
import type { Status } from '../src/domain/names.ts';
import { createDemo, createDemoTraffic, type Demo } from '../src/simulator/demo.ts';
import { postDemoTraffic } from '../src/simulator/demo-traffic.ts';
import { createTraffic } from '../src/simulator/feed.ts';
import type { Clock } from '../src/simulator/post-traffic.ts';
import { increases, type Service, startService } from './support/service.ts';

const MINUTE = 60_000;
let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Some minutes ago, so that its minutes are neither late nor ahead. */
const first = Math.floor(Date.now() / MINUTE) - 8;

type Act = (demo: Demo) => void;

/**
 * Tells the real service of some minutes, by a clock that only sleeping moves; `acts` happen so
 * many seconds after the start.
 */
async function tell(minutes: number, from: number, acts: Record<number, Act> = {}) {
  let now = from * MINUTE;
  const due = Object.entries(acts).map(([second, act]) => ({ time: now + Number(second) * 1000, act }));
  const traffic = createTraffic({ seed: 3 });
  const demo = createDemo(traffic, () => now);
  const clock: Clock = {
    now: () => now,
    async sleep(ms, signal) {
      const end = now + ms;
      for (const { time, act } of due.filter(({ time }) => time > now && time < end)) {
        now = time;
        act(demo);
        signal.throwIfAborted();
      }
      now = end;
    },
  };
  const stop = new AbortController();
  const told: MinuteCounts[] = [];
  await postDemoTraffic({
    ...{ traffic, demo, url: service.url, from, seed: 3, clock, signal: stop.signal },
    onMinute(minute) {
      told.push(minute);
      if (told.length === minutes) stop.abort();
    },
  });
  return { traffic, told };
}

const reports = async () => (await service.get('/api/v1/transactions?limit=100')).json.reports.reverse();
const sumOf = (minutes: MinuteCounts[], status: 'approved' | 'denied') =>
  minutes.reduce((sum, { counts }) => sum + (counts?.[status] ?? 0), 0);
/** Of all acquirers, or of one. */
const countOf = (told: MinuteCounts | undefined, status: Status, acquirer?: string) =>
  (told?.labelled ?? [])
    .filter(({ labels }) => acquirer === undefined || labels.acquirer === acquirer)
    .reduce((sum, { counts }) => sum + (counts[status] ?? 0), 0);

describe("the demo's traffic", () => {
  it('is never so little that an incident takes long to tell from chance, by night or on a Sunday', () => {
    const traffic = createDemoTraffic();
    const monday = Date.UTC(2026, 0, 5) / MINUTE;
    const hours = Array.from({ length: 7 * 24 }, (_, hour) => {
      const minutes = Array.from({ length: 60 }, (_, minute) => traffic.at(monday + 60 * hour + minute));
      return minutes.reduce((sum, told) => sum + countOf(told, 'approved'), 0) / 60;
    });
    expect(Math.min(...hours)).toBeGreaterThan(190);
  });

  it('is of several acquirers, one of which can fail alone', () => {
    const monday = Date.UTC(2026, 0, 5, 12) / MINUTE;
    const [usual, failing] = [createDemoTraffic(), createDemoTraffic()];
    createDemo(failing, () => monday * MINUTE).start('acquirer-denied');
    const [before, after] = [usual.at(monday + 1), failing.at(monday + 1)];
    const acquirers = (before?.labelled ?? []).map(({ labels }) => labels.acquirer);
    expect(acquirers.length).toBeGreaterThanOrEqual(3);
    expect(after?.labelled?.map(({ labels }) => labels.acquirer)).toEqual(acquirers);
    const risen = acquirers.filter((one) => countOf(after, 'denied', one) > 2 * countOf(before, 'denied', one));
    expect(risen).toEqual([acquirers[0]]);
    for (const { counts, authCodes = {} } of after?.labelled ?? []) {
      const denials = Object.entries(authCodes).filter(([code]) => code !== '00');
      expect(denials.reduce((sum, [, count]) => sum + count, 0)).toBe(counts.denied);
      expect(authCodes['00']).toBe(counts.approved);
    }
  });

  it('tells each minute by halves, and counts it once', async () => {
    let told: MinuteCounts[] = [];
    const changed = await increases(service, async () => {
      ({ told } = await tell(3, first));
    });
    const traffic = createTraffic({ seed: 3 });
    expect(told).toEqual([0, 1, 2].map((n) => traffic.at(first + n)));
    expect(changed['transactions_total{status="approved"}']).toBe(sumOf(told, 'approved'));
    const codes = Object.entries(changed).filter(([series]) => /auth_code="(?!00)/.test(series));
    expect(codes.reduce((sum, [, n]) => sum + n, 0)).toBe(sumOf(told, 'denied'));
    expect(await reports()).toHaveLength(6);
  });

  it('tells of an incident at once, and never less than before', async () => {
    const before = (await reports()).length;
    const { told, traffic } = await tell(2, first + 3, { 10: (demo) => demo.start('denied-spike') });
    const sent = (await reports()).slice(before);
    // Of an hour: one minute may have twice as many by chance.
    const calm = createTraffic({ seed: 3 });
    const usual =
      sumOf(
        Array.from({ length: 60 }, (_, n) => calm.at(first - n) as MinuteCounts),
        'denied',
      ) / 60;
    // Before the minute's first half has passed.
    expect(sent[0].counts.denied).toBe(Math.floor((traffic.at(first + 3)?.counts.denied ?? 0) / 2));
    expect(sent[0].counts.denied).toBeGreaterThan(usual);
    expect(sumOf(told, 'denied')).toBeGreaterThan(2 * 2 * usual);
  });

  it('never takes back what it has told: sales that stop do so from then on', async () => {
    const changed = await increases(service, () =>
      tell(2, first + 5, { 40: (demo) => demo.start('volume-zero') }).then(() => undefined),
    );
    const usual = createTraffic({ seed: 3 }).at(first + 5);
    expect(changed['transactions_total{status="approved"}']).toBe(Math.floor((usual?.counts.approved ?? 0) / 2));
  });

  it('goes on where an earlier run has told more of a minute', async () => {
    const { told } = await tell(2, first + 3);
    // The incident's minutes stay as they are.
    expect(told.map(({ minute }) => minute)).toEqual([first + 5, first + 6]);
  });
});

it('says when an incident began: in its first minute, also in the last second of that', () => {
  const began = first * MINUTE + 59_900;
  let now = began;
  const demo = createDemo(createDemoTraffic(), () => now);
  const started = demo.start('denied-spike');
  expect(started).toEqual({
    kind: 'denied-spike',
    since: new Date(began).toISOString(),
    until: new Date((first + 4) * MINUTE).toISOString(),
  });
  now += 2 * MINUTE;
  expect(demo.running()).toEqual([started]);
  now = Date.parse(started.until);
  expect(demo.running()).toEqual([]);
});

it('has so many transactions at any hour of a week that failures of one in twenty are no chance', () => {
  for (let hour = 0; hour < 7 * 24; hour++) {
    const minute = Date.UTC(2026, 10, 16, hour) / MINUTE;
    const traffic = createDemoTraffic();
    createDemo(traffic, () => minute * MINUTE).start('failed');
    const failed = [0, 1, 2].map((later) => countOf(traffic.at(minute + later), 'failed'));
    // Two minutes with so many are an alert where next to none fail (the floor, docs/detection.md).
    expect(failed.filter((count) => count >= 5).length, `${failed} failed at hour ${hour}`).toBeGreaterThanOrEqual(2);
  }
});
