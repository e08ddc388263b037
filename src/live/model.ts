import { isOwn } from '../domain/own-alerts.ts';
import { toldBy } from './alert-words.ts';
import { capital } from './format.ts';
import type { Alert, Anomaly, Change, Incident, JournalEntry, Labels, Report, Silence, State, Status } from './wire.ts';

export type Link =
  | { state: 'connecting' | 'live' }
  | { state: 'lost'; since: number; again: number; reason: string }
  | { state: 'refused'; status: number; reason: string };

/** Everything that the page knows. Panels read it and draw; only main.ts changes it. */
export interface Model {
  link: Link;
  /** Told once the service has been asked: may the reader silence, mark and try? */
  operates?: boolean;
  state?: State;
  /** The time at which the newest state came, milliseconds since the epoch. */
  stateAt: number;
  /** The time at which the verdict became what it is, if that was seen. */
  verdictSince?: number;
  reports?: Report[];
  journal?: JournalEntry[];
  incidents?: Incident[];
  silences?: Silence[];
  /** Latest first. */
  changes?: Change[];
  /**
   * Chosen: which status the chart shows, and which slice is looked at, as `keyOf` writes its
   * labels.
   */
  status: Status;
  labels: string;
}

export interface Store {
  readonly model: Model;
  change(patch: Partial<Model>): void;
}

/**
 * Draws once for any number of changes, at the next frame: a tab in the background has no frames
 * and rests.
 */
export function createStore(model: Model, draw: (model: Model) => void): Store {
  let waiting = false;
  return {
    model,
    change(patch) {
      Object.assign(model, patch);
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        draw(model);
      });
    },
  };
}

/** One text for one set of labels, whatever their order. */
export const keyOf = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Nothing is judged, and no start is the reason. */
export const isGone = (state: State | undefined): boolean =>
  state !== undefined && !state.path.prometheus.ok && !state.path.prometheus.awaited;

/**
 * The counts to show. While Prometheus does not answer they are the last that it told, and no
 * verdict goes with them.
 */
export function shownAnomalies(state: State | undefined): Anomaly[] {
  if (state === undefined || state.path.prometheus.ok) return state?.anomalies ?? [];
  const { anomalies } = state.lastKnown ?? state;
  return anomalies.map((anomaly) => ({ ...anomaly, recommendation: 'unknown' }));
}

/** Tillwatch exposes zeros from its start on: they are no counts that arrived. */
export const nothingCounted = ({ anomalies }: State): boolean =>
  anomalies.every(({ lastHour: { observed = 0 } }) => observed === 0);

const GRAVITY = { alert: 0, watch: 1, unknown: 2, ok: 3 };

/** The sets of extra labels that have data, the gravest first. */
export function labelSets(state: State | undefined): Labels[] {
  const sets = new Map<string, { labels: Labels; gravity: number }>();
  for (const { labels, recommendation } of shownAnomalies(state)) {
    const gravity = Math.min(GRAVITY[recommendation], sets.get(keyOf(labels))?.gravity ?? 9);
    sets.set(keyOf(labels), { labels, gravity });
  }
  return [...sets.values()].sort((a, b) => a.gravity - b.gravity).map(({ labels }) => labels);
}

/** The set that is looked at: the chosen one, else the total, which has no labels. */
export const currentLabels = ({ labels }: Pick<Model, 'labels'>): Labels =>
  Object.fromEntries(JSON.parse(labels || '[]') as [string, string][]);

export function currentAnomalies(model: Model): Anomaly[] {
  const key = keyOf(currentLabels(model));
  return shownAnomalies(model.state).filter(({ labels }) => keyOf(labels) === key);
}

const isWatchdog = ({ labels }: Alert): boolean => labels.alertname === 'Watchdog';
/** What is not normal now before what recovers, and the total before its slices. */
function rank(alert: Alert): number {
  const { labels } = alert;
  const { recovering, planned } = toldBy(alert);
  const slice = (labels.level ?? 'total') === 'total' ? 0 : 1;
  return (labels.severity === 'critical' ? 0 : 4) + (planned || recovering !== '' ? 2 : 0) + slice;
}

const withoutEscalation = ({ labels: { escalation: _escalation, ...rest } }: Alert): string => keyOf(rest);

/**
 * Has the rules' second alert, `escalation="worse"`, fired on top of this one? It is the same
 * incident.
 */
export const isWorse = (alert: Alert, all: readonly Alert[]): boolean =>
  all.some(
    (other) =>
      other.state === 'firing' &&
      other.labels.escalation === 'worse' &&
      withoutEscalation(other) === withoutEscalation(alert),
  );

/** Leaves out the second alert of an incident that got worse, since it is shown as one alert. */
function distinct(alerts: Alert[]): Alert[] {
  const plain = new Set(alerts.filter(({ labels }) => labels.escalation === undefined).map(withoutEscalation));
  return alerts.filter((alert) => alert.labels.escalation === undefined || !plain.has(withoutEscalation(alert)));
}

const inState = (state: State | undefined, wanted: 'firing' | 'pending'): Alert[] =>
  (state?.alerts ?? []).filter((alert) => alert.state === wanted && !isWatchdog(alert));

/** Alerts that fire, critical ones first, then those that do not recover, the total's, then older ones, without the one that always does and those of others. */
export const firingAlerts = (state: State | undefined): Alert[] =>
  distinct(inState(state, 'firing').filter(isOwn)).sort(
    (a, b) => rank(a) - rank(b) || Date.parse(a.activeAt ?? '') - Date.parse(b.activeAt ?? ''),
  );

/** Alerts that fire in the same Prometheus and are none of Tillwatch's business. */
export const othersAlerts = (state: State | undefined): Alert[] =>
  inState(state, 'firing').filter((alert) => !isOwn(alert));

export const pendingAlerts = (state: State | undefined): Alert[] => inState(state, 'pending').filter(isOwn);

/** A summary without how long it has lasted, which is another by the minute. */
const lasting = (summary: string): string => summary.replace(/ for \d+[dhms][\d dhms]*$/, '');

/** The name by which people know an alert: the same on its card, in lists and in dialogs. */
export const nameOf = ({ labels, annotations }: Pick<Alert, 'labels' | 'annotations'>): string =>
  capital(lasting(annotations.summary ?? labels.alertname ?? 'an alert'));
export const incidentName = ({ summary, alertname }: Pick<Incident, 'summary' | 'alertname'>): string =>
  capital(lasting(summary || alertname));

/** Labels of an alert that are dimensions of the counts. */
export function sliceOf({ labels }: Pick<Alert, 'labels'>): Labels {
  const own = ['alertname', 'severity', 'service', 'escalation', 'level', 'status', 'auth_code', 'direction', 'window'];
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !own.includes(name)));
}

export const alertKey = ({ labels }: Pick<Alert, 'labels'>): string => keyOf(labels);

function matches({ name, value, isRegex, isEqual }: Silence['matchers'][number], labels: Labels): boolean {
  const held = labels[name] ?? '';
  const hit = isRegex ? new RegExp(`^(?:${value})$`).test(held) : held === value;
  return hit === isEqual;
}

/** The silence that keeps an alert quiet, the longest one. */
export function silenceOf(alert: Alert, silences: readonly Silence[] = []): Silence | undefined {
  const over = (silence: Silence): boolean => {
    try {
      return silence.state === 'active' && silence.matchers.every((matcher) => matches(matcher, alert.labels));
    } catch {
      // A regular expression of Go that JavaScript does not take.
      return false;
    }
  };
  return silences.filter(over).sort((a, b) => Date.parse(b.endsAt) - Date.parse(a.endsAt))[0];
}

/** A change is named beside an alert that began at most so long after it; milliseconds. */
const NEAR_MS = 30 * 60_000;

/** The last change in the half hour before something began. @param began as ISO 8601 */
export function changeBefore(began: string, changes: readonly Change[] = []): Change | undefined {
  // Within the first minute is early enough: it is not known when in it the counts left normal.
  const since = Date.parse(began) + 60_000;
  return changes.find(({ at }) => Date.parse(at) < since && since - Date.parse(at) <= NEAR_MS + 60_000);
}

export const upsert = (incidents: readonly Incident[] = [], changed: Incident): Incident[] =>
  incidents.some(({ id }) => id === changed.id)
    ? incidents.map((incident) => (incident.id === changed.id ? changed : incident))
    : [changed, ...incidents];

/** With a report in front. A correction takes the place of what it corrects. */
export function withReport(reports: readonly Report[] = [], report: Report): Report[] {
  const key = ({ source, timestamp, labels = {} }: Report) => `${source} ${timestamp} ${keyOf(labels)}`;
  const others = report.source === undefined ? reports : reports.filter((other) => key(other) !== key(report));
  return [report, ...others];
}
