import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findBinary } from '../src/binaries/binaries.ts';
import { RECORDED, TUNABLE } from '../src/domain/names.ts';
import { readRules } from '../src/prometheus/rule-files.ts';
import { layerRules } from '../src/prometheus/rule-graph.ts';
import { passesSuite, SUITES, suiteNames, testRules } from './support/suites.ts';
import { tempDir } from './support/temp-dir.ts';

const prometheus = fileURLToPath(new URL('../prometheus', import.meta.url));
const rulesDir = join(prometheus, 'rules');

const runbook = fileURLToPath(new URL('../docs/runbook.md', import.meta.url));
const detection = fileURLToPath(new URL('../docs/detection.md', import.meta.url));

const ALERTS = [
  'TransactionsDeniedAboveNormal',
  'TransactionsFailedAboveNormal',
  'TransactionsReversedAboveNormal',
  'TransactionsRefundedAboveNormal',
  'TransactionsVolumeBelowNormal',
  'TransactionsVolumeAboveNormal',
  'TransactionsDeniedBelowNormal',
  'TransactionsReportsMissing',
  'TransactionsReportsLate',
  'TransactionsProcessingStuck',
  'TransactionsVerdictMissing',
  'AuthCodeAboveNormal',
  'TillwatchLedgerFailing',
  'TillwatchDown',
  'Watchdog',
];
const MORE_ALERTS = [
  'TillwatchRulesFailing',
  'TillwatchSeriesCapReached',
  'TillwatchLedgersDiffer',
  'TillwatchSettingsDiffer',
  'TillwatchReplicasAddedUp',
  'TillwatchSpareDown',
];
const ANNOTATIONS = ['summary', 'description', 'todo', 'runbook_url', 'dashboard_url', 'silence_url'];

const DURATION = expect.stringMatching(/^\d+[ms]$/);

interface Group {
  name: string;
  rules: { record?: string; alert?: string; for?: string; keep_firing_for?: string }[];
}

interface Suite {
  rule_files: string[];
  group_eval_order?: string[];
}

async function ruleGroups(isMeant = (_file: string) => true): Promise<Group[]> {
  const files = (await readdir(rulesDir)).filter(isMeant);
  const texts = await Promise.all(files.map((file) => readFile(join(rulesDir, file), 'utf8')));
  return texts.flatMap((text) => (parse(text, { merge: true }) as { groups: Group[] }).groups);
}

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

async function headings(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
}

const suites = await suiteNames();

describe('promtool', () => {
  test('finds the config and every rule valid', async () => {
    const files = (await readdir(rulesDir)).map((file) => join(rulesDir, file));
    const promtool = await findBinary('promtool');
    await execa(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', ...files]);
    await execa(promtool, ['check', 'config', join(prometheus, 'prometheus.yml')]);
  });

  test.each(suites)('%s.test.yml says in which order every group that it loads is evaluated', async (name) => {
    const suite = parse(await readFile(join(SUITES, `${name}.test.yml`), 'utf8')) as Suite;
    const loaded = suite.rule_files.map((file) => file.replace('../rules/', ''));
    const shipped = await ruleGroups((file) => loaded.includes('*.yml') || loaded.includes(file));
    const optional = loaded
      .filter((file) => file.startsWith('../optional/'))
      .map(async (file) => parse(await readFile(join(SUITES, file), 'utf8')).groups as { name: string }[]);
    const groups = [...shipped, ...(await Promise.all(optional)).flat()].map(({ name }) => name);
    // promtool takes those that it is not told of in any order.
    if (groups.length > 1) expect(suite.group_eval_order?.toSorted()).toEqual(groups.toSorted());
  });

  test.each(suites)('%s.test.yml passes', async (name) => passesSuite(await findBinary('promtool'), name));
});

describe('recording rules', () => {
  test('read each other in layers, never in a circle', async () => {
    const { recording } = await readRules(rulesDir);
    expect(layerRules(recording).length).toBeGreaterThan(3);
  });

  test('are named level:metric:operations, and grouped by at most twenty under unique names', async () => {
    const groups = await ruleGroups();
    for (const { name, rules } of groups) {
      expect(rules.length, name).toBeLessThanOrEqual(20);
      const names = rules.flatMap(({ record }) => record ?? []);
      // One has the name that the contract gives it.
      for (const record of names) expect(record).toMatch(/^[a-z_]+:[a-z0-9_]+:[a-z0-9_]+$|^tillwatch_slices$/);
      expect(name.endsWith('.rules'), `${name}: groups that record end in .rules`).toBe(names.length === rules.length);
    }
    expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
  });

  test('have no line above 120 characters, nor have their tests', async () => {
    const long = [];
    for (const dir of [rulesDir, SUITES]) {
      for (const file of await readdir(dir)) {
        const lines = (await readFile(join(dir, file), 'utf8')).split('\n');
        long.push(...lines.flatMap((line, at) => (line.length > 120 ? [`${file}:${at + 1}`] : [])));
      }
    }
    expect(long).toEqual([]);
  });

  test('record every name that the service reads', async () => {
    const recorded = new Set((await readRules(rulesDir)).recording.map(({ record }) => record));
    for (const name of [...Object.values(RECORDED), ...Object.values(TUNABLE)]) expect(recorded).toContain(name);
  });

  test('are explained in docs/detection.md, each by name', async () => {
    const text = await readFile(detection, 'utf8');
    const { recording } = await readRules(rulesDir);
    const missing = recording.map(({ record }) => record).filter((name) => !text.includes(`\`${name}\``));
    expect([...new Set(missing)]).toEqual([]);
  });
});

/** The eight lines of README's recipe, as they stand in its code block. */
async function ownAlert(): Promise<string> {
  const readme = await readFile(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
  const lines = /## Add your own alert[\s\S]*?```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(lines.trimEnd().split('\n')).toHaveLength(8);
  return lines;
}

describe('an alert of your own', () => {
  test('is eight lines, in README and as a comment of the file, and gives a whole message', async () => {
    const lines = await ownAlert();
    const file = await readFile(join(rulesDir, 'transactions.alerts.yml'), 'utf8');
    expect(file).toContain(lines.replaceAll(/^ {6}/gm, '      # ').trimEnd());
    const dir = await tempDir();
    await writeFile(join(dir, 'alerts.yml'), `${file}${lines}`);
    const series = 'status_window:transactions:increase{status="refunded", level="total", window="1h"}';
    const annotations = {
      summary: 'more than 50 refunds in an hour',
      description: '63 refunded.\n',
      observed: '',
      expected: '',
      upper: '',
      dashboard_url: 'http://localhost:8080/?status=refunded',
      silence_url: 'http://localhost:8080/',
      runbook_url: 'http://localhost:8080/docs/runbook',
    };
    const labels = { severity: 'warning', service: 'payments', status: 'refunded', level: 'total', window: '1h' };
    const expected = { exp_labels: labels, exp_annotations: annotations };
    const tests = [
      {
        interval: '1m',
        input_series: [{ series, values: '40x10 63x10' }],
        alert_rule_test: [
          { alertname: 'RefundsAboveFifty', eval_time: '10m', exp_alerts: [] },
          { alertname: 'RefundsAboveFifty', eval_time: '12m', exp_alerts: [expected] },
        ],
      },
    ];
    await writeFile(join(dir, 'own.test.yml'), JSON.stringify({ rule_files: ['alerts.yml'], tests }));
    await testRules(await findBinary('promtool'), join(dir, 'own.test.yml'));
  });
});

describe('alerts', () => {
  test('are those of the contract, and two about our own health', async () => {
    const { alerts } = await readRules(rulesDir);
    const names = alerts.map(({ alert }) => alert).sort();
    expect(names).toEqual([...ALERTS, ...MORE_ALERTS].sort());
  });

  test('say how grave they are, how long they wait and linger, and what a person must know', async () => {
    const { alerts } = await readRules(rulesDir);
    for (const { alert, labels, annotations } of alerts) {
      expect(labels.severity, alert).toMatch(alert === 'Watchdog' ? /^none$/ : /^(critical|warning)$/);
      expect(labels.service, alert).toBe('payments');
      const expected = alert === 'Watchdog' ? ANNOTATIONS.filter((name) => name !== 'todo') : ANNOTATIONS;
      expect(Object.keys(annotations), alert).toEqual(expect.arrayContaining(expected));
    }
    const rules = (await ruleGroups()).flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
    for (const rule of rules) expect([rule.for, rule.keep_firing_for], rule.alert).toEqual([DURATION, DURATION]);
  });

  test('have one text, of at most 20 lines, and no line of theirs is above 120 characters', async () => {
    for (const name of ['transactions.alerts.yml', 'tillwatch.alerts.yml', 'incidents.rules.yml', 'feeds.rules.yml']) {
      const lines = (await readFile(join(rulesDir, name), 'utf8')).split('\n');
      expect(
        lines.filter((line) => line.length > 120),
        name,
      ).toEqual([]);
    }
    const { alerts } = await readRules(rulesDir);
    const texts = alerts.filter(({ expr }) => expr.includes('incident:transactions:told'));
    const shared = new Set(texts.map(({ annotations }) => annotations.description));
    expect([texts.length, shared.size]).toEqual([7, 1]);
    expect([...shared][0]?.trim().split('\n').length).toBeLessThanOrEqual(20);
  });

  test('have their heading in docs/runbook.md, with all four parts below it', async () => {
    const { alerts } = await readRules(rulesDir);
    const known = await headings(runbook);
    for (const { alert, annotations } of alerts) {
      const [, fragment] = (annotations.runbook_url ?? '').split('/docs/runbook#');
      const at = known.findIndex((heading) => anchor(heading) === fragment);
      expect(known[at], `${alert}: ${annotations.runbook_url}`).toBe(alert);
      expect(known.slice(at + 1, at + 5)).toEqual(['Meaning', 'Impact', 'Diagnosis', 'Mitigation']);
    }
  });
});
