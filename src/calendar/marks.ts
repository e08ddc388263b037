import { DIMENSIONS, METRIC, TOTAL } from '../domain/names.ts';
import type { Labels } from '../domain/series-text.ts';
import type { Zone } from '../domain/zone.ts';
import type { CalendarSample } from './series.ts';

/** A stretch of time of which somebody said what it was. Times are milliseconds since the epoch. */
export interface Marked {
  verdict: 'incident' | 'expected' | 'false-alarm';
  startsAt: number;
  /** Null while it lasts. */
  endsAt: number | null;
  /** When it was said. */
  markedAt: number;
  /** Labels of the alert. */
  labels: Labels;
}

/** Every label that a sample of a mark may have. */
export const MARK_LABELS: readonly string[] = ['verdict', 'ago', 'status', 'level', ...DIMENSIONS];

const DAY = 1440;
const HOUR = 60;
const MINUTE_MS = 60_000;
/** Days that the rules compare with. */
const DAYS_AGO = [1, 2, 3, 4, 5, 6, 7, 14];
/** The rules look at half an hour before and after this time of day. */
const AROUND = HOUR / 2;
/** Today's level is that of so many minutes. */
const TODAY = 6 * HOUR;
/**
 * Minutes that belong to a mark beside those in which its alert fired. An alert begins after what
 * it tells of. What an hour's window has seen of an incident is in it for an hour after the end.
 */
const BESIDE = {
  incident: { before: HOUR / 2, after: HOUR },
  expected: { before: 5, after: 0 },
};

/**
 * Says of a minute since the epoch which days ago this time of day is marked, as the rules read it
 * (prometheus/rules/calendar.rules.yml). Only what was said by the end of it counts.
 */
export function markSamples(marks: readonly Marked[], minute: number, zone: Zone): CalendarSample[] {
  const local = minute + zone.offsetAt(minute);
  const samples = new Map<string, CalendarSample>();
  for (const mark of marks) {
    if (mark.markedAt >= (minute + 1) * MINUTE_MS) continue;
    const isIncident = mark.verdict === 'incident';
    // Counts that were called normal are so for their status. An incident spoils the counts of
    // all.
    if (!isIncident && mark.labels.status === undefined) continue;
    const beside = isIncident ? BESIDE.incident : BESIDE.expected;
    const from = mark.startsAt / MINUTE_MS - beside.before;
    const to = Math.min(mark.endsAt === null ? minute : mark.endsAt / MINUTE_MS, minute) + beside.after;
    const touches = (first: number, last: number) => from < last && first < to;
    const ago = DAYS_AGO.filter((days) => {
      const then = zone.toUtc(local - days * DAY).minute;
      return touches(then - AROUND, then + AROUND);
    });
    if (isIncident && touches(minute - TODAY, minute)) ago.push(0);
    for (const days of ago) {
      const labels = { verdict: mark.verdict, ago: `${days}d`, ...aboutOf(mark, isIncident) };
      samples.set(JSON.stringify(labels), { metric: METRIC.mark, labels, value: 1 });
    }
  }
  return [...samples.values()];
}

function aboutOf({ labels }: Marked, isIncident: boolean): Labels {
  const about: Record<string, string> = { level: labels.level ?? TOTAL };
  for (const name of isIncident ? DIMENSIONS : (['status', ...DIMENSIONS] as const)) {
    const value = labels[name];
    if (value !== undefined) about[name] = value;
  }
  return about;
}
