import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type SimulateCommandOptions, simulateCommand } from '../src/commands/simulate.ts';
import { STATUSES, type Status } from '../src/domain/names.ts';
import { createTraffic, type TrafficMinute, trafficMinutes } from '../src/simulator/feed.ts';
import { INCIDENT_KINDS, type IncidentKind, incidentAt, placeIncidents } from '../src/simulator/incidents.ts';
import type { Clock } from '../src/simulator/post-traffic.ts';
import { createTestIo } from './support/command-io.ts';
import { startHttpServer } from './support/http-server.ts';
import { tempDir } from './support/temp-dir.ts';

const MONDAY = Date.UTC(2026, 0, 5) / 60_000;
const DAY = 1440;
const total = ({ counts }: TrafficMinute) => STATUSES.reduce((sum, status) => sum + counts[status], 0);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('generated traffic', () => {
  const fortnight = [...trafficMinutes(createTraffic({ seed: 3 }), MONDAY, MONDAY + 14 * DAY)];

  it('has about 250 transactions a minute, and 40 or more in the mean of any hour of the night', () => {
    expect(mean(fortnight.map(total))).toBeGreaterThan(235);
    expect(mean(fortnight.map(total))).toBeLessThan(265);
    const byHour = new Map<number, number[]>();
    for (const counted of fortnight) {
      const hour = Math.floor(counted.minute / 60);
      byHour.set(hour, [...(byHour.get(hour) ?? []), total(counted)]);
    }
    expect(Math.min(...[...byHour.values()].map(mean))).toBeGreaterThan(40);
  });

  it('has every status, and auth codes that add up to what was approved and denied', () => {
    for (const status of STATUSES) expect(fortnight.some(({ counts }) => counts[status] > 0)).toBe(true);
    for (const { counts, authCodes } of fortnight) {
      const { '00': approved, ...others } = authCodes;
      expect(approved).toBe(counts.approved);
      expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(counts.denied);
    }
  });

  it('varies more than chance alone would', () => {
    // The counts of one minute of the day: Poisson counts would have a variance of their mean.
    const lunches = fortnight.filter(({ minute }) => minute % DAY === 750).map(({ counts }) => counts.approved);
    const variance = mean(lunches.map((count) => (count - mean(lunches)) ** 2));
    expect(variance).toBeGreaterThan(2 * mean(lunches));
  });

  it('reverses a batch every night shortly after three', () => {
    for (let day = 0; day < 14; day++) {
      const reversed = (from: number, to: number) =>
        mean(fortnight.slice(day * DAY + from, day * DAY + to).map(({ counts }) => counts.reversed));
      expect(reversed(182, 190)).toBeGreaterThan(10);
      expect(reversed(192, 200)).toBeLessThan(3);
    }
  });

  it('gives any minute without those before it, the same whatever was asked before', () => {
    const traffic = createTraffic({ seed: 3 });
    for (const counted of [9000, 17, 12_345].map((index) => fortnight[index] as TrafficMinute)) {
      expect(traffic.at(counted.minute)).toEqual(counted);
    }
  });

  it('takes an incident from now on, and leaves every other minute as it would have been', () => {
    const traffic = createTraffic({ seed: 3 });
    const { start, end } = traffic.add('denied-spike', MONDAY + 700);
    for (let minute = MONDAY; minute < MONDAY + DAY; minute++) {
      const before = fortnight[minute - MONDAY];
      if (minute < start || minute >= end) expect(traffic.at(minute)).toEqual(before);
      else expect(traffic.at(minute)?.counts.denied).toBeGreaterThan(2 * (before?.counts.denied ?? 0));
    }
    expect(traffic.incidents).toEqual([{ kind: 'denied-spike', signal: 'denied', start, end }]);
  });
});

describe('each kind of incident', () => {
  type Change = { of: Status | 'total' | '91'; from: number; to: number };
  const CHANGES: Record<Exclude<IncidentKind, 'feed-dead'>, Change> = {
    'denied-spike': { of: 'denied', from: 4, to: 6 },
    'denied-ramp': { of: 'denied', from: 2, to: 4 },
    'denied-step': { of: 'denied', from: 1.8, to: 2.6 },
    'night-denied': { of: 'denied', from: 4, to: 6 },
    failed: { of: 'failed', from: 20, to: Number.POSITIVE_INFINITY },
    reversed: { of: 'reversed', from: 10, to: 20 },
    'backend-reversed': { of: 'backend_reversed', from: 20, to: 80 },
    'volume-drop': { of: 'total', from: 0.35, to: 0.45 },
    'volume-zero': { of: 'total', from: 0, to: 0 },
    'processing-stuck': { of: 'processing', from: 30, to: Number.POSITIVE_INFINITY },
    'auth-code': { of: '91', from: 4, to: 8 },
    'double-volume': { of: 'total', from: 1.8, to: 2.1 },
  };
  const count = (counted: TrafficMinute, of: Change['of']) =>
    of === 'total' ? total(counted) : of === '91' ? (counted.authCodes[of] ?? 0) : counted.counts[of];
  const sum = (seed: number, kinds: IncidentKind[], of: Change['of']) => {
    const start = MONDAY + 3 * DAY + 800;
    const { end } = incidentAt(kinds[0] ?? 'failed', start);
    const incidents = kinds.map((kind) => incidentAt(kind, start));
    const minutes = [...trafficMinutes(createTraffic({ seed, incidents }), start, end)];
    return { counted: minutes.reduce((total, minute) => total + count(minute, of), 0), minutes: minutes.length };
  };

  it.each(Object.entries(CHANGES))('%s changes the counts where its label says', (kind, { of, from, to }) => {
    const seeds = [1, 2, 3, 4, 5];
    const length = incidentAt(kind as IncidentKind, 0).end;
    const during = seeds.map((seed) => sum(seed, [kind as IncidentKind], of));
    const normal = seeds.map((seed) => {
      const start = MONDAY + 3 * DAY + 800;
      const minutes = [...trafficMinutes(createTraffic({ seed }), start, start + length)];
      return minutes.reduce((total, minute) => total + count(minute, of), 0);
    });
    const factor = mean(during.map(({ counted }) => counted)) / mean(normal);
    expect(factor).toBeGreaterThanOrEqual(from);
    expect(factor).toBeLessThanOrEqual(to);
    expect(during.every(({ minutes }) => minutes === length)).toBe(true);
  });

  it('volume-zero goes on reporting zeros, feed-dead reports nothing', () => {
    expect(sum(1, ['volume-zero'], 'total')).toEqual({ counted: 0, minutes: 20 });
    expect(sum(1, ['feed-dead'], 'total')).toEqual({ counted: 0, minutes: 0 });
  });

  it('finds a place of its own within two days, by the seed, and says when there is no room', () => {
    const placed = placeIncidents(INCIDENT_KINDS, 1, MONDAY, MONDAY + 2 * DAY);
    expect(placed.map(({ kind }) => kind).sort()).toEqual([...INCIDENT_KINDS].sort());
    for (const [index, { start }] of placed.entries()) {
      expect(start).toBeGreaterThanOrEqual(placed[index - 1]?.end ?? MONDAY);
    }
    expect(placed.at(-1)?.end).toBeLessThanOrEqual(MONDAY + 2 * DAY);
    expect(placeIncidents(INCIDENT_KINDS, 1, MONDAY, MONDAY + 2 * DAY)).toEqual(placed);
    expect(placeIncidents(INCIDENT_KINDS, 2, MONDAY, MONDAY + 2 * DAY)).not.toEqual(placed);
    expect(() => placeIncidents(['denied-step'], 1, MONDAY, MONDAY + 120)).toThrow('ask for more days');
  });
});

describe('tillwatch simulate', () => {
  const simulate = async (options: SimulateCommandOptions) => {
    const io = createTestIo();
    return { code: await simulateCommand(options, io), ...io.written };
  };

  it('writes the same bytes for the same seed, others for another', async () => {
    const first = await simulate({ days: '0.5', seed: '7' });
    expect(first.stdout.slice(0, 23)).toBe('timestamp,status,count\n');
    expect(first.stdout.trimEnd().split('\n')).toHaveLength(1 + 720 * 7);
    expect(await simulate({ days: '0.5', seed: '7' })).toEqual(first);
    expect((await simulate({ days: '0.5', seed: '8' })).stdout).not.toBe(first.stdout);
  });

  it('writes auth codes instead when asked, those of the same transactions', async () => {
    const { stdout } = await simulate({ days: 0.01, authCodes: true });
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'timestamp,auth_code,count',
      expect.stringMatching(/^2026-01-05T00:00:00Z,00,\d+$/),
      expect.stringMatching(/^2026-01-05T00:00:00Z,05,\d+$/),
    ]);
  });

  it('puts an incident where it is told and labels it with an exclusive end', async () => {
    const labels = join(await tempDir(), 'labels.csv');
    const incident = ['volume-zero@2026-01-05T00:10:00Z'];
    const { stdout } = await simulate({ days: 0.03, incident, labels });
    expect(readFileSync(labels, 'utf8')).toBe(
      'start,end,signal,kind\n2026-01-05T00:10:00Z,2026-01-05T00:30:00Z,volume,volume-zero\n',
    );
    const approved = stdout.split('\n').filter((line) => line.includes(',approved,'));
    const zeros = approved.filter((line) => line.endsWith(',0')).map((line) => line.slice(11, 16));
    expect([zeros[0], zeros.at(-1), zeros.length]).toEqual(['00:10', '00:29', 20]);
  });

  it.each<[string, SimulateCommandOptions, string]>([
    ['days that are no number', { days: 'x' }, '--days x'],
    ['no days', { days: 0 }, '--days 0'],
    ['a fractional seed', { seed: '1.5' }, '--seed 1.5'],
    ['an unknown incident', { incident: ['explosion'] }, '--incident explosion: is none of denied-spike'],
    ['a start that is no time', { start: 'monday' }, '--start monday'],
    ['a volume of zero', { volume: 0 }, '--volume 0'],
    ['a URL that is none', { post: 'localhost' }, '--post localhost'],
  ])('refuses %s as wrong usage', async (_, options, message) => {
    const { code, stdout, stderr } = await simulate(options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('waits for a slow reader instead of filling memory', async () => {
    let most = 0;
    const slow: Writable = new Writable({
      highWaterMark: 1000,
      write(_chunk, _encoding, done) {
        most = Math.max(most, slow.writableLength);
        setImmediate(done);
      },
    });
    expect(await simulateCommand({ days: 1 }, { ...createTestIo(), stdout: slow })).toBe(0);
    expect(most).toBeLessThan(2000);
  });

  it('ends quietly when the reader goes away, as with head', async () => {
    let lines = 0;
    const closing = new Writable({
      write(_chunk, _encoding, done) {
        lines++;
        done(lines < 3 ? null : Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const io = createTestIo();
    expect(await simulateCommand({ days: 14 }, { ...io, stdout: closing })).toBe(0);
    expect(lines).toBe(3);
    expect(io.written.stderr).toBe('');
  });
});

describe('tillwatch simulate --post', () => {
  const servers: Awaited<ReturnType<typeof startHttpServer>>[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  interface Received {
    url: string;
    key: string;
    authorization: string | undefined;
    body: { timestamp: string; source: string; counts: Record<string, number> };
  }
  const serve = async (answer: (nth: number, response: ServerResponse, request: IncomingMessage) => void) => {
    const received: Received[] = [];
    const server = await startHttpServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const { 'idempotency-key': key, authorization } = request.headers;
      received.push({ url: request.url ?? '', key: String(key), authorization, body: JSON.parse(body) });
      answer(received.length, response, request);
    });
    servers.push(server);
    return { received, url: server.url };
  };
  const ok = (response: ServerResponse) => response.end('{"recommendation":"ok"}');

  /** Time that passes only by sleeping. */
  const createClock = (start: string) => {
    let now = Date.parse(start);
    const slept: number[] = [];
    const clock: Clock = {
      now: () => now,
      sleep: async (ms, signal) => {
        signal.throwIfAborted();
        slept.push(ms);
        now += ms;
      },
    };
    return { clock, slept };
  };

  it('reports each minute when it has ended, with a token, and ends with its days', async () => {
    const { received, url } = await serve((_, response) => ok(response));
    const tokenFile = join(await tempDir(), 'token');
    writeFileSync(tokenFile, 'secret\n');
    const io = createTestIo();
    const { clock, slept } = createClock('2026-03-01T10:00:30Z');
    expect(await simulateCommand({ post: url, days: 3 / DAY, tokenFile }, io, clock)).toBe(0);
    expect(slept).toEqual([30_000, 60_000, 60_000]);
    expect(received.map(({ body }) => [body.timestamp.slice(11, 16), body.source])).toEqual([
      ['10:00', 'simulate'],
      ['10:01', 'simulate'],
      ['10:02', 'simulate'],
    ]);
    expect(received[0]).toMatchObject({ url: '/api/v1/transactions', authorization: 'Bearer secret' });
    expect(io.written.stdout).toMatch(/^2026-03-01T10:00:00Z \d+ transactions, \d+ denied: ok\n/);
  });

  it('tries again under the same key after a 5xx, a 429 and a lost connection', async () => {
    const { received, url } = await serve((nth, response, request) => {
      if (nth === 1) response.writeHead(503).end();
      else if (nth === 2) request.socket.destroy();
      else if (nth === 3) response.writeHead(429).end();
      else ok(response);
    });
    const io = createTestIo();
    const { clock } = createClock('2026-03-01T10:00:30Z');
    expect(await simulateCommand({ post: url, days: 2 / DAY }, io, clock)).toBe(0);
    expect(received).toHaveLength(5);
    expect(new Set(received.slice(0, 4).map(({ key }) => key)).size).toBe(1);
    expect(received[3]?.body).toEqual(received[0]?.body);
    expect(received[4]?.key).not.toBe(received[0]?.key);
    expect(io.written.stderr.match(/trying again/g)).toHaveLength(3);
  });

  it('fails with the answer when a report is refused', async () => {
    const { url } = await serve((_, response) => response.writeHead(422).end('{"detail":"no such label"}'));
    const io = createTestIo();
    const { clock } = createClock('2026-03-01T10:00:30Z');
    expect(await simulateCommand({ post: url, days: 1 }, io, clock)).toBe(1);
    expect(io.written.stderr).toMatch(/refused the report of 2026-03-01T10:00:00.000Z with 422: .*no such label/);
  });

  it('goes on until it is stopped, and then ends cleanly', async () => {
    const io = createTestIo();
    const { received, url } = await serve((nth, response) => {
      if (nth === 4) io.stop.abort('SIGINT');
      ok(response);
    });
    const { clock } = createClock('2026-03-01T10:00:00Z');
    expect(await simulateCommand({ post: url }, io, clock)).toBe(0);
    expect(received).toHaveLength(4);
    expect(io.written.stderr).toBe('');
  });
});
