/**
 * The tables, as numbered migrations. Both engines take the same SQL; what they spell differently
 * stands in braces: `{id}` is a number that grows with each row, `{clustered}` keeps rows in the
 * order of their key, `{json}` after text makes JSON of it, `{iso}` is the text of the time in a
 * column `at`, in seconds since the epoch. A migration that has been released never changes: a
 * change is a new migration.
 */
const share = 'CASE WHEN total = 0 THEN NULL ELSE CAST(count AS DOUBLE PRECISION) / total END AS share';
const sum = (column: string) => `CAST(SUM(${column}) AS BIGINT)`;
/**
 * A view of counts by time and `name`, with the total of the time and each share of it. `rows` has
 * `at`, `name` and `count`.
 */
const shares = (view: string, time: string, name: string, rows: string) =>
  `CREATE VIEW ${view} AS SELECT {iso} AS ${time}, at AS epoch, ${name}, count, total, ${share}
   FROM (SELECT at, ${name}, count, CAST(SUM(count) OVER (PARTITION BY at) AS BIGINT) AS total FROM (${rows}) r) t`;
const codes = (at: string) => `SELECT ${at} AS at, s.labels{json}->>'auth_code' AS auth_code, ${sum('m.count')} AS count
  FROM minutes m JOIN series s ON s.id = m.series WHERE s.metric = 'transactions_by_auth_code_total' GROUP BY 1, 2`;
const HOUR = 'minute - minute % 3600';

export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    // One row: whose ledger it is, how often it was committed, and its time (clock.ts), all in
    // milliseconds.
    `CREATE TABLE ledger (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      id TEXT NOT NULL,
      version INTEGER NOT NULL,
      commits BIGINT NOT NULL,
      time BIGINT NOT NULL,
      clock BIGINT NOT NULL
    )`,
    // Counters, and gauges by source (times in milliseconds). "hash" stands for metric and labels
    // (JSON), which may be longer than an index takes.
    `CREATE TABLE series (
      id INTEGER PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE,
      metric TEXT NOT NULL,
      labels TEXT NOT NULL,
      value BIGINT NOT NULL,
      changed BIGINT NOT NULL
    )`,
    // Counts by minute (seconds since the epoch) and series of transactions_total or of auth codes,
    // late ones included.
    `CREATE TABLE minutes (
      minute BIGINT NOT NULL,
      series INTEGER NOT NULL,
      count BIGINT NOT NULL,
      PRIMARY KEY (minute, series)
    ) {clustered}`,
    // Sums of a minute over all labels.
    `CREATE TABLE minute_totals (
      minute BIGINT NOT NULL,
      status TEXT NOT NULL,
      count BIGINT NOT NULL,
      PRIMARY KEY (minute, status)
    ) {clustered}`,
    // "identity" is minute, source and labels, or the hash of an event's id. "slots" is JSON: what
    // each number of it was.
    `CREATE TABLE identified_reports (
      id {id},
      identity TEXT NOT NULL UNIQUE,
      at BIGINT NOT NULL,
      slots TEXT NOT NULL
    )`,
    // "hash" stands for token and key, "body" for the body. "answer" is what the first request was
    // told, packed (batch.ts).
    `CREATE TABLE idempotency_keys (
      id {id},
      hash TEXT NOT NULL UNIQUE,
      at BIGINT NOT NULL,
      body TEXT NOT NULL,
      answer TEXT NOT NULL
    )`,
    // The latest reports, to be looked at, as JSON (journal.ts).
    'CREATE TABLE reports (id {id}, report TEXT NOT NULL)',
    `CREATE TABLE notifications (
      id {id},
      received_at BIGINT NOT NULL,
      bytes INTEGER NOT NULL,
      body TEXT NOT NULL
    )`,
    `CREATE TABLE incidents (
      id TEXT PRIMARY KEY,
      fingerprint TEXT NOT NULL,
      starts_at BIGINT NOT NULL,
      ends_at BIGINT,
      bytes INTEGER NOT NULL,
      body TEXT NOT NULL
    )`,
    'CREATE INDEX incidents_by_start ON incidents (starts_at)',
    `CREATE TABLE marks (
      id TEXT PRIMARY KEY,
      marked_at BIGINT NOT NULL,
      bytes INTEGER NOT NULL,
      body TEXT NOT NULL
    )`,
    'CREATE INDEX marks_by_time ON marks (marked_at)',
  ],
  [
    // An alert has few incidents, and few incidents last.
    'CREATE INDEX incidents_by_alert ON incidents (fingerprint)',
    'CREATE INDEX incidents_that_last ON incidents (starts_at) WHERE ends_at IS NULL',
    // What the minutes that are no longer kept counted: with it, counters equal the sums of minutes
    // for good (verify.ts).
    'CREATE TABLE pruned (status TEXT PRIMARY KEY, count BIGINT NOT NULL) {clustered}',
    // For people (docs/sql.md). Times are UTC.
    shares('counts_by_minute', 'minute', 'status', 'SELECT minute AS at, status, count FROM minute_totals'),
    shares(
      'counts_by_hour',
      'hour',
      'status',
      `SELECT ${HOUR} AS at, status, ${sum('count')} AS count FROM minute_totals GROUP BY ${HOUR}, status`,
    ),
    `CREATE VIEW counts_by_label AS
     SELECT {iso} AS minute, at AS epoch, labels->>'status' AS status, labels, count FROM (
       SELECT m.minute AS at, s.labels{json} AS labels, m.count FROM minutes m JOIN series s ON s.id = m.series
       WHERE s.metric = 'transactions_total') t`,
    shares('auth_codes_by_minute', 'minute', 'auth_code', codes('m.minute')),
    shares('auth_codes_by_hour', 'hour', 'auth_code', codes('m.minute - m.minute % 3600')),
    `CREATE VIEW days_compared AS
     SELECT hour, status, ${sum('CASE WHEN ago = 0 THEN count END')} AS today,
       ${sum('CASE WHEN ago = 1 THEN count END')} AS yesterday, ${sum('CASE WHEN ago = 7 THEN count END')} AS last_week
     FROM (
       SELECT m.minute % 86400 / 3600 AS hour, m.status, m.count, (d.today - (m.minute - m.minute % 86400)) / 86400 AS ago
       FROM minute_totals m CROSS JOIN (SELECT time / 1000 - time / 1000 % 86400 AS today FROM ledger) d
       WHERE m.minute >= d.today - 7 * 86400) t
     WHERE ago IN (0, 1, 7) GROUP BY hour, status`,
  ],
  [
    // What people said that they changed, such as a deployment. Times are milliseconds since the
    // epoch.
    `CREATE TABLE changes (
      id {id},
      at BIGINT NOT NULL,
      bytes INTEGER NOT NULL,
      text TEXT NOT NULL,
      made_by TEXT NOT NULL
    )`,
    'CREATE INDEX changes_by_time ON changes (at)',
  ],
  // Who looks after an incident, while it lasts (JSON).
  ['ALTER TABLE incidents ADD COLUMN acknowledged TEXT'],
  // When a series was made, in milliseconds since the epoch: its counter was 0 then. Older series do
  // not know.
  ['ALTER TABLE series ADD COLUMN created BIGINT'],
];

/** All tables with what they are ordered by: their keys. */
export const TABLES: Readonly<Record<string, readonly string[]>> = {
  ledger: ['one'],
  series: ['id'],
  minutes: ['minute', 'series'],
  minute_totals: ['minute', 'status'],
  pruned: ['status'],
  identified_reports: ['id'],
  idempotency_keys: ['id'],
  reports: ['id'],
  notifications: ['id'],
  incidents: ['id'],
  marks: ['id'],
  changes: ['id'],
};
