import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { JUDGED_STATUSES, RECORDED, type Status } from '../src/domain/names.ts';
import { importHistory, storageOf } from '../src/history/history.ts';
import type { Assessment } from '../src/judge/recommendation.ts';
import { createPrometheus, type Prometheus } from '../src/prometheus/client.ts';
import { type EphemeralPrometheus, startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { PROJECT } from '../src/runtime/project.ts';
import { AUTH_CODES, createTraffic, trafficMinutes } from '../src/simulator/feed.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

/** Enough for the guard, which needs three days. */
const DAYS = 4;
/** Minutes before the end of the history that nobody reported. */
const SILENT = { from: 44, to: 40 };

let engine: EphemeralPrometheus;
let prometheus: Prometheus;
let service: Service;

beforeAll(async () => {
  const dataDir = temporaryFolder('band');
  const now = Math.floor(Date.now() / 60_000);
  const traffic = createTraffic({ seed: 7 });
  await importHistory({
    minutes: [
      ...trafficMinutes(traffic, now - DAYS * 1440, now - SILENT.from),
      ...trafficMinutes(traffic, now - SILENT.to, now),
    ],
    authCodes: AUTH_CODES,
    dataDir,
    rulesDir: join(PROJECT, 'prometheus', 'rules'),
  });
  // It evaluates nothing, so that what is recorded stands still while it is compared.
  engine = await startEphemeralPrometheus(storageOf(dataDir));
  prometheus = createPrometheus(engine.url);
  // However slow the machine is, no minute of a test becomes late.
  service = await startService({ prometheusUrl: engine.url, lateness: '3h' });
});
afterAll(async () => {
  await service?.close();
  await engine?.stop();
});

async function recorded(name: string, status: Status, window: string): Promise<number> {
  const [sample] = await prometheus.instant(`${name}{status="${status}", window="${window}"}`);
  if (sample === undefined) throw new Error(`${name} of ${status} in ${window} is not recorded`);
  return sample.value;
}

async function post(counts: Partial<Record<Status, number>>): Promise<Assessment[]> {
  const { json } = await service.post({ counts });
  expect(json.baseline.state).toBe('ready');
  return json.assessments;
}

describe('the service and the rules', () => {
  it('have the same band, for the volume that the rules saw', async () => {
    const approved = await recorded(RECORDED.observed, 'approved', '1m');
    const zeros = Object.fromEntries(JUDGED_STATUSES.map((status) => [status, 0]));
    const assessments = await post({ approved, ...zeros });
    expect(assessments.map((a) => a.status)).toEqual([...JUDGED_STATUSES]);
    for (const { status, expectedCount, upperCount } of assessments) {
      expect(expectedCount).toBeCloseTo(await recorded(RECORDED.expected, status, '1m'), 3);
      expect(upperCount).toBeCloseTo(await recorded(RECORDED.upper, status, '1m'), 3);
    }
  });

  it('say the same score', async () => {
    const approved = await recorded(RECORDED.observed, 'approved', '1m');
    const denied = await recorded(RECORDED.observed, 'denied', '1m');
    // A minute of its own, so that nothing posted before adds to it.
    const timestamp = Math.floor(Date.now() / 60_000) * 60 - 60;
    const { json } = await service.post({ timestamp, counts: { approved, denied } });
    expect(json.assessments[0].score).toBeCloseTo(await recorded(RECORDED.score, 'denied', '1m'), 3);
  });

  it('draw the band over time, every minute with what was observed and expected', async () => {
    const { json } = await service.get('/api/v1/series?status=denied');
    const { points } = json.series[0];
    expect(json.series).toHaveLength(1);
    expect(points.length).toBeGreaterThan(170);
    // The history has ended: what Prometheus repeats of it is no minute.
    const to = Math.floor(Date.now() / 1000) + 240;
    const later = (await service.get(`/api/v1/series?status=denied&to=${to}`)).json.series[0].points;
    const last = points.at(-1);
    expect(Date.parse(later.at(-1).time) - Date.parse(last.time)).toBeLessThan(180_000);
    expect(last.upper).toBeCloseTo(await recorded(RECORDED.upper, 'denied', '1m'), 6);
    for (const field of ['observed', 'expected', 'lower', 'upper', 'score']) expect(last).toHaveProperty(field);
  });
});

test('minutes that nobody reported are a gap and no zeros', async () => {
  const { points } = (await service.get('/api/v1/series?status=approved')).json.series[0];
  const times: number[] = points.map(({ time }: { time: string }) => Date.parse(time) / 60_000);
  const steps = times.map((time, i) => time - (times[i - 1] ?? time - 1));
  expect(steps.filter((step) => step !== 1)).toEqual([SILENT.from - SILENT.to + 1]);
  expect(Math.min(...points.map(({ observed }: { observed: number }) => observed))).toBeGreaterThan(0);
});

describe('a POST while normal is known', () => {
  const approved = 1000;
  const thisMinute = Math.floor(Date.now() / 60_000);
  /**
   * The minute `ago` minutes before this one, of a source. Each test has minutes of its own: all
   * sources of one add up.
   */
  const report = async (source: string, ago: number, counts: object) => {
    const timestamp = new Date((thisMinute - ago) * 60_000).toISOString();
    return (await service.post({ source, timestamp, counts })).json;
  };
  let expected: number;
  beforeAll(async () => {
    expected = (await report('probe', 13, { approved, denied: 0 })).assessments[0].expectedCount;
  });

  it('says ok for a normal minute, watch for one with five times the denials, alert for the second in a row', async () => {
    const bad = { approved, denied: Math.round(5 * expected) };
    const ok = await report('till', 11, { approved, denied: Math.round(expected) });
    const first = await report('till', 10, bad);
    const second = await report('till', 9, bad);
    expect([ok, first, second].map((answer) => answer.recommendation)).toEqual(['ok', 'watch', 'alert']);
    const [{ share, expected: usual, upper, reason }] = second.assessments;
    expect(share).toBeGreaterThan(upper);
    expect(upper).toBeGreaterThan(usual);
    expect(reason).toMatch(/^denied is [\d.]+ % of \d+ transactions; normal here is [\d.]+ %, up to [\d.]+ %/);
    expect(second.reason).toBe(reason);
  });

  it('says of three sources, each within its band, what their sum is', async () => {
    // A band is narrower for the sum than for a third of it.
    const { assessments } = await report('sizes', 7, { approved: 100, denied: 0 });
    const denied = Math.floor(assessments[0].upperCount);
    const answers = [];
    for (const source of ['a', 'b', 'c', 'd', 'e']) answers.push(await report(source, 5, { approved: 100, denied }));
    expect(answers.map(({ recommendation }) => recommendation)).toEqual(['ok', ...Array(4).fill('watch')]);
    expect(answers.at(-1).assessments[0]).toMatchObject({ count: 5 * denied, total: 5 * (100 + denied) });
  });

  it('judges doubled volume at the same shares as normal', async () => {
    const json = await report('sale', 3, { approved: 2 * approved, denied: Math.round(2 * expected) });
    expect(json.recommendation).toBe('ok');
  });

  it('says unknown of labels that have no history, and judges the total all the same', async () => {
    const labelled = await startService({ prometheusUrl: engine.url, dimensions: 'acquirer' });
    const answer = async () =>
      (await labelled.post({ counts: { approved: 1000, denied: 5 }, labels: { acquirer: 'new' } })).json;
    await expect.poll(async () => (await answer()).baseline.state).toBe('ready');
    const { assessments } = await answer();
    expect(assessments).toHaveLength(2);
    expect(assessments[0]).toMatchObject({ status: 'denied', recommendation: 'ok' });
    expect(assessments[1]).toMatchObject({ labels: { acquirer: 'new' }, recommendation: 'unknown' });
    await labelled.close();
  });
});
