import { METRIC } from '../names.ts';
import type { Report } from '../report.ts';
import type { Put } from './commits.ts';
import { minuteText, newLabelSet, type Outcome, recordKey, type Series, seriesKey } from './plan.ts';

/** Reports and notifications that are kept to be looked at. */
const KEPT = 10_000;
/** How long a retry is recognised by its source and minute, and by its key; in seconds. */
const MINUTES_KEPT = 7 * 86_400;
const KEYS_KEPT = 86_400;

/** Numbers as keys that sort as they count. */
export const sequence = (n: number): string => String(n).padStart(16, '0');

/** A record at the end of a table that keeps its newest. */
export function appended(table: 'reports' | 'journal', n: number, value: object): Put[] {
  const added = { table, key: sequence(n), value };
  return n < KEPT ? [added] : [added, { table, key: sequence(n - KEPT), value: null }];
}

/** A report as people read it in the list of the latest. */
export function describe(report: Report, outcome: Outcome, now: number): object {
  const pick = (key: 'status' | 'code') =>
    Object.fromEntries(report.entries.flatMap((e) => (e[key] === undefined ? [] : [[e[key], e.count]])));
  return {
    timestamp: new Date(report.time).toISOString(),
    receivedAt: new Date(now).toISOString(),
    ...(report.source !== '' && { source: report.source }),
    ...(Object.keys(report.labels).length > 0 && { labels: report.labels }),
    counts: pick('status'),
    authCodes: pick('code'),
    late: outcome.late,
  };
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

/** What is too old to keep. */
export function prune() {
  const now = Math.floor(Date.now() / 1000);
  return { pruneMinutes: minuteText(now - MINUTES_KEPT), pruneKeys: minuteText(now - KEYS_KEPT) };
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
