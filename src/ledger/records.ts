import { METRIC } from '../names.ts';
import type { Report } from '../report.ts';
import type { Prune, Put } from './commits.ts';
import { hasAny, minuteText, newLabelSet, recordKey, type Series, seriesKey } from './plan.ts';

/** Reports and notifications that are kept to be looked at. */
const KEPT = 10_000;
/** How long a retry is recognised by its source and minute, and by its key; in seconds. */
const MINUTES_KEPT = 7 * 86_400;
const KEYS_KEPT = 86_400;

/** Numbers as keys that sort as they count. */
export const sequence = (n: number): string => String(n).padStart(16, '0');

/** A notification at the end of the journal, which keeps the newest. */
export function notePuts(n: number, value: object): Put[] {
  const added = { table: 'journal' as const, key: sequence(n), value };
  return n < KEPT ? [added] : [added, { table: 'journal', key: sequence(n - KEPT), value: null }];
}

/** Reports in one record: written and removed together, for a list that is only read to be looked at. */
const TOGETHER = 100;

/** The reports of a commit at the end of their table; `next` is the number after the last. */
export function reportPuts(reports: readonly object[], next: number): Put[] {
  const puts: Put[] = [];
  for (let at = Math.max(0, reports.length - KEPT); at < reports.length; at += TOGETHER)
    puts.push({
      table: 'reports',
      key: sequence(next - reports.length + at),
      value: reports.slice(at, at + TOGETHER),
    });
  return puts;
}

interface Logged {
  source?: string;
  labels?: Report['labels'];
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
    ...(source !== '' && { source }),
    ...(hasAny(labels) && { labels }),
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
  key?: string;
  fingerprint?: string;
  now: number;
}

/** Keeps an answer under its idempotency key, until the key expires. `now` in milliseconds since the epoch. */
export function keyPuts({ key, fingerprint, now }: Keyed, answer: unknown): Put[] {
  if (key === undefined) return [];
  const record = recordKey(key);
  const due = minuteText(Math.floor(now / 1000));
  return [
    { table: 'keys', key: record, value: { fingerprint, answer } },
    { table: 'expiry', key: `${due} ${record}`, value: record },
  ];
}

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
export function startingPuts(): { puts: Put[]; series: Map<string, Series> } {
  const all = [
    ...newLabelSet(METRIC.transactions, {}),
    ...newLabelSet(METRIC.late, {}),
    { metric: METRIC.authCodes, labels: { auth_code: '00' }, value: 0 },
  ];
  const series = new Map(all.map((s) => [seriesKey(s.metric, s.labels), s]));
  return { series, puts: [...series].map(([key, value]) => ({ table: 'totals', key, value })) };
}
