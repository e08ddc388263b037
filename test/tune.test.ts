import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { SHIPPED_RULES } from '../src/runtime/project.ts';
import { lineDiff, multiplied } from '../src/tune/tunables-text.ts';
import { createTestIo } from './support/command-io.ts';
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

test('proposes the sensitivity that finds what was missed, as a diff that patch applies', async () => {
  const { dir, rules, history, labels } = await prepared();
  const { code, stdout, stderr } = await tune([history, '--labels', labels, '--rules', rules]);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('Error')]);
  expect(stdout).toContain('before  0 of 1 incidents found, 0 false alarms');
  expect(stdout).toMatch(/after +1 of 1 incidents found, 0 false alarms/);
  expect(stdout).toMatch(/appears +2026-01-05 11:01 +ManyDenied/);
  const diff = join(dir, 'x.diff');
  await writeFile(
    diff,
    stdout.slice(stdout.indexOf('--- ')).replaceAll(/^(---|\+\+\+) .*$/gm, '$1 tunables.rules.yml'),
  );
  await execa('patch', ['-p0', '-i', diff], { cwd: rules });
  const patched = await readFile(join(rules, 'tunables.rules.yml'), 'utf8');
  expect(patched).toBe(TUNABLES.replace('vector(50)', 'vector(40)').replace('vector(4)', 'vector(3.2)'));
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
