import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventStream, listenTo } from './support/event-stream.ts';
import { childrenOf, type Running, waitFor } from './support/processes.ts';
import { type Client, clientOf, runProgram, temporaryFolder } from './support/service.ts';

/**
 * The story that the README tells, on the built program with its real Prometheus and Alertmanager.
 */
let running: Running;
let service: Client;
let prometheus: Client;
/** What a page that is open all the time is told. */
let page: EventStream;
/** What the service said of itself at the very first. */
let first: { path: object };
/** When that was, in milliseconds since the epoch. */
let startedAt: number;

const address = (name: string) => new RegExp(`${name}\\s+(http://127\\.0\\.0\\.1:\\d+)`).exec(running.stdout())?.[1];

async function startDemo(): Promise<void> {
  const data = temporaryFolder('demo');
  const ports = ['--port', '0', '--prometheus-port', '0', '--alertmanager-port', '0'];
  running = await runProgram(['up', '--demo', '--data', data, ...ports], process.env);
  let over = false;
  void running.exited.then(() => {
    over = true;
  });
  await waitFor(() => over || running.stdout().includes('Tillwatch runs'), { timeout: 500_000, what: 'the demo' });
  if (over) throw new Error(`the demo ended:\n${running.stderr()}`);
  service = clientOf(address('post counts') ?? '');
  startedAt = Date.now();
  first = (await service.get('/-/ready')).json;
  prometheus = clientOf(address('Prometheus') ?? '');
  page = await listenTo(service.url);
}

/** Fires by an alert that the POSTs below do not touch. */
const KIND = 'failed';
interface Fired {
  labels: { alertname: string };
  incidentId?: string;
}

beforeAll(startDemo);
afterAll(async () => {
  page?.close();
  await running?.stop();
});

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const post = (counts: object) => service.post({ source: 'till', counts });
/**
 * Posts, and asks again with nothing to add while the answer is "unknown": on a busy machine a
 * look at Prometheus fails now and then.
 */
async function judged(counts: object) {
  const { json } = await post(counts);
  if (json.recommendation !== 'unknown') return json;
  const known = async () => {
    const again = (await post({ approved: 0, denied: 0 })).json;
    return again.recommendation !== 'unknown' && again;
  };
  return waitFor(known, { what: 'an answer other than "unknown"' });
}
const minuteNow = () => Math.floor(Date.now() / 60_000);
const nextMinute = async () => {
  const now = minuteNow();
  await waitFor(() => minuteNow() > now, { timeout: 61_000, what: 'the next minute' });
};

/**
 * The answer to denials five times normal. Undefined where it is not known, or came after the minute's
 * end: the bad minute is then out of all short windows before another one can be posted.
 */
async function badMinute() {
  await nextMinute();
  const { assessments } = await judged({ approved: 300, denied: 0 });
  const minute = minuteNow();
  const { json } = await post({ denied: Math.ceil(5 * assessments[0].expectedCount) });
  if (json.recommendation !== 'unknown' && minuteNow() === minute) return json;
  await waitFor(() => minuteNow() > minute + 6, { what: 'six minutes', timeout: 450_000 });
  return undefined;
}

describe('tillwatch up --demo', () => {
  it('has looked at what it started by the time it says that it runs', () => {
    expect(first.path).toMatchObject({ prometheus: { awaited: true }, alertmanager: { ok: true } });
  });

  it('reports the minute that was over when it started, so that its first minute does not seem to be without sales', async () => {
    const oldest = await waitFor(async () => (await service.get('/api/v1/transactions')).json.reports.at(-1), {
      what: 'the first report',
    });
    expect(Date.parse(oldest.timestamp) + 60_000).toBeLessThanOrEqual(startedAt);
    expect(oldest.counts.approved).toBeGreaterThan(0);
  });

  it('knows what is normal at the first POST, and calls a normal minute ok', async () => {
    await nextMinute();
    // On a busy machine the history's end is minutes old by now, and the next evaluation is waited for.
    await waitFor(async () => (await service.get('/-/ready')).json.baseline === 'ready', {
      what: 'the baseline',
      timeout: 300_000,
    });
    const { baseline, recommendation } = await judged({ approved: 300, denied: 10, failed: 0, reversed: 1 });
    expect([baseline.state, recommendation]).toEqual(['ready', 'ok']);
  });

  it('lists each status against its normal, sales with a lower bound', async () => {
    const listed = async () => {
      const recorded = await prometheus.get(
        `/api/v1/query?query=${encodeURIComponent('status_window:transactions:expected{status="denied",level="total",window="1h"}')}`,
      );
      const { json } = await service.get('/api/v1/anomalies');
      const total = json.anomalies.filter(({ labels }: { labels: object }) => Object.keys(labels).length === 0);
      const { approved, denied } = Object.fromEntries(total.map((a: { status: string }) => [a.status, a]));
      // They differ where the rules were evaluated in between. The trend is recorded a moment later.
      expect(denied.lastHour.expected).toBeCloseTo(Number(recorded.json.data.result[0].value[1]), 6);
      expect(denied).toMatchObject({
        recommendation: expect.stringMatching(/^(ok|watch)$/),
        lastMinutes: { observed: expect.any(Number), upper: expect.any(Number) },
        trend: expect.stringMatching(/stable|rising|falling/),
      });
      expect(approved.lastMinute.lower).toBeGreaterThan(0);
      return true;
    };
    await waitFor(listed, { what: 'the last minutes' });
  });

  it('names the page first, and lets a person start an incident on it', async () => {
    expect(/http\S+/.exec(running.stdout())?.[0]).toBe(`${service.url}/`);
    const { demo } = await page.next('state');
    expect(demo.kinds.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining(['denied-spike', KIND]),
    );
    const start = (kind: string) => service.send('POST', '/api/v1/demo/incidents', { kind });
    const started = await start(KIND);
    expect([started.status, started.json]).toEqual([
      200,
      { kind: KIND, since: expect.any(String), until: expect.any(String) },
    ]);
    expect((await start(KIND)).status).toBe(409);
    expect((await start('earthquake')).status).toBe(422);
    const after = await page.next('state', (state) => state.demo.running.length > 0);
    expect(after.demo.running).toEqual([started.json]);
    await page.next('report', ({ counts }) => counts.failed > 0);
  });

  it('goes from two bad minutes to the alert in Prometheus and the message in the journal', async () => {
    const bad = await waitFor(badMinute, { what: 'a bad minute that is answered within it', timeout: 900_000 });
    expect(bad).toMatchObject({ recommendation: 'watch' });
    await nextMinute();
    const another = async () => {
      const { json } = await post({ approved: 300, denied: bad.assessments[0].count });
      return json.recommendation !== 'unknown' && json;
    };
    const second = await waitFor(another, { what: 'an answer other than "unknown"' });
    expect(second).toMatchObject({ recommendation: 'alert' });
    expect(second.assessments[0]).toMatchObject({
      share: expect.any(Number),
      expected: expect.any(Number),
      upper: expect.any(Number),
    });

    const name = 'TransactionsDeniedAboveNormal';
    const firing = async () => {
      const { json } = await service.get('/api/v1/alerts');
      return json.alerts.find((a: { labels: { alertname: string }; state: string }) => a.labels.alertname === name);
    };
    await waitFor(async () => (await firing())?.state === 'firing', { timeout: 150_000, what: `${name} to fire` });
    // As soon as the service has seen it: a minute that is normal by itself is no all-clear.
    const normal = async () => (await post({ approved: 1, denied: 0 })).json;
    await waitFor(async () => (await normal()).reason.includes(`${name} is firing`), { what: 'the answer to know it' });
    expect((await normal()).recommendation).toBe('alert');

    const told = async () => {
      const { json } = await service.get('/api/v1/alerts');
      return json.journal.find((n: { groupLabels: { alertname?: string } }) => n.groupLabels.alertname === name);
    };
    const notification = await waitFor(told, { timeout: 60_000, what: 'the notification' });
    expect(notification.status).toBe('firing');
    expect(notification.alerts[0].annotations).toMatchObject({
      summary: expect.stringMatching(/denied/i),
      description: expect.stringMatching(/\d/),
      runbook_url: expect.stringContaining('#transactionsdeniedabovenormal'),
    });
  });

  it('has told the page the story of the incident: watch, alert, the alert that fires, the message', async () => {
    const name = 'TransactionsFailedAboveNormal';
    for (const said of ['watch', 'alert'])
      await page.next('report', ({ recommendation, source }) => source === 'simulate' && recommendation === said);
    await page.next('state', ({ alerts }) => alerts.some((a: Fired) => a.labels.alertname === name), 300_000);
    const told = await page.next('notification', ({ groupLabels }) => groupLabels.alertname === name, 300_000);
    expect(told.status).toBe('firing');
    const { incidents } = (await service.get('/api/v1/incidents')).json;
    const { id } = incidents.find(({ alertname }: { alertname: string }) => alertname === name);
    const { verdict } = await page.next('state', ({ alerts }) => alerts.some((a: Fired) => a.incidentId === id));
    expect(verdict.recommendation).toBe('alert');
  });

  it('starts a Prometheus that was killed again, and goes on answering', async () => {
    const children = childrenOf(running.pid);
    const args = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const killed = children.find((pid) => args(pid).includes('storage.tsdb.path'));
    process.kill(killed ?? 0, 'SIGKILL');
    expect((await post({ approved: 1 })).status).toBe(200);
    await waitFor(() => childrenOf(running.pid).filter((pid) => !children.includes(pid)).length === 1, {
      what: 'another Prometheus',
    });
    await waitFor(async () => (await prometheus.get('/-/ready')).status === 200, { what: 'it to be ready' });
    expect(running.stderr()).toContain('prometheus ended with SIGKILL; starting it again');
  });

  it('leaves no process behind when it is told to stop', async () => {
    const children = childrenOf(running.pid);
    // Prometheus and Alertmanager.
    expect(children).toHaveLength(2);
    const { code } = await running.stop('SIGTERM');
    expect({ code, said: running.stderr() }).toEqual({ code: 0, said: expect.stringMatching(/stopped\n$/) });
    expect(children.filter(lives)).toEqual([]);
  });
});
