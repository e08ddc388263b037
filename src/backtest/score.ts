import type { AlertSignal } from '../judge/alert-signal.ts';

/** A row of a labels file. Times are seconds since the epoch, the end exclusive. */
export interface Label {
  start: number;
  end: number;
  /**
   * An alert of any of these signals detects the incident. `none` is something that must not
   * alert. Without a signal, nobody has said what it was: an alert in it is neither right nor wrong.
   */
  signals: readonly AlertSignal[];
  /** The other columns, for people. */
  note: string;
}

/** The time at which an alert of a signal fired; `endsAt` is null while it does. */
export interface SignalAlert {
  signal: AlertSignal;
  startsAt: number;
  endsAt: number | null;
}

export interface ScoreOptions {
  /** Seconds since the epoch: alerts and labels that start before are not counted. */
  from: number;
  to: number;
}

/** Ratios are null where there is nothing to divide by. */
export interface Score {
  incidents: number;
  detected: number;
  falseAlarms: number;
  falseAlarmsPerDay: number;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  delayMinutes: { median: number | null; p95: number | null };
}

export interface Scored<Alert extends SignalAlert> {
  score: Score;
  bySignal: Record<AlertSignal, Score>;
  missed: Label[];
  falseAlarms: Alert[];
  /** Alerts in no incident whose signal the labels do not cover, see `JUDGED_ALWAYS`. */
  unjudged: Alert[];
}

/** Alerts may start this many seconds after an incident's end and still detect it. */
const GRACE = 5 * 60;
/** Alerts of a signal that are at most this many seconds apart are one. */
const MERGE = 10 * 60;
/**
 * Signals that every labels file is taken to cover. Whoever labels denials does not always label
 * what an auth code or the feed did, so alerts of the other signals are false only where the file
 * has labels of their signal.
 */
const JUDGED_ALWAYS: readonly AlertSignal[] = ['denied', 'failed', 'reversed', 'volume'];
const NOT_JUDGED_BY_DEFAULT: readonly AlertSignal[] = ['feed', 'processing', 'auth_code'];

/** Alerts of one signal that follow each other closely; `alert` is the first. */
interface Episode<Alert> {
  alert: Alert;
  signal: AlertSignal;
  start: number;
  end: number;
}

/**
 * Scores how well alerts find labelled incidents.
 *
 * An alert starts when an evaluation first has it firing; that evaluation has seen the minute
 * before it. So an incident is detected when an alert of one of its signals starts after its start
 * and at most five minutes after its end. The delay is the number of its minutes that were seen by
 * then, at least 1. An alert that starts in no incident, of whatever signal, is a false alarm; an
 * incident labelled `none` is no incident here. More alerts within an incident change nothing.
 */
export function scoreAlerts<Alert extends SignalAlert>(
  alerts: readonly Alert[],
  labels: readonly Label[],
  options: ScoreOptions,
): Scored<Alert> {
  const quiet = labels.filter(({ signals }) => signals.includes('none'));
  const unknown = labels.filter(({ signals }) => signals.length === 0);
  const incidents = labels.filter((label) => !quiet.includes(label) && !unknown.includes(label));
  const counted = incidents.filter(({ start }) => start >= options.from && start < options.to);
  const episodes = mergeAlerts(alerts, options.to).filter(({ start }) => start > options.from);
  const delays = new Map<Label, number>();
  const outside: Episode<Alert>[] = [];
  for (const episode of episodes) {
    const belongsTo = incidentsOf(episode.start, incidents);
    const isIn = (some: readonly Label[]) => incidentsOf(episode.start, some).length > 0;
    if (belongsTo.length === 0 && (isIn(quiet) || !isIn(unknown))) outside.push(episode);
    for (const incident of belongsTo.filter(({ signals }) => signals.includes(episode.signal))) {
      const delay = (episode.start - incident.start) / 60;
      delays.set(incident, Math.min(delay, delays.get(incident) ?? delay));
    }
  }
  const covered = new Set([...JUDGED_ALWAYS, ...labels.flatMap(({ signals }) => signals)]);
  const isJudged = ({ signal }: Episode<Alert>) => covered.has(signal) || !NOT_JUDGED_BY_DEFAULT.includes(signal);
  const falseAlarms = outside.filter(isJudged);
  const count = (of: readonly Label[], wrong: number) => summarize(of, delays, wrong, options);
  const signals = [...new Set([...counted.flatMap((label) => label.signals), ...falseAlarms.map((one) => one.signal)])];
  return {
    score: count(counted, falseAlarms.length),
    bySignal: Object.fromEntries(
      signals.sort().map((signal) => [
        signal,
        count(
          counted.filter((label) => label.signals.includes(signal)),
          falseAlarms.filter((one) => one.signal === signal).length,
        ),
      ]),
    ),
    missed: counted.filter((incident) => !delays.has(incident)),
    falseAlarms: falseAlarms.map(({ alert }) => alert),
    unjudged: outside.filter((episode) => !isJudged(episode)).map(({ alert }) => alert),
  };
}

/**
 * The incidents that contain a moment; if there are none, those whose grace period contains it.
 */
function incidentsOf(time: number, incidents: readonly Label[]): Label[] {
  const within = (grace: number) => incidents.filter(({ start, end }) => time > start && time <= end + grace);
  const inside = within(0);
  return inside.length > 0 ? inside : within(GRACE);
}

function mergeAlerts<Alert extends SignalAlert>(alerts: readonly Alert[], to: number): Episode<Alert>[] {
  const episodes: Episode<Alert>[] = [];
  const latest = new Map<AlertSignal, Episode<Alert>>();
  for (const alert of [...alerts].sort((a, b) => a.startsAt - b.startsAt)) {
    const end = alert.endsAt ?? to;
    const before = latest.get(alert.signal);
    if (before !== undefined && alert.startsAt - before.end <= MERGE) {
      before.end = Math.max(before.end, end);
      continue;
    }
    const episode = { alert, signal: alert.signal, start: alert.startsAt, end };
    episodes.push(episode);
    latest.set(alert.signal, episode);
  }
  return episodes;
}

function summarize(
  incidents: readonly Label[],
  delays: ReadonlyMap<Label, number>,
  falseAlarms: number,
  { from, to }: ScoreOptions,
): Score {
  const seen = incidents.flatMap((incident) => delays.get(incident) ?? []).sort((a, b) => a - b);
  const detected = seen.length;
  const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return {
    incidents: incidents.length,
    detected,
    falseAlarms,
    falseAlarmsPerDay: to > from ? falseAlarms / ((to - from) / 86_400) : 0,
    precision: ratio(detected, detected + falseAlarms),
    recall: ratio(detected, incidents.length),
    f1: ratio(2 * detected, detected + falseAlarms + incidents.length),
    delayMinutes: { median: quantile(seen, 0.5), p95: quantile(seen, 0.95) },
  };
}

/** Interpolates linearly between the two neighbours, as most tools do. */
function quantile(sorted: readonly number[], share: number): number | null {
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below === undefined || above === undefined ? null : below + (above - below) * (at - Math.floor(at));
}
