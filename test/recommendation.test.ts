import { describe, expect, test } from 'vitest';
import { RECORDED, TUNABLE } from '../src/domain/names.ts';
import { scoreOf } from '../src/judge/band.ts';
import { toBaseline, watchBaseline } from '../src/judge/baseline.ts';
import { type Assessment, assess, overall, upperBound } from '../src/judge/recommendation.ts';
import { openLedger } from '../src/ledger/open.ts';
import { createPrometheus } from '../src/prometheus/client.ts';
import { fakePrometheus, type Mood, RECORDINGS } from './support/fake-prometheus.ts';
import { type Client, minutesAgo, serveWith, startService, temporaryFolder } from './support/service.ts';

const TUNABLES = { z: { '1m': 3.3, '2m': 3.3 }, noiseZ: 7 };

describe('the largest normal count, worked out by hand', () => {
  const normal = (r: number, floor = 2.5) => ({
    odds: 0.05,
    relativeVariance: r,
    floor: { '1m': floor, '2m': floor },
  });

  test.each([
    // Half an approval more makes 2,000 of them. Their own chance is (3.3 / 7)^2 / 2000 of the
    // variance, 0.010111 in all: 100 + sqrt(10.89 * 100 + 49 * 0.010111 * 100^2) + (1 + 2 *
    // 0.010111 * 100) * 9.89 / 6
    ['a hundred expected', 1999.5, '1m', normal(0.01), 182.7213],
    // The busier of two minutes is left out: half of what both expect. There are 4,000 approvals,
    // 0.010056 in all.
    ['a hundred a minute in two', 3999.5, '2m', normal(0.01), 182.5276],
    // 8 + sqrt(87.12 + 49 * 0.051389 * 8^2) + (1 + 2 * 0.051389 * 8) * 9.89 / 6
    ['eight expected', 159.5, '1m', normal(0.05), 26.7604],
    // 0.025 and what chance adds are less than 3 events: the floor is half a one below them.
    ['none approved', 0, '1m', normal(0.01), 2.5],
    ['a peak at this time of day', 1999.5, '1m', normal(0.01, 421.2436), 421.2436],
    ['a peak that the band covers anyway', 1999.5, '1m', normal(0.01, 20), 182.7213],
  ] as const)('%s', (_name, approved, window, given, upper) => {
    expect(upperBound(approved, window, given, TUNABLES)).toBeCloseTo(upper, 3);
  });

  test.each([
    ['no variance', { odds: 0.05, floor: { '1m': 2.5 } }, TUNABLES],
    ['a variance that a rule divided by zero for', normal(Number.NaN), TUNABLES],
    ['no sensitivity', normal(0.01), { ...TUNABLES, z: {} }],
    ['no floor', { odds: 0.05, relativeVariance: 0.01, floor: {} }, TUNABLES],
    ['no noise', normal(0.01), { ...TUNABLES, noiseZ: Number.NaN }],
    ['a floor without end', normal(0.01, Number.POSITIVE_INFINITY), TUNABLES],
  ])('with %s there is none', (_name, given, tunables) => {
    expect(upperBound(100, '1m', given, tunables)).toBeUndefined();
  });

  test('the score', () => {
    // (54 - 5) / sqrt(5 + 0.01 * 25 + 0.25)
    expect(scoreOf(54, 5, 0.01)).toBeCloseTo(20.894, 3);
    expect(scoreOf(0, 0, 0.01)).toBe(0);
  });
});

// With 100 approved, 5.025 denied are expected and 15.2 are the most that is normal in one minute,
// 15.1 in each of two.
const NOW = 1_795_264_275;
const firing = {
  labels: { __name__: 'ALERTS', alertname: 'TransactionsDeniedAboveNormal', status: 'denied' },
  value: 1,
};
const ready = toBaseline(RECORDINGS, [], NOW);
const alerting = toBaseline(RECORDINGS, [firing], NOW);
const onlyAlerting = toBaseline(
  RECORDINGS.filter(({ labels }) => labels.status !== 'denied'),
  [firing],
  NOW,
);

describe('one minute of denied', () => {
  const judged = (counts: object, previous: object, baseline = ready, earlier: object = {}) =>
    assess([{ labels: {}, counts, previous, earlier }], baseline).find(({ status }) => status === 'denied');

  test.each([
    ['as usual', { approved: 100, denied: 5 }, {}, ready, 'ok'],
    ['none', { approved: 100, denied: 0 }, {}, ready, 'ok'],
    ['at the edge', { approved: 100, denied: 15 }, { approved: 100, denied: 15 }, ready, 'ok'],
    ['above, for the first time', { approved: 100, denied: 16 }, { approved: 100, denied: 5 }, ready, 'watch'],
    ['above, the minute before unknown', { approved: 100, denied: 500 }, {}, ready, 'watch'],
    ['above twice', { approved: 100, denied: 16 }, { approved: 100, denied: 16 }, ready, 'alert'],
    [
      'above twice, the second time by far',
      { approved: 100, denied: 500 },
      { approved: 100, denied: 16 },
      ready,
      'alert',
    ],
    ['normal after a bad minute', { approved: 100, denied: 5 }, { approved: 100, denied: 500 }, ready, 'ok'],
    ['twice as many at twice the volume', { approved: 400, denied: 20 }, { approved: 400, denied: 20 }, ready, 'ok'],
    ['above, while the alert fires', { approved: 100, denied: 16 }, {}, alerting, 'alert'],
    ['normal, while the alert fires', { approved: 100, denied: 5 }, {}, alerting, 'alert'],
    ['while the alert fires and nothing else is known', { denied: 5 }, {}, onlyAlerting, 'alert'],
    ['without approved, against what was recorded', { denied: 16 }, {}, ready, 'watch'],
    ['without approved, as usual', { denied: 15 }, { denied: 16 }, ready, 'ok'],
    ['twice without approved', { denied: 16 }, { denied: 16 }, ready, 'alert'],
  ] as const)('%s', (_name, counts, previous, baseline, recommendation) => {
    expect(judged(counts, previous, baseline)).toMatchObject({ recommendation });
  });

  test('above the band of two minutes is an alert even where one minute may be more', () => {
    const lenient = RECORDINGS.map((s) =>
      s.labels.__name__ === TUNABLE.z && s.labels.window === '1m' ? { ...s, value: 6 } : s,
    );
    const baseline = toBaseline(lenient, [], NOW);
    const counts = { approved: 100, denied: 16 };
    expect(judged(counts, {}, baseline)).toMatchObject({ recommendation: 'ok' });
    expect(judged(counts, counts, baseline)).toMatchObject({ recommendation: 'alert' });
  });

  test('a status that had a blip of two minutes lately must be bad for three', () => {
    const blip = { labels: { __name__: RECORDED.blips, status: 'denied' }, value: 1 };
    const blipping = toBaseline(RECORDINGS, [], NOW, [blip]);
    const bad = { approved: 100, denied: 50 };
    expect(judged(bad, bad, blipping, { approved: 100, denied: 5 })).toMatchObject({
      recommendation: 'watch',
      reason: expect.stringContaining('two minutes alone are no alert'),
    });
    expect(judged(bad, bad, blipping)).toMatchObject({ recommendation: 'watch' });
    expect(judged(bad, bad, blipping, bad)).toMatchObject({ recommendation: 'alert' });
  });

  test('the numbers and the sentence say the same', () => {
    const report = { approved: 116, denied: 54 };
    // With 5.825 expected and a relative variance of 0.01 + (3.3 / 7)^2 / 116.5 = 0.011908: 5.825 +
    // sqrt(10.89 * 5.825 + 49 * 0.011908 * 5.825^2) + (1 + 2 * 0.011908 * 5.825) * 9.89 / 6, and
    // 48.175 / sqrt(5.825 + 0.011908 * 5.825^2 + 0.25)
    expect(judged(report, {})).toEqual({
      status: 'denied',
      count: 54,
      total: 170,
      share: 0.317647,
      expected: 0.0478145,
      upper: expect.closeTo(0.12667, 4),
      expectedCount: 5.825,
      upperCount: expect.closeTo(16.825, 3),
      score: expect.closeTo(18.926, 3),
      recommendation: 'watch',
      reason: 'denied is 31.8 % of 170 transactions; normal here is 4.8 %, up to 12.7 %; one minute alone is no alert',
    });
    expect(judged(report, report)?.reason).toContain('the minute before was above normal too');
    expect(judged(report, {}, alerting)?.reason).toContain('TransactionsDeniedAboveNormal is firing');
  });

  test('labels have their own baseline, or none', () => {
    const labels = { acquirer: 'acme' };
    const minute = { labels, counts: { approved: 100, denied: 500 }, previous: {}, earlier: {} };
    const [unknown] = assess([minute], ready);
    expect(unknown).toMatchObject({ labels, recommendation: 'unknown', count: 500, total: 600 });
    expect(unknown).not.toHaveProperty('expected');
    const own = RECORDINGS.map(({ labels: has, value }) => ({ labels: { ...has, acquirer: 'acme' }, value }));
    const tunables = RECORDINGS.filter(({ labels: has }) => has.__name__?.endsWith(':tunable'));
    expect(assess([minute], toBaseline([...own, ...tunables], [], NOW))[0]).toMatchObject({ recommendation: 'watch' });
  });
});

describe('all in all', () => {
  const minute = (counts: object) => [{ labels: {}, counts, previous: {}, earlier: {} }];

  test('the gravest counts', () => {
    const counts = { approved: 100, denied: 500, failed: 0 };
    const assessments = assess(minute(counts), ready);
    expect(assessments.map(({ status, recommendation }) => [status, recommendation])).toEqual([
      ['denied', 'watch'],
      ['failed', 'ok'],
    ]);
    expect(overall(assessments)).toEqual({ recommendation: 'watch', reason: assessments[0]?.reason });
  });

  test('what is known counts where something else is not', () => {
    expect(overall(assess(minute({ denied: 5, reversed: 1 }), ready))).toMatchObject({ recommendation: 'ok' });
  });

  test('nothing to judge, and nothing to judge by, are not known', () => {
    const empty = toBaseline([], [], undefined);
    expect(overall(assess(minute({ approved: 9 }), ready))).toBeUndefined();
    expect(overall(assess(minute({ denied: 9 }), empty))).toMatchObject({
      recommendation: 'unknown',
      reason: expect.stringContaining('two hours'),
    });
  });

  test('an alert is of the labels that it names, and that of the total of the total', () => {
    const alert = (labels: object) => ({ labels: { ...firing.labels, ...labels }, value: 1 });
    const { firing: fires } = toBaseline(RECORDINGS, [alert({ level: 'acquirer', acquirer: 'acme' })], NOW);
    expect(fires('denied', { acquirer: 'acme', merchant: 'm1' })).toBe('TransactionsDeniedAboveNormal');
    expect([
      fires('denied', { acquirer: 'other' }),
      fires('denied', {}),
      fires('failed', { acquirer: 'acme' }),
    ]).toEqual([undefined, undefined, undefined]);
    expect(alerting.firing('denied', {})).toBe('TransactionsDeniedAboveNormal');
    expect(alerting.firing('denied', { acquirer: 'acme' })).toBeUndefined();
  });

  test.each([Number.NaN, 1e300])('rules evaluated at %d are no baseline', (asOf) => {
    expect(toBaseline(RECORDINGS, [], asOf).state).toBe('warming-up');
  });

  test('odds that are no number are none', () => {
    const nan = RECORDINGS.map((s) => (s.labels.__name__ === RECORDED.odds ? { ...s, value: Number.NaN } : s));
    expect(toBaseline(nan, [], NOW).state).toBe('warming-up');
  });
});

describe('a service and its Prometheus', () => {
  /** The application against a fake Prometheus, and what makes it look there now. */
  async function against(
    mood: Mood,
    act: (client: Client, look: (mood: Mood) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const ledger = await openLedger({
      ledger: '',
      data: temporaryFolder('bands'),
      latenessSeconds: 900,
      keepSeconds: 86_400,
      maxSeries: 100,
      maxSources: 100,
      log: () => {},
    });
    const fake = await fakePrometheus(mood);
    const prometheus = createPrometheus(fake.url, 2000);
    const baseline = watchBaseline(prometheus, () => {});
    const { client, close } = await serveWith({ ledger, prometheus, baseline, flags: { dimensions: 'acquirer' } });
    try {
      await act(client, async (next) => {
        fake.state.mood = next;
        await baseline.refresh();
      });
    } finally {
      baseline.stop();
      await close();
      await fake.close();
      await ledger.close();
    }
  }

  const readiness = async (client: Client) => (await client.get('/-/ready')).json;

  test('answers with what is recorded: ok, watch, alert in the second minute, ok', async () => {
    await against('ready', async (client, look) => {
      await look('ready');
      const minutes = [5, 4, 3, 2].map((ago) => minutesAgo(ago));
      const minute = async (at: number, denied: number) => {
        const report = { timestamp: minutes[at], source: 'pos', counts: { approved: 100, denied } };
        return (await client.post(report)).json;
      };
      await client.send('POST', '/api/v1/changes', { text: 'checkout 2.31', at: minutesAgo(4) });
      expect(await minute(0, 5)).toMatchObject({ recommendation: 'ok', baseline: { state: 'ready' } });
      expect(await minute(1, 100)).toMatchObject({ recommendation: 'watch' });
      const second = await minute(2, 100);
      expect(second).toMatchObject({ recommendation: 'alert', assessments: [{ expected: 0.0478458, share: 0.5 }] });
      expect(second.assessments[0].upper).toBeCloseTo(0.13219, 4);
      expect(second.reason).toMatch(/; [45] min after: checkout 2\.31$/);
      expect(await minute(3, 5)).toMatchObject({ recommendation: 'ok' });
      const age = Date.now() - Date.parse(second.baseline.asOf);
      expect(age).toBeGreaterThan(14_000);
    });
  });

  test('judges a minute as all sources have reported it so far, at the labels of the report and in total', async () => {
    await against('ready', async (client, look) => {
      await look('ready');
      const timestamp = minutesAgo(7);
      const shares = [];
      for (const source of ['pos-1', 'pos-2', 'pos-3']) {
        const report = { timestamp, source, counts: { approved: 33, denied: 5 }, labels: { acquirer: 'acme' } };
        const { json } = await client.post(report);
        shares.push(json.assessments.map(({ labels, count, total }: Assessment) => [labels?.acquirer, count, total]));
      }
      expect(shares).toEqual(
        [5, 10, 15].map((n, i) => [
          [undefined, n, 38 * (i + 1)],
          ['acme', n, 38 * (i + 1)],
        ]),
      );
      const last = await client.post({ timestamp, source: 'pos-4', counts: { approved: 1, denied: 1 } });
      // 16 of 116: each source alone was within its band, their sum is not.
      expect(last.json).toMatchObject({ recommendation: 'watch', reason: expect.stringContaining('13.8 %') });
    });
  });

  test.each([
    ['from a clock three hours behind', 181, /^3 h [1-3] min old: kept, not judged; is the sender's clock in UTC\?$/],
    ['of a backlog', 107, /^1 h (47|48|49) min old: kept, not judged$/],
  ])('is unknown for counts %s, and says how late they are', async (_name, minutes, reason) => {
    await against('ready', async (client, look) => {
      await look('ready');
      const counts = { approved: 300, denied: 250 };
      const report = { timestamp: minutesAgo(minutes), source: 'late', counts };
      for (const counted of [{ late: 1 }, { duplicates: 1, late: 0 }]) {
        const { json } = await client.post(report);
        expect(json).toMatchObject({ ...counted, recommendation: 'unknown', reason: expect.stringMatching(reason) });
      }
    });
  });

  test('is unknown where no status is judged, and says which are', async () => {
    await against('ready', async (client, look) => {
      await look('ready');
      const { json } = await client.post({ timestamp: minutesAgo(6), source: 'sales', counts: { refunded: 3 } });
      expect(json).toMatchObject({ recommendation: 'unknown', assessments: [] });
      expect(json.reason).toContain('denied, failed, reversed, backend_reversed');
    });
  });

  test.each<[Mood, string, string]>([
    ['empty', 'warming-up', 'two hours'],
    ['no JSON', 'unavailable', 'no JSON'],
    ['other JSON', 'unavailable', 'JSON of another kind'],
    ['mad times', 'unavailable', 'JSON of another kind'],
    ['error', 'unavailable', 'too many samples'],
    ['silent', 'unavailable', 'does not answer'],
    ['cut off', 'unavailable', 'does not answer'],
  ])('a Prometheus that is %s: counts are taken, the baseline is %s', async (mood, state, reason) => {
    await against(mood, async (client, look) => {
      await look(mood);
      expect(await readiness(client)).toMatchObject({
        status: 'ready',
        baseline: state,
        reason: expect.stringContaining(reason),
      });
      const before = (await client.value('transactions_total{status="denied"}')) ?? Number.NaN;
      const answer = await client.post({
        timestamp: minutesAgo(1),
        source: mood,
        counts: { approved: 100, denied: 500 },
      });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        accepted: 1,
        recommendation: 'unknown',
        baseline: { state, reason: expect.stringContaining(reason) },
        assessments: [{ status: 'denied', count: 500, recommendation: 'unknown' }],
      });
      expect(await client.value('transactions_total{status="denied"}')).toBe(before + 500);
      if (state === 'warming-up') return;
      for (const path of ['/api/v1/anomalies', '/api/v1/series?status=denied']) {
        const refused = await client.get(path);
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '15']);
        expect(refused.headers.get('content-type')).toBe('application/problem+json');
        expect(refused.json.detail).toContain(reason);
      }
      const alerts = await client.get('/api/v1/alerts');
      expect(alerts.status).toBe(200);
      expect(alerts.json).toMatchObject({ alerts: [], prometheus: { state: 'unavailable' } });
    });
  });

  test.each<[Mood, string]>([
    ['slow', 'ready'],
    ['silent', 'unavailable'],
  ])('the first answer after a start beside a Prometheus that is %s: the baseline is %s', async (mood, state) => {
    const fake = await fakePrometheus(mood);
    const service = await startService({ prometheusUrl: fake.url });
    const { status, json } = await service.post({ counts: { approved: 100, denied: 5 } });
    await service.close();
    await fake.close();
    expect([status, json.accepted, json.baseline.state]).toEqual([200, 1, state]);
  });

  test('a Prometheus that goes away and comes back is noticed both times', async () => {
    await against('ready', async (client, look) => {
      for (const mood of ['ready', 'cut off', 'ready'] as const) {
        await look(mood);
        expect((await readiness(client)).baseline).toBe(mood === 'ready' ? 'ready' : 'unavailable');
        const report = { timestamp: minutesAgo(9), counts: { approved: 100, denied: 1 } };
        expect((await client.post(report)).json.recommendation).toBe(mood === 'ready' ? 'ok' : 'unknown');
      }
    });
  });

  test('a Prometheus that starts, or fails for a moment, is not warned of; one that stays away is, once', async () => {
    const fake = await fakePrometheus('error');
    const lines: string[] = [];
    const baseline = watchBaseline(createPrometheus(fake.url, 2000), (level, line) => lines.push(`${level} ${line}`));
    baseline.stop();
    await baseline.asked;
    const look = async (mood: Mood, times: number) => {
      fake.state.mood = mood;
      for (let nth = 0; nth < times; nth++) await baseline.refresh();
      return lines.splice(0);
    };
    expect(await look('error', 2)).toEqual([]);
    expect(await look('ready', 3)).toEqual(['info baseline ready']);
    expect(await look('error', 2)).toEqual([]);
    expect(await look('ready', 1)).toEqual([]);
    expect(await look('error', 30)).toEqual([expect.stringMatching(/^warn baseline unavailable: .*too many samples/)]);
    expect(await look('ready', 1)).toEqual(['info baseline ready']);
    await fake.close();
  });
});
