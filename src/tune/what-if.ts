import type { CalendarAt } from '../calendar/series.ts';
import type { Prometheus } from '../prometheus/client.ts';
import type { Rules } from '../prometheus/rule-files.ts';
import { type Compared, changesBetween, DAY, FIRST_HOURS, LEARNED_DAYS, type Plan, playRecorded } from './played.ts';
import { readRecorded } from './recorded-history.ts';
import { affected, CannotTry, type Multiplied, multipliedRules, ownRules } from './tunable-rules.ts';
import type { Factors } from './tunables-text.ts';

export const COMPARED_DAYS = 7;

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

export interface WhatIf extends Plan {
  /** The alerts in order of time. */
  alerts: Compared[];
  tunables: Multiplied[];
  /** The number of series, where they were too many and only the total was judged. */
  summed?: number;
}

/**
 * Finds the alerts of the last days that would not have come with other sensitivities, and those
 * that would be new. The rules that Prometheus evaluates are played twice, as they are and
 * changed, on the counts that it recorded.
 * @throws CannotTry, PrometheusError, or the signal's reason
 */
export async function whatIf(options: WhatIfOptions): Promise<WhatIf> {
  const { prometheus, factors, calendar, onPlan, onProgress, signal } = options;
  const now = Math.floor(Date.now() / 60_000) * 60;
  onProgress(0, 'reading what was counted');
  const rules = ownRules(await prometheus.rules());
  const { changed, tunables } = multipliedRules(rules, factors);
  const names = new Set(tunables.map(({ tunable }) => tunable));
  const history = await readRecorded(prometheus, now - (COMPARED_DAYS + LEARNED_DAYS) * DAY, now, signal);
  const from = Math.max(history.to - COMPARED_DAYS * DAY, history.from + FIRST_HOURS);
  if (history.to <= from)
    throw new CannotTry('Prometheus holds less than six hours of counts: there is nothing to try it on yet');
  const plan = { from, to: history.to, learnedFrom: history.from, slices: history.slices.length };
  onPlan(plan);
  const play = (played: Rules, first: number, what: string) =>
    playRecorded({
      history,
      rules: affected(played, names),
      calendar,
      from,
      onProgress: (share, rule) => onProgress(first + 0.48 * share, `${what}: ${rule}`),
      signal,
    });
  const before = await play(rules, 0.02, 'as it is');
  const after = await play(changed, 0.5, 'changed');
  return {
    ...plan,
    alerts: changesBetween(before, after),
    tunables,
    ...(history.summed !== undefined && { summed: history.summed }),
  };
}
