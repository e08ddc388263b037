import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { METRIC, STATUSES, type Status } from '../domain/names.ts';
import type { Row, Statement } from './engine.ts';
import { addReports, PRUNE_REPORTS } from './journal.ts';
import type { Counts, Labels } from './ledger.ts';
import {
  AGO,
  type Changes,
  countsKey,
  hashOf,
  isLate,
  type KeptAnswer,
  type Limits,
  OTHER,
  type Slots,
  type Submission,
  type View,
  within,
} from './plan.ts';
import { inserting, type TableName } from './schema.ts';
import { firstKey, type KnownTotals } from './series.ts';

/**
 * The clock may go forward by so much in one step. A longer step is a clock that was set, and no
 * time that has passed. Milliseconds.
 */
export const LONGEST_STEP = 3_600_000;
const DAY = 86_400_000;
const KEYS_KEPT = DAY;
const REPORTS_KEPT = 7 * DAY;

/**
 * Takes the turn to write, on all services, and moves the ledger's time on. That time is what
 * expiry goes by: it follows the clock in steps up to LONGEST_STEP, so that a clock that is wrong
 * for a while expires nothing. `believe` sets it to a clock that has been far from it for long.
 */
export const turn = (now: number, believe: boolean): Statement => [
  `UPDATE ledger SET commits = commits + 1, clock = $2, time = CASE
     WHEN $1 = 1 THEN $2
     WHEN ABS($2 - clock) <= ${LONGEST_STEP} THEN time + $2 - clock
     ELSE time END
   RETURNING id, commits, time`,
  believe ? 1 : 0,
  now,
];

/** Each row names the commit as of which the statement reads. */
const SERIES = 'SELECT id, metric, labels, value, created, (SELECT commits FROM ledger) AS commits FROM series';
export const seriesAfter = (id: number): Statement => [`${SERIES} WHERE id > $1 ORDER BY id`, id];
/** Series that changed after a commit, in the order of their ids, beginning after `id`. */
export const seriesChanged = (commit: number, id: number, limit: number): Statement => [
  // Where nothing was committed since, no series is looked at.
  `${SERIES} WHERE id > (SELECT CASE WHEN commits > $1 THEN $2 ELSE ${Number.MAX_SAFE_INTEGER} END FROM ledger)
   AND changed > $1 ORDER BY id LIMIT $3`,
  commit,
  id,
  limit,
];

/** A report dated by a clock that was ahead must not hide that none comes any more. */
export const notInFuture = (now: number): Statement => [
  `UPDATE series SET value = $1, changed = (SELECT commits FROM ledger)
   WHERE metric = '${METRIC.lastReport}' AND value > $1`,
  now,
];

/** Text that most answers share. It never changes: stored answers are read with it. */
const DICTIONARY = Buffer.from(
  `"assessments":[{"labels":{"acquirer":"merchant":"},"reason":"no baseline for these labels yet"},"firing is firing; the minute before was above normal too; one minute alone is no alert"}]}{"accepted":1,"duplicates":0,"late":0,"recommendation":"alert","watch","unknown","reason":"Prometheus at http://127.0.0.1:9090 is not reached: backend_reversed is 0.0% of 100 transactions; normal here is 0.0 %, up to 0.0 %","baseline":{"state":"unavailable","warming-up","ready","asOf":"2026-11-28T12:31:15.000Z"},"assessments":[{"status":"denied","count":6,"total":122,"share":0.04918,"expected":0.05,"upper":0.0925,"expectedCount":6.3,"upperCount":12.5,"score":-0.012,"recommendation":"ok","reason":"denied is 4.9 % of 122 transactions; normal here is 5.2 %, up to 9.3 %"},{"status":"failed","count":0,{"status":"reversed","count":0,{"status":"backend_reversed","count":0,"total":`,
);
const SMALL = { dictionary: DICTIONARY, windowBits: 12, memLevel: 5 } as const;

/** An answer as a key keeps it: a tenth of its size. */
const pack = (answer: string): string => deflateRawSync(answer, SMALL).toString('base64');
const unpack = (packed: string): string => inflateRawSync(Buffer.from(packed, 'base64'), SMALL).toString();

/** What is recorded that concerns a batch. */
export interface Known extends View {
  /** Rows whose place another may take, by hash or identity. */
  rows: ReadonlyMap<string, Row>;
}

const expired = (kept: number) => `r.at < (SELECT time FROM ledger) - ${kept} AS expired`;
const STARTS = AGO.map((ago) => `CAST(r.value->>0 AS BIGINT) - ${ago}`);
const FIRST = 'CAST(r.value->>1 AS INTEGER)';

const KEYS = `SELECT r.hash, r.at, r.body, r.answer, ${expired(KEYS_KEPT)}
  FROM idempotency_keys r WHERE r.hash IN (SELECT r.value FROM {texts})`;
const REPORTS = `SELECT r.identity, r.at, r.slots, ${expired(REPORTS_KEPT)}
  FROM identified_reports r WHERE r.identity IN (SELECT r.value FROM {texts})`;
const TOTALS = `SELECT t.minute, 0 AS first, t.status, t.count
  FROM {rows} JOIN minute_totals t ON t.minute IN (${STARTS})`;
/** The series of a set of labels follow each other. */
const SETS = `SELECT m.minute, ${FIRST} AS first, m.series, m.count FROM {rows} JOIN minutes m
  ON m.minute IN (${STARTS}) AND m.series BETWEEN ${FIRST} AND ${FIRST} + ${STATUSES.length - 1}`;

/** A statement for rows, if there are any. */
const some = (rows: readonly unknown[], sql: string): Statement[] =>
  rows.length > 0 ? [[sql, JSON.stringify(rows)]] : [];

/** Reads what a batch may repeat, and the counts of which its answers speak; rows go to `knownOf`. */
export function loading(submissions: readonly Submission[], totals: KnownTotals, limits: Limits): Statement[] {
  const keys = submissions.flatMap(({ key }) => (key === undefined ? [] : [key.hash]));
  const identities = submissions.flatMap((one) => one.identities.filter((identity) => identity !== undefined));
  const minutes = new Set<number>();
  const sets = new Map<string, [minute: number, first: number]>();
  const firstOf = (labels: Labels) => totals.id(firstKey(METRIC.transactions, labels));
  for (const { reports, now } of submissions)
    for (const report of reports) {
      if (isLate(report, now, limits)) continue;
      minutes.add(report.minute);
      const first = firstOf(report.labels) ?? firstOf(OTHER(report.labels));
      if (first !== undefined) sets.set(countsKey(report.minute, first), [report.minute, first]);
    }
  const starts = [...minutes].map((minute) => [minute]);
  return [
    ...some(keys, KEYS),
    ...some(identities, REPORTS),
    ...some(starts, TOTALS),
    ...some([...sets.values()], SETS),
  ];
}

/** The rows that were read, as they are asked for. */
export function knownOf(found: readonly Row[]): Known {
  const rows = new Map<string, Row>();
  const keys = new Map<string, KeptAnswer>();
  const slots = new Map<string, Slots>();
  const counts = new Map<string, Counts>();
  for (const row of found) {
    const { hash, identity, expired } = row;
    if (hash !== undefined) {
      rows.set(String(hash), row);
      if (!expired) keys.set(String(hash), { body: String(row.body), answer: unpack(String(row.answer)) });
    } else if (identity !== undefined) {
      rows.set(String(identity), row);
      if (!expired) slots.set(String(identity), JSON.parse(String(row.slots)));
    } else {
      const sums = within(counts, countsKey(row.minute, row.first), (): Counts => ({}));
      const status = row.status ?? STATUSES[Number(row.series) - Number(row.first)];
      sums[status as Status] = Number(row.count);
    }
  }
  return { rows, keys, slots, counts };
}

const TIME = '(SELECT time FROM ledger)';
const COMMIT = '(SELECT commits FROM ledger)';
const addSeries = inserting('series', ['id', 'hash', 'metric', 'labels', 'value'], '', {
  changed: COMMIT,
  created: TIME,
});
const addMinutes = inserting(
  'minutes',
  ['minute', 'series', 'count'],
  'ON CONFLICT (minute, series) DO UPDATE SET count = minutes.count + excluded.count',
);
const addTotals = inserting(
  'minute_totals',
  ['minute', 'status', 'count'],
  'ON CONFLICT (minute, status) DO UPDATE SET count = minute_totals.count + excluded.count',
);
/**
 * Keys and reports are never written over: a row that stands in the way breaks a constraint, and so
 * tells that another service was first.
 */
const addIdentified = inserting('identified_reports', ['identity', 'slots'], '', {
  at: `COALESCE(CAST(r.value->>2 AS BIGINT), ${TIME})`,
});
const addKeys = inserting('idempotency_keys', ['hash', 'body', 'answer'], '', { at: TIME });

/** Removes a row as it was read, and no other. */
const removing = (table: TableName, key: string, content: string) =>
  `DELETE FROM ${table} WHERE id IN (SELECT o.id FROM {rows} JOIN ${table} o ON o.${key} = r.value->>0
     AND o.at = CAST(r.value->>1 AS BIGINT) AND o.${content} = r.value->>2)`;
const REMOVE_IDENTIFIED = removing('identified_reports', 'identity', 'slots');
const REMOVE_KEYS = removing('idempotency_keys', 'hash', 'body');

/** Rows are [id, what is added] for counters, [id, null, value] for gauges. */
const CHANGE_SERIES = `UPDATE series SET changed = ${COMMIT},
    value = COALESCE(CAST(r.value->>2 AS BIGINT), series.value + CAST(r.value->>1 AS BIGINT))
  FROM {rows} WHERE series.id = CAST(r.value->>0 AS INTEGER)`;

/** Writes what a batch changes. */
export function changing(changes: Changes, known: Known): Statement[] {
  const { series, counters, gauges, minutes, sums, slots, reports, keys } = changes;
  const counts = [...minutes].flatMap(([minute, of]) => [...of].map(([id, by]) => [minute, id, by]));
  const totals = [...sums].flatMap(([minute, of]) => Object.entries(of).map(([status, by]) => [minute, status, by]));
  const made = series.map(({ id, metric, labels }) => {
    return [id, hashOf(metric, labels), metric, JSON.stringify(labels), 0];
  });
  const added = [...counters].filter(([, by]) => by > 0);
  const set = [...gauges].map(([id, value]) => [id, null, value]);
  const replaced = (names: Iterable<string>, content: string) =>
    [...names].flatMap((name) => {
      const row = known.rows.get(name);
      return row === undefined ? [] : [[name, row.at, row[content]]];
    });
  // A report is known for a time that begins with the first that is told of it.
  const since = (identity: string) => (known.slots.has(identity) ? known.rows.get(identity)?.at : null);
  const seen = [...slots].map(([identity, of]) => [identity, JSON.stringify(of), since(identity)]);
  const kept = [...keys].map(([hash, { body, answer }]) => [hash, body, pack(answer)]);
  return [
    ...addSeries(made),
    ...some([...added, ...set], CHANGE_SERIES),
    ...addMinutes(counts),
    ...addTotals(totals),
    ...some(replaced(slots.keys(), 'slots'), REMOVE_IDENTIFIED),
    ...addIdentified(seen),
    ...some(replaced(keys.keys(), 'body'), REMOVE_KEYS),
    ...addKeys(kept),
    ...(reports.length > 0 ? [addReports(reports)] : []),
  ];
}

/** Removes what has expired at `time`: up to `rows` of each table, or an hour of minutes. */
export function pruning(time: number, keepSeconds: number, rows: number): Statement[] {
  const oldest = (table: TableName, kept: number): Statement => [
    `DELETE FROM ${table} WHERE id IN (
       SELECT o.id FROM (SELECT id, at FROM ${table} ORDER BY id LIMIT $1) o WHERE o.at < $2)`,
    rows,
    time - kept,
  ];
  const until = Math.floor(time / 1000) - keepSeconds;
  const old = 'WHERE minute < $1 AND minute < (SELECT MIN(minute) FROM minute_totals) + 3600';
  return [
    oldest('idempotency_keys', KEYS_KEPT),
    oldest('identified_reports', REPORTS_KEPT),
    [
      `INSERT INTO pruned (status, count) SELECT status, SUM(count) FROM minute_totals ${old} GROUP BY status
       ON CONFLICT (status) DO UPDATE SET count = pruned.count + excluded.count`,
      until,
    ],
    [`DELETE FROM minutes ${old}`, until],
    [`DELETE FROM minute_totals ${old}`, until],
    PRUNE_REPORTS,
  ];
}
