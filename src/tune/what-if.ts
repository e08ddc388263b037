import { compareAlerts } from '../backtest/compare.ts';
import { type BacktestAlert, runBacktest } from '../backtest/run.ts';
import type { CalendarAt } from '../calendar/series.ts';
import type { Prometheus, RuleGroup } from '../prometheus/client.ts';
import type { Rules } from '../prometheus/rule-files.ts';
import { createNeeds } from '../prometheus/rule-graph.ts';
import { readRecorded } from './recorded-history.ts';
import { type Factors, SETTINGS_TUNED, times } from './tunables-text.ts';

const DAY = 86_400;
/** The days that are compared, and those before them from which the rules only learn. */
export const COMPARED_DAYS = 7;
export const LEARNED_DAYS = 14;
/** The rules only learn from the first hours where less is known. */
const FIRST_HOURS = 6 * 3600;

export interface WhatIfOptions {
  prometheus: Prometheus;
  factors: Factors;
  /** Absent where there is no calendar and no mark. */
  calendar: CalendarAt | undefined;
  /** What is about to be played. */
  onPlan: (plan: Plan) => void;
  /** `share` in [0, 1]. */
  onProgress: (share: number, what: string) => void;
  signal: AbortSignal;
}

/** A tunable that was multiplied. */
export interface Multiplied {
  tunable: string;
  /** Empty where the tunable holds for all windows. */
  window: string;
  now: number;
  changed: number;
}

export interface Compared {
  change: 'gone' | 'new' | 'stays';
  alert: BacktestAlert;
}

/** Times are seconds since the epoch. */
export interface Plan {
  /** The time in which alerts are compared. */
  from: number;
  to: number;
  /** The start of what the rules learned from. */
  learnedFrom: number;
  /** Beside the total. */
  slices: number;
}

export interface WhatIf extends Plan {
  /** The alerts in order of time. */
  alerts: Compared[];
  tunables: Multiplied[];
  /** The number of series, where they were too many and only the total was judged. */
  summed?: number;
}

/** The question cannot be answered; the message says why. */
export class NoWhatIf extends Error {
  override name = 'NoWhatIf';
}

/**
 * Finds the alerts of the last days that would not have come with other sensitivities, and those
 * that would be new. The rules that Prometheus evaluates are played twice, as they are and
 * changed, on the counts that it recorded.
 * @throws NoWhatIf, PrometheusError, or the signal's reason
 */
export async function whatIf(options: WhatIfOptions): Promise<WhatIf> {
  const { prometheus, factors, calendar, onPlan, onProgress, signal } = options;
  const now = Math.floor(Date.now() / 60_000) * 60;
  onProgress(0, 'reading what was counted');
  const rules = rulesOf(await prometheus.rules());
  const { changed, tunables } = multipliedRules(rules, factors);
  const history = await readRecorded(prometheus, now - (COMPARED_DAYS + LEARNED_DAYS) * DAY, now, signal);
  const from = Math.max(history.to - COMPARED_DAYS * DAY, history.from + FIRST_HOURS);
  if (history.to <= from)
    throw new NoWhatIf('Prometheus holds less than six hours of counts: there is nothing to try it on yet');
  const plan = { from, to: history.to, learnedFrom: history.from, slices: history.slices };
  onPlan(plan);
  const play = async (played: Rules, first: number, what: string): Promise<BacktestAlert[]> => {
    const { alerts } = await runBacktest({
      ...history,
      statuses: true,
      authCodes: [],
      rules: played,
      calendar,
      gentle: true,
      onProgress: (share, rule) => onProgress(first + 0.48 * share, `${what}: ${rule}`),
      signal,
    });
    return alerts.filter(({ startsAt }) => startsAt >= from);
  };
  const before = await play(affected(rules, tunables), 0.02, 'as it is');
  const after = await play(affected(changed, tunables), 0.5, 'changed');
  const alerts = compareAlerts(before, after).flatMap(({ here, there }): Compared[] => {
    const alert = here ?? there;
    if (alert === undefined) return [];
    return [{ change: there === undefined ? 'gone' : here === undefined ? 'new' : 'stays', alert }];
  });
  return {
    ...plan,
    alerts,
    tunables,
    ...(history.summed !== undefined && { summed: history.summed }),
  };
}

function rulesOf(groups: readonly RuleGroup[]): Rules {
  const found: Rules = { name: 'Prometheus', recording: [], alerts: [] };
  for (const { file, name: group, interval, rules } of groups) {
    for (const { type, name, query: expr, labels, annotations, duration = 0, keepFiringFor = 0 } of rules) {
      const common = { expr, labels, file, group, interval };
      if (type === 'recording') found.recording.push({ ...common, record: name });
      else found.alerts.push({ ...common, alert: name, for: duration, keepFiringFor, annotations });
    }
  }
  return found;
}

const CONSTANT = /^\s*vector\(\s*([\d.]+)\s*\)\s*$/;

function multipliedRules(rules: Rules, factors: Factors): { changed: Rules; tunables: Multiplied[] } {
  const tunables: Multiplied[] = [];
  const factorOf = (record: string) =>
    factors[SETTINGS_TUNED.find((setting) => setting.tunables.includes(record))?.name ?? ''] ?? 1;
  const recording = rules.recording.map((rule) => {
    const factor = factorOf(rule.record);
    if (factor === 1) return rule;
    const now = Number(CONSTANT.exec(rule.expr)?.[1]);
    if (Number.isNaN(now)) throw new NoWhatIf(`${rule.record} is ${rule.expr} and no number, so it cannot be tried`);
    const changed = times(now, factor);
    tunables.push({ tunable: rule.record, window: rule.labels.window ?? '', now, changed });
    return { ...rule, expr: `vector(${changed})` };
  });
  if (tunables.length === 0)
    throw new NoWhatIf('the rules that Prometheus evaluates have no such sensitivity: they are not those of Tillwatch');
  return { changed: { ...rules, recording }, tunables };
}

/** Only the alerts on which the tunables have a bearing: the others would be the same. */
function affected(rules: Rules, tunables: readonly Multiplied[]): Rules {
  const names = new Set(tunables.map(({ tunable }) => tunable));
  const needsOf = createNeeds(rules.recording, new Set());
  const alerts = rules.alerts.filter(({ expr }) => needsOf(expr).rules.some(({ record }) => names.has(record)));
  return { ...rules, alerts };
}
