import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { readTunables } from '../src/analyze/tunables.ts';
import { type AnalyzeCommandOptions, analyzeCommand } from '../src/commands/analyze.ts';
import { simulateCommand } from '../src/commands/simulate.ts';
import { bandAt } from '../src/judge/band.ts';
import { upperBound } from '../src/judge/recommendation.ts';
import { createProgress } from '../src/runtime/progress.ts';
import { createTestIo, type TestIo } from './support/command-io.ts';
import { tempDir } from './support/temp-dir.ts';

async function analyze(options: Partial<AnalyzeCommandOptions>, io: TestIo = createTestIo()) {
  const code = await analyzeCommand({ files: ['-'], ...options }, io);
  return { code, ...io.written };
}
const analyzeText = (stdin: string, options: Partial<AnalyzeCommandOptions> = {}) =>
  analyze(options, createTestIo({ stdin }));

/** `count` for each minute from 2026-01-05 on; undefined leaves the row out. */
const rowsOf = (minutes: number, status: string, count: (minute: number) => number | undefined) =>
  Array.from({ length: minutes }, (_, minute) => {
    const time = new Date(Date.UTC(2026, 0, 5) + minute * 60_000).toISOString();
    return count(minute) === undefined ? [] : [`${time},${status},${count(minute)}`];
  }).flat();
const csv = (...rows: string[][]) => `timestamp,status,count\n${rows.flat().join('\n')}\n`;

async function simulated(dir: string, authCodes: boolean): Promise<string> {
  const io = createTestIo();
  const incident = ['denied-spike@2026-01-07T10:00:00Z', 'failed@2026-01-08T13:00:00Z'];
  await simulateCommand({ days: 4, seed: 11, incident, authCodes }, io);
  const file = join(dir, authCodes ? 'codes.csv' : 'counts.csv');
  await writeFile(file, io.written.stdout);
  return file;
}
/** A page without its own script. */
const contentOf = async (html: string) => (await readFile(html, 'utf8')).replace(/<script>.*<\/script>/s, '');
/** Minutes between two times. */
const apart = (a: string, b: string) => Math.abs(Date.parse(a) - Date.parse(b)) / 60_000;

describe('tillwatch analyze, by minute', () => {
  it('finds each incident from its first to its last minute, and the auth code behind it', async () => {
    const dir = await tempDir();
    const files = [await simulated(dir, false), await simulated(dir, true)];
    const { code, stdout, stderr } = await analyze({ files, json: true });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^\S*counts\.csv: UTF-8, comma [^\n]*\n\S*codes\.csv: UTF-8, [^\n]*\n$/);
    const { stretches, statuses, totals, authCodes, codes, total } = JSON.parse(stdout);
    const worst = (status: string) =>
      stretches
        .filter((each: { status: string }) => each.status === status)
        .sort((a: { score: number }, b: { score: number }) => b.score - a.score)[0];
    for (const [status, from, to] of [
      ['denied', '2026-01-07T10:00:00Z', '2026-01-07T10:15:00Z'],
      ['failed', '2026-01-08T13:00:00Z', '2026-01-08T13:25:00Z'],
    ] as const) {
      expect(apart(worst(status).from, from)).toBeLessThanOrEqual(2);
      expect(apart(worst(status).to, to)).toBeLessThanOrEqual(2);
    }
    expect(worst('denied').codes[0].code).toBe('51');
    expect(worst('denied').observed / worst('denied').expected).toBeGreaterThan(3);
    expect(statuses.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(total);
    expect(totals).toEqual(
      Object.fromEntries(statuses.map(({ status, count }: { status: string; count: number }) => [status, count])),
    );
    const of51 = codes.find(({ code: each }: { code: string }) => each === '51');
    expect(of51).toMatchObject({ meaning: 'insufficient funds', count: authCodes['51'] });
    expect(authCodes['00']).toBe(totals.approved);
  });

  describe('ends in a hypothesis for what stands out', () => {
    /** Twelve hours of 100 approved and 10 denied a minute, but for what is given. */
    const tableOf = (
      approved: (minute: number) => number | undefined,
      denied: (minute: number) => number | undefined,
    ) => csv(rowsOf(720, 'approved', approved), rowsOf(720, 'denied', denied));
    const isBad = (minute: number) => minute >= 400 && minute < 420;
    const hypothesesOf = async (text: string, options: Partial<AnalyzeCommandOptions> = {}) => {
      const { stdout } = await analyze({ json: true, ...options }, createTestIo({ stdin: text }));
      const { hypotheses } = JSON.parse(stdout);
      return hypotheses.map(({ what, hypothesis }: { what: string; hypothesis: string }) => `${what}: ${hypothesis}`);
    };
    const usual = (normal: number, bad: number | undefined) => (minute: number) => (isBad(minute) ? bad : normal);

    it.each([
      [
        'denied alone',
        tableOf(usual(100, 100), usual(10, 50)),
        ['denied above normal: only denied, with approvals as usual'],
      ],
      [
        'what was approved before',
        tableOf(usual(100, 60), usual(10, 50)),
        ['denied above normal: approved fell to 60'],
      ],
      ['a traffic spike', tableOf(usual(100, 300), usual(10, 30)), ['more traffic: all statuses alike, 3 times']],
      ['approved alone', tableOf(usual(100, 300), usual(10, 10)), ['more traffic: not denied alike']],
      ['no customers', tableOf(usual(100, 5), usual(10, 0)), ['less traffic: all statuses alike']],
      ['a gap of the feed', tableOf(usual(100, undefined), usual(10, undefined)), ['no rows: a gap of the feed']],
      ['nothing', tableOf(usual(100, 100), usual(10, 10)), []],
    ])('%s', async (_, text, expected) => {
      expect(await hypothesesOf(text)).toEqual(expected.map((one) => expect.stringContaining(one)));
    });

    it('that names the slice and the code which carry it', async () => {
      const slices = ['a', 'b'].flatMap((acquirer) =>
        [
          rowsOf(720, 'approved', () => 100),
          rowsOf(720, 'denied', (minute) => (isBad(minute) && acquirer === 'a' ? 50 : 10)),
        ]
          .flat()
          .map((row) => `${row},${acquirer}`),
      );
      const text = `timestamp,status,count,acquirer\n${slices.join('\n')}\n`;
      expect(await hypothesesOf(text, { dimensions: 'acquirer' })).toEqual(['denied above normal: only acquirer a']);
      const codes = csv(
        rowsOf(720, '00', () => 100),
        rowsOf(720, '51', (minute) => (isBad(minute) ? 50 : 5)),
        rowsOf(720, '05', () => 5),
      ).replace('status', 'auth_code');
      expect(await hypothesesOf(codes)).toEqual(['declined above normal: only code 51 (insufficient funds)']);
    });
  });

  it('says the same in tables, and finds the incident in auth codes alone', async () => {
    const codes = await simulated(await tempDir(), true);
    const { code, stdout } = await analyze({ files: [codes] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}2026-01-07 (09:5\d|10:0\d) .* declined .* 51 \(\+\d+\)/m);
    expect(stdout).toMatch(/^ {2}51 {4}insufficient funds/m);
    for (const title of [
      'TOTALS',
      'STRETCHES ABOVE NORMAL',
      'WORST MINUTES',
      'AUTH CODES',
      'HOURS OF THE DAY',
      'THE FEED',
    ])
      expect(stdout).toContain(`\n${title}\n`);
  });

  it('lists a gap of an hour and the minutes that have two rows, and takes rows in any order', async () => {
    const approved = rowsOf(300, 'approved', (minute) => (minute >= 120 && minute < 180 ? undefined : 100));
    const file = csv(approved.reverse(), ['2026-01-05T00:07:30Z,approved,5', '2026-01-05T00:07:00Z,denied,1']);
    const { gaps, repeated, busiest, from, to, minutes } = JSON.parse((await analyzeText(file, { json: true })).stdout);
    expect({ from, to, minutes }).toEqual({ from: '2026-01-05T00:00:00Z', to: '2026-01-05T05:00:00Z', minutes: 240 });
    expect(gaps.longest).toEqual([{ from: '2026-01-05T02:00:00Z', to: '2026-01-05T03:00:00Z', minutes: 60 }]);
    expect(repeated).toEqual({ rows: 1, first: ['2026-01-05T00:07:00Z'] });
    expect(busiest[0]).toEqual({ at: '2026-01-05T00:07:00Z', total: 106 });
    expect((await analyzeText(file)).stdout).toContain(
      '60 minutes without any row, in 1 gap. 1 row of a minute and status',
    );
  });

  it('does not take one bad minute for a stretch, nor a doubled volume at the same shares', async () => {
    const double = (minute: number) => (minute >= 3000 && minute < 3090 ? 2 : 1);
    const file = csv(
      rowsOf(4320, 'approved', (minute) => 100 * double(minute)),
      rowsOf(4320, 'denied', (minute) => (minute === 2000 ? 60 : 6 * double(minute))),
    );
    const { stretches, worst } = JSON.parse((await analyzeText(file, { json: true })).stdout);
    expect(stretches).toEqual([]);
    expect(worst[0]).toMatchObject({ at: '2026-01-06T09:20:00Z', status: 'denied', observed: 60 });
  });

  it('tells what recurs every night from an incident', async () => {
    const night = (minute: number) => minute % 1440 >= 180 && minute % 1440 < 190;
    const file = csv(
      rowsOf(5760, 'approved', () => 100),
      rowsOf(5760, 'reversed', (minute) => (night(minute) || (minute >= 4000 && minute < 4010) ? 20 : 1)),
    );
    const { stretches, recurring } = JSON.parse((await analyzeText(file, { json: true })).stdout);
    expect(stretches.map(({ from }: { from: string }) => from)).toEqual(['2026-01-07T18:40:00Z']);
    expect(recurring).toMatchObject([
      { status: 'reversed', fromMinuteOfDay: 180, toMinuteOfDay: 190, days: 4, ofDays: 4 },
    ]);
  });

  it('suggests to raise a z that chance alone would make page, and to keep one that it would not', async () => {
    const files = [await simulated(await tempDir(), false)];
    const rulesDir = join(await tempDir(), 'rules');
    await cp(fileURLToPath(new URL('../prometheus/rules', import.meta.url)), rulesDir, { recursive: true });
    const tunables = join(rulesDir, 'tunables.rules.yml');
    const nervous = (await readFile(tunables, 'utf8')).replace(
      /(z:tunable", labels: {window: 5m}, expr: )vector\([\d.]+\)/,
      '$1vector(2)',
    );
    await writeFile(tunables, nervous);
    const { sensitivity } = JSON.parse((await analyze({ files, rulesDir, json: true })).stdout);
    const [two, five] = sensitivity.windows;
    expect(five).toMatchObject({ window: '5m', z: 2 });
    expect(five.suggestedZ).toBeGreaterThan(2.5);
    expect(five.falseAlarmsPerWeek).toBeGreaterThan(10 * five.suggestedFalseAlarmsPerWeek);
    expect(five.suggestedFalseAlarmsPerWeek).toBeLessThanOrEqual(sensitivity.goalPerWeek / 4);
    expect(two.suggestedZ).toBe(two.z);
    const { stdout } = await analyze({ files, rulesDir });
    expect(stdout).toMatch(new RegExp(`^  5m +2 .* z ${five.suggestedZ.toFixed(1)}: brings it to`, 'm'));
  });

  it('judges by the very band that the service recomputes and the rules record', async () => {
    const { z, minEvents, noiseZ } = await readTunables(fileURLToPath(new URL('../prometheus/rules', import.meta.url)));
    for (const [expected, r] of [
      [0.01, 0.3],
      [4, 0.01],
      [250, 0.002],
      [8000, 0.04],
    ] as const) {
      // So many approvals that their own chance is nothing.
      const normal = { odds: 1e-9, relativeVariance: r, floor: { '1m': minEvents['1m'] - 0.5 } };
      const upper = upperBound(expected / normal.odds, '1m', normal, { z, noiseZ });
      expect(Math.max(bandAt(expected, r, z['1m'], noiseZ), minEvents['1m'] - 0.5)).toBeCloseTo(upper ?? Number.NaN, 4);
    }
  });

  it('names a tunable that is not there, or no number', async () => {
    const rulesDir = await tempDir();
    await writeFile(
      join(rulesDir, 'x.yml'),
      'groups: [{name: x, rules: [{record: "tillwatch:z:tunable", labels: {window: 1m}, expr: "1 + 1"}]}]',
    );
    const { code, stderr } = await analyzeText(csv(rowsOf(5, 'approved', () => 1)), { rulesDir });
    expect(code).toBe(1);
    expect(stderr).toContain('x.yml: tillwatch:z:tunable of the window 1m is 1 + 1, expected vector(NUMBER)');
  });

  it('suggests nothing from a file that is too short', async () => {
    const { code, stdout } = await analyzeText('time,status,F1\n13h 05,approved,9\n13h 06,denied,2\n', {
      date: '2025-07-12',
    });
    expect(code).toBe(0);
    expect(stdout).toContain('2025-07-12 13:05 to 2025-07-12 13:07 UTC (2 min): 11 transactions in 2 minutes');
    expect(stdout).toContain('too little to suggest from');
  });

  it('works where nothing was approved, and where nothing was counted', async () => {
    const denied = await analyzeText(csv(rowsOf(200, 'denied', (minute) => minute % 3)), { json: true });
    expect(JSON.parse(denied.stdout).statuses).toMatchObject([{ status: 'denied', share: 1 }]);
    const zeros = await analyzeText(csv(rowsOf(200, 'approved', () => 0)));
    expect([zeros.code, zeros.stdout]).toEqual([0, expect.not.stringContaining('NaN')]);
  });

  it('writes one page that is complete in itself, with a file name that cannot break it', async () => {
    const dir = await tempDir();
    const files = [await simulated(dir, false), join(dir, 'codes<b>.csv')];
    await writeFile(files[1] ?? '', await readFile(await simulated(dir, true)));
    const html = join(dir, 'out.html');
    const changes = join(dir, 'changes.json');
    await writeFile(changes, JSON.stringify({ changes: [{ at: '2026-01-05T12:00:00Z', text: 'checkout 2.31' }] }));
    const { code } = await analyze({ files, html, changes });
    const text = await contentOf(html);
    expect(code).toBe(0);
    expect(text).toContain('<h1>Analysis of counts.csv and codes&lt;b&gt;.csv</h1>');
    expect(text).toMatch(/<figcaption><b>denied a minute<\/b>/);
    expect(text.match(/class="change" style="[^"]*" title="checkout 2.31"/g)?.length).toBeGreaterThan(1);
    expect(text).not.toMatch(/https?:|NaN|undefined|Infinity&/);
    expect(text.length).toBeLessThan(1_000_000);
  });
});

describe('tillwatch analyze, hourly', () => {
  const header = 'time,today,yesterday,same_day_last_week,avg_last_week,avg_last_month';
  /** Nights of one sale an hour, days of 40. */
  const usual = (hour: number) => (hour < 7 ? 1 : 40);
  const day = (today: (hour: number) => number | string) => {
    const rows = Array.from({ length: 24 }, (_, hour) => {
      const [mean, alternating] = [usual(hour), hour % 2 === 0 ? 1.1 : 0.9];
      return `${String(hour).padStart(2, '0')}h,${today(hour)},${Math.round(mean * alternating)},${Math.round(mean / alternating)},${mean * 1.02},${mean * 0.97}`;
    });
    return `${header}\n${rows.join('\n')}\n`;
  };
  const verdicts = async (text: string) => JSON.parse((await analyzeText(text, { json: true })).stdout);

  it('names the hours without sales as one run, and does not mind a zero at night', async () => {
    const { standOut, hours } = await verdicts(
      day((hour) => (hour === 3 || (hour >= 15 && hour <= 17) ? 0 : usual(hour))),
    );
    expect(standOut).toMatchObject([{ from: 15, to: 17, today: 0, verdict: 'no sales' }]);
    expect(hours[3]).toMatchObject({ today: 0, verdict: 'usual' });
    const { stdout } = await analyzeText(day((hour) => (hour >= 15 && hour <= 17 ? 0 : usual(hour))));
    expect(stdout).toMatch(/^ {2}15h to 17h +0 +1\d\d +0 % {2}no sales$/m);
  });

  it('takes three where one is usual for chance, and 120 where 40 are usual for none', async () => {
    const { standOut } = await verdicts(day((hour) => (hour === 2 ? 3 : hour === 12 ? 120 : usual(hour))));
    expect(standOut).toMatchObject([{ from: 12, to: 12, verdict: 'above' }]);
  });

  it('adds up the day, and leaves out the hours that have not come yet', async () => {
    const { cumulative, hours, total } = await verdicts(day((hour) => (hour < 10 ? usual(hour) : '')));
    expect(hours).toHaveLength(10);
    expect(cumulative[9]).toMatchObject({ hour: 9, today: 7 + 3 * 40 });
    expect(total.today).toBe(127);
  });

  it('judges files with a single column to compare with, and very large counts', async () => {
    const one = 'time,today,yesterday\n10h,0,30\n11h,31,30\n12h,1000000,2000000000\n';
    const { standOut } = await verdicts(one);
    expect(standOut.map(({ from, verdict }: { from: number; verdict: string }) => [from, verdict])).toEqual([
      [10, 'no sales'],
      [12, 'below'],
    ]);
  });

  it('writes a page', async () => {
    const html = join(await tempDir(), 'out.html');
    await analyzeText(
      day((hour) => (hour === 15 ? 0 : usual(hour))),
      { html },
    );
    const text = await contentOf(html);
    expect(text).toContain('<b>Sales by hour</b>');
    expect(text).toContain('title="no sales"');
    expect(text).not.toMatch(/https?:|NaN|undefined/);
  });

  it.each([
    ['HORA,HOJE,ONTEM,MESMO DIA DA SEMANA PASSADA,MÉDIA DA ÚLTIMA SEMANA,MÉDIA DO ÚLTIMO MÊS', '00:00'],
    ['hora;hoy;ayer;mismo día de la semana pasada;promedio semana pasada;promedio mes pasado', '12 AM'],
    ['hour_of_day,sales_today,sales_yesterday,last_week_same_day,avg_7d,avg_30d', '0'],
    ['Hour|Today (count)|D-1|D-7|avg last 7 days|avg last 30 days', '00h-01h'],
    ['Stunde,heute,gestern,gleicher Tag letzte Woche,Durchschnitt letzte Woche,Durchschnitt letzter Monat', '00 Uhr'],
    ['time,current,previous_day,previous_week,avg_week,avg_month', '2026-11-21 00:00:00'],
    ['hour|today_sales|24h ago|7d ago|weekly_avg|monthly_avg', '0時'],
    ['Stunde;Heute;Gestern;Letzte Woche;Ø Woche;Ø Monat', 'Hour 0'],
  ])('takes an hourly file whose header is %s', async (names, midnight) => {
    const delimiter = /[;|]/.exec(names)?.[0] ?? ',';
    const rows = [`${midnight},9,12,11,6.42,4.85,-25%`, 'Total,9,12,11,6.42,4.85,'];
    const text = [`${names},today vs yesterday`, ...rows].map((row) => row.replaceAll(',', delimiter)).join('\n');
    const { stdout, stderr } = await analyzeText(`${text}\n`, { json: true });
    expect(stderr).toContain('a row of totals left out; left aside: "today vs yesterday"');
    expect(JSON.parse(stdout).hours).toMatchObject([
      {
        hour: 0,
        today: 9,
        compared: { yesterday: 12, same_day_last_week: 11, avg_last_week: 6.42, avg_last_month: 4.85 },
      },
    ]);
  });

  it.each([
    ['24h,1,1,1,1,1', 'line 2: time "24h": is no hour; expected 00h to 23h'],
    ['05h,1.5,1,1,1,1', 'line 2: today "1.5": is not a whole number'],
    ['05h,1,-1,1,1,1', 'line 2: yesterday "-1": is negative'],
    ['05h,1,1,1,,1', 'line 2: avg_last_week "": is missing'],
    ['05h,1,1', 'line 2: row "05h,1,1": has 3 fields, not 6'],
    ['06h,1,1,1,1,1\n06h,1,1,1,1,1', 'line 3: time "06h": is there already'],
  ])('refuses the file whole for %s, or leaves the row out', async (row, message) => {
    const text = `${header}\n${row}\n07h,2,3,9,5.57,5.21\n`;
    const refused = await analyzeText(text);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('stdin: 1 bad row, nothing was taken:');
    expect(refused.stderr).toContain(message);
    const taken = await analyzeText(text, { skipBadRows: true });
    expect([taken.code, taken.stdout]).toEqual([0, expect.stringContaining('(1 bad row left out)')]);
    expect(taken.stderr).toContain(message);
  });

  it.each([
    ['time,today', 'expected time,today and at least one of yesterday'],
    ['time,today,tomorrow', 'line 1: the header is "time,today,tomorrow"'],
    [header, 'stdin: has no rows under its header'],
  ])('refuses the header %s', async (text, message) => {
    const { code, stderr } = await analyzeText(`${text}\n`);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe('tillwatch analyze, what it is given', () => {
  it('refuses a file with a bad row whole, or leaves it out and counts it', async () => {
    const text = csv(
      rowsOf(2, 'approved', () => 9),
      ['2026-01-05T00:02:00Z,denied,-9'],
    );
    const refused = await analyzeText(text);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('  line 4: count "-9": is negative; expected a whole number of 0 or more\n');
    const taken = await analyzeText(text, { skipBadRows: true });
    expect([taken.code, taken.stdout]).toEqual([0, expect.stringContaining('stdin: 2 rows (1 bad row left out)')]);
    expect(taken.stderr).toContain(
      'stdin: left out 1 bad row:\n  line 4: count "-9": is negative; expected a whole number of 0 or more\n',
    );
  });

  it('says what is wrong with a file that is empty, missing or something else', async () => {
    expect(await analyzeText('')).toMatchObject({ code: 1, stderr: expect.stringContaining('stdin: is empty') });
    expect(await analyze({ files: ['nowhere.csv'] })).toMatchObject({ code: 1, stderr: 'nowhere.csv: no such file\n' });
    expect(await analyze({ files: [await tempDir()] })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is a folder'),
    });
    expect(await analyzeText('a;b\n1;2\n')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the header is "a;b"'),
    });
  });

  it('exits with 2 where files do not go together', async () => {
    const dir = await tempDir();
    const [counts, hourly] = [join(dir, 'a.csv'), join(dir, 'h.csv')];
    await writeFile(counts, csv(rowsOf(2, 'approved', () => 9)));
    await writeFile(hourly, 'time,today,yesterday\n10h,1,3\n');
    expect(await analyze({ files: [counts, counts] })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('36 transactions in 2 minutes'),
      stderr: expect.stringMatching(/^warning: .*: 2 counts of a minute and status .* would be counted double/m),
    });
    for (const files of [
      [hourly, counts],
      [counts, hourly],
    ])
      expect(await analyze({ files })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('is an hourly file: it is analyzed alone'),
      });
    expect(await analyze({ files: [] })).toMatchObject({ code: 2 });
  });

  it('names a page that cannot be written', async () => {
    const html = join(await tempDir(), 'no', 'such', 'folder.html');
    const { code, stdout, stderr } = await analyzeText(csv(rowsOf(2, 'approved', () => 9)), { html });
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(`${html}: cannot be written`)]);
  });

  it('shows progress on a terminal, and when piped a line every ten seconds', async () => {
    const stdin = csv(rowsOf(2, 'approved', () => 9));
    const terminal = await analyze({}, createTestIo({ stdin, terminal: true }));
    expect(terminal.stderr).toContain('\r\x1b[Kreading -: 0.0 MB');
    expect(terminal.stderr.endsWith('\r\x1b[K')).toBe(true);
    expect((await analyze({}, createTestIo({ stdin }))).stderr).toMatch(/^stdin: UTF-8, [^\n]*\n$/);
    vi.useFakeTimers({ toFake: ['Date'] });
    const { stderr, written } = createTestIo();
    const progress = createProgress(stderr);
    for (let seconds = 0; seconds <= 25; seconds++) {
      progress.show(`after ${seconds} s`);
      vi.setSystemTime(Date.now() + 1000);
    }
    vi.useRealTimers();
    await nextTurn();
    expect(written.stderr).toBe('after 10 s\nafter 20 s\n');
  });

  it('analyzes 50 million bytes in the memory of their minutes', async () => {
    const file = join(await tempDir(), 'large.csv');
    const pieces = function* () {
      yield 'timestamp,status,count\n';
      for (let row = 0, bytes = 0; bytes < 50_000_000; row++) {
        const time = new Date(Date.UTC(2025, 0, 1) + Math.floor(row / 10) * 60_000).toISOString();
        const line = `${time},${row % 2 === 0 ? 'approved' : 'denied'},${row % 7}\n`;
        bytes += line.length;
        yield line;
      }
    };
    await pipeline(Readable.from(pieces()), createWriteStream(file));
    const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    // Its rows as objects would take some 300 MB.
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--max-old-space-size=100',
      program,
      'analyze',
      file,
      '--json',
    ]);
    expect(JSON.parse(stdout).rows).toBeGreaterThan(1_000_000);
  });
});
