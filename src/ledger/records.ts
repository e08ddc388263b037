import { METRIC } from '../names.ts';
import type { Report } from '../report.ts';
import type { Change } from './commits.ts';
import { minuteText, recordKey, seriesKey, someLabels } from './keys.ts';
import { newLabelSet, type Series } from './plan.ts';
import type { Prune } from './take-overs.ts';

/** Reports and notifications that are kept to be looked at. */
const KEPT = 10_000;
/** How long a retry is recognised by its source and minute, and by its key; in seconds. */
const MINUTES_KEPT = 7 * 86_400;
const KEYS_KEPT = 86_400;

/** Numbers as keys that sort as they count. */
export const sequence = (n: number): string => String(n).padStart(16, '0');

/** A notification at the end of the journal, which keeps the newest. */
export function noteChange(n: number, value: object): Change {
  const added = [sequence(n), value] as const;
  return ['journal', n < KEPT ? [added] : [added, [sequence(n - KEPT), null]]];
}

/** Reports in one record: written and removed together, for a list that is only read to be looked at. */
const TOGETHER = 100;

/** The reports of a commit at the end of their table; `next` is the number after the last. */
export function reportsChange(reports: readonly object[], next: number): Change {
  const records: [string, object[]][] = [];
  for (let at = Math.max(0, reports.length - KEPT); at < reports.length; at += TOGETHER)
    records.push([sequence(next - reports.length + at), reports.slice(at, at + TOGETHER)]);
  return ['reports', records];
}

/** As it is kept. */
export interface Logged {
  source?: string | undefined;
  labels?: Report['labels'] | undefined;
  counts: Record<string, number>;
  authCodes: Record<string, number>;
  late: boolean;
  /** Milliseconds since the epoch, as is the other; text in records of earlier versions. */
  timestamp: number | string;
  receivedAt: number | string;
}

/** A report as it is kept for the list of the latest. */
export function logged(report: Report, late: boolean, now: number): Logged {
  const { time, source, labels, entries } = report;
  const counts: Record<string, number> = {};
  const authCodes: Record<string, number> = {};
  for (const { status, code, count } of entries) {
    if (status !== undefined) counts[status] = count;
    if (code !== undefined) authCodes[code] = count;
  }
  return {
    timestamp: time,
    receivedAt: now,
    source: source === '' ? undefined : source,
    labels: someLabels(labels),
    counts,
    authCodes,
    late,
  };
}

const iso = (time: number | string): string => new Date(time).toISOString();

/** As people read it. */
export function readable({ timestamp, receivedAt, ...rest }: Logged): object {
  return { timestamp: iso(timestamp), receivedAt: iso(receivedAt), ...rest };
}

interface Keyed {
  key?: string | undefined;
  fingerprint?: string | undefined;
  now: number;
}

/** Keeps an answer under its idempotency key, until the key expires. `now` in milliseconds since the epoch. */
export function keyChanges({ key, fingerprint, now }: Keyed, answer: unknown): Change[] {
  if (key === undefined) return [];
  const record = recordKey(key);
  const due = minuteText(Math.floor(now / 1000));
  return [
    ['keys', [[record, { fingerprint, answer, at: now }]]],
    ['expiry', [[`${due} ${record}`, record]]],
  ];
}

/** An answer as it is kept under its key; without a time in records of earlier versions. */
export interface KeptAnswer {
  fingerprint: string;
  answer: unknown;
  /** Milliseconds since the epoch. */
  at?: number;
}

export const expired = ({ at }: KeptAnswer): boolean => at !== undefined && at < Date.now() - KEYS_KEPT * 1000;

/** What is too old to keep, the next report having this number. */
export function prune(nextReport: number): Prune {
  const now = Math.floor(Date.now() / 1000);
  return {
    minutes: minuteText(now - MINUTES_KEPT),
    keys: minuteText(now - KEYS_KEPT),
    reports: sequence(Math.max(0, nextReport - KEPT)),
  };
}

/** The counters of a new ledger, all at 0. */
export function startingSeries(): Map<string, Series> {
  const all = [
    ...newLabelSet(METRIC.transactions, {}),
    ...newLabelSet(METRIC.late, {}),
    { metric: METRIC.authCodes, labels: { auth_code: '00' }, value: 0 },
  ];
  return new Map(all.map((s) => [seriesKey(s.metric, s.labels), s]));
}
