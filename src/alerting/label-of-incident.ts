import { signalOf } from '../judge/alert-signal.ts';
import type { Incident } from './incidents.ts';

const MINUTE_MS = 60_000;
/**
 * An alert starts after the minutes that it is about, and a backtest may start it some minutes
 * earlier than it started live. A label therefore begins this much before its alert.
 */
const BEFORE_MS = 5 * MINUTE_MS;

/** What rules are scored by: whole minutes in seconds since the epoch, the end exclusive. */
export interface IncidentLabel {
  start: number;
  end: number;
  /** `none` for what must not alert; empty where nobody said what it was. */
  signals: string[];
}

/** The label's time, for an alert whose times are milliseconds since the epoch. */
export function labelledTime(startsAt: number, endsAt: number | null): Pick<IncidentLabel, 'start' | 'end'> {
  const start = Math.floor((startsAt - BEFORE_MS) / MINUTE_MS) * 60;
  return { start, end: Math.ceil(Math.max(endsAt ?? Date.now(), startsAt + 1) / MINUTE_MS) * 60 };
}

/** An incident, by what people said of it. */
export function labelOf({ alertname, labels, startsAt, endsAt, mark }: Incident): IncidentLabel {
  const marked = mark?.verdict === 'incident' ? [signalOf(alertname, labels)] : ['none'];
  return { ...labelledTime(startsAt, endsAt), signals: mark === null ? [] : marked };
}
