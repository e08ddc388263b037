import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'vitest';
import { parse } from 'yaml';
import { findBinary } from '../src/binaries/binaries.ts';
import { PROJECT } from '../src/runtime/project.ts';
import { tempDir } from './support/temp-dir.ts';

const rulesDir = join(PROJECT, 'prometheus', 'rules');
const JOB = 'job="tillwatch", instance="tillwatch"';
/** Minute at which the tunable is gone, minute at which it is back, and minute in which an incident begins. */
const [GONE, BACK, INCIDENT] = [150, 170, 180];

/** All of them, as right after a start, and each that the band is made of. */
const MISSING = [
  'tillwatch:',
  ...['z', 'min_events', 'evidence_share', 'noise_z', 'tail_z', 'guard_z', 'dispersion_prior'].map(
    (name) => `tillwatch:${name}:tunable`,
  ),
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

/** 100 approved and 10 denied a minute, then 60: more than the fewest events that count all the time. */
const traffic = [
  { series: `transactions_total{status="approved", ${JOB}}`, values: `0+100x${INCIDENT + 10}` },
  { series: `transactions_total{status="denied", ${JOB}}`, values: `0+10x${INCIDENT} ${10 * INCIDENT + 60}+60x9` },
];

const firing = 'count(count_over_time(ALERTS{alertstate="firing", alertname!="Watchdog"}[20m]))';

/** As after a restart: history is there, and the rules run before the constants are recorded again. */
function restart(all: readonly Constant[], missing: string) {
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
      { expr: firing, eval_time: `${BACK + 9}m`, exp_samples: [] },
      { expr: firing, eval_time: `${INCIDENT + 8}m`, exp_samples: [{ labels: '{}', value: 1 }] },
    ],
  };
}

test('while a tunable is missing nothing fires, whichever it is; once it is back, an incident does', async () => {
  const all = await constants();
  const rules = ['baseline', 'recurring', 'slices', 'transactions'].map((name) => `${name}.rules.yml`);
  const file = join(await tempDir(), 'missing.test.yml');
  // JSON is YAML.
  await writeFile(
    file,
    JSON.stringify({
      rule_files: [...rules, 'transactions.alerts.yml'].map((name) => join(rulesDir, name)),
      evaluation_interval: '1m',
      group_eval_order: [
        'baseline.rules',
        'recurring.rules',
        'slices.rules',
        'levels.rules',
        'transactions.rules',
        'transactions',
      ],
      tests: MISSING.map((name) => restart(all, name)),
    }),
  );
  await execa(await findBinary('promtool'), ['test', 'rules', file]);
});
