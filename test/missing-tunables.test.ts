import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { parse } from 'yaml';
import { findBinary } from '../src/binaries/binaries.ts';
import { readRules } from '../src/prometheus/rule-files.ts';
import { createNeeds } from '../src/prometheus/rule-graph.ts';
import { PROJECT } from '../src/runtime/project.ts';
import { testRules } from './support/suites.ts';
import { tempDir } from './support/temp-dir.ts';

const rulesDir = join(PROJECT, 'prometheus', 'rules');
const JOB = 'job="tillwatch", instance="tillwatch"';
/**
 * Minute at which the tunable is gone, minute at which it is back, and minute in which an incident
 * begins.
 */
const [GONE, BACK, INCIDENT] = [130, 150, 160];

/**
 * All of them, as right after a start, and each that the band is made of; and whether its absence
 * leaves counts unjudged, which must itself be told. The floor of the edge, which min_events and
 * guard_z are for, is kept for an hour, and so is the share of a window that is evidence.
 */
const MISSING: [string, boolean][] = [
  ['tillwatch:', true],
  ['tillwatch:z:tunable', true],
  ['tillwatch:min_events:tunable', false],
  ['tillwatch:evidence_share:tunable', false],
  ['tillwatch:noise_z:tunable', true],
  ['tillwatch:tail_z:tunable', true],
  ['tillwatch:guard_z:tunable', false],
  ['tillwatch:dispersion_prior:tunable', true],
];

interface Constant {
  record: string;
  /** `vector(3.3)`, `vector(1 / 2)` */
  expr: string;
  labels?: Record<string, string>;
}

async function constants(): Promise<Constant[]> {
  const text = await readFile(join(rulesDir, 'tunables.rules.yml'), 'utf8');
  return (parse(text) as { groups: { rules: Constant[] }[] }).groups.flatMap(({ rules }) => rules);
}

/**
 * 100 approved and 10 denied a minute, then 60: more than the fewest events that count all the
 * time.
 */
const traffic = [
  { series: `transactions_total{status="approved", ${JOB}}`, values: `0+100x${INCIDENT + 10}` },
  { series: `transactions_total{status="denied", ${JOB}}`, values: `0+10x${INCIDENT} ${10 * INCIDENT + 60}+60x9` },
];

const UNJUDGED = 'TransactionsVerdictMissing';
const firing = (minutes: number) =>
  `count by (alertname) (count_over_time(ALERTS{alertstate="firing", alertname!="Watchdog"}[${minutes}m]))`;
const exactly = (...names: string[]) => names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 }));

/**
 * As after a restart: history is there, and the rules run before the constants are recorded again.
 */
function restart(all: readonly Constant[], missing: string, unjudged: boolean) {
  const constant = ({ expr }: Constant) => {
    const [dividend = Number.NaN, divisor = 1] = expr
      .replace(/^vector\(|\)$/g, '')
      .split('/')
      .map(Number);
    return dividend / divisor;
  };
  const series = ({ record, labels = {} }: Constant) =>
    `{__name__="${record}"${Object.entries(labels).map(([name, value]) => `, ${name}="${value}"`)}}`;
  return {
    name: missing,
    interval: '1m',
    input_series: [
      ...traffic,
      ...all.map((one) => ({
        series: series(one),
        values: one.record.startsWith(missing)
          ? `${constant(one)}x${GONE - 1} stale _x${BACK - GONE - 2} ${constant(one)}x20`
          : `${constant(one)}x${INCIDENT + 10}`,
      })),
    ],
    promql_expr_test: [
      { expr: firing(30), eval_time: `${BACK + 9}m`, exp_samples: exactly(...(unjudged ? [UNJUDGED] : [])) },
      { expr: firing(8), eval_time: `${INCIDENT + 8}m`, exp_samples: exactly('TransactionsDeniedAboveNormal') },
    ],
  };
}

/** The files of all that these alerts read, but the constants. */
async function filesRead(...alerts: string[]): Promise<string[]> {
  const read = await readRules(rulesDir);
  const needsOf = createNeeds(read.recording, new Set());
  const judged = read.alerts.filter(({ alert }) => alerts.includes(alert));
  const files = new Set(judged.flatMap(({ expr, file }) => [file, ...needsOf(expr).rules.map((rule) => rule.file)]));
  return [...files].filter((file) => !file.endsWith('tunables.rules.yml'));
}

/** As the suite that loads all rules has it. */
async function groupOrder(): Promise<string[]> {
  const suite = await readFile(join(PROJECT, 'prometheus', 'tests', 'messages.test.yml'), 'utf8');
  return (parse(suite) as { group_eval_order: string[] }).group_eval_order;
}

test('while a tunable is missing no transactions are called abnormal; that they are not judged is told', async () => {
  const all = await constants();
  const file = join(await tempDir(), 'missing.test.yml');
  // JSON is YAML.
  await writeFile(
    file,
    JSON.stringify({
      rule_files: await filesRead('TransactionsDeniedAboveNormal', UNJUDGED),
      evaluation_interval: '1m',
      group_eval_order: await groupOrder(),
      tests: MISSING.map(([name, unjudged]) => restart(all, name, unjudged)),
    }),
  );
  await testRules(await findBinary('promtool'), file);
});
