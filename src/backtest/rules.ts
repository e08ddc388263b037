import { type Labels, seriesText } from '../domain/series-text.ts';
import { isoTime } from '../domain/times.ts';
import type { Columns } from '../prometheus/range-columns.ts';
import type { AlertRule } from '../prometheus/rule-files.ts';

/**
 * One alert from when it began to fire until it was resolved. Times are seconds since the epoch.
 */
export interface Firing {
  alertname: string;
  /** The labels of the series and of the rule, without `alertname`. They identify the alert. */
  labels: Labels;
  /** The first evaluation at which it fired, `for` included. */
  startsAt: number;
  /**
   * The first evaluation at which it no longer fired, `keep_firing_for` included; null while it
   * fires at the end.
   */
  endsAt: number | null;
  /** The value of the expression at `startsAt`. */
  value: number;
  lastTrue: number;
}

/** Evaluations are at multiples of `step`, until `to`; in seconds since the epoch. */
export interface Evaluations {
  to: number;
  step: number;
}

/**
 * The times at which an alert rule fired, out of its expression's values at every evaluation, as
 * Prometheus decides it: pending until the expression has been true for `for`, evaluation after
 * evaluation; then firing until it has been false for `keep_firing_for`. A pending alert whose
 * expression is false once begins anew; so does `keep_firing_for` when it is true again.
 * @param series the answer of a range query over exactly these evaluations
 * @throws when two series get the same labels, for which Prometheus would refuse the rule
 */
export function firings(rule: AlertRule, series: readonly Columns[], at: Evaluations): Firing[] {
  const byLabels = new Map<string, { labels: Labels; series: Columns[] }>();
  for (const one of series) {
    const labels = alertLabels(rule, one.metric);
    const key = seriesText(rule.alert, labels);
    const same = byLabels.get(key) ?? { labels, series: [] };
    byLabels.set(key, same);
    same.series.push(one);
  }
  return [...byLabels.values()]
    .flatMap(({ labels, series: same }) => firingsOf(rule, labels, inTime(rule, same), at))
    .sort(byStart);
}

/** Joins series that become one alert, such as the two sides of an `or`. */
function inTime(rule: AlertRule, series: Columns[]): Samples {
  const [first] = series;
  if (first !== undefined && series.length === 1) return first;
  const samples = series.flatMap(({ times, values }) =>
    Array.from(times, (time, index) => [time, values[index] ?? Number.NaN] as const),
  );
  samples.sort((a, b) => a[0] - b[0]);
  const twice = samples.find(([time], index) => samples[index + 1]?.[0] === time);
  if (twice !== undefined) throw new Error(`two results at ${isoTime(twice[0])} become one alert ${rule.alert}`);
  return {
    times: Float64Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
  };
}

export const byStart = (a: Firing, b: Firing): number =>
  a.startsAt - b.startsAt || (seriesText(a.alertname, a.labels) < seriesText(b.alertname, b.labels) ? -1 : 1);

interface State {
  activeAt: number;
  firing: Firing | undefined;
  /** The time at which the expression became false while the alert was firing. */
  keptSince: number | undefined;
}

type Samples = Pick<Columns, 'times' | 'values'>;

function firingsOf(rule: AlertRule, labels: Labels, series: Samples, { to, step }: Evaluations): Firing[] {
  const found: Firing[] = [];
  let state: State | undefined;
  let index = 0;
  // There is something to decide only while the expression is true or the alert is kept.
  for (let time = series.times[0] ?? Number.POSITIVE_INFINITY; time <= to; time += step) {
    while ((series.times[index] ?? Number.POSITIVE_INFINITY) < time) index++;
    const isTrue = series.times[index] === time;
    const value = series.values[index] ?? Number.NaN;
    state = isTrue ? whileTrue(rule, labels, state, time, value, found) : whileFalse(rule, state, time);
    if (state === undefined && !isTrue) time = Math.max(time, (series.times[index] ?? Number.POSITIVE_INFINITY) - step);
  }
  return found;
}

function whileTrue(
  rule: AlertRule,
  labels: Labels,
  before: State | undefined,
  time: number,
  value: number,
  found: Firing[],
): State {
  const state = before ?? { activeAt: time, firing: undefined, keptSince: undefined };
  state.keptSince = undefined;
  if (state.firing === undefined && time - state.activeAt >= rule.for) {
    state.firing = { alertname: rule.alert, labels, startsAt: time, endsAt: null, value, lastTrue: time };
    found.push(state.firing);
  }
  if (state.firing !== undefined) state.firing.lastTrue = time;
  return state;
}

function whileFalse(rule: AlertRule, state: State | undefined, time: number): State | undefined {
  if (state?.firing === undefined) return undefined;
  state.keptSince ??= time;
  if (time - state.keptSince < rule.keepFiringFor) return state;
  state.firing.endsAt = time;
  return undefined;
}

const LABEL_TEMPLATE = /\{\{\s*\$labels\.([a-zA-Z_]\w*)\s*\}\}/g;

/**
 * The labels of the result, overruled by those of the rule. A rule's label may be `{{ $labels.NAME
 * }}`.
 */
function alertLabels(rule: AlertRule, metric: Labels): Labels {
  const { __name__: _, ...labels } = metric;
  const own = Object.entries(rule.labels).map(([name, text]) => {
    const value = text.replaceAll(LABEL_TEMPLATE, (_, label: string) => metric[label] ?? '');
    if (value.includes('{{'))
      throw new Error(`label ${name} is a template that only a running Prometheus expands: ${text}`);
    return [name, value] as const;
  });
  const all = { ...labels, ...Object.fromEntries(own) };
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => value !== '' && name !== 'alertname'));
}
