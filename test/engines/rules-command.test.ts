import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { fetchOldPrometheus, findBinary } from '../../src/binaries/binaries.ts';
import { run } from '../../src/cli.ts';
import { ENGINES } from '../../src/engines/engine-names.ts';
import { readRules } from '../../src/prometheus/rule-files.ts';
import { PROJECT } from '../../src/runtime/project.ts';
import { createTestIo } from '../support/command-io.ts';
import { tempDir } from '../support/temp-dir.ts';

async function tillwatch(...args: string[]) {
  const io = createTestIo();
  const code = await run(args, io);
  return { code, ...io.written };
}

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
}
interface Group {
  name: string;
  interval?: string;
  eval_offset?: string;
  query_offset?: string;
  rules: Rule[];
}

async function written(engine: string, ...args: string[]) {
  const dir = await tempDir();
  const { code, stderr } = await tillwatch('rules', '--for', engine, '--out', dir, ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const files = await readdir(dir);
  const texts = await Promise.all(files.map((name) => readFile(join(dir, name), 'utf8')));
  const documents = texts.map((text) => parse(text));
  const groups = documents.flatMap(({ groups, spec }) => (groups ?? spec.groups) as Group[]);
  return { dir, files, documents, groups, text: texts.join('\n') };
}

async function sourceOf(groups: unknown): Promise<string> {
  const dir = await tempDir();
  await writeFile(join(dir, 'own.rules.yml'), JSON.stringify({ groups }));
  return dir;
}

const rule = (record: string, expr: string) => ({ record, expr });

describe('tillwatch rules', () => {
  test.each(ENGINES)('for %s holds every rule once, and stays within the limits of the engine', async (engine) => {
    const { recording, alerts } = await readRules(join(PROJECT, 'prometheus', 'rules'));
    const { dir, groups } = await written(engine);
    const rules = groups.flatMap((group) => group.rules.map(({ record, alert }) => record ?? alert));
    expect(rules.sort()).toEqual(
      [...recording.map(({ record }) => record), ...alerts.map(({ alert }) => alert)].sort(),
    );
    expect(await tillwatch('check', '--for', engine, dir)).toMatchObject({ code: 0 });
  });

  test('for Prometheus passes promtool, the oldest release too', async () => {
    const { dir, files } = await written('prometheus');
    const old = await fetchOldPrometheus();
    for (const promtool of [await findBinary('promtool'), old.promtool])
      await execa(promtool, ['check', 'rules', ...files.map((name) => join(dir, name))]);
  });

  test('puts the address that links lead to into the messages, on every engine', async () => {
    for (const engine of ENGINES) {
      const { text } = await written(engine, '--url', 'https://tillwatch.example.com/');
      expect(text).toContain('https://tillwatch.example.com/?status=');
      expect(text).not.toMatch(/tillwatch_url|localhost:8080|example\.com\/\//);
    }
  });

  test('without --out is one stream of documents that name their files', async () => {
    const { code, stdout } = await tillwatch('rules', '--for', 'operator');
    expect(code).toBe(0);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS());
    expect(documents.map(({ kind }) => kind)).toEqual(documents.map(() => 'PrometheusRule'));
    expect(stdout).toContain('# transactions.rules.yml\n');
    expect(documents.map(({ metadata }) => metadata.name)).toContain('tillwatch-transactions-rules');
  });

  test('for vmalert says which flags VictoriaMetrics and vmalert need', async () => {
    const { text } = await written('vmalert');
    expect(text).toMatch(/^# VictoriaMetrics .* needs -search\.latencyOffset=0s/m);
    expect(text).toMatch(/^# vmalert needs -remoteWrite\.flushInterval=500ms -disableAlertgroupLabel/m);
  });

  test('for vmalert evaluates what reads each other at intervals, and reads as of one time', async () => {
    const source = await sourceOf([
      { name: 'constants', rules: [rule('k', 'vector(2)')] },
      {
        name: 'chain',
        interval: '1m',
        rules: [
          rule('a', 'transactions_total'),
          rule('b', 'sum_over_time(a[5m]) + sum_over_time(a[5m] offset 1m) > scalar(k)'),
          rule('c', 'clamp(b{x="y"}, 0, scalar(k)) + time()'),
        ],
      },
      { name: 'fast', interval: '5s', rules: [rule('d', 'last_over_time(c[59s])'), rule('e', 'd'), rule('f', 'e')] },
      { name: 'alerts', interval: '5s', rules: [{ alert: 'F', expr: 'last_over_time(f[15s])' }] },
    ]);
    const { groups } = await written('vmalert', '--rules', source);
    const rows = groups.flatMap(({ rules, eval_offset }) =>
      rules.map(({ record, alert, expr }) => [record ?? alert, eval_offset, expr.replaceAll(/\s+/g, ' ')]),
    );
    const b = (lag: string) => `(sum_over_time(a[5m]${lag}) + sum_over_time(a[5m] offset 1m${lag.slice(8)}) > 2)`;
    expect(rows).toEqual([
      ['k', '20s', 'vector(2)'],
      ['a', '20s', 'transactions_total offset 10s'],
      ['b', '25s', b(' offset 5s').slice(1, -1)],
      ['c', '25s', `clamp(label_match(${b(' offset 5s')}, "x", "y"), 0, 2) + (time() - 15)`],
      ['d', '25s', expect.stringContaining('label_match')],
      ['e', '25s', expect.stringContaining('label_match')],
      ['f', '30s', expect.stringContaining('label_match')],
      ['F', undefined, 'last_over_time(f[1m14s])'],
    ]);
  });

  test('for Mimir parts a large group of rules that do not read each other', async () => {
    const rules = Array.from({ length: 45 }, (_, index) => rule(`r${index}`, 'vector(1)'));
    const { groups, documents } = await written('mimir', '--rules', await sourceOf([{ name: 'many', rules }]));
    expect(groups.map(({ name, rules, query_offset }) => [name, rules.length, query_offset])).toEqual([
      ['many 1 of 3', 20, '1m'],
      ['many 2 of 3', 20, '1m'],
      ['many 3 of 3', 5, '1m'],
    ]);
    expect(documents[0].namespace).toBe('own.rules');
  });

  test.each([
    [['--for', 'graphite'], 2, /--for graphite: no such engine; it is one of prometheus, vmalert/],
    [['--for', 'mimir', '--url', 'tillwatch'], 2, /--url tillwatch: is no address such as https:/],
    [['--for', 'prometheus', '--shards', '1'], 2, /--shards 1: must be a whole number from 2 to 99/],
    [['--for', 'vmalert', '--shards', '2'], 2, /only --for prometheus has shards/],
    [[], 2, /--for <ENGINE>/],
    [['--for', 'mimir', '--rules', '/no/such/folder'], 1, /\/no\/such\/folder: no such folder/],
  ])('%j is refused', async (args, code, said) => {
    const result = await tillwatch('rules', ...args);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(said) });
  });

  test('does not write beside rule files that the engine would load as well', async () => {
    const { dir } = await written('prometheus');
    const { code, stderr } = await tillwatch('rules', '--for', 'vmalert', '--out', dir);
    expect(code).toBe(1);
    expect(stderr).toContain('holds incidents.rules.yml, which would be loaded beside what is written');
  });
});

describe('tillwatch check --for', () => {
  test('mimir names the group, the first rule too many and the limit', async () => {
    const rules = Array.from({ length: 22 }, (_, index) => rule(`r${index}`, index === 0 ? 'vector(1)' : 'r0'));
    const dir = await sourceOf([{ name: 'many', rules }]);
    const { code, stdout } = await tillwatch('check', '--for', 'mimir', dir);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /own\.rules\.yml:\d+: group many, rule r20: is the first of 2 too many: .* 20 rules a group/,
    );
  });

  test('vmalert names each rule that would not see what it reads, and what fails there', async () => {
    const dir = await sourceOf([
      {
        name: 'chain',
        rules: [
          rule('a', 'vector(1)'),
          rule('b', 'a'),
          rule('c', 'a offset 1m'),
          rule('d', 'clamp(x, scalar(y) ^ 2, 1)'),
        ],
      },
    ]);
    const { code, stdout, stderr } = await tillwatch('check', '--for', 'vmalert', dir);
    expect(code).toBe(1);
    expect(stdout).toMatch(/group chain, rule b: reads a, which its own group records/);
    expect(stdout).toMatch(/group chain, rule d: clamp\(\) has a bound that is read from a series/);
    expect(stderr).toContain('2 problems');
  });

  test('every other engine refuses the files of vmalert', async () => {
    const { dir } = await written('vmalert');
    const { code, stdout } = await tillwatch('check', '--for', 'thanos', dir);
    expect(code).toBe(1);
    expect(stdout).toMatch(/group baseline\.rules 1 of 3: has eval_offset, which only vmalert knows/);
  });
});
