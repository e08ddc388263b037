/** A backtest's counts as charts: of the whole history, and of a day. */

import type { Status } from '../domain/names.ts';
import { utcMinute } from '../domain/times.ts';
import { STATUS_COLOR } from '../reports/colors.ts';
import type { Html } from '../reports/escape.ts';
import { formatDuration } from '../reports/format.ts';
import type { BandPoint, Point } from '../reports/thin.ts';
import { type Instant, type Span, timeChart } from '../reports/time-chart.ts';
import type { Curve } from './curves.ts';
import type { Result } from './json.ts';
import type { BacktestAlert } from './run.ts';
import type { Label } from './score.ts';
import { nameText } from './text.ts';

/** Seconds since the epoch. */
interface Range {
  from: number;
  to: number;
}

export const lengthOf = ({ from, to }: Range): string => formatDuration(Math.round((to - from) / 60));

/** The things that a chart draws beside the counts. */
export interface Drawn {
  result: Result;
  labels?: readonly Label[] | undefined;
  changes?: readonly Instant[] | undefined;
}

/**
 * Counts of a status beside their band, with the alerts on it and the incidents; `range` is the
 * result's own, or a day.
 */
export function chart(curve: Curve, { result, labels, changes }: Drawn, range: Range): Html {
  const { status, observed, expected, lower, upper } = curve;
  const isDay = range !== result;
  return timeChart({
    title: isDay ? `${status}, ${utcMinute(range.from).slice(0, 10)}` : `${status} in 5 minutes`,
    ...range,
    series: [
      { name: 'observed', points: pointsOf(curve, observed, range), color: STATUS_COLOR[status as Status] ?? 'blue' },
      ...(expected === undefined
        ? []
        : [{ name: 'expected', points: pointsOf(curve, expected, range), color: 'grey' as const }]),
    ],
    ...(lower === undefined || upper === undefined
      ? {}
      : { band: { name: 'normal', points: bandOf(curve, lower, upper, range) } }),
    spans: spansOf(curve, result, labels, range),
    spanNames: { alert: 'alert', incident: 'labelled incident' },
    ...(changes !== undefined && { changes }),
    height: isDay ? '11rem' : '14rem',
  });
}

/** Makes points that can be walked through more than once, and are never in memory all at once. */
const pointsOf = ({ from }: Curve, values: Float64Array, range: Range): Iterable<Point> => ({
  *[Symbol.iterator]() {
    for (const index of indexes(from, values, range)) {
      const value = values[index] ?? Number.NaN;
      if (!Number.isNaN(value)) yield [from + index * 60, value] as const;
    }
  },
});

const bandOf = ({ from }: Curve, lower: Float64Array, upper: Float64Array, range: Range): Iterable<BandPoint> => ({
  *[Symbol.iterator]() {
    for (const index of indexes(from, upper, range)) {
      const [low, high] = [lower[index] ?? Number.NaN, upper[index] ?? Number.NaN];
      if (!Number.isNaN(low + high)) yield [from + index * 60, low, high] as const;
    }
  },
});

function* indexes(from: number, values: Float64Array, range: Range): Generator<number> {
  const last = Math.min(values.length - 1, Math.floor((range.to - from) / 60));
  for (let index = Math.max(0, Math.ceil((range.from - from) / 60)); index <= last; index++) yield index;
}

/** Alerts on the curve's status, and incidents of its signal. */
export function spansOf(
  curve: Curve,
  result: Result,
  labels: readonly Label[] | undefined,
  { from, to }: Range,
): Span[] {
  const isOf = ({ labels: own, signal }: BacktestAlert) =>
    own.status === undefined ? signal === curve.signal : own.status === curve.status;
  const alerts = result.alerts.filter(isOf).map((alert): Span => {
    const end = alert.endsAt ?? result.to;
    return {
      kind: 'alert',
      from: alert.startsAt,
      to: end,
      label: `${nameText(alert, result)}, ${lengthOf({ from: alert.startsAt, to: end })}`,
    };
  });
  const incidents = (labels ?? [])
    .filter(({ signals }) => signals.includes(curve.signal))
    .map(
      (label): Span => ({
        kind: 'incident',
        from: label.start,
        to: label.end,
        label: [label.signals.join(', '), label.note].filter(Boolean).join(': '),
      }),
    );
  return [...incidents, ...alerts].filter((span) => span.from < to && span.to > from);
}
