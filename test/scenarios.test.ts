import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SimulateCommandOptions, simulateCommand } from '../src/commands/simulate.ts';
import type { MinuteCounts } from '../src/domain/minutes.ts';
import { STATUSES } from '../src/domain/names.ts';
import { exposeCounters } from '../src/history/counters.ts';
import { makeRun } from '../src/simulator/make-run.ts';
import { SCENARIO_NAMES, type ScenarioName } from '../src/simulator/scenarios.ts';
import { createTestIo } from './support/command-io.ts';
import { increases, startService } from './support/service.ts';
import { tempDir } from './support/temp-dir.ts';

const DAY = 1440;
const run = (name: ScenarioName, seed = 7) => makeRun({ name, seed, historyDays: 4 });
const total = ({ counts = {} }: MinuteCounts) => STATUSES.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
const FORTNIGHTS: readonly ScenarioName[] = ['base', 'noise', 'blips', 'moving-batch'];

describe('a scenario', () => {
  it.each(SCENARIO_NAMES)('%s has its incidents in the scored days, where its labels say', (name) => {
    const { labels, scoreFrom, to, minutes } = run(name);
    const incidents = labels.filter(({ signal, start }) => !['none', 'feed'].includes(signal) && start >= scoreFrom);
    expect(incidents).toHaveLength(FORTNIGHTS.includes(name) ? 31 : name === 'lasting-shift' ? 1 : 5);
    expect(incidents.every(({ start, end }) => start < end && end <= to)).toBe(true);
    const times = minutes.map(({ minute }) => minute);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  });

  it('is the same for the same seed, and has incidents of other sizes at other times for another', () => {
    expect(run('mild-day')).toEqual(run('mild-day'));
    expect(run('mild-day', 8).labels).not.toEqual(run('mild-day').labels);
  });
});

describe('what makes a scenario hard is in its counts', () => {
  it('low-sundays: a Sunday has 30 to 60 percent of a weekday', () => {
    const { minutes } = run('low-sundays');
    const byDay = new Map<number, number>();
    for (const counted of minutes) {
      const day = new Date(counted.minute * 60_000).getUTCDay();
      byDay.set(day, (byDay.get(day) ?? 0) + total(counted) / (day === 0 ? 1 : 2));
    }
    const share = (byDay.get(0) ?? 0) / (byDay.get(2) ?? 1);
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.7);
  });

  it('sparse-rows: no row of zero, and minutes without any', () => {
    const { minutes, from, to } = run('sparse-rows');
    expect(minutes.every(({ counts = {} }) => Object.values(counts).every((count) => count > 0))).toBe(true);
    expect(minutes.length).toBeLessThan(to - from - 200);
  });

  it('every-5-minutes: a report in every fifth minute, with the counts of five', () => {
    const { minutes } = run('every-5-minutes');
    expect(minutes.every(({ minute }) => minute % 5 === 4)).toBe(true);
    expect(sum(minutes.map(total)) / minutes.length).toBeGreaterThan(500);
  });

  it('backlog: what happened without a report comes with the first one after it', () => {
    const { minutes, labels } = run('backlog');
    const byMinute = new Map(minutes.map((counted) => [counted.minute, counted]));
    const gap = labels.find(({ signal, start }) => signal === 'feed' && start % DAY > 600 && start % DAY < 1000);
    const [before, after] = [byMinute.get((gap?.start ?? 0) - 1), byMinute.get(gap?.end ?? 0)];
    expect(byMinute.get(gap?.start ?? 0)).toBeUndefined();
    expect(total(after as MinuteCounts)).toBeGreaterThan(4 * total(before as MinuteCounts));
  });

  it('resets: counters begin at 0 again when their process does', async () => {
    const { minutes } = run('resets');
    const at = minutes.findIndex(({ restarted }) => restarted === true);
    const [before, after] = [minutes[at - 1], minutes[at]] as [MinuteCounts, MinuteCounts];
    expect(after.minute - before.minute).toBeGreaterThan(1);
    const approved: number[] = [];
    const history = {
      minutes: minutes.slice(at - 3, at + 1),
      statuses: true,
      authCodes: [],
      base: async () => new Map(),
    };
    await exposeCounters(history, async (totals) => {
      for (const [series, value] of totals) if (series.includes('"approved"')) approved.push(value);
    });
    expect(approved.at(-1)).toBe(after.counts?.approved);
    expect(Math.max(...approved)).toBeGreaterThan(2 * (before.counts?.approved ?? 0));
  });

  it('acquirers: twelve of very different size, of which one fails alone', () => {
    const { minutes, labels } = run('acquirers');
    const totals = new Map<string, number>();
    for (const { labels: slice, counts } of minutes.flatMap(({ labelled = [] }) => labelled))
      totals.set(slice.acquirer ?? '', (totals.get(slice.acquirer ?? '') ?? 0) + total({ minute: 0, counts }));
    expect(totals.size).toBe(12);
    expect(Math.max(...totals.values()) / Math.min(...totals.values())).toBeGreaterThan(10);
    expect(labels.filter(({ slice }) => slice !== undefined)).toHaveLength(4);
  });
});

describe('tillwatch simulate', () => {
  const simulate = async (options: SimulateCommandOptions) => {
    const io = createTestIo();
    return { code: await simulateCommand(options, io), ...io.written };
  };
  const counted = (csv: string) =>
    sum(
      csv
        .split('\n')
        .slice(1, -1)
        .map((line) => Number(line.split(',')[2])),
    );

  it('--scenario list says what each is, in a line', async () => {
    const { code, stdout } = await simulate({ scenario: 'list' });
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(SCENARIO_NAMES);
  });

  it('--scenario writes counts by minute, and labels with the time from which to score', async () => {
    const labels = join(await tempDir(), 'labels.csv');
    const { stdout, stderr } = await simulate({ scenario: 'first-weekend', labels });
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'timestamp,status,count',
      expect.stringMatching(/^2026-01-05T00:00:00Z,approved,\d+$/),
    ]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1 + 11 * DAY * STATUSES.length);
    expect(stderr).toContain('--score-from 2026-01-09T00:00:00Z');
    expect(readFileSync(labels, 'utf8').split('\n')).toHaveLength(5 + 2);
  });

  it('--dimensions shares the traffic by labels, and loses none of it', async () => {
    const [whole, split] = await Promise.all([
      simulate({ days: 0.1 }),
      simulate({ days: 0.1, dimensions: 'acquirer,channel=2' }),
    ]);
    const [header, ...rows] = split.stdout.trimEnd().split('\n');
    expect(header).toBe('timestamp,status,count,acquirer,channel');
    expect(counted(split.stdout)).toBe(counted(whole.stdout));
    expect(new Set(rows.map((row) => row.split(',').slice(3).join(','))).size).toBe(16);
  });

  it('--incident KIND/VALUE happens to that value alone', async () => {
    const labels = join(await tempDir(), 'labels.csv');
    const at = 'failed/acquirer-2@2026-01-05T00:10:00Z';
    const { stdout } = await simulate({ days: 0.03, dimensions: 'acquirer=3', incident: [at], labels });
    const failedOf = (value: string) =>
      counted(`\n${stdout.match(new RegExp(`.*,failed,.*,${value}\n`, 'g'))?.join('') ?? ''}`);
    expect(failedOf('acquirer-2')).toBeGreaterThan(10);
    expect(failedOf('acquirer-1') + failedOf('acquirer-3')).toBeLessThan(5);
    expect(readFileSync(labels, 'utf8')).toBe(
      'start,end,signal,kind,slice\n2026-01-05T00:10:00Z,2026-01-05T00:35:00Z,failed,failed,acquirer-2\n',
    );
  });

  it.each<[string, SimulateCommandOptions, string]>([
    ['an unknown scenario', { scenario: 'doom' }, '--scenario doom: is none of base'],
    ['too few days for it', { scenario: 'growth', days: 7 }, '--days 7'],
    ['a start within a day', { scenario: 'growth', start: '2026-01-05T10:00:00Z' }, 'midnight'],
    ['incidents beside those that it has', { scenario: 'growth', incident: ['failed'] }, '--incident'],
    ['an incident of a value that there is not', { dimensions: 'acquirer=2', incident: ['failed/acme'] }, 'acquirer-2'],
    ['a dimension that is no name', { dimensions: 'Acquirer!' }, '--dimensions Acquirer!'],
    ['a dimension without values', { dimensions: 'acquirer=0' }, '--dimensions 0'],
    ['a dimension twice', { dimensions: 'acquirer,acquirer' }, 'acquirer is there twice'],
    ['auth codes by dimensions', { dimensions: 'acquirer', authCodes: true }, '--auth-codes'],
  ])('refuses %s as wrong usage', async (_, options, message) => {
    const { code, stdout, stderr } = await simulate(options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('tillwatch simulate --post', () => {
  const post = async (options: SimulateCommandOptions) => {
    const service = await startService({ dimensions: 'acquirer' });
    const io = createTestIo();
    let now = Date.now() - 5 * 60_000;
    const clock = {
      now: () => now,
      async sleep(ms: number) {
        now += ms;
        if (now > Date.now() - 2 * 60_000) io.stop.abort('SIGINT');
      },
    };
    const changed = await increases(service, async () => {
      await simulateCommand({ post: service.url, ...options }, io, clock);
    });
    await service.close();
    const told = io.written.stdout.match(/\d+(?= transactions)/g) ?? [];
    const acquirers = (name: string) =>
      sum(Object.entries(changed).flatMap(([series, n]) => (series.includes(`acquirer="${name}"`) ? n : [])));
    const all = Object.entries(changed).filter(([series]) => series.startsWith('transactions_total'));
    return { told: sum(told.map(Number)), counted: sum(all.map(([, n]) => n)), acquirers };
  };

  it('--dimensions: the service counts each slice, and all that was told', async () => {
    const { told, counted, acquirers } = await post({ dimensions: 'acquirer=3' });
    expect(counted).toBe(told);
    expect(acquirers('acquirer-1')).toBeGreaterThan(acquirers('acquirer-3'));
    expect(acquirers('acquirer-3')).toBeGreaterThan(0);
  });

  it('--scenario: the scored days begin with today, and what is past is not posted', async () => {
    const { told, counted } = await post({ scenario: 'growth' });
    expect(counted).toBe(told);
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(4 * 2000);
  });
});
