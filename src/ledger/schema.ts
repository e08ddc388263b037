/**
 * The tables, the same on both engines; what those spell differently stands in braces: `{id}` is a
 * number that grows with each row, `{clustered}` keeps rows in the order of their key, `{json}`
 * after text makes JSON of it, `{iso}` is the text of the time in a column `at`, in seconds since
 * the epoch, `{view}` makes a view where there is none.
 */
import { randomUUID } from 'node:crypto';
import { type Engine, Overtaken, type Row, type Statement, storable } from './engine.ts';

const [ID, INT, BIG, TEXT] = ['{id}', 'INTEGER NOT NULL', 'BIGINT NOT NULL', 'TEXT NOT NULL'];

interface Table {
  columns: Readonly<Record<string, string>>;
  key: readonly string[];
  /** Constraints beside the key, and what follows the columns. */
  constraints?: string;
  options?: string;
}

const asTable = <Name extends string>(tables: Record<Name, Table>): Readonly<Record<Name, Table>> => tables;

export const TABLES = asTable({
  // One row: whose ledger it is, how often it was committed, and its time (batch.ts), all in
  // milliseconds.
  ledger: { columns: { id: TEXT, version: INT, commits: BIG, time: BIG, clock: BIG }, key: ['id'] },
  // Counters, and gauges by source (times in milliseconds). "hash" stands for metric and labels
  // (JSON), which may be longer than an index takes; "changed" is a number of a commit.
  series: {
    columns: { id: INT, hash: TEXT, metric: TEXT, labels: TEXT, value: BIG, changed: BIG, created: BIG },
    key: ['id'],
    constraints: ', UNIQUE (hash)',
  },
  // Counts by minute (seconds since the epoch) and series of transactions_total or of auth codes,
  // late ones included.
  minutes: {
    columns: { minute: BIG, series: INT, count: BIG },
    key: ['minute', 'series'],
    options: '{clustered}',
  },
  // Sums of a minute over all labels.
  minute_totals: {
    columns: { minute: BIG, status: TEXT, count: BIG },
    key: ['minute', 'status'],
    options: '{clustered}',
  },
  // Counts of the minutes that are no longer kept. With them, counters equal the sums of minutes
  // for good (verify.ts).
  pruned: { columns: { status: TEXT, count: BIG }, key: ['status'], options: '{clustered}' },
  // "identity" is minute, source and labels, or the hash of an event's id. "slots" is JSON: what
  // each number of it was.
  identified_reports: {
    columns: { id: ID, identity: TEXT, at: BIG, slots: TEXT },
    key: ['id'],
    constraints: ', UNIQUE (identity)',
  },
  // "hash" stands for token and key, "body" for the body. "answer" is what the first request was
  // told, packed (batch.ts).
  idempotency_keys: {
    columns: { id: ID, hash: TEXT, at: BIG, body: TEXT, answer: TEXT },
    key: ['id'],
    constraints: ', UNIQUE (hash)',
  },
  // The latest reports, to be looked at, as JSON (journal.ts).
  reports: { columns: { id: BIG, reports: TEXT }, key: ['id'] },
  notifications: { columns: { id: ID, received_at: BIG, bytes: INT, body: TEXT }, key: ['id'] },
  // "acknowledged" says who looks after it while it lasts, "mark" what people said of it (JSON).
  incidents: {
    columns: {
      id: TEXT,
      fingerprint: TEXT,
      starts_at: BIG,
      ends_at: 'BIGINT',
      bytes: INT,
      body: TEXT,
      acknowledged: 'TEXT',
      mark: 'TEXT',
    },
    key: ['id'],
  },
  // Changes that people made, such as a deployment. Times are milliseconds since the epoch.
  changes: { columns: { id: ID, at: BIG, bytes: INT, text: TEXT, made_by: TEXT }, key: ['id'] },
});
export type TableName = keyof typeof TABLES;

/** True where the database numbers the rows of a table. */
export const isNumbered = (name: TableName): boolean => (TABLES[name] as Table).columns.id === ID;

const INDEXES = [
  'incidents_by_start ON incidents (starts_at)',
  // An alert has few incidents, and few incidents last.
  'incidents_by_alert ON incidents (fingerprint)',
  'incidents_that_last ON incidents (starts_at) WHERE ends_at IS NULL',
  'changes_by_time ON changes (at)',
];

const sum = (column: string) => `CAST(SUM(${column}) AS BIGINT)`;
const hourOf = (column: string) => `${column} - ${column} % 3600`;
/** Counts by time and `name`, with the total of the time and the share of each in it. */
const shares = (time: string, name: string, rows: string) =>
  `SELECT {iso} AS ${time}, at AS epoch, ${name}, count, total,
     CASE WHEN total = 0 THEN NULL ELSE CAST(count AS DOUBLE PRECISION) / total END AS share
   FROM (SELECT at, ${name}, count, CAST(SUM(count) OVER (PARTITION BY at) AS BIGINT) AS total FROM (${rows}) r) t`;
const COUNTED = 'FROM minutes m JOIN series s ON s.id = m.series WHERE s.metric =';
const codes = (at: string) =>
  `SELECT ${at} AS at, s.labels{json}->>'auth_code' AS auth_code, ${sum('m.count')} AS count
   ${COUNTED} 'transactions_by_auth_code_total' GROUP BY 1, 2`;

/** For people (docs/sql.md). Times are UTC. */
const VIEWS = {
  counts_by_minute: shares('minute', 'status', 'SELECT minute AS at, status, count FROM minute_totals'),
  counts_by_hour: shares(
    'hour',
    'status',
    `SELECT ${hourOf('minute')} AS at, status, ${sum('count')} AS count FROM minute_totals GROUP BY 1, 2`,
  ),
  counts_by_label: `SELECT {iso} AS minute, at AS epoch, labels->>'status' AS status, labels, count
    FROM (SELECT m.minute AS at, s.labels{json} AS labels, m.count ${COUNTED} 'transactions_total') t`,
  auth_codes_by_minute: shares('minute', 'auth_code', codes('m.minute')),
  auth_codes_by_hour: shares('hour', 'auth_code', codes(hourOf('m.minute'))),
  days_compared: `SELECT hour, status, ${sum('CASE WHEN ago = 0 THEN count END')} AS today,
      ${sum('CASE WHEN ago = 1 THEN count END')} AS yesterday, ${sum('CASE WHEN ago = 7 THEN count END')} AS last_week
    FROM (
      SELECT m.minute % 86400 / 3600 AS hour, m.status, m.count, (d.today - (m.minute - m.minute % 86400)) / 86400 AS ago
      FROM minute_totals m CROSS JOIN (SELECT time / 1000 - time / 1000 % 86400 AS today FROM ledger) d
      WHERE m.minute >= d.today - 7 * 86400) t
    WHERE ago IN (0, 1, 7) GROUP BY hour, status`,
};

/** Statements that make the tables of a new ledger, where they are not there. */
export function creating(): Statement[] {
  const columnsOf = ({ columns }: Table) => Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  const tables = Object.entries<Table>(TABLES).map(([name, table]) => {
    const columns = `${columnsOf(table).join(', ')}, PRIMARY KEY (${table.key})${table.constraints ?? ''}`;
    return `CREATE TABLE IF NOT EXISTS ${name} (${columns}) ${table.options ?? ''}`;
  });
  const views = Object.entries(VIEWS).map(([name, select]) => `{view} ${name} AS ${select}`);
  return [...tables, ...INDEXES.map((index) => `CREATE INDEX IF NOT EXISTS ${index}`), ...views].map((sql) => [sql]);
}

/**
 * Steps from each version to the next: the first brings a ledger of version 1 to version 2. A new
 * ledger has the newest tables at once, so a step changes what stands above as well. A step that
 * has been released never changes.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    'ALTER TABLE incidents ADD COLUMN mark TEXT',
    'UPDATE incidents SET mark = (SELECT m.body FROM marks m WHERE m.id = incidents.id)',
    'DROP TABLE marks',
  ],
];
export const VERSION = STEPS.length + 1;

/** True where the rows, which the dialect's `tables` has found, tell of a ledger. */
export const holdsLedger = (tables: readonly Row[]): boolean => tables.some(({ name }) => name === 'ledger');

/**
 * Brings the tables to the newest version, making them where there are none.
 * @throws Error where a newer version made them
 */
export async function migrate(engine: Engine, now: number): Promise<void> {
  const [names = []] = await engine.read([[engine.dialect.tables]]);
  if (!holdsLedger(names)) {
    const insert = `INSERT INTO ledger (id, version, commits, time, clock)
      SELECT $1, CAST($2 AS INTEGER), 0, CAST($3 AS BIGINT), CAST($3 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM ledger)`;
    await unlessOvertaken(engine.write([...creating(), [insert, randomUUID(), VERSION, now]]));
  }
  const [[ledger] = []] = await engine.read([['SELECT version FROM ledger']]);
  const version = Number(ledger?.version);
  if (version > VERSION)
    throw new Error(
      `the ledger ${engine.name} is of version ${version}, which a newer tillwatch made; this one knows ${VERSION}: start the newer one`,
    );
  const step = 'UPDATE ledger SET version = CASE WHEN version = $1 THEN CAST($2 AS INTEGER) END';
  const steps = STEPS.slice(version - 1).flat();
  if (version < VERSION)
    await unlessOvertaken(engine.write([[step, version, VERSION], ...steps.map((sql): Statement => [sql])]));
}

/** Of several services that start at once, one makes the tables. */
async function unlessOvertaken(written: Promise<unknown>): Promise<void> {
  await written.catch((error: unknown) => {
    if (!(error instanceof Overtaken)) throw error;
  });
}

/**
 * Makes the statement that inserts rows, if there are any: each is a list of cells in the order of
 * `columns`.
 * `conflict` says what becomes of a row that is there, `others` is SQL for further columns.
 */
export function inserting(
  table: TableName,
  columns: readonly string[],
  conflict = '',
  others: Readonly<Record<string, string>> = {},
) {
  const { columns: types } = TABLES[table] as Table;
  const cells = columns.map((name, i) => {
    const type = types[name] === ID ? 'BIGINT' : types[name]?.split(' ')[0];
    return `CAST(r.value->>${i} AS ${type})`;
  });
  const [names, values] = [
    [...columns, ...Object.keys(others)],
    [...cells, ...Object.values(others)],
  ];
  const sql = `INSERT INTO ${table} (${names}) SELECT ${values} FROM {rows} WHERE true ${conflict}`;
  const cellOf = (cell: unknown) => (typeof cell === 'string' ? storable(cell) : cell);
  return (rows: readonly (readonly unknown[])[]): Statement[] =>
    rows.length === 0 ? [] : [[sql, JSON.stringify(rows.map((row) => row.map(cellOf)))]];
}
