import { isoSecond } from '../domain/times.ts';
import { compareAlerts, describeDifference } from './compare.ts';
import type { Backtest, BacktestAlert } from './run.ts';
import type { Label, Score, Scored } from './score.ts';

/** A backtest with its score, if there are labels. */
export interface Result extends Backtest {
  scored?: Scored<BacktestAlert> | undefined;
}

/** The document of `--json`, described in docs/backtest.md. */
export function backtestJson(result: Result, compared?: Result): object {
  return {
    from: isoSecond(result.from),
    to: isoSecond(result.to),
    assumedDelaySeconds: 0,
    alerts: result.alerts.map(alertJson),
    ...scoreJson(result),
    leftOut: result.leftOut,
    ...(compared === undefined ? {} : { compare: compareJson(result, compared) }),
  };
}

const alertJson = (alert: BacktestAlert) => ({
  alertname: alert.alertname,
  labels: alert.labels,
  severity: alert.severity,
  startsAt: isoSecond(alert.startsAt),
  endsAt: alert.endsAt === null ? null : isoSecond(alert.endsAt),
  observed: alert.observed,
  expected: alert.expected,
  score: alert.score,
  window: alert.window,
  signal: alert.signal,
});

function scoreJson({ scored }: Result) {
  if (scored === undefined) return {};
  return {
    score: scored.score,
    bySignal: scored.bySignal satisfies Record<string, Score>,
    missed: scored.missed.map(labelJson),
    falseAlarms: scored.falseAlarms.map(alertJson),
    unjudged: scored.unjudged.map(alertJson),
  };
}

const labelJson = ({ start, end, signals, note }: Label) => ({
  start: isoSecond(start),
  end: isoSecond(end),
  signal: signals.join('|'),
  note,
});

function compareJson(here: Result, there: Result) {
  return {
    differences: compareAlerts(here.alerts, there.alerts).flatMap((pair) => {
      const difference = describeDifference(pair);
      if (difference === undefined) return [];
      return [
        {
          difference,
          here: pair.here === undefined ? null : alertJson(pair.here),
          there: pair.there === undefined ? null : alertJson(pair.there),
        },
      ];
    }),
    alerts: there.alerts.map(alertJson),
    ...scoreJson(there),
  };
}
