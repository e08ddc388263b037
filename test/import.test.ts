import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ImportCommandOptions, importCommand } from '../src/commands/import.ts';
import { simulateCommand } from '../src/commands/simulate.ts';
import { storageOf } from '../src/history.ts';
import { createTestIo, type TestIo } from './support/command-io.ts';
import { blocksAndLeftovers, withStorage } from './support/storage.ts';
import { tempDir } from './support/temp-dir.ts';

const rulesDir = fileURLToPath(new URL('testdata/history-rules', import.meta.url));

async function runImport(options: Partial<ImportCommandOptions>, io: TestIo = createTestIo()) {
  const dataDir = options.dataDir ?? (await tempDir());
  const code = await importCommand({ files: ['-'], rulesDir, ...options, dataDir }, io);
  return { code, dataDir, ...io.written };
}
async function simulated(name: string, authCodes: boolean): Promise<string> {
  const io = createTestIo();
  await simulateCommand({ days: 0.25, seed: 9, authCodes }, io);
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
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^imported 4,680 rows: 360 minutes from 2026-01-05T00:00:00Z to 2026-01-05T06:00:00Z\nwrote [\d,]+ samples in \d+ series to .*prometheus\n$/,
    );
    await withStorage(dataDir, async ({ values }) => {
      const end = Date.UTC(2026, 0, 5, 6) / 1000;
      expect(await values('transactions_total', end)).toEqual(await totalsOf(files[0] ?? ''));
      expect(await values('transactions_by_auth_code_total', end, 'auth_code')).toEqual(await totalsOf(files[1] ?? ''));
      expect(await values('sum_over_time(status:test:increase1m[6h])', end)).toEqual(await totalsOf(files[0] ?? ''));
    });
  });

  it('reads stdin, and times of a date', async () => {
    const io = createTestIo({ stdin: 'time,status,F1\r\n13h 05,approved,9\r\n13h 06,denied,2\r\n' });
    const { code, dataDir, stdout } = await runImport({ date: '2025-07-12' }, io);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('2 minutes from 2025-07-12T13:05:00Z to 2025-07-12T13:07:00Z'),
    ]);
    await withStorage(dataDir, async ({ values }) => {
      const totals = await values('transactions_total > 0', Date.UTC(2025, 6, 12, 13, 7) / 1000);
      expect(totals).toEqual({ approved: 9, denied: 2 });
    });
  });

  it('shows progress on a terminal and takes it away at the end', async () => {
    const io = createTestIo({ stdin: 'timestamp,status,count\n2025-07-12 13:05:00,approved,9\n', terminal: true });
    const { stderr } = await runImport({}, io);
    expect(stderr).toContain('\r\x1b[Kreading -: 0.0 MB');
    expect(stderr.endsWith('\r\x1b[K')).toBe(true);
  });

  it('refuses a file with a bad row and writes nothing; without its bad rows it counts them', async () => {
    const stdin = 'timestamp,status,count\n2025-07-12 13:05:00,approved,9\n2025-07-12 13:06:00,approved,-9\n';
    const dataDir = await tempDir();
    const refused = await runImport({ dataDir }, createTestIo({ stdin }));
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('stdin: 1 bad row, nothing was taken:\n  line 3: count "-9": is negative\n');
    const taken = await runImport({ dataDir, skipBadRows: true }, createTestIo({ stdin }));
    expect(taken.code).toBe(0);
    expect(taken.stdout).toContain('imported 1 row (1 bad row left out): 1 minute from 2025-07-12T13:05:00Z');
    expect(taken.stderr).toContain('left out 1 bad row:\n  line 3: count "-9": is negative\n');
  });

  it('refuses two files of a kind and no file at all as wrong usage', async () => {
    const file = await simulated('transactions.csv', false);
    const twice = await runImport({ files: [file, file] });
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('two files count by status')]);
    expect((await runImport({ files: [] })).code).toBe(2);
  });

  it('refuses rules that read each other in a circle, before it writes anything', async () => {
    const rules = await tempDir();
    const yaml = 'groups: [{name: g, rules: [{record: a, expr: b + 1}, {record: b, expr: "avg_over_time(a[5m])"}]}]';
    await writeFile(join(rules, 'circle.yml'), yaml);
    const io = createTestIo({ stdin: 'timestamp,status,count\n2025-07-12 13:05:00,approved,9\n' });
    const { code, stderr } = await runImport({ rulesDir: rules }, io);
    expect(code).toBe(1);
    expect(stderr).toContain('recording rules read each other in a circle: a reads b reads a');
    expect(stderr).toMatch(/circle\.yml: group g: b\n/);
  });

  it('says that nothing was imported when it is interrupted', async () => {
    const file = await simulated('transactions.csv', false);
    const io = createTestIo({ terminal: true });
    io.stderr.on('data', (text: string) => {
      if (text.includes('rules')) io.stop.abort('SIGINT');
    });
    const { code, dataDir, stderr } = await runImport({ files: [file] }, io);
    expect(code).toBe(1);
    expect(stderr).toContain('interrupted: nothing was imported\n');
    expect(await blocksAndLeftovers(dataDir)).toEqual([]);
    expect(storageOf(dataDir)).toBe(join(dataDir, 'prometheus'));
  });
});
