import { METRIC } from '../names.ts';
import type { Report } from '../report.ts';
import type { Change } from './commits.ts';
import { hasAny, minuteText, recordKey, seriesKey } from './keys.ts';
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

/** The reports of a commit (`logged`) at the end of their table, as JSON; `next` is the number after the last. */
export function reportsChange(reports: readonly string[], next: number): Change {
  const records: [string, string][] = [];
  for (let at = Math.max(0, reports.length - KEPT); at < reports.length; at += TOGETHER)
    records.push([sequence(next - reports.length + at), `[${reports.slice(at, at + TOGETHER).join(',')}]`]);
  return ['reports', records];
}

/**
 * A report as it is kept for the list of the latest: JSON of its time and of when it came (milliseconds since the epoch), its
 * source, its labels or 0, 1 where it was late, and its counts, each behind its slot. It is written for every report and
 * hardly ever read: text in place of objects took a tenth off the CPU of a batch.
 */
export function logged({ time, source, labels, entries }: Report, late: boolean, now: number): string {
  let text = `[${time},${now},${JSON.stringify(source)},${hasAny(labels) ? JSON.stringify(labels) : 0},${late ? 1 : 0}`;
  for (const { slot, count } of entries) text += `,"${slot}",${count}`;
  return `${text}]`;
}

type Logged = [
  time: number,
  receivedAt: number,
  source: string,
  labels: 0 | Report['labels'],
  late: 0 | 1,
  ...unknown[],
];
/** As it was kept by version 2 of the ledger; the times also as text. */
interface LoggedObject {
  timestamp: number | string;
  receivedAt: number | string;
}
/** A report of the list, whichever version kept it. */
export type ListedReport = Logged | LoggedObject;

const iso = (time: number | string): string => new Date(time).toISOString();

/** A report that was logged, as people read it. */
export function readable(logged: ListedReport): object {
  if (!Array.isArray(logged))
    return { ...logged, timestamp: iso(logged.timestamp), receivedAt: iso(logged.receivedAt) };
  const [time, receivedAt, source, labels, late, ...entries] = logged;
  const counts: Record<string, number> = {};
  const authCodes: Record<string, number> = {};
  for (let at = 0; at < entries.length; at += 2) {
    const slot = String(entries[at]);
    const [status, code] = slot.startsWith('#') ? [undefined, slot.slice(1)] : slot.split('/');
    if (status !== undefined) counts[status] = Number(entries[at + 1]);
    if (code !== undefined) authCodes[code] = Number(entries[at + 1]);
  }
  return {
    timestamp: iso(time),
    receivedAt: iso(receivedAt),
    source: source === '' ? undefined : source,
    labels: labels === 0 ? undefined : labels,
    counts,
    authCodes,
    late: late === 1,
  };
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
