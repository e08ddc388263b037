/**
 * The tables, as numbered migrations. Both engines take the same SQL; what they spell differently stands in braces:
 * `{id}` is a number that grows with each row, `{clustered}` keeps rows in the order of their key.
 * A migration that has been released never changes: a change is a new migration.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    // One row: whose ledger it is, how often it was committed, and its time (clock.ts), all in milliseconds.
    `CREATE TABLE ledger (
      one INTEGER PRIMARY KEY CHECK (one = 1),
      id TEXT NOT NULL,
      version INTEGER NOT NULL,
      commits BIGINT NOT NULL,
      time BIGINT NOT NULL,
      clock BIGINT NOT NULL,
      last_report BIGINT NOT NULL
    )`,
    // Counters. "hash" stands for metric and labels (JSON), which may be longer than an index takes.
    `CREATE TABLE series (
      id INTEGER PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE,
      metric TEXT NOT NULL,
      labels TEXT NOT NULL,
      value BIGINT NOT NULL,
      changed BIGINT NOT NULL
    )`,
    // Counts by minute (seconds since the epoch) and series of transactions_total or of auth codes, late ones included.
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
    // Reports by source, minute and labels, which "hash" stands for. "slots" is JSON: what each number of it was.
    `CREATE TABLE identified_reports (
      id {id},
      hash TEXT NOT NULL UNIQUE,
      at BIGINT NOT NULL,
      slots TEXT NOT NULL
    )`,
    // "hash" stands for token and key, "body" for the body. "recorded" is JSON: what the first request was told.
    `CREATE TABLE idempotency_keys (
      id {id},
      hash TEXT NOT NULL UNIQUE,
      at BIGINT NOT NULL,
      body TEXT NOT NULL,
      recorded TEXT NOT NULL,
      answer TEXT
    )`,
    // The latest reports, to be looked at. Times are milliseconds since the epoch; labels and slots are JSON.
    `CREATE TABLE reports (
      id {id},
      time BIGINT NOT NULL,
      received_at BIGINT NOT NULL,
      source TEXT NOT NULL,
      labels TEXT NOT NULL,
      slots TEXT NOT NULL,
      late INTEGER NOT NULL
    )`,
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
];
