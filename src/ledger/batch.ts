import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { METRIC, STATUSES } from '../domain/names.ts';
import type { Row, Statement } from './engine.ts';
import { addReports, PRUNE_REPORTS } from './journal.ts';
import type { Counts } from './ledger.ts';
import { type Asked, type Changes, hashOf, type KeptAnswer, type Submission, type View } from './plan.ts';
import { inserting, type TableName } from './schema.ts';

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

const SERIES = 'SELECT id, metric, labels, value, changed, created FROM series';
export const seriesAfter = (id: number): Statement => [`${SERIES} WHERE id > $1 ORDER BY id`, id];
/** Series that changed after a commit, in the order of their ids, beginning after `id`. */
export const seriesChanged = (commit: number, id: number, limit: number): Statement => [
  `${SERIES} WHERE changed > $1 AND id > $2 ORDER BY id LIMIT $3`,
  commit,
  id,
  limit,
];

/**
 * A report that a clock which was ahead has dated must not hide for days that none comes any more.
 */
export const notInFuture = (commit: number, now: number): Statement => [
  `UPDATE series SET value = $1, changed = $2 WHERE metric = '${METRIC.lastReport}' AND value > $1`,
  now,
  commit,
];

/**
 * Text that most answers share. It must never change, as stored answers could not be read any
 * more.
 */
const DICTIONARY = Buffer.from(
  `"assessments":[{"labels":{"acquirer":"merchant":"},"reason":"no baseline for these labels yet"},"firing is firing; the minute before was above normal too; one minute alone is no alert"}]}{"accepted":1,"duplicates":0,"late":0,"recommendation":"alert","watch","unknown","reason":"Prometheus at http://127.0.0.1:9090 is not reached: backend_reversed is 0.0% of 100 transactions; normal here is 0.0 %, up to 0.0 %","baseline":{"state":"unavailable","warming-up","ready","asOf":"2026-11-28T12:31:15.000Z"},"assessments":[{"status":"denied","count":6,"total":122,"share":0.04918,"expected":0.05,"upper":0.0925,"expectedCount":6.3,"upperCount":12.5,"score":-0.012,"recommendation":"ok","reason":"denied is 4.9 % of 122 transactions; normal here is 5.2 %, up to 9.3 %"},{"status":"failed","count":0,{"status":"reversed","count":0,{"status":"backend_reversed","count":0,"total":`,
);
const SMALL = { dictionary: DICTIONARY, windowBits: 12, memLevel: 5 } as const;

/** An answer as a key keeps it: a tenth of its size. */
const pack = (answer: string): string => deflateRawSync(answer, SMALL).toString('base64');
const unpack = (packed: string): string => inflateRawSync(Buffer.from(packed, 'base64'), SMALL).toString();

/** Reads what the bodies of a batch may repeat; the rows go to `repeated`. */
export function loading(submissions: readonly Submission[]): Statement[] {
  const keys = submissions.flatMap(({ key }) => (key === undefined ? [] : [key.hash]));
  const identities = submissions.flatMap((one) => one.identities.filter((identity) => identity !== undefined));
  return [
    [
      `SELECT k.hash, k.body, k.answer FROM {texts} JOIN idempotency_keys k ON k.hash = r.value
       WHERE k.at >= (SELECT time FROM ledger) - ${KEYS_KEPT}`,
      JSON.stringify(keys),
    ],
    [
      `SELECT i.identity, i.slots FROM {texts} JOIN identified_reports i ON i.identity = r.value
       WHERE i.at >= (SELECT time FROM ledger) - ${REPORTS_KEPT}`,
      JSON.stringify(identities),
    ],
  ];
}

/** The rows that were read, as the planner asks for them. */
export const repeated = ([keys = [], slots = []]: readonly Row[][]): Omit<View, 'totals'> => ({
  keys: new Map(
    keys.map(({ hash, body, answer }) => [String(hash), { body: String(body), answer: unpack(String(answer)) }]),
  ),
  slots: new Map(slots.map(({ identity, slots }) => [String(identity), JSON.parse(String(slots))])),
});

const AGO = [0, 60, 120] as const;

/** Reads the counts of minutes of which answers speak; the rows go to `fill`. */
export function counting(asked: readonly Asked[]): Statement[] {
  const rows = asked.flatMap(({ first, answer }) => AGO.map((ago) => [answer.minute - ago, first ?? null]));
  return [
    [
      `SELECT t.minute, 0 AS first, t.status, t.count FROM {rows}
       JOIN minute_totals t ON t.minute = CAST(r.value->>0 AS BIGINT)`,
      JSON.stringify(rows.filter(([, first]) => first === null)),
    ],
    // The series of a set of labels follow each other, and are asked for by number. For a range
    // PostgreSQL compares all rows with all, where it does not know yet how many there are.
    [
      `SELECT m.minute, CAST(r.value->>1 AS INTEGER) AS first, m.series, m.count FROM {rows}
       CROSS JOIN (${STATUSES.map((_, place) => `SELECT ${place} AS place`).join(' UNION ALL ')}) s
       JOIN minutes m ON m.minute = CAST(r.value->>0 AS BIGINT) AND m.series = CAST(r.value->>1 AS INTEGER) + s.place`,
      JSON.stringify(rows.filter(([, first]) => first !== null)),
    ],
  ];
}

/** Puts the counts that were read into the answers. */
export function fill(asked: readonly Asked[], rows: readonly Row[][]): void {
  const found = new Map<string, Counts>();
  for (const { minute, first, series, status, count } of rows.flat()) {
    const key = `${minute} ${first}`;
    const counts = found.get(key) ?? {};
    const name = status ?? STATUSES[Number(series) - Number(first)];
    found.set(key, Object.assign(counts, { [String(name)]: Number(count) }));
  }
  for (const { first = 0, answer } of asked) {
    const [counts = {}, previous = {}, earlier = {}] = AGO.map((ago) => found.get(`${answer.minute - ago} ${first}`));
    Object.assign(answer, { counts, previous, earlier });
  }
}

const addSeries = inserting('series', ['id', 'hash', 'metric', 'labels', 'value', 'changed', 'created']);
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
const addIdentified = inserting(
  'identified_reports',
  ['identity', 'at', 'slots'],
  `ON CONFLICT (identity) DO UPDATE SET slots = excluded.slots, at = CASE
     WHEN identified_reports.at < excluded.at - ${REPORTS_KEPT} THEN excluded.at ELSE identified_reports.at END`,
);
const addKeys = inserting(
  'idempotency_keys',
  ['hash', 'at', 'body', 'answer'],
  'ON CONFLICT (hash) DO UPDATE SET at = excluded.at, body = excluded.body, answer = excluded.answer',
);

/** Rows are [id, what is added] for counters, [id, null, value] for gauges. */
const changeSeries = (rows: readonly unknown[], commit: number): Statement => [
  `UPDATE series SET changed = $2, value = COALESCE(CAST(r.value->>2 AS BIGINT), series.value + CAST(r.value->>1 AS BIGINT))
   FROM {rows} WHERE series.id = CAST(r.value->>0 AS INTEGER)`,
  JSON.stringify(rows),
  commit,
];

/** Keeps the answers that were given under keys. */
export const keeping = (keys: ReadonlyMap<string, KeptAnswer>, time: number): Statement =>
  addKeys([...keys].map(([hash, { body, answer }]) => [hash, time, body, pack(answer)]));

/**
 * Writes what a batch changes, but for its keys. `commit` is its number, `time` the ledger's. Rows
 * are in the order of their keys.
 */
export function changing(changes: Changes, commit: number, time: number): Statement[] {
  const { series, counters, gauges, minutes, sums, slots, reports } = changes;
  const counts = [...minutes].flatMap(([minute, of]) => [...of].map(([id, by]) => [minute, id, by]));
  const totals = [...sums].flatMap(([minute, of]) => Object.entries(of).map(([status, by]) => [minute, status, by]));
  const made = series.map(({ id, metric, labels }) => {
    return [id, hashOf(metric, labels), metric, JSON.stringify(labels), 0, commit, time];
  });
  const added = [...counters].filter(([, by]) => by > 0);
  const set = [...gauges].map(([id, value]) => [id, null, value]);
  const seen = [...slots].map(([identity, of]) => [identity, time, JSON.stringify(of)]);
  const some = (rows: readonly unknown[][], write: (rows: readonly unknown[][]) => Statement) =>
    rows.length > 0 ? [write(rows)] : [];
  return [
    ...some(made, addSeries),
    ...some([...added, ...set], (rows) => changeSeries(rows, commit)),
    ...some(counts, addMinutes),
    ...some(totals, addTotals),
    ...some(seen, addIdentified),
    ...(reports.length > 0 ? [addReports(reports)] : []),
  ];
}

/**
 * Removes what has expired: up to `rows` of each table, or an hour of minutes. `time` is the
 * ledger's.
 */
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
