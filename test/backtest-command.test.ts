import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../src/cli.ts';
import { simulateCommand } from '../src/commands/simulate.ts';
import { createTestIo } from './support/command-io.ts';
import { tempDir } from './support/temp-dir.ts';

const projectRules = fileURLToPath(new URL('../prometheus/rules', import.meta.url));

/** Runs `tillwatch backtest` as it stands on a command line. */
async function backtest(args: string[], options: Parameters<typeof createTestIo>[0] = {}) {
  const io = createTestIo(options);
  const code = await run(['backtest', ...args], io);
  return { code, ...io.written };
}
const json = async (args: string[]) => {
  const { code, stdout, stderr } = await backtest([...args, '--json']);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^(?!warning)/)]);
  return JSON.parse(stdout);
};

/** A day and a half with two incidents, one at night; and its last half day, which takes less time. */
let [history, halfDay, labels, codes] = ['', '', '', ''];
beforeAll(async () => {
  const dir = await tempDir();
  const file = (name: string) => join(dir, `${name}.csv`);
  [history, halfDay, labels, codes] = [file('history'), file('half-day'), file('labels'), file('codes')];
  const incident = ['denied-spike@2026-01-06T03:30:00Z', 'failed@2026-01-06T10:00:00Z'];
  const long = { days: 1.5, seed: 11, incident, labels };
  for (const [path, options] of [
    [history, long],
    [codes, { ...long, authCodes: true }],
    [halfDay, { ...long, days: 0.5, start: '2026-01-06T00:00:00Z' }],
  ] as const) {
    const io = createTestIo();
    await simulateCommand(options, io);
    await writeFile(path, io.written.stdout);
  }
});

/** The project's rules with one text replaced by another. */
async function editedRules(file: string, from: string | RegExp, to: string): Promise<string> {
  const dir = await tempDir();
  await cp(projectRules, dir, { recursive: true });
  const before = await readFile(join(dir, file), 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  await writeFile(join(dir, file), after);
  return dir;
}
const moreSensitive = () =>
  editedRules(
    'tunables.rules.yml',
    /(tillwatch:z:tunable", labels: {window: 2m}, expr: )vector\([\d.]+\)/,
    '$1vector(0.5)',
  );

/** A folder with one rule file. */
async function rulesOf(text: string): Promise<string> {
  const dir = await tempDir();
  await writeFile(join(dir, 'rules.yml'), text);
  return dir;
}

describe('tillwatch backtest', () => {
  it('tells each alert in a line, then the summary and the score', async () => {
    const { code, stdout, stderr } = await backtest([history, codes, '--labels', labels]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^(\S+: UTF-8, comma [^\n]*\n){2}(?!warning)/)]);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^start \(UTC\) +end +length +alert +observed +expected +score +in$/);
    expect(stdout).toMatch(
      /^2026-01-06 03:3\d {2}2026-01-06 0(?:3:5|4:0)\d +\d+ min {2}TransactionsDeniedAboveNormal direction=above level=total status=denied +\d+ +[\d.]+ +[\d.]+ +\d+m$/m,
    );
    expect(stdout).toMatch(
      /^2026-01-06 10:0\d .* TransactionsFailedAboveNormal direction=above level=total status=failed /m,
    );
    expect(stdout).toMatch(/^2026-01-06 03:3\d .* AuthCodeAboveNormal auth_code=51 level=total /m);
    expect(stdout).toMatch(
      /^\d+ alerts \(.* critical.*\) in 1\.5 days, [\d.]+ a day: 2026-01-05 00:00 to 2026-01-06 12:00$/m,
    );
    expect(stdout).toMatch(/left out, .*: .*Watchdog/);
    expect(stdout).toMatch(/^all +2 +2 +\d /m);
    expect(stdout).toMatch(/^denied +1 +1 +\d /m);
  });

  it('gives programs the documented JSON', async () => {
    const document = await json([halfDay, '--labels', labels]);
    expect(document).toMatchObject({ from: '2026-01-06T00:00:00Z', to: '2026-01-06T12:00:00Z' });
    const denied = document.alerts.find(({ signal }: { signal: string }) => signal === 'denied');
    expect(denied).toEqual({
      alertname: 'TransactionsDeniedAboveNormal',
      labels: { status: 'denied', level: 'total', direction: 'above', service: 'payments' },
      severity: 'critical',
      startsAt: expect.stringMatching(/^2026-01-06T03:3\d:00Z$/),
      endsAt: expect.stringMatching(/^2026-01-06T0(3:5|4:0)\d:00Z$/),
      observed: expect.any(Number),
      expected: expect.any(Number),
      score: expect.any(Number),
      window: expect.stringMatching(/^(2m|5m|15m|1h)$/),
      signal: 'denied',
    });
    expect(denied.observed).toBeGreaterThan(3 * denied.expected);
    expect(document.score).toMatchObject({
      incidents: 2,
      detected: 2,
      recall: 1,
      delayMinutes: { median: expect.any(Number), p95: expect.any(Number) },
    });
    expect(Object.keys(document.score)).toEqual([
      'incidents',
      'detected',
      'falseAlarms',
      'falseAlarmsPerDay',
      'precision',
      'recall',
      'f1',
      'delayMinutes',
    ]);
    expect(document.missed).toEqual([]);
    expect(document).not.toHaveProperty('compare');
  });

  it('scores only what starts from a time on', async () => {
    const { score } = await json([halfDay, '--labels', labels, '--score-from', '2026-01-06T08:00:00Z']);
    expect(score).toMatchObject({ incidents: 1, detected: 1 });
  });

  it('shows under --compare what more sensitive rules would fire besides', async () => {
    const other = await moreSensitive();
    const { alerts, compare } = await json([halfDay, '--compare', other, '--labels', labels]);
    const onlyThere = compare.differences.filter(
      ({ difference }: { difference: string }) => difference === 'only there',
    );
    expect(onlyThere.length).toBeGreaterThan(0);
    expect(onlyThere[0]).toMatchObject({ here: null, there: { startsAt: expect.any(String) } });
    expect(compare.alerts.length).toBeGreaterThan(alerts.length);
    expect(compare.score.falseAlarms).toBeGreaterThan(0);
    const { stdout } = await backtest([halfDay, '--rules', other, '--compare', projectRules, '--labels', labels]);
    expect(stdout).toMatch(/^compared with the other rules: \d+ differences, \d+ alerts? the same to the minute$/m);
    expect(stdout).toMatch(
      /^ {2}2026-01-0\d \d\d:\d\d {2}Transactions\w+ (?:direction=\w+ )?level=total status=\w+ +only here$/m,
    );
    expect(stdout).toContain('score of the other rules\n');
  });

  it('writes one page that needs nothing else', async () => {
    const page = join(await tempDir(), 'backtest.html');
    const changes = join(await tempDir(), 'changes.json');
    const change = { at: '2026-01-06T08:15:00.000Z', text: 'checkout <2.31>', by: 'ana' };
    await writeFile(changes, JSON.stringify({ changes: [change, { ...change, at: '2025-12-01T00:00:00Z' }] }));
    const args = [history, '--labels', labels, '--html', page, '--changes', changes];
    const { code, stdout } = await backtest(args);
    expect(code).toBe(0);
    expect(stdout).toContain('TransactionsDeniedAboveNormal');
    const html = await readFile(page, 'utf8');
    expect(html).toMatch(/<strong>2 of 2<\/strong>/);
    for (const status of ['denied', 'failed', 'reversed', 'backend_reversed', 'approved'])
      expect(html).toContain(`<b>${status} in 5 minutes</b>`);
    expect(html).toContain('<b>denied, 2026-01-06</b>');
    // On the charts of the whole history and of that day, and in the list; the other is before.
    expect(html.match(/class="change" style="[^"]*" title="checkout &lt;2.31&gt; \(ana\)"/g)).toHaveLength(
      html.match(/<b>\w+ in 5 minutes<|, 2026-01-06<\/b>/g)?.length ?? 0,
    );
    expect(html).toContain('<th scope="row">2026-01-06 08:15</th><td>checkout &lt;2.31&gt; (ana)</td>');
    expect(html).toMatch(
      /class="span alert"[^>]*title="TransactionsDeniedAboveNormal direction=above level=total status=denied, \d+ min"/,
    );
    expect(html).toMatch(/class="span incident"[^>]*title="denied: denied-spike"/);
    expect(html).not.toMatch(/(src|href)="(?!#)|url\(|@import|fetch\(/);
  });

  it('works on rules that record nothing, with their values as observed', async () => {
    const dir = await rulesOf(
      [
        'groups:',
        '  - name: static',
        '    rules:',
        '      - alert: TooManyDenied',
        '        expr: sum by (status) (increase(transactions_total{status="denied"}[5m])) > 30',
        '        for: 2m',
        '        labels: {severity: warning}',
      ].join('\n'),
    );
    const { alerts, score } = await json([halfDay, '--rules', dir, '--labels', labels]);
    expect(score.falseAlarmsPerDay).toBeGreaterThan(0);
    expect(alerts[0]).toMatchObject({
      alertname: 'TooManyDenied',
      signal: 'denied',
      severity: 'warning',
      expected: null,
      score: null,
    });
    expect(alerts[0].observed).toBeGreaterThan(30);
  });

  it('tells the rules of marks from their ends on', async () => {
    const dir = await rulesOf(
      [
        'groups:',
        '  - name: marks',
        '    rules:',
        '      - alert: Marked',
        '        expr: max by (verdict, ago, status) (last_over_time(tillwatch_mark{ago="1d"}[1m]))',
      ].join('\n'),
    );
    const marks = join(await tempDir(), 'marks.csv');
    await writeFile(
      marks,
      'start,end,signal\n2026-01-05T03:00:00Z,2026-01-05T03:20:00Z,denied\n2026-01-06T09:00:00Z,2026-01-06T09:05:00Z,denied\n',
    );
    const { alerts } = await json([history, '--rules', dir, '--marks', marks]);
    expect(alerts).toMatchObject([
      { labels: { verdict: 'incident', ago: '1d' }, startsAt: '2026-01-06T02:01:00Z', endsAt: '2026-01-06T04:50:00Z' },
    ]);
  });

  it('says that reports were missing where the file has a hole, and nothing of sales', async () => {
    const text = await readFile(history, 'utf8');
    const file = join(await tempDir(), 'hole.csv');
    await writeFile(
      file,
      text
        .split('\n')
        .filter((line) => !line.startsWith('2026-01-06T06:'))
        .join('\n'),
    );
    const { alerts } = await json([file]);
    const names = alerts.filter(({ startsAt }: { startsAt: string }) => /T0[67]:/.test(startsAt));
    expect(names).toMatchObject([
      { alertname: 'TransactionsReportsMissing', startsAt: '2026-01-06T06:03:00Z', endsAt: '2026-01-06T07:03:00Z' },
    ]);
  });

  it('takes a history of the future for what it is', async () => {
    const text = await readFile(halfDay, 'utf8');
    const year = new Date().getUTCFullYear() + 1;
    // A year with the same weekdays, so that the rules see the same.
    const same = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].find(
      (more) => new Date(Date.UTC(year + more, 0, 6)).getUTCDay() === 2,
    );
    const future = String(year + (same ?? 0));
    const file = join(await tempDir(), 'future.csv');
    await writeFile(file, text.replaceAll('2026-', `${future}-`));
    const expected = JSON.stringify(await json([halfDay])).replaceAll('2026-', `${future}-`);
    expect(JSON.stringify(await json([file]))).toBe(expected);
  });

  it('takes rows in any order, and adds up rows of the same minute and status', async () => {
    const [header = '', ...rows] = (await readFile(halfDay, 'utf8')).trim().split('\n');
    const halves = rows.reverse().flatMap((row) => {
      const [time, status, count] = row.split(',');
      const half = Math.floor(Number(count) / 2);
      return [`${time},${status},${half}`, `${time},${status},${Number(count) - half}`];
    });
    const file = join(await tempDir(), 'shuffled.csv');
    await writeFile(file, [header, ...halves].join('\n'));
    expect(await json([file])).toEqual(await json([halfDay]));
  });
});

describe('tillwatch backtest that cannot', () => {
  const failing = async (args: string[], options?: Parameters<typeof createTestIo>[0]) => {
    const { code, stdout, stderr } = await backtest(args, options);
    expect(stdout).toBe('');
    return [code, stderr];
  };
  const [good, bad] = ['2026-01-05T00:00:00Z,approved,1', '2026-01-05T00:01:00Z,denied,-1'];

  it('refuses bad rows by line, and leaves them out when told to', async () => {
    const stdin = `timestamp,status,count\n${good}\n${bad}\n`;
    expect(await failing(['-'], { stdin })).toEqual([1, expect.stringContaining('line 3: count "-1": is negative')]);
    const { code, stdout, stderr } = await backtest(['-', '--skip-bad-rows'], { stdin });
    expect([code, stderr]).toEqual([0, expect.stringContaining('left out 1 bad row')]);
    expect(stdout).toMatch(/^no alerts\n\n0 alerts in /);
  });

  it('refuses an empty file, a missing one, and none', async () => {
    expect(await failing(['-'])).toEqual([1, expect.stringContaining('stdin: is empty')]);
    expect(await failing(['/nowhere.csv'])).toEqual([1, '/nowhere.csv: no such file\n']);
    expect((await failing([]))[0]).toBe(2);
  });

  it('names what is wrong with rules', async () => {
    const missing = join(await tempDir(), 'no-rules');
    expect(await failing([history, '--rules', missing])).toEqual([
      1,
      expect.stringContaining(`${missing}: no such folder`),
    ]);
    const empty = await tempDir();
    expect(await failing([history, '--rules', empty])).toEqual([
      1,
      expect.stringContaining(`${empty}: holds no rule files (*.yml)\n`),
    ]);
    const alerting = (expr: string, recording = '') =>
      rulesOf(`groups: [{name: g, rules: [${recording}{alert: A, expr: '${expr}'}]}]`);
    const broken = await alerting('sum(transactions_total) > (1');
    expect(await failing([history, '--rules', broken])).toEqual([
      1,
      expect.stringMatching(/rules\.yml: group g: A: .*parse error/),
    ]);
    expect(await failing([history, '--rules', join(broken, 'rules.yml')])).toEqual([
      1,
      expect.stringContaining('rules.yml: is a file; give the folder'),
    ]);
    const circle = await alerting('a + transactions_total', '{record: a, expr: b}, {record: b, expr: a}, ');
    expect(await failing([history, '--rules', circle])).toEqual([1, expect.stringContaining('in a circle')]);
    const other = await alerting('up == 0');
    expect(await failing([history, '--rules', other])).toEqual([
      1,
      expect.stringContaining(`\n${other}: no alert rule reads anything that the history has\n`),
    ]);
  });

  it('names what is wrong with labels and times, before it reads the history', async () => {
    const file = join(await tempDir(), 'labels.csv');
    await writeFile(file, 'begin,end\n');
    expect(await failing(['/nowhere.csv', '--labels', file])).toEqual([
      1,
      expect.stringContaining('no column start, signal'),
    ]);
    const noon = ['/nowhere.csv', '--labels', labels, '--score-from', 'noon'];
    expect(await failing(noon)).toEqual([2, expect.stringContaining('--score-from noon: is no time')]);
    const alone = ['/nowhere.csv', '--score-from', '2026-01-05T00:00:00Z'];
    expect(await failing(alone)).toEqual([2, expect.stringContaining('give --labels FILE as well')]);
  });

  it('leaves nothing behind when it is interrupted, after it has shown how far it was', async () => {
    // Of its own: other tests on the machine may be at the same thing.
    vi.stubEnv('TMPDIR', await tempDir());
    const io = createTestIo({ terminal: true });
    io.stderr.on('data', (text: string) => {
      if (text.includes('% played')) io.stop.abort('SIGINT');
    });
    expect(await run(['backtest', history], io)).toBe(1);
    expect(io.written.stdout).toBe('');
    expect(io.written.stderr).toMatch(/interrupted\n$/);
    expect(await readdir(tmpdir())).toEqual([]);
    vi.unstubAllEnvs();
  });
});
