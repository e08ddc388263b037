import { type Backtest, type BacktestAlert, runBacktest } from '../../src/backtest/run.ts';
import { type Label, scoreAlerts } from '../../src/backtest/score.ts';
import { openCalendar } from '../../src/calendar/calendar.ts';
import { UTC } from '../../src/calendar/calendar-file.ts';
import type { Entries } from '../../src/calendar/entries.ts';
import { type CalendarAt, samplesOf } from '../../src/calendar/series.ts';
import { openZone } from '../../src/domain/zone.ts';
import { readRules } from '../../src/prometheus/rule-files.ts';
import { AUTH_CODES } from '../../src/simulator/feed.ts';
import { makeRun } from '../../src/simulator/make-run.ts';
import type { Labelled } from '../../src/simulator/run.ts';
import type { ScenarioName } from '../../src/simulator/scenarios.ts';
import { type Detector, OWN } from './detectors.ts';

/** One run of a scenario, and what a detector's alerts were. Times are seconds since the epoch. */
export interface Played {
  labels: (Label & { slice?: string })[];
  alerts: readonly BacktestAlert[];
  scoreFrom: number;
  to: number;
}

const on = (minute: number) => ({
  between: (from: number, to: number) => (from <= minute && minute <= to ? [minute] : []),
});

/**
 * The calendar that somebody would have given our rules for a scenario: its time zone, its
 * holidays and its planned windows.
 */
function calendarOf(name: ScenarioName, labels: readonly Labelled[]): CalendarAt | undefined {
  const zone = name.startsWith('dst-') ? openZone('Europe/Berlin') : UTC;
  const entries: Entries = {
    holidays: [],
    days: labels.filter(({ kind }) => kind === 'holiday').map(({ kind, start }) => ({ name: kind, days: on(start) })),
    stretches: labels
      .filter(({ kind }) => kind === 'planned')
      .map(({ kind, start, end }) => ({ kind: 'planned', name: kind, starts: on(start), minutes: end - start })),
  };
  if (zone === undefined || (zone === UTC && entries.days.length + entries.stretches.length === 0)) return undefined;
  const calendar = openCalendar(entries, zone);
  return (minute) => samplesOf(calendar.at(minute));
}

/** As `tillwatch backtest` does it; `isUnlisted` without its calendar. */
export async function play(
  name: ScenarioName,
  seed: number,
  volume: number | undefined,
  detector: Detector,
  isUnlisted = false,
): Promise<Played> {
  const run = makeRun({ name, seed, ...(volume !== undefined && { volume }) });
  const [from, scoreFrom, to] = [run.from * 60, run.scoreFrom * 60, run.to * 60];
  // Auth codes are not counted by acquirer.
  const authCodes = run.minutes.some((counted) => counted.authCodes !== undefined) ? AUTH_CODES : [];
  const history = { minutes: run.minutes, statuses: true, authCodes, from, to };
  const { alerts }: Backtest = await runBacktest({
    ...history,
    rules: await readRules(detector.rulesDir),
    ...(detector === OWN && !isUnlisted && { calendar: calendarOf(name, run.labels) }),
  });
  const labels = run.labels.map(({ start, end, signal, kind, ...slice }) => ({
    ...{ start: start * 60, end: end * 60, signals: [signal], note: kind },
    ...slice,
  }));
  return { labels, alerts, scoreFrom, to };
}

export interface Found {
  incidents: number;
  detected: number;
  falseAlarms: number;
  /** Minutes, of each incident that was detected. */
  delays: number[];
  /** Missed incidents and false alarms, as people read them. */
  remarks: string[];
}

/** Those that must be found; a feed's gap is told of by an alert of its own. */
const isIncident = ({ signals }: Label): boolean => !signals.includes('none') && !signals.includes('feed');
const isIn = ({ start, end }: Label, time: number): boolean => time > start && time <= end + 600;

const at = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 16)}Z`;
const nameOf = (alert: BacktestAlert): string =>
  `${alert.alertname} ${alert.signal} ${at(alert.startsAt)} ${alert.window ?? ''}`;

/** Minutes of the scored days for which an alert from before them may go on. */
const LEFT_OVER = 25;

/**
 * An alert that began in the history and goes on and on calls nobody any more, but says what is not
 * so and hides what is.
 */
const isNeverOver = ({ startsAt, endsAt }: BacktestAlert, scoreFrom: number): boolean =>
  startsAt <= scoreFrom && (endsAt ?? Number.POSITIVE_INFINITY) > scoreFrom + LEFT_OVER * 60;

/** @param excusing incidents in which an alert is not false */
function foundBy(
  alerts: readonly BacktestAlert[],
  incidents: readonly Label[],
  excusing: readonly Label[],
  { scoreFrom, to }: Played,
): Found {
  const range = { from: scoreFrom, to };
  const { score, missed } = scoreAlerts(alerts, incidents, range);
  const { falseAlarms, unjudged } = scoreAlerts(alerts, excusing, range);
  const wrong = [...falseAlarms, ...unjudged, ...alerts.filter((alert) => isNeverOver(alert, scoreFrom))];
  return {
    incidents: score.incidents,
    detected: score.detected,
    falseAlarms: wrong.length,
    // Incidents are far enough from each other that each one's delay can be asked for alone.
    delays: incidents.flatMap((one) => scoreAlerts(alerts, [one], range).score.delayMinutes.median ?? []),
    remarks: [
      ...missed.map(({ note, start, end }) => `missed ${note} ${at(start)} for ${(end - start) / 60} min`),
      ...wrong.map((alert) => `false ${nameOf(alert)}`),
    ],
  };
}

/**
 * Every incident of a run, and every alert outside of all of them, whatever its signal: who is
 * called for nothing does not ask by which rule.
 * An incident in one acquirer's traffic is found by an alert with that acquirer's label.
 */
export function foundOfAll(played: Played): Found {
  const gaps = played.labels.filter(({ signals }) => signals.includes('feed'));
  const isOnGap = ({ signal, startsAt }: BacktestAlert) => signal === 'feed' && gaps.some((gap) => isIn(gap, startsAt));
  const alerts = played.alerts.filter((alert) => !isOnGap(alert));
  const incidents = played.labels.filter(isIncident);
  const shared = incidents.filter(({ slice }) => slice === undefined);
  if (shared.length === incidents.length) return foundBy(alerts, incidents, incidents, played);
  const acquirers = new Set(alerts.flatMap(({ labels }) => labels.acquirer ?? []));
  for (const { slice } of incidents) if (slice !== undefined) acquirers.add(slice);
  const ofEach = [...acquirers].map((acquirer) => {
    const own = incidents.filter(({ slice }) => slice === acquirer);
    const mine = alerts.filter(({ labels }) => labels.acquirer === acquirer);
    return foundBy(mine, own, [...own, ...shared], played);
  });
  const ofTotal = alerts.filter(({ labels }) => labels.acquirer === undefined);
  const inShared = alerts.filter(({ startsAt }) => shared.some((one) => isIn(one, startsAt)));
  return pool([...ofEach, foundBy(ofTotal, [], incidents, played), foundBy(inShared, shared, shared, played)]);
}

/** The score of some signals alone; alerts on another signal's incident are no false alarms. */
export function foundOfSignals(played: Played, signals: readonly string[]): Found {
  const { alerts, labels, scoreFrom, to } = played;
  const { bySignal } = scoreAlerts(alerts, labels, { from: scoreFrom, to });
  const scores = signals.flatMap((signal) => bySignal[signal] ?? []);
  const mine = labels.filter((label) => label.signals.some((signal) => signals.includes(signal)));
  const sum = (field: 'incidents' | 'detected' | 'falseAlarms') => scores.reduce((all, one) => all + one[field], 0);
  return {
    incidents: sum('incidents'),
    detected: sum('detected'),
    falseAlarms: sum('falseAlarms'),
    delays: mine.flatMap(
      (label) => scoreAlerts(alerts, [label], { from: scoreFrom, to }).score.delayMinutes.median ?? [],
    ),
    remarks: [],
  };
}

/** Incidents of a kind, and how many of them an alert of their signal told of. */
export function foundOfKind(played: Played, kind: string): Pick<Found, 'incidents' | 'detected'> {
  const { alerts, labels, scoreFrom, to } = played;
  const { missed } = scoreAlerts(alerts, labels, { from: scoreFrom, to });
  const ofKind = (label: Label) => label.note === kind && label.start >= scoreFrom;
  const incidents = labels.filter(ofKind).length;
  return { incidents, detected: incidents - missed.filter(ofKind).length };
}

/**
 * The longest stretch, in minutes, for which an alert that began in an incident went on while no
 * incident of its signal did; 0 without any.
 */
export function longestAfter({ alerts, labels, scoreFrom, to }: Played): number {
  const stretches = alerts.flatMap((alert) => {
    const end = alert.endsAt ?? to;
    const mine = labels.filter(({ signals, start }) => signals.includes(alert.signal) && start < end);
    const first = mine.filter((label) => alert.startsAt > label.start && alert.startsAt <= label.end + 300);
    if (first.length === 0 || alert.startsAt <= scoreFrom) return [];
    const during = mine.filter((label) => label.end >= Math.min(...first.map((one) => one.end)));
    return during.map((label) => {
      const next = during.filter(({ start }) => start > label.start).map(({ start }) => start);
      return (Math.min(end, ...next) - label.end) / 60;
    });
  });
  return Math.max(0, ...stretches);
}

export function pool(found: readonly Found[]): Found {
  const sum = (field: 'incidents' | 'detected' | 'falseAlarms') => found.reduce((all, one) => all + one[field], 0);
  return {
    incidents: sum('incidents'),
    detected: sum('detected'),
    falseAlarms: sum('falseAlarms'),
    delays: found.flatMap(({ delays }) => delays),
    remarks: found.flatMap(({ remarks }) => remarks),
  };
}

/** Null where there is nothing to divide by. */
const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
export const f1Of = ({ detected, incidents, falseAlarms }: Found) =>
  ratio(2 * detected, detected + falseAlarms + incidents);
export const precisionOf = ({ detected, falseAlarms }: Found) => ratio(detected, detected + falseAlarms);
export const recallOf = ({ detected, incidents }: Found) => ratio(detected, incidents);

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [below, above] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return below === undefined || above === undefined ? null : (below + above) / 2;
}
