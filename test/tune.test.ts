import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Score } from '../src/backtest/score.ts';
import { findBinary } from '../src/binaries/binaries.ts';
import { run } from '../src/cli.ts';
import type { MinuteCounts } from '../src/domain/minutes.ts';
import { importHistory, storageOf } from '../src/history/history.ts';
import { readRules } from '../src/prometheus/rule-files.ts';
import { SHIPPED_RULES } from '../src/runtime/project.ts';
import { isBetter } from '../src/tune/better.ts';
import { namedFactors, search } from '../src/tune/search.ts';
import { tunableRules } from '../src/tune/tunable-rules.ts';
import { findTunables } from '../src/tune/tunables-file.ts';
import { lineDiff, multiplied } from '../src/tune/tunables-text.ts';
import { launchChromium, openPage } from './support/browser.ts';
import { createTestIo } from './support/command-io.ts';
import { notification } from './support/notification.ts';
import { fits } from './support/page.ts';
import { freePort, startProcess, waitFor } from './support/processes.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';
import { tempDir } from './support/temp-dir.ts';

async function tune(args: string[]) {
  const io = createTestIo();
  const code = await run(['tune', ...args], io);
  return { code, ...io.written };
}

const TUNABLES = `groups:
  - name: tunables
    rules:
      # How many denied in a minute.
      - {record: "tillwatch:z:tunable", labels: {window: 2m}, expr: vector(50)}
      - {record: "tillwatch:tail_z:tunable", expr: vector(4)}
      - {record: "tillwatch:volume_z:tunable", expr: vector(3.6)}
      - {record: "tillwatch:volume_noise_z:tunable", expr: vector(3.5)}
`;
const ALERTS = `groups:
  - name: alerts
    rules:
      - alert: ManyDenied
        expr: |
          sum by (status) (transactions_total{status="denied"} - transactions_total{status="denied"} offset 1m)
            > scalar(tillwatch:z:tunable)
        labels: {severity: critical}
`;

/** Two hours of 10 denied a minute, in which 42 are for ten minutes. */
async function prepared() {
  const dir = await tempDir();
  const rules = join(dir, 'rules');
  await mkdir(rules);
  await writeFile(join(rules, 'tunables.rules.yml'), TUNABLES);
  await writeFile(join(rules, 'x.alerts.yml'), ALERTS);
  const minute = (at: number) => new Date(Date.UTC(2026, 0, 5, 10, at)).toISOString();
  const rows = Array.from({ length: 120 }, (_, at) => `${minute(at)},denied,${at >= 60 && at < 70 ? 42 : 10}`);
  const [history, labels] = [join(dir, 'history.csv'), join(dir, 'labels.csv')];
  await writeFile(history, `timestamp,status,count\n${rows.join('\n')}\n`);
  await writeFile(labels, `start,end,signal\n${minute(60)},${minute(70)},denied\n`);
  return { dir, rules, history, labels };
}

/** Applies the diff that a text ends in, by the command that it names. */
async function applied(text: string, cwd: string, path?: string): Promise<void> {
  await writeFile(join(cwd, 'tune.diff'), text);
  const [, named = ''] = /: patch (\S+) tune\.diff$/m.exec(text) ?? [];
  await execa('patch', [path ?? resolve(named), 'tune.diff'], { cwd });
}

test('proposes the sensitivity that finds what was missed, as a diff that patch applies', async () => {
  const { dir, rules, history, labels } = await prepared();
  const { code, stdout, stderr } = await tune([history, '--labels', labels, '--rules', rules]);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('Error')]);
  // At once, since it may take long.
  expect(stderr).toContain('plays 2 hours of the total up to 11 times: as it is, and with other sensitivities\n');
  expect(stdout).toContain('before  0 of 1 incidents found, 0 false alarms');
  expect(stdout).toMatch(/after +1 of 1 incidents found, 0 false alarms/);
  expect(stdout).toMatch(/appears +2026-01-05 11:01 +ManyDenied/);
  expect(stdout).toContain(
    `save it as tune.diff, then apply it: patch ${relative('.', rules)}/tunables.rules.yml tune.diff`,
  );
  await applied(stdout, dir);
  const patched = await readFile(join(rules, 'tunables.rules.yml'), 'utf8');
  expect(patched).toBe(TUNABLES.replace('vector(50)', 'vector(40)').replace('vector(4)', 'vector(3.2)'));
});

test('plays no trial that could gain nothing', async () => {
  const { rules, history, labels } = await prepared();
  await writeFile(join(rules, 'tunables.rules.yml'), TUNABLES.replace('vector(50)', 'vector(30)'));
  const { stdout } = await tune([history, '--labels', labels, '--rules', rules]);
  expect(stdout).toContain('1 of 1 incidents found, 0 false alarms, median 1 min');
  const score = (detected: number, falseAlarms: number, median: number) =>
    ({ incidents: 2, detected, falseAlarms, f1: detected / (2 + falseAlarms), delayMinutes: { median } }) as Score;
  async function triedFrom(bySignal: Record<string, Score>, then = bySignal) {
    const tried: string[] = [];
    await search({ factors: {}, scored: { score: score(0, 0, 1), bySignal } }, async (factors, most) => {
      tried.push(`${namedFactors(factors)}, of ${most}`);
      return { factors, scored: { score: score(0, 0, 1), bySignal: then } };
    });
    return tried;
  }
  expect(await triedFrom({ denied: score(2, 0, 1), volume: score(2, 0, 1) })).toEqual([]);
  const wider = ['statuses times 1.1, of 4', 'statuses times 1.25, of 4', 'statuses times 1.5, of 4'];
  expect(await triedFrom({ denied: score(2, 1, 1) })).toEqual(wider);
  expect(await triedFrom({ denied: score(2, 1, 1) }, { denied: score(2, 0, 1) })).toEqual(wider.slice(0, 1));
  expect(await triedFrom({ volume: score(1, 0, 1) })).toEqual(['sales times 0.9, of 3', 'sales times 0.8, of 3']);
});

test('says once, and of the folder that was given, what the history lacks', async () => {
  const { rules, history, labels } = await prepared();
  await writeFile(
    join(rules, 'x.alerts.yml'),
    ALERTS.replace('        labels', '          or nowhere > 1\n        labels'),
  );
  const { code, stderr } = await tune([history, '--labels', labels, '--rules', rules]);
  expect(code).toBe(0);
  expect(stderr.match(/.*rules read.*/g)).toEqual([`${rules}: rules read nowhere, which the history does not have`]);
});

test('leaves alone what is right as it is', async () => {
  const { rules, history, labels } = await prepared();
  await writeFile(join(rules, 'tunables.rules.yml'), TUNABLES.replace('vector(50)', 'vector(30)'));
  const { code, stdout } = await tune([history, '--labels', labels, '--rules', rules]);
  expect([code, stdout]).toEqual([0, expect.stringContaining('leave the tunables as they are')]);
});

test('says what is missing: labels within the history, and a file of tunables', async () => {
  const { dir, rules, history, labels } = await prepared();
  await writeFile(labels, 'start,end,signal\n2020-01-01T00:00:00Z,2020-01-01T01:00:00Z,denied\n');
  const strange = await tune([history, '--labels', labels, '--rules', rules]);
  expect([strange.code, strange.stderr]).toEqual([2, expect.stringContaining('no incident in it lies in the history')]);
  const bare = await tune([history, '--labels', labels, '--rules', dir]);
  expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('needs a file tunables.rules.yml')]);
});

test('the diff of rules that lie elsewhere is of the shipped file, with the numbers in force', async () => {
  const { recording } = await readRules(SHIPPED_RULES);
  const inForce = tunableRules({ name: 'x', alerts: [], recording }).map((rule) => ({
    ...rule,
    file: '/elsewhere/rules/tunables.rules.yml',
    expr: rule.record === 'tillwatch:tail_z:tunable' ? 'vector(5)' : rule.expr,
  }));
  const shipped = await readFile(join(SHIPPED_RULES, 'tunables.rules.yml'), 'utf8');
  const [tail] = /\{record: "tillwatch:tail_z.*/.exec(shipped) ?? [''];
  expect(await findTunables(inForce)).toEqual({
    path: '/elsewhere/rules/tunables.rules.yml',
    isHere: false,
    text: shipped.replace(tail, tail.replace('vector(4)', 'vector(5)')),
  });
  // Other rules record as many sensitivities in other places.
  expect(await findTunables(inForce.slice(1))).toBeUndefined();
});

test('a diff is as diff writes it, wherever the change is', async () => {
  const dir = await tempDir();
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at}`);
  for (const changed of [[0], [19], [3, 9], [3, 11], [0, 10, 19]])
    for (const end of ['', '\n']) {
      const after = lines.map((line, at) => (changed.includes(at) ? `${line} is new` : line)).join('\n') + end;
      const before = lines.join('\n') + end;
      await Promise.all([
        writeFile(join(dir, 'x'), before),
        writeFile(join(dir, 'tune.diff'), lineDiff('x', before, after)),
      ]);
      await execa('git', ['apply', 'tune.diff'], { cwd: dir });
      expect(await readFile(join(dir, 'x'), 'utf8'), `${changed}`).toBe(after);
    }
});

test('proposes nothing that finds no more and is no quicker', () => {
  const score = (f1: number | null, median: number | null) => ({ f1, delayMinutes: { median, p95: median } }) as Score;
  expect(isBetter(score(null, null), score(null, null))).toBe(false);
  expect(isBetter(score(0.8, 3), score(0.8, 3))).toBe(false);
  expect(isBetter(score(0.8, 2), score(0.8, 3))).toBe(true);
  expect(isBetter(score(0.5, 4), score(null, null))).toBe(true);
  expect(isBetter(score(null, null), score(0.5, 4))).toBe(false);
});

test('changes the numbers of the shipped tunables and nothing else', async () => {
  const before = await readFile(join(SHIPPED_RULES, 'tunables.rules.yml'), 'utf8');
  const after = multiplied(before, { statuses: 1.25, sales: 0.9 });
  const changed = lineDiff('x', before, after).match(/^\+ .*$/gm) ?? [];
  expect(changed.length).toBeGreaterThanOrEqual(8);
  const names = new Set(changed.map((line) => /tillwatch:\w+:tunable/.exec(line)?.[0]));
  expect([...names].toSorted()).toEqual(
    ['tail_z', 'volume_noise_z', 'volume_z', 'z'].map((name) => `tillwatch:${name}:tunable`),
  );
  expect(multiplied(before, {})).toBe(before);
});

/** A service beside a Prometheus that evaluates a folder of rules, and has recorded these minutes. */
async function startRecording(name: string, rules: string, minutes: MinuteCounts[]) {
  const dataDir = temporaryFolder(name);
  const rulesDir = join(dataDir, 'rules');
  await mkdir(rulesDir);
  await writeFile(join(rulesDir, 'tunables.rules.yml'), TUNABLES);
  await writeFile(join(rulesDir, 'counts.yml'), rules);
  await importHistory({ minutes, authCodes: [], dataDir, rulesDir });
  const config = join(dataDir, 'prometheus.yml');
  await writeFile(config, `rule_files: [${rulesDir}/*.yml]\n`);
  const url = `http://127.0.0.1:${await freePort()}`;
  const prometheus = await startProcess(await findBinary('prometheus'), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${storageOf(dataDir)}`,
    `--web.listen-address=${url.slice(7)}`,
  ]);
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { timeout: 60_000, what: 'Prometheus' });
  const service = await startService({ prometheusUrl: url, dimensions: 'acquirer' });
  const stop = async () => {
    await service.close();
    await prometheus.stop();
  };
  return { service, rulesDir, stop };
}

/** The lines of an answer that takes long. */
const linesOf = async (answer: Response) =>
  (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const now = Math.floor(Date.now() / 60_000);
const at = (minute: number) => new Date(minute * 60_000).toISOString();

describe('POST /api/v1/what-if', () => {
  const COUNTS = `groups:
  - name: counts
    rules:
      - record: slice:transactions:increase1m
        expr: sum by (status) (transactions_total - transactions_total offset 1m)
      - alert: ManyDenied
        expr: slice:transactions:increase1m{status="denied"} > scalar(tillwatch:z:tunable)
        labels: {severity: critical}
`;
  let service: Service;
  let stop: () => Promise<void>;
  const asked = (body: object, signal?: AbortSignal) =>
    fetch(`${service.url}/api/v1/what-if`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal !== undefined && { signal }),
    });

  // Ten hours of 10 denied a minute, in which 42 are for ten minutes, of an hour ago.
  beforeAll(async () => {
    const minutes = Array.from({ length: 600 }, (_, at) => ({
      minute: now - 600 + at,
      counts: { approved: 90, denied: at >= 540 && at < 550 ? 42 : 10 },
    }));
    ({ service, stop } = await startRecording('what-if', COUNTS, minutes));
  });
  afterAll(() => stop?.());

  test('says which alerts other sensitivities would have brought, by the rules in force', async () => {
    const said = await linesOf(await asked({ statuses: 0.8 }));
    expect(said[0]).toEqual({ progress: 0, what: 'reading what was counted' });
    // The first six hours are only learned from.
    const played = { learnedFrom: at(now - 600), from: at(now - 240), to: at(now), slices: 0 };
    expect(said.find(({ plays }) => plays !== undefined)).toEqual({ plays: played });
    const { result, error } = said.at(-1);
    expect(error).toBeUndefined();
    expect(result.alerts).toEqual([
      expect.objectContaining({ change: 'new', alertname: 'ManyDenied', startsAt: at(now - 59), endsAt: at(now - 49) }),
    ]);
    expect(result.tunables).toContainEqual({ tunable: 'tillwatch:z:tunable', window: '2m', now: 50, changed: 40 });
    expect(result).toMatchObject(played);
    const wider = (await linesOf(await asked({ statuses: 1.5 }))).at(-1);
    expect(wider.result.alerts).toEqual([]);
  });

  test('does one at a time, and ends when its reader leaves', async () => {
    const leaving = new AbortController();
    const first = await asked({ sales: 2 }, leaving.signal);
    expect(first.status).toBe(200);
    const second = await asked({ sales: 2 });
    expect([second.status, await second.text()]).toEqual([409, expect.stringMatching(/: \d+ % is done, [\w ]+\. Try/)]);
    leaving.abort();
    await waitFor(async () => (await asked({ sales: 2 })).status === 200, {
      timeout: 30_000,
      what: 'the end of the first',
    });
  });

  test('refuses what would change nothing', async () => {
    const { status, json } = await service.send('POST', '/api/v1/what-if', { statuses: 1 });
    expect([status, json.detail]).toEqual([422, expect.stringContaining('nothing would change')]);
  });
});

describe('POST /api/v1/tune', () => {
  const COUNTS = `groups:
  - name: counts
    rules:
      - record: slice:transactions:increase1m
        expr: sum by (status, acquirer) (transactions_total - transactions_total offset 1m)
      - alert: ManyDenied
        expr: sum by (status) (slice:transactions:increase1m{status="denied"}) > scalar(tillwatch:z:tunable)
        labels: {severity: critical}
`;
  /** Denied a minute, for ten minutes from then on; else 10. */
  const PEAKS: Record<number, number> = { 400: 90, 430: 55, 500: 90, 550: 57 };
  let service: Service;
  let rulesDir: string;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const minutes = Array.from({ length: 600 }, (_, minute) => {
      const denied = PEAKS[Math.floor(minute / 10) * 10] ?? 10;
      const labelled = [
        { labels: { acquirer: 'a' }, counts: { approved: 80, denied: denied - 4 } },
        { labels: { acquirer: 'b' }, counts: { approved: 10, denied: 4 } },
      ];
      return { minute: now - 600 + minute, labelled };
    });
    ({ service, rulesDir, stop } = await startRecording('tune', COUNTS, minutes));
    for (const begins of Object.keys(PEAKS).map(Number))
      await service.send('POST', '/api/v1/alertmanager', notified(begins));
  });
  afterAll(() => stop?.());

  const notified = (begins: number) =>
    notification({
      labels: { alertname: 'ManyDenied', severity: 'critical', status: 'denied' },
      startsAt: at(now - 600 + begins + 1),
      endsAt: at(now - 600 + begins + 11),
      fingerprint: `f${begins}`,
    });
  async function mark(begins: number, verdict: string): Promise<void> {
    const { incidents } = (await service.get('/api/v1/incidents')).json;
    const { id } = incidents.find(({ startsAt }: { startsAt: string }) => startsAt === at(now - 600 + begins + 1));
    const { status } = await service.send('POST', `/api/v1/incidents/${id}/mark`, { verdict, by: 'ana' });
    expect(status).toBe(200);
  }
  const asked = (signal?: AbortSignal) =>
    fetch(`${service.url}/api/v1/tune`, { method: 'POST', ...(signal !== undefined && { signal }) });
  const last = async () => (await linesOf(await asked())).at(-1);

  test('says how many marks are missing', async () => {
    expect((await last()).error).toMatch(/^too few marks: no alert of the last 14 days is marked.*It takes 3/);
    await mark(430, 'false-alarm');
    expect((await last()).error).toMatch(
      /^too few marks: 1 alert of the last 14 days is marked, none as a real incident/,
    );
  });

  test('proposes what keeps the real incidents and spares the false alarm, as a diff to apply', async () => {
    await mark(400, 'incident');
    await mark(500, 'incident');
    const said = await linesOf(await asked());
    const plan = {
      // The first six hours are only learned from.
      from: at(now - 600 + 360),
      to: at(now),
      learnedFrom: at(now - 600),
      slices: 2,
      searched: 0,
      marks: { incidents: 2, others: 1 },
    };
    expect(said.find(({ plays }) => plays !== undefined)).toEqual({ plays: plan });
    expect(said.find(({ what = '' }) => /^try \d+ of at most \d+, /.test(what))).toBeDefined();
    const { result, error } = said.at(-1);
    expect(error).toBeUndefined();
    // Nobody said anything of the last one.
    const score = { incidents: 2, detected: 2, delayMinutes: 5 };
    expect(result).toMatchObject({ ...plan, before: { ...score, falseAlarms: 1 } });
    const { proposal } = result;
    expect(proposal.after).toEqual({ ...score, falseAlarms: 0 });
    const changes = proposal.alerts.map(({ change, startsAt }: { change: string; startsAt: string }) => [
      change,
      startsAt,
    ]);
    expect(changes).toEqual(
      Object.entries({ 401: 'stays', 431: 'gone', 501: 'stays', 551: 'stays' }).map(([minute, change]) => [
        change,
        at(now - 600 + Number(minute)),
      ]),
    );
    expect(proposal.tunables).toContainEqual({ tunable: 'tillwatch:z:tunable', window: '2m', now: 50, changed: 55 });
    const file = join(rulesDir, 'tunables.rules.yml');
    expect(await readFile(file, 'utf8')).toBe(TUNABLES);
    expect(proposal.change).toMatchObject({ path: file, isHere: true, command: `patch ${file} tune.diff` });
    await applied(proposal.change.diff, rulesDir, file);
    expect(await readFile(file, 'utf8')).toBe(
      TUNABLES.replace('vector(50)', 'vector(55)').replace('vector(4)', 'vector(4.4)'),
    );
    // It is not in force yet.
    expect((await last()).error).toMatch(`${file} was edited, and Prometheus does not evaluate it yet`);
    await writeFile(file, TUNABLES);
  });

  test('says so where nothing does better', async () => {
    await mark(430, 'incident');
    const { result } = await last();
    expect(result).toMatchObject({ before: { incidents: 3, detected: 3, falseAlarms: 0 } });
    expect(result.proposal).toBeUndefined();
  });

  test('is a button beside the marks: by keyboard, with cancel, and the diff to copy', async () => {
    await mark(430, 'false-alarm');
    const browser = await launchChromium();
    const { page, complaints } = await openPage(browser, service.url, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.getByText('Tune the rules by these marks').press('Enter');
    const start = page.getByRole('button', { name: 'Look for better sensitivities' });
    const held = page.waitForRequest('**/api/v1/tune');
    await page.route('**/api/v1/tune', () => {}, { times: 1 });
    await start.press('Enter');
    await held;
    await page.getByRole('button', { name: 'Cancel' }).and(page.locator(':focus')).press('Enter');
    const result = page.getByRole('region', { name: 'What is proposed' });
    await result.getByText('Cancelled. Nothing was changed.').waitFor();
    await start.and(page.locator(':focus')).press('Enter');
    await page.getByText('By 2 marked as real, 1 as expected or a false alarm.').waitFor();
    await result.getByText('These sensitivities would have done better.').waitFor();
    const rows = await result.locator('tbody tr').allInnerTexts();
    expect(rows.map((row) => row.split(/\s*\t\s*/))).toEqual([
      ['Incidents found', '2 of 2', '2 of 2'],
      ['False alarms', '1', '0'],
      ['Median delay', '5 min', '5 min'],
    ]);
    expect(await result.innerText()).toMatch(/Disappears: 1\s.*Many denied, denied/);
    expect(await result.innerText()).toMatch(/Appears: none\s+Comes all the same: 3/);
    await result.getByRole('button', { name: 'Copy the diff' }).press('Enter');
    await page.getByText('Copied.').waitFor();
    const file = join(rulesDir, 'tunables.rules.yml');
    await applied(String(await page.evaluate('navigator.clipboard.readText()')), rulesDir, file);
    expect(await readFile(file, 'utf8')).toContain('vector(55)');
    await fits(page);
    await start.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'was edited, and Prometheus does not evaluate it yet' }).waitFor();
    await writeFile(file, TUNABLES);
    expect(complaints).toEqual([]);
    await browser.close();
  });

  test('is one at a time with what-if, and ends when its reader leaves', async () => {
    const leaving = new AbortController();
    expect((await asked(leaving.signal)).status).toBe(200);
    const whatIf = () => service.send('POST', '/api/v1/what-if', { statuses: 2 });
    expect(await whatIf()).toMatchObject({ status: 409, json: { detail: expect.stringContaining('Try again then') } });
    leaving.abort();
    await waitFor(async () => (await asked(AbortSignal.timeout(5000)).catch(() => undefined))?.status === 200, {
      timeout: 30_000,
      what: 'the end of the first',
    });
  });
});
