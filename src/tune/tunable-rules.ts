import type { RuleGroup } from '../prometheus/client.ts';
import type { RecordingRule, Rules } from '../prometheus/rule-files.ts';
import { createNeeds } from '../prometheus/rule-graph.ts';
import { type Factors, SETTINGS_TUNED, times } from './tunables-text.ts';

/** A tunable that was multiplied. */
export interface Multiplied {
  tunable: string;
  /** Empty where the tunable holds for all windows. */
  window: string;
  now: number;
  changed: number;
}

/** The question cannot be answered; the message says why. */
export class CannotTry extends Error {
  override name = 'CannotTry';
}

const settingOf = (record: string) => SETTINGS_TUNED.find(({ tunables }) => tunables.includes(record));

/** The rules that record what makes them more or less sensitive. */
export const tunableRules = ({ recording }: Rules): RecordingRule[] =>
  recording.filter(({ record }) => settingOf(record) !== undefined);

const CONSTANT = /^\s*vector\(\s*([\d.]+)\s*\)\s*$/;

/** The number of a tunable. @throws CannotTry */
export function numberOf({ record, expr }: RecordingRule): number {
  const number = Number(CONSTANT.exec(expr)?.[1]);
  if (Number.isNaN(number)) throw new CannotTry(`${record} is ${expr} and no number, so it cannot be tried`);
  return number;
}

/** The rules with each tunable of a setting multiplied. @throws CannotTry */
export function multipliedRules(rules: Rules, factors: Factors): { changed: Rules; tunables: Multiplied[] } {
  const tunables: Multiplied[] = [];
  const recording = rules.recording.map((rule) => {
    const factor = factors[settingOf(rule.record)?.name ?? ''] ?? 1;
    if (factor === 1) return rule;
    const now = numberOf(rule);
    const changed = times(now, factor);
    tunables.push({ tunable: rule.record, window: rule.labels.window ?? '', now, changed });
    return { ...rule, expr: `vector(${changed})` };
  });
  return { changed: { ...rules, recording }, tunables };
}

/** Only the alerts on which tunables have a bearing: the others stay the same, whatever these are. */
export function affected(rules: Rules, tunables: ReadonlySet<string>): Rules {
  const needsOf = createNeeds(rules.recording, new Set());
  const alerts = rules.alerts.filter(({ expr }) => needsOf(expr).rules.some(({ record }) => tunables.has(record)));
  return { ...rules, alerts };
}

/**
 * The rules that a Prometheus evaluates.
 * @throws CannotTry where none of them is a sensitivity of Tillwatch
 */
export function ownRules(groups: readonly RuleGroup[]): Rules {
  const found: Rules = { name: 'Prometheus', recording: [], alerts: [] };
  for (const { file, name: group, interval, rules } of groups) {
    for (const { type, name, query: expr, labels, annotations, duration = 0, keepFiringFor = 0 } of rules) {
      const common = { expr, labels, file, group, interval };
      if (type === 'recording') found.recording.push({ ...common, record: name });
      else found.alerts.push({ ...common, alert: name, for: duration, keepFiringFor, annotations });
    }
  }
  if (tunableRules(found).length === 0)
    throw new CannotTry(
      'the rules that Prometheus evaluates have no such sensitivity: they are not those of Tillwatch',
    );
  return found;
}
