import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Firing } from '../../src/backtest/rules.ts';
import { findBinary } from '../../src/binaries/binaries.ts';
import type { AlertRule, RecordingRule } from '../../src/prometheus/rule-files.ts';
import { testRules } from './suites.ts';
import { tempDir } from './temp-dir.ts';

/**
 * Counters of a promtool test, by series: their values from minute 0 on, one a minute, `_` where
 * there is none.
 */
export type InputSeries = Record<string, readonly (number | '_')[]>;

/**
 * A folder with one rule file: recording rules in the order in which they read each other, then the
 * alerts without annotations, all once a minute. promtool runs every rule once a minute, in the
 * order of the file, whatever the interval of its group.
 */
export async function writeRuleFile(
  recording: readonly RecordingRule[],
  alerts: readonly AlertRule[],
): Promise<{ dir: string; file: string }> {
  const dir = await tempDir();
  const file = join(dir, 'rules.yml');
  const groups = [
    {
      name: 'recorded',
      interval: '1m',
      rules: recording.map(({ record, expr, labels }) => ({ record, expr, labels })),
    },
    {
      name: 'alerts',
      interval: '1m',
      rules: alerts.map(({ alert, expr, labels, for: pending, keepFiringFor }) => ({
        alert,
        expr,
        labels,
        for: `${pending}s`,
        keep_firing_for: `${keepFiringFor}s`,
      })),
    },
  ];
  await writeFile(file, JSON.stringify({ groups }));
  return { dir, file };
}

/**
 * Has `promtool test rules` check that exactly these alerts fire at every minute.
 * @throws with what promtool found instead
 */
export async function expectFirings(
  file: string,
  input: InputSeries,
  alertnames: readonly string[],
  expected: readonly Firing[],
): Promise<void> {
  const minutes = Math.max(...Object.values(input).map((values) => values.length));
  const tests = alertnames.flatMap((alertname) =>
    Array.from({ length: minutes }, (_, minute) => ({
      eval_time: `${minute}m`,
      alertname,
      exp_alerts: expected
        .filter((firing) => firing.alertname === alertname && firesAt(firing, minute * 60))
        .map(({ labels }) => ({ exp_labels: labels })),
    })),
  );
  const test = {
    rule_files: [file],
    evaluation_interval: '1m',
    group_eval_order: ['recorded', 'alerts'],
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(input).map(([series, values]) => ({ series, values: values.join(' ') })),
        alert_rule_test: tests,
      },
    ],
  };
  const path = join(await tempDir(), 'firings.test.yml');
  await writeFile(path, JSON.stringify(test));
  await testRules(await findBinary('promtool'), path);
}

const firesAt = ({ startsAt, endsAt }: Firing, time: number): boolean =>
  time >= startsAt && time < (endsAt ?? Number.POSITIVE_INFINITY);
