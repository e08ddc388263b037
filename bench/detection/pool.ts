import type { Backtest } from '../../src/backtest/run.ts';
import { type Score, scoreAlerts } from '../../src/score.ts';
import type { Run } from './make-run.ts';

/** Scores of several runs as one. Ratios and delays are null where there is nothing to divide by. */
export interface Pooled {
  incidents: number;
  detected: number;
  falseAlarms: number;
  days: number;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  medianDelay: number | null;
  falseAlarmsPerDay: number;
}

/** What one backtest found of some signals in the scored days of its run. */
export interface Found {
  scores: Score[];
  /** Minutes, of each incident that was detected. */
  delays: number[];
  days: number;
}

/**
 * The score of the alerts of some signals. Alerts on another signal's incident are no false alarms, whatever raised them; incidents of
 * other signals need not be found.
 */
export function foundOf(run: Run, { alerts }: Pick<Backtest, 'alerts'>, signals: readonly string[]): Found {
  const range = { from: run.scoreFrom, to: run.to };
  const { bySignal } = scoreAlerts(alerts, run.labels, range);
  const mine = run.labels.filter((label) => label.signals.some((signal) => signals.includes(signal)));
  return {
    scores: signals.flatMap((signal) => bySignal[signal] ?? []),
    // Incidents are far enough from each other that each one's delay can be asked for alone.
    delays: mine.flatMap((label) => scoreAlerts(alerts, [label], range).score.delayMinutes.median ?? []),
    days: (run.to - run.scoreFrom) / 86_400,
  };
}

export function poolScores(found: readonly Found[]): Pooled {
  const scores = found.flatMap((one) => one.scores);
  const sum = (field: 'incidents' | 'detected' | 'falseAlarms') => scores.reduce((all, one) => all + one[field], 0);
  const [incidents, detected, falseAlarms] = [sum('incidents'), sum('detected'), sum('falseAlarms')];
  const days = found.reduce((all, one) => all + one.days, 0);
  const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return {
    incidents,
    detected,
    falseAlarms,
    days,
    precision: ratio(detected, detected + falseAlarms),
    recall: ratio(detected, incidents),
    f1: ratio(2 * detected, detected + falseAlarms + incidents),
    medianDelay: median(found.flatMap((one) => one.delays)),
    falseAlarmsPerDay: ratio(falseAlarms, days) ?? 0,
  };
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below === undefined || above === undefined ? null : (below + above) / 2;
}
