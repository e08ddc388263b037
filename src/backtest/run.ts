import { CALENDAR_METRICS, type CalendarAt } from '../calendar/series.ts';
import type { MinuteCounts } from '../domain/minutes.ts';
import { METRIC } from '../domain/names.ts';
import { seriesText } from '../domain/series-text.ts';
import { PART, type Replay, replayHistory } from '../history/player.ts';
import { forEachAtOnce } from '../prometheus/in-order-of-need.ts';
import type { Columns } from '../prometheus/range-columns.ts';
import { queried, splitRange } from '../prometheus/record-rule.ts';
import type { AlertRule, RecordingRule, Rules } from '../prometheus/rule-files.ts';
import { createNeeds, type Needs, where } from '../prometheus/rule-graph.ts';
import { messageOf } from '../runtime/log.ts';
import { createBlockers } from './blockers.ts';
import { type AlertEvidence, evidenceOf } from './evidence.ts';
import { byStart, type Firing, firings } from './rules.ts';

export interface BacktestOptions {
  /** In order of time. */
  minutes: Iterable<MinuteCounts>;
  /** True where the minutes hold counts by status. */
  statuses: boolean;
  authCodes: readonly string[];
  rules: Rules;
  /** Absent where there is no calendar. */
  calendar?: CalendarAt | undefined;
  /** Seconds since the epoch: start of the first minute and end of the last. */
  from: number;
  to: number;
  /** `share` in [0, 1], of the time that it takes. */
  onProgress?: (share: number, what: string) => void;
  /**
   * Looks at what was recorded, before it is deleted. Its times are `shift` seconds before those of
   * the history.
   */
  inspect?: (replay: Replay, recorded: readonly RecordingRule[], shift: number) => Promise<void>;
  /** True where it must leave the machine to others: it takes one core. */
  gentle?: boolean;
  signal?: AbortSignal | undefined;
}

export interface BacktestAlert extends Firing, AlertEvidence {
  severity: string;
}

export interface Backtest {
  /** Seconds since the epoch: start of the first minute and end of the last. */
  from: number;
  to: number;
  alerts: BacktestAlert[];
  /** Alert rules that cannot fire on history, and why. */
  leftOut: { alertname: string; reason: string }[];
  /** Names that evaluated rules read although neither a rule nor the history has them. */
  absent: string[];
  /** Alert rules that were evaluated. */
  rules: AlertRule[];
}

/**
 * Seconds between evaluations of alert rules, at least: history is by minute, so nothing changes in
 * between. Live, a group that runs every 15 seconds sees the same up to 15 seconds later.
 */
const MIN_STEP = 60;
const CONCURRENCY = 2;

/**
 * Finds the alerts that rules would have fired on a history.
 * @throws naming the rule whose expression Prometheus refuses; when none of them reads the history
 */
export async function runBacktest(options: BacktestOptions): Promise<Backtest> {
  const { signal } = options;
  const { recording, alerts } = options.rules;
  const history = historyOf(options);
  const plan = planRules(recording, alerts, history);
  if (plan.evaluated.length === 0)
    throw new Error(`${options.rules.name}: no alert rule reads anything that the history has`);
  const shift = shiftFor(options.to);
  const { calendar } = options;
  const parts = Math.ceil((options.to - options.from) / PART);
  const work = parts * (plan.recording.length + plan.evaluated.length);
  const tell = (done: number, what: string) => {
    const evaluated = Math.min(done / work, 1);
    // The rules of later parts read more history: the last ones take about three times as long
    // as the first.
    options.onProgress?.((evaluated + evaluated ** 2) / 2, what);
  };
  const replay = await replayHistory({
    ...options,
    minutes: shifted(options.minutes, shift),
    ...(calendar !== undefined && { calendar: (minute: number) => calendar(minute + shift / 60) }),
    live: true,
    rules: plan.recording,
    expressions: plan.evaluated.map((rule) => ({ expr: rule.expr, where: where(rule) })),
    onRule: tell,
  });
  try {
    const { evaluated, leftOut } = await leaveOut(plan, recording, replay.url, history, signal);
    const found: BacktestAlert[] = [];
    let judged = 0;
    await forEachAtOnce(CONCURRENCY, evaluated, async (rule) => {
      tell(parts * (plan.recording.length + judged++), rule.alert);
      for (const alert of await alertsOf(rule, replay, signal)) found.push(later(alert, shift));
    });
    await options.inspect?.(replay, plan.recording, shift);
    return {
      from: replay.from + shift,
      to: replay.to + shift,
      alerts: found.sort(byStart),
      leftOut,
      absent: absentOf(evaluated, recording, history),
      rules: evaluated,
    };
  } finally {
    await replay.stop();
  }
}

/**
 * After 28 years the calendar repeats: the same dates fall on the same weekdays, and leap years
 * too.
 */
const CALENDAR_CYCLE = 10_227 * 86_400;

/**
 * Prometheus takes no samples from the future. A history that reaches into it, a generated one
 * perhaps, is played as if it had been 28 years earlier. @returns seconds to add to what comes out
 */
const shiftFor = (to: number): number =>
  Math.max(0, Math.ceil((to - Date.now() / 1000) / CALENDAR_CYCLE)) * CALENDAR_CYCLE;

function* shifted(minutes: Iterable<MinuteCounts>, shift: number): Generator<MinuteCounts> {
  for (const counted of minutes) yield { ...counted, minute: counted.minute - shift / 60 };
}

const later = (alert: BacktestAlert, shift: number): BacktestAlert => ({
  ...alert,
  startsAt: alert.startsAt + shift,
  endsAt: alert.endsAt === null ? null : alert.endsAt + shift,
  lastTrue: alert.lastTrue + shift,
});

const historyOf = ({ statuses, authCodes, calendar }: BacktestOptions): Set<string> =>
  new Set([
    ...(calendar === undefined ? [] : CALENDAR_METRICS),
    ...(statuses ? [METRIC.transactions, METRIC.lastReport] : []),
    ...(authCodes.length > 0 ? [METRIC.authCodes] : []),
  ]);

/** Alerts that read something of the history, and the recording rules that those need. */
function planRules(recording: RecordingRule[], alerts: AlertRule[], history: ReadonlySet<string>) {
  const needsOf = createNeeds(recording, history);
  const evaluated: AlertRule[] = [];
  const leftOut: Backtest['leftOut'] = [];
  const needed = new Set<RecordingRule>();
  for (const alert of alerts) {
    const needs = needsOf(alert.expr);
    const reason = whyLeftOut(needs, history);
    if (reason !== undefined) {
      leftOut.push({ alertname: alert.alert, reason });
      continue;
    }
    evaluated.push(alert);
    for (const rule of needs.rules) needed.add(rule);
  }
  return { evaluated, leftOut, recording: recording.filter((rule) => needed.has(rule)) };
}

function whyLeftOut({ inputs }: Needs, history: ReadonlySet<string>): string | undefined {
  if (inputs.some((name) => history.has(name))) return undefined;
  if (inputs.length === 0) return 'reads no metric';
  return lacks(inputs);
}

const lacks = (names: readonly string[]): string => `reads ${names.join(', ')}, which the history does not have`;

/**
 * Leaves out the alerts that read something of the history, and can't fire without what it does not
 * have.
 */
async function leaveOut(
  plan: Pick<Backtest, 'leftOut'> & { evaluated: AlertRule[] },
  recording: readonly RecordingRule[],
  url: string,
  history: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<Pick<Backtest, 'leftOut'> & { evaluated: AlertRule[] }> {
  const blockersOf = createBlockers(url, recording, history, signal);
  const leftOut = [...plan.leftOut];
  const evaluated: AlertRule[] = [];
  for (const rule of plan.evaluated) {
    const blockers = await blockersOf(rule.expr);
    if (blockers.length === 0) evaluated.push(rule);
    else leftOut.push({ alertname: rule.alert, reason: lacks(blockers) });
  }
  return { evaluated, leftOut };
}

function absentOf(
  alerts: readonly AlertRule[],
  recording: readonly RecordingRule[],
  history: ReadonlySet<string>,
): string[] {
  const needsOf = createNeeds(recording, history);
  const read = alerts.flatMap(({ expr }) => needsOf(expr).inputs);
  // Most histories need no calendar.
  return [...new Set(read)].filter((name) => !history.has(name) && !CALENDAR_METRICS.includes(name));
}

async function alertsOf(rule: AlertRule, replay: Replay, signal: AbortSignal | undefined): Promise<BacktestAlert[]> {
  const { url, from, to } = replay;
  try {
    const step = Math.max(MIN_STEP, rule.interval);
    const columns = await collect(queried(url, rule.expr, splitRange(from, to, step), signal));
    const found: BacktestAlert[] = [];
    for (const { labels, ...firing } of firings(rule, columns, { to, step })) {
      // This alert only tells that one which fires already got worse.
      if (labels.escalation !== undefined) continue;
      const { severity = '', ...others } = labels;
      const evidence = await evidenceOf(url, rule, { ...firing, labels }, signal);
      found.push({ ...firing, labels: others, severity, ...evidence });
    }
    return found;
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`${where(rule)}: ${messageOf(error)}`);
  }
}

/** Joins the answers for stretches of time into one. */
async function collect(answers: AsyncIterable<Columns[]>): Promise<Columns[]> {
  const series = new Map<string, { metric: Columns['metric']; times: number[]; values: number[] }>();
  for await (const answer of answers) {
    for (const { metric, times, values } of answer) {
      const key = seriesText('', metric);
      const column = series.get(key) ?? { metric, times: [], values: [] };
      series.set(key, column);
      for (const time of times) column.times.push(time);
      for (const value of values) column.values.push(value);
    }
  }
  return [...series.values()].map(({ metric, times, values }) => ({
    metric,
    times: Float64Array.from(times),
    values: Float64Array.from(values),
  }));
}
