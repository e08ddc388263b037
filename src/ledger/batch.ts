import { METRIC, STATUSES } from '../domain/names.ts';
import { type Row, type Statement, storable } from './engine.ts';
import type { Counts } from './ledger.ts';
import { type Changes, hashOf, isLate, type Limits, pack, type Submission, seriesKey, type View } from './plan.ts';
import type { KnownTotals } from './series.ts';

/** How far the clock may go in one step; a longer one is a clock that was set, and no time that has passed. Milliseconds. */
export const LONGEST_STEP = 3_600_000;
const DAY = 86_400_000;
const KEYS_KEPT = DAY;
const REPORTS_KEPT = 7 * DAY;
/** Reports that are kept to be looked at. */
const LISTED = 10_000;

/**
 * Takes the turn to write, on all services, and moves the ledger's time on. That time is what expiry goes by: it follows the
 * clock in steps up to LONGEST_STEP, so that a clock that is wrong for a while expires nothing. `believe` sets it to a
 * clock that has been far from it for long.
 */
export const turn = (now: number, believe: boolean): Statement => [
  `UPDATE ledger SET
     commits = commits + 1,
     time = CASE
       WHEN CAST($1 AS INTEGER) = 1 THEN CAST($2 AS BIGINT)
       WHEN ABS(CAST($3 AS BIGINT) - clock) <= ${LONGEST_STEP} THEN time + CAST($4 AS BIGINT) - clock
       ELSE time END,
     clock = CAST($5 AS BIGINT),
     last_report = CASE WHEN last_report > CAST($6 AS BIGINT) THEN CAST($7 AS BIGINT) ELSE last_report END
   RETURNING id, commits, time, clock`,
  believe ? 1 : 0,
  ...Array(6).fill(now),
];

const SERIES = 'SELECT id, metric, labels, value, changed FROM series';
export const seriesAfter = (id: number): Statement => [`${SERIES} WHERE id > $1 ORDER BY id`, id];
export const seriesChanged = (commit: number): Statement => [`${SERIES} WHERE changed > $1 ORDER BY id`, commit];

const json = (rows: readonly unknown[]): string => JSON.stringify(rows);

/** The minutes that a batch's answers speak of: those of its reports in time, and the two before each. */
function minutesOf(submissions: readonly Submission[], limits: Limits): number[] {
  const minutes = new Set<number>();
  for (const { reports, now } of submissions)
    for (const report of reports)
      if (!isLate(report, now, limits)) for (const before of [0, 60, 120]) minutes.add(report.minute - before);
  return [...minutes];
}

/** Reads what a batch is planned upon; the rows go to `viewOf`. */
export function loading(submissions: readonly Submission[], limits: Limits): Statement[] {
  const keys = submissions.flatMap(({ key }) => (key === undefined ? [] : [[key.hash]]));
  const hashes = submissions.flatMap((one) => one.hashes.flatMap((hash) => (hash === undefined ? [] : [[hash]])));
  const minutes = minutesOf(submissions, limits).map((minute) => [minute]);
  const among = (rows: unknown[][]) => (rows.length === 0 ? '[]' : json(rows));
  return [
    [
      `SELECT k.hash, k.body, k.recorded, k.answer FROM {rows $1} JOIN idempotency_keys k ON k.hash = r.value->>0
       WHERE k.at >= (SELECT time FROM ledger) - ${KEYS_KEPT}`,
      among(keys),
    ],
    [
      `SELECT i.hash, i.slots FROM {rows $1} JOIN identified_reports i ON i.hash = r.value->>0
       WHERE i.at >= (SELECT time FROM ledger) - ${REPORTS_KEPT}`,
      among(hashes),
    ],
    [
      'SELECT t.minute, t.status, t.count FROM {rows $1} JOIN minute_totals t ON t.minute = CAST(r.value->>0 AS BIGINT)',
      among(minutes),
    ],
  ];
}

/** Reads the counts of minutes under the labels that reports bring; nothing where they bring none. */
export function labelledCounts(submissions: readonly Submission[], limits: Limits, totals: KnownTotals): Statement[] {
  const wanted = new Map<string, number[]>();
  for (const { reports, now } of submissions)
    for (const report of reports) {
      if (isLate(report, now, limits)) continue;
      const names = Object.keys(report.labels);
      if (names.length === 0) continue;
      const others = Object.fromEntries(names.map((name) => [name, 'other']));
      for (const status of STATUSES)
        for (const labels of [report.labels, others]) {
          const series = totals.get(seriesKey(METRIC.transactions, { status, ...labels }));
          if (series === undefined) continue;
          for (const before of [0, 60, 120])
            wanted.set(`${report.minute - before} ${series.id}`, [report.minute - before, series.id]);
        }
    }
  if (wanted.size === 0) return [];
  const sql = `SELECT m.minute, m.series, m.count FROM {rows $1}
    JOIN minutes m ON m.minute = CAST(r.value->>0 AS BIGINT) AND m.series = CAST(r.value->>1 AS INTEGER)`;
  return [[sql, json([...wanted.values()])]];
}

/** What was read, as the planner asks for it. */
export function viewOf(rows: readonly Row[][], labelled: readonly Row[], totals: KnownTotals): View {
  const [keys = [], slots = [], sums = []] = rows;
  const byKey = new Map(keys.map((row) => [row.hash as string, row as unknown as ReturnType<View['key']>]));
  const byHash = new Map(slots.map((row) => [row.hash as string, row.slots as string]));
  const counts = new Map(labelled.map((row) => [`${row.minute} ${row.series}`, Number(row.count)]));
  const minutes = new Map<number, Counts>();
  for (const { minute, status, count } of sums) {
    const sum = minutes.get(Number(minute)) ?? {};
    minutes.set(Number(minute), Object.assign(sum, { [String(status)]: Number(count) }));
  }
  return {
    series: totals.get,
    known: totals.known,
    nextSeries: totals.newest() + 1,
    largest: totals.largest(),
    slots: (hash) => {
      const text = byHash.get(hash);
      return text === undefined ? undefined : JSON.parse(text);
    },
    key: (hash) => byKey.get(hash),
    count: (minute, series) => counts.get(`${minute} ${series}`),
    total: (minute) => minutes.get(minute) ?? {},
  };
}

const pairs = (counts: Map<number, Map<number, number>>) =>
  [...counts].flatMap(([minute, under]) => [...under].map(([series, count]) => [minute, series, count]));

/** Writes what a batch changes. `commit` is its number, `time` the ledger's. Rows are in the order of their keys. */
export function changing(changes: Changes, commit: number, time: number): Statement[] {
  const statements: Statement[] = [];
  const write = (rows: readonly unknown[], sql: string, ...before: number[]) => {
    if (rows.length > 0) statements.push([sql, ...before, json(rows)]);
  };
  write(
    [...changes.series.values()].map(({ id, metric, labels }) => [
      id,
      hashOf(metric, labels),
      metric,
      JSON.stringify(labels),
    ]),
    `INSERT INTO series (id, hash, metric, labels, value, changed)
     SELECT CAST(r.value->>0 AS INTEGER), r.value->>1, r.value->>2, r.value->>3, 0, CAST($1 AS BIGINT) FROM {rows $2}`,
    commit,
  );
  write(
    [...changes.added].sort(([a], [b]) => a - b),
    `UPDATE series SET value = series.value + CAST(r.value->>1 AS BIGINT), changed = CAST($1 AS BIGINT)
     FROM {rows $2} WHERE series.id = CAST(r.value->>0 AS INTEGER)`,
    commit,
  );
  write(
    pairs(changes.minutes),
    `INSERT INTO minutes (minute, series, count)
     SELECT CAST(r.value->>0 AS BIGINT), CAST(r.value->>1 AS INTEGER), CAST(r.value->>2 AS BIGINT) FROM {rows $1} WHERE true
     ON CONFLICT (minute, series) DO UPDATE SET count = minutes.count + excluded.count`,
  );
  write(
    [...changes.totals].flatMap(([minute, counts]) => Object.entries(counts).map((entry) => [minute, ...entry])),
    `INSERT INTO minute_totals (minute, status, count)
     SELECT CAST(r.value->>0 AS BIGINT), r.value->>1, CAST(r.value->>2 AS BIGINT) FROM {rows $1} WHERE true
     ON CONFLICT (minute, status) DO UPDATE SET count = minute_totals.count + excluded.count`,
  );
  write(
    [...changes.slots].map(([hash, slots]) => [hash, JSON.stringify(slots)]),
    `INSERT INTO identified_reports (hash, at, slots)
     SELECT r.value->>0, CAST($1 AS BIGINT), r.value->>1 FROM {rows $2} WHERE true
     ON CONFLICT (hash) DO UPDATE SET slots = excluded.slots, at = CASE
       WHEN identified_reports.at < excluded.at - ${REPORTS_KEPT} THEN excluded.at ELSE identified_reports.at END`,
    time,
  );
  write(
    [...changes.keys].map(([hash, { body, recorded }]) => [hash, body, recorded && pack(recorded)]),
    `INSERT INTO idempotency_keys (hash, at, body, recorded)
     SELECT r.value->>0, CAST($1 AS BIGINT), r.value->>1, r.value->>2 FROM {rows $2} WHERE true
     ON CONFLICT (hash) DO UPDATE SET at = excluded.at, body = excluded.body, recorded = excluded.recorded, answer = NULL`,
    time,
  );
  write(
    changes.reports.slice(-LISTED).map(({ report, late, now }) => {
      const slots = JSON.stringify(Object.fromEntries(report.entries.map(({ slot, count }) => [slot, count])));
      return [report.time, now, storable(report.source), JSON.stringify(report.labels), slots, late ? 1 : 0];
    }),
    `INSERT INTO reports (time, received_at, source, labels, slots, late)
     SELECT CAST(r.value->>0 AS BIGINT), CAST(r.value->>1 AS BIGINT), r.value->>2, r.value->>3, r.value->>4,
       CAST(r.value->>5 AS INTEGER) FROM {rows $1}`,
  );
  if (changes.lastReport !== undefined)
    statements.push(['UPDATE ledger SET last_report = CAST($1 AS BIGINT)', changes.lastReport]);
  return statements;
}

/** Removes what has expired: up to `rows` of each table, or an hour of minutes. `time` is the ledger's. */
export function pruning(time: number, keepSeconds: number, rows: number): Statement[] {
  const oldest = (table: string, kept: number): Statement => [
    `DELETE FROM ${table} WHERE id IN (
       SELECT o.id FROM (SELECT id, at FROM ${table} ORDER BY id LIMIT CAST($1 AS INTEGER)) o WHERE o.at < CAST($2 AS BIGINT))`,
    rows,
    time - kept,
  ];
  const until = Math.floor(time / 1000) - keepSeconds;
  const oldMinutes = 'minute < CAST($1 AS BIGINT) AND minute < (SELECT MIN(minute) FROM minute_totals) + 3600';
  return [
    oldest('idempotency_keys', KEYS_KEPT),
    oldest('identified_reports', REPORTS_KEPT),
    [
      `INSERT INTO pruned (status, count) SELECT status, SUM(count) FROM minute_totals WHERE ${oldMinutes} GROUP BY status
       ON CONFLICT (status) DO UPDATE SET count = pruned.count + excluded.count`,
      until,
    ],
    [`DELETE FROM minutes WHERE ${oldMinutes}`, until],
    [`DELETE FROM minute_totals WHERE ${oldMinutes}`, until],
    [`DELETE FROM reports WHERE id <= (SELECT MAX(id) FROM reports) - ${LISTED}`],
  ];
}
