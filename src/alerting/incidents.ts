import { createHash } from 'node:crypto';
import type { Marked } from '../calendar/marks.ts';
import { isOwn } from '../domain/own-alerts.ts';
import type { IncidentQuery, Ledger, StoredIncident } from '../ledger/ledger.ts';
import type { ListedAlert } from './alertmanager.ts';
import { cut, JOURNAL, type Notification, type NotifiedAlert } from './notification.ts';
import { WATCHDOG } from './pipeline-health.ts';

export const VERDICTS = ['incident', 'expected', 'false-alarm'] as const;

/** An operator's verdict on an incident. */
export interface Mark {
  verdict: (typeof VERDICTS)[number];
  by: string;
  comment: string;
  /** ISO 8601. */
  at: string;
}

/** The person who looks after an incident until it ends. */
export type Acknowledgement = Omit<Mark, 'verdict'>;

type Labels = Readonly<Record<string, string>>;

/** The part of an incident that is stored as JSON, beside its times. */
interface Said {
  alertname: string;
  severity: string;
  /** Without alertname and severity. */
  labels: Labels;
  summary: string;
}

/**
 * One firing of one alert, from its first notification to its end. Times are milliseconds since the
 * epoch.
 */
export interface Incident extends Said {
  /** The same over restarts: made of the alert's fingerprint and start. */
  id: string;
  startsAt: number;
  /** Null while it fires. */
  endsAt: number | null;
  mark: Mark | null;
  acknowledgement: Acknowledgement | null;
}

/**
 * The most that is kept of one alert: characters of a name and of a text, and the number of
 * labels.
 */
const MOST = { name: 256, text: 1024, labels: 64 };
/** At most so many alerts of one notification become incidents, as the ledger keeps no more. */
const MOST_ALERTS = 10_000;
/** An alert's time may lie this far in the future, since a clock may be wrong; milliseconds. */
const DAY = 86_400_000;

/** A time that an alert may have begun or ended at; undefined where the text is no such time. */
function timeOf(text: string, now: number): number | undefined {
  const time = Date.parse(text);
  return time >= 0 && time <= now + DAY ? time : undefined;
}

/** Labels as incidents keep them. */
export const keptLabels = (labels: Labels): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels)
      .slice(0, MOST.labels)
      .map(([name, value]) => [cut(name, MOST.name), cut(value, MOST.text)]),
  );

/** `escalation` is on the second alert that tells that one which fires already is getting worse. */
const isIncident = ({ labels }: { labels: Labels }): boolean =>
  labels.alertname !== WATCHDOG && labels.escalation === undefined;

type Told = Pick<NotifiedAlert, 'status' | 'labels' | 'annotations' | 'startsAt' | 'endsAt' | 'fingerprint'>;

/** The row of an alert; undefined where nobody could say when it began. */
function rowOf(alert: Told, now: number): StoredIncident | undefined {
  const startsAt = timeOf(alert.startsAt, now);
  if (startsAt === undefined) return undefined;
  const { alertname = '', severity = '', ...labels } = keptLabels(alert.labels);
  const said: Said = { alertname, severity, labels, summary: cut(alert.annotations.summary ?? '', MOST.text) };
  return {
    id: createHash('sha256').update(`${alert.fingerprint} ${startsAt}`).digest('hex').slice(0, 16),
    fingerprint: cut(alert.fingerprint, MOST.name),
    startsAt,
    endsAt: alert.status === 'resolved' ? Math.max(startsAt, timeOf(alert.endsAt, now) ?? now) : null,
    body: JSON.stringify(said),
  };
}

/** The incidents that a notification tells of, each once. */
export function incidentsIn({ alerts }: Notification, now: number): StoredIncident[] {
  const rows = alerts
    .slice(0, MOST_ALERTS)
    .filter(isIncident)
    .flatMap((alert) => rowOf(alert, now) ?? []);
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

/** Would a notification of it come here? Those of others go where their team has routed them. */
const comesHere = (alert: ListedAlert): boolean => isOwn(alert) || alert.receivers.some(({ name }) => name === JOURNAL);

/**
 * The incidents of alerts that a silence keeps from being notified. One that is inhibited is
 * explained by another.
 */
export const silencedIncidents = (alerts: readonly ListedAlert[], now: number): StoredIncident[] =>
  alerts
    .filter(({ status }) => status.silencedBy.length > 0 && status.inhibitedBy.length === 0)
    .filter((alert) => isIncident(alert) && comesHere(alert))
    .slice(0, MOST_ALERTS)
    .flatMap((alert) => rowOf({ ...alert, status: 'firing' }, now) ?? []);

export function incidentOf({ id, startsAt, endsAt, body, mark, acknowledged }: StoredIncident): Incident {
  const said = JSON.parse(body) as Said;
  const parsed = (text: string | undefined) => (text === undefined ? null : JSON.parse(text));
  return { id, ...said, startsAt, endsAt, mark: parsed(mark), acknowledgement: parsed(acknowledged) };
}

/** One read of the ledger takes at most so many bytes and so many incidents. */
const BYTES = 8 * 1024 * 1024;
const AT_ONCE = 1000;

/** Incidents, the latest to begin first. */
export async function listIncidents(
  ledger: Pick<Ledger, 'incidents'>,
  query: Omit<IncidentQuery, 'bytes'>,
): Promise<Incident[]> {
  return (await ledger.incidents({ ...query, bytes: BYTES })).map(incidentOf);
}

/** All marked incidents, the latest to begin first, in parts. */
export async function* markedIncidents(ledger: Ledger): AsyncGenerator<Incident[]> {
  let before: IncidentQuery['before'];
  for (;;) {
    const part = await listIncidents(ledger, { marked: true, limit: AT_ONCE, before });
    if (part.length === 0) return;
    yield part;
    before = part.at(-1);
  }
}

/**
 * True for alerts about transactions. Alerts about Tillwatch itself say nothing of their counts.
 */
export const isOfTransactions = ({ alertname }: Incident): boolean => !alertname.startsWith('Tillwatch');

/** What was said of incidents of transactions, as the rules take it. */
export function marksOf(incidents: readonly Incident[]): Marked[] {
  return incidents.filter(isOfTransactions).flatMap(({ startsAt, endsAt, labels, mark }) => {
    if (mark === null) return [];
    return { verdict: mark.verdict, startsAt, endsAt, markedAt: Date.parse(mark.at), labels };
  });
}

/** The newest marked incidents, for the rules, which look back two weeks. */
export const recentMarks = async (ledger: Pick<Ledger, 'incidents'>): Promise<Marked[]> =>
  marksOf(await listIncidents(ledger, { marked: true, limit: AT_ONCE }));

/** The newest incidents: all that are marked, and of the others the latest. */
export async function recentIncidents(ledger: Pick<Ledger, 'incidents'>): Promise<Incident[]> {
  const marked = await listIncidents(ledger, { marked: true, limit: AT_ONCE });
  const others = await listIncidents(ledger, { limit: AT_ONCE });
  return [...marked, ...others.filter(({ mark }) => mark === null)];
}

/** Replaces what was said before. @returns undefined where there is no such incident */
export async function markIncident(ledger: Ledger, id: string, mark: Mark): Promise<Incident | undefined> {
  const found = await ledger.incident(id);
  if (found === undefined) return undefined;
  await ledger.setMark(id, JSON.stringify(mark));
  return { ...incidentOf(found), mark };
}

/**
 * Replaces who looked after it before. @returns undefined where there is no such incident; as it is
 * where it has ended
 */
export async function acknowledgeIncident(
  ledger: Ledger,
  id: string,
  acknowledgement: Acknowledgement,
): Promise<Incident | undefined> {
  await ledger.acknowledge(id, JSON.stringify(acknowledgement));
  const found = await ledger.incident(id);
  return found && incidentOf(found);
}

/** All labels of an incident, alertname and severity among them. */
export const allLabels = ({ alertname, severity, labels }: Said): Labels => ({ alertname, severity, ...labels });

/** Labels as a text that is the same for the same labels, whatever their order. */
export const labelKey = ({ severity = '', ...labels }: Labels): string =>
  JSON.stringify(Object.entries(keptLabels({ severity, ...labels })).sort());

/**
 * Finds the id of the incident that fires with exactly these labels, among the latest of those that
 * fire.
 */
export async function openIncidents(ledger: Ledger): Promise<(labels: Labels) => string | undefined> {
  const open = await listIncidents(ledger, { open: true, limit: AT_ONCE });
  const ids = new Map(open.reverse().map((incident) => [labelKey(allLabels(incident)), incident.id]));
  return (labels) => ids.get(labelKey(labels));
}
