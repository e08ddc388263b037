import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ImportCommandOptions, importCommand } from '../src/commands/import.ts';
import { simulateCommand } from '../src/commands/simulate.ts';
import { storageOf } from '../src/history/history.ts';
import { createTestIo, type TestIo } from './support/command-io.ts';
import { blocksAndLeftovers, withStorage } from './support/storage.ts';
import { tempDir } from './support/temp-dir.ts';

const rulesDir = fileURLToPath(new URL('testdata/history-rules', import.meta.url));

async function runImport(options: Partial<ImportCommandOptions>, io: TestIo = createTestIo()) {
  const dataDir = options.dataDir ?? (await tempDir());
  const code = await importCommand({ files: ['-'], rulesDir, ...options, dataDir }, io);
  return { code, dataDir, ...io.written };
}
/** Midnight eight days ago: what is older than Prometheus keeps is refused. */
const START = Math.floor(Date.now() / 86_400_000 - 8) * 86_400;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
const DAY = iso(START).slice(0, 10);

async function simulated(name: string, authCodes: boolean, days = 0.25): Promise<string> {
  const io = createTestIo();
  await simulateCommand({ days, seed: 9, start: iso(START), authCodes }, io);
  const file = join(await tempDir(), name);
  await writeFile(file, io.written.stdout);
  return file;
}
/** Sums of a CSV file's counts by its second column. */
async function totalsOf(file: string): Promise<Record<string, number>> {
  const totals: Record<string, number> = {};
  for (const line of (await readFile(file, 'utf8')).trim().split('\n').slice(1)) {
    const [, key = '', count] = line.split(',');
    totals[key] = (totals[key] ?? 0) + Number(count);
  }
  return totals;
}

describe('tillwatch import', () => {
  it('imports a file by status and one by auth code, and says what it did on stdout alone', async () => {
    const files = [await simulated('transactions.csv', false), await simulated('codes.csv', true)];
    const { code, dataDir, stdout, stderr } = await runImport({ files });
    expect(code).toBe(0);
    // A slow machine shows its progress as well.
    expect(stderr).toMatch(
      /^\S*transactions\.csv: UTF-8, comma [^\n]*\n\S*codes\.csv: UTF-8, [^\n]*\n(?:[a-z ]+ of day \d+\n)*$/,
    );
    expect(stdout).toContain(`read 4,680 rows, imported 360 minutes from ${DAY}T00:00:00Z to ${DAY}T06:00:00Z\nwrote `);
    expect(stdout).toContain('days ago, too long ago to give a baseline');
    await withStorage(dataDir, async ({ values }) => {
      const end = START + 6 * 3600;
      expect(await values('transactions_total', end)).toEqual(await totalsOf(files[0] ?? ''));
      expect(await values('transactions_by_auth_code_total', end, 'auth_code')).toEqual(await totalsOf(files[1] ?? ''));
      expect(await values('sum_over_time(status:test:increase1m[6h])', end)).toEqual(await totalsOf(files[0] ?? ''));
    });
  });

  it("takes the service's dimensions that a file has, and says that its storage is in use before it reads", async () => {
    const stdin = `timestamp,Acquirer,status,count\n${DAY} 13:05:00,acme,approved,9\n${DAY} 13:06:00,acme,denied,2\n`;
    const env = { TILLWATCH_DIMENSIONS: 'acquirer,merchant' };
    const { code, dataDir } = await runImport({}, { ...createTestIo({ stdin }), env });
    expect(code).toBe(0);
    await withStorage(dataDir, async ({ values }) => {
      const end = START + 13 * 3600 + 7 * 60;
      expect(await values('sum by (acquirer) (transactions_total) > 0', end, 'acquirer')).toEqual({ acme: 11 });
      const early = await runImport({ dataDir }, createTestIo({ stdin: 'no table\n' }));
      expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/^a Prometheus is running on .*stop it/)]);
    });
  });

  it('reads stdin, and times of a date', async () => {
    const io = createTestIo({ stdin: 'time,status,F1\r\n13h 05,approved,9\r\n13h 06,denied,2\r\n' });
    const { code, dataDir, stdout } = await runImport({ date: DAY }, io);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`2 minutes from ${DAY}T13:05:00Z to ${DAY}T13:07:00Z`)]);
    await withStorage(dataDir, async ({ values }) => {
      const totals = await values('transactions_total > 0', START + 13 * 3600 + 7 * 60);
      expect(totals).toEqual({ approved: 9, denied: 2 });
    });
  });

  it('shows progress on a terminal and takes it away at the end', async () => {
    const io = createTestIo({ stdin: `timestamp,status,count\n${DAY} 13:05:00,approved,9\n`, terminal: true });
    const { stderr } = await runImport({}, io);
    expect(stderr).toContain('\r\x1b[Kreading ');
    expect(stderr.endsWith('\r\x1b[K')).toBe(true);
  });

  it('refuses a file with a bad row and writes nothing; without its bad rows it counts them', async () => {
    const stdin = `timestamp,status,count\n${DAY} 13:05:00,approved,9\n${DAY} 13:06:00,approved,-9\n`;
    const dataDir = await tempDir();
    const refused = await runImport({ dataDir }, createTestIo({ stdin }));
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(
      'stdin: 1 bad row, nothing was taken:\n  line 3: count "-9": is negative; expected a whole number of 0 or more\n',
    );
    const taken = await runImport({ dataDir, skipBadRows: true }, createTestIo({ stdin }));
    expect(taken.code).toBe(0);
    expect(taken.stdout).toContain(`read 1 row (1 bad row left out), imported 1 minute from ${DAY}T13:05:00Z`);
    expect(taken.stderr).toContain(
      'left out 1 bad row:\n  line 3: count "-9": is negative; expected a whole number of 0 or more\n',
    );
  });

  it('takes several files of a kind, and refuses minutes that are given twice unless told what that means', async () => {
    const file = await simulated('transactions.csv', false);
    const [header = '', ...rows] = (await readFile(file, 'utf8')).trim().split('\n');
    const [first, second] = [join(await tempDir(), 'first.csv'), join(await tempDir(), 'second.csv')];
    await writeFile(first, [header, ...rows.slice(0, 1400)].join('\n'));
    await writeFile(second, [header, ...rows.slice(1400)].join('\n'));
    const halves = await runImport({ files: [second, first] });
    expect([halves.code, halves.stdout]).toEqual([0, expect.stringContaining('read 2,520 rows, imported 360 minutes')]);
    const twice = await runImport({ files: [file, file] });
    expect([twice.code, twice.stdout]).toEqual([1, '']);
    expect(twice.stderr).toContain('2,520 counts of a minute and status (or code) that another row has too');
    expect(twice.stderr).toContain(
      'With --accept-repeated, the counts of such rows would be added up.\nNothing was written.',
    );
    expect(await blocksAndLeftovers(halves.dataDir)).not.toEqual([]);
    expect((await runImport({ files: [] })).code).toBe(2);
  });

  const hourly = Array.from({ length: 4 }, (_, hour) => `${DAY} 0${hour}:00:00,approved,6000`);
  const growing = Array.from({ length: 12 }, (_, at) => `${DAY} 00:${at + 10}:00,approved,${100 + at * 9}`);
  it.each([
    ['rows by the hour', hourly, 'coarse', 'the rows are by the hour, not by minute'],
    [
      'totals that only grow',
      growing,
      'growing',
      'look like the totals of a counter, not like counts. Pass --cumulative',
    ],
    [
      'a row of totals',
      [`${DAY} 00:00:00,approved,9`, 'Total,,9'],
      'totals-row',
      'line 3: a row of totals is no count of its own',
    ],
    [
      'a future',
      [`${DAY} 00:00:00,approved,9`, `${DAY.replace('20', '21')} 00:00:00,approved,9`],
      'future',
      'in the future',
    ],
    ['a gap', [`${DAY} 00:00:00,approved,9`, `${DAY} 03:00:30,approved,9`], 'gaps', '1 gap of an hour or more'],
  ])('refuses %s before it writes anything, and says what taking it would mean', async (_, rows, kind, message) => {
    const { code, stderr, dataDir } = await runImport(
      {},
      createTestIo({ stdin: `timestamp,status,count\n${rows.join('\n')}\n` }),
    );
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`With --accept-${kind}, `);
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('takes what each minute added, when told that numbers are totals', async () => {
    const io = createTestIo({ stdin: `timestamp,status,count\n${growing.join('\n')}\n` });
    const { code, dataDir } = await runImport({ cumulative: true }, io);
    expect(code).toBe(0);
    await withStorage(dataDir, async ({ values }) =>
      expect(await values('transactions_total > 0', START + 22 * 60)).toEqual({ approved: 11 * 9 }),
    );
  });

  it('refuses what Prometheus would delete at its next start, naming how long it keeps, and takes the rest when told to', async () => {
    const old = 'timestamp,status,count\n2025-07-12 13:00:00,approved,116\n2025-07-12 13:01:00,approved,116\n';
    const refused = await runImport({}, createTestIo({ stdin: old }));
    expect([refused.code, await readdir(refused.dataDir)]).toEqual([1, []]);
    expect(refused.stderr).toContain('Prometheus keeps 400 days');
    expect(refused.stderr).toContain('ended too long ago to give a baseline');
    const both = `${old}${DAY} 13:05:00,approved,9\n`;
    const accept = ['gaps', 'retention'] as const;
    expect((await runImport({ accept: ['gaps'] }, createTestIo({ stdin: both }))).code).toBe(1);
    const taken = await runImport({ accept }, createTestIo({ stdin: both }));
    expect([taken.code, taken.stdout]).toEqual([0, expect.stringContaining(`1 minute from ${DAY}T13:05:00Z`)]);
  });

  it('refuses rules that read each other in a circle, before it writes anything', async () => {
    const rules = await tempDir();
    const yaml = 'groups: [{name: g, rules: [{record: a, expr: b + 1}, {record: b, expr: "avg_over_time(a[5m])"}]}]';
    await writeFile(join(rules, 'circle.yml'), yaml);
    const io = createTestIo({ stdin: `timestamp,status,count\n${DAY} 13:05:00,approved,9\n` });
    const { code, stderr } = await runImport({ rulesDir: rules }, io);
    expect(code).toBe(1);
    expect(stderr).toContain('recording rules read each other in a circle: a reads b reads a');
    expect(stderr).toMatch(/circle\.yml: group g: b\n/);
  });

  it('says that nothing was imported when it is interrupted', async () => {
    const file = await simulated('transactions.csv', false, 3);
    const io = createTestIo({ terminal: true });
    io.stderr.on('data', (text: string) => {
      if (text.includes('recorded series up to')) io.stop.abort('SIGINT');
    });
    const { code, dataDir, stderr } = await runImport({ files: [file] }, io);
    expect(code).toBe(1);
    expect(stderr).toContain('interrupted: nothing was imported\n');
    expect(await blocksAndLeftovers(dataDir)).toEqual([]);
    expect(storageOf(dataDir)).toBe(join(dataDir, 'prometheus'));
  });
});
