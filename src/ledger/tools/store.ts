import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Dialect, type Row, spell, type Value } from '../engine.ts';
import { connect, nameOf, dialect as postgres } from '../postgres/postgres.ts';
import { VERSION } from '../schema.ts';
import { DatabaseSync } from '../sqlite/driver.mjs';
import { FILE, dialect as sqlite } from '../sqlite/sqlite.ts';

/** A transaction in a database, which ends when it is closed; nothing is kept before a COMMIT. */
export interface Snapshot {
  dialect: Dialect;
  /** The file, or the database without its password. */
  name: string;
  /** Runs one statement. */
  query(sql: string, ...parameters: Value[]): Promise<Row[]>;
  /** Runs one statement of a user's. @throws Error where there is more than one */
  ask(sql: string): Promise<{ columns: string[]; rows: Row[] }>;
  close(): Promise<void>;
}

export const isPostgres = (place: string): boolean => /^postgres(ql)?:\/\//.test(place);

/** The file of a ledger, which a folder or the file itself may name. */
export function fileOf(place: string): string {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? !place.endsWith('.sqlite');
  return isFolder ? join(place, FILE) : place;
}

const BUSY_MS = 8000;

/**
 * SQLite prepares the first statement and says nothing of a second; as a table expression, only one
 * statement will do.
 */
function isOneStatement(database: InstanceType<typeof DatabaseSync>, sql: string): boolean {
  if (!sql.includes(';')) return true;
  try {
    database.prepare(`SELECT 1 FROM (${sql.replace(/^\s*explain(\s+query\s+plan)?/i, '')}\n)`);
    return true;
  } catch {
    return false;
  }
}

function openFile(place: string): Snapshot {
  const file = fileOf(place);
  if (!existsSync(file))
    throw new Error(`there is no ledger ${file}: name its folder with --data DIR, or a shared one with --ledger URL`);
  return inFile(file, { readOnly: true });
}

function inFile(file: string, options: { readOnly?: boolean } = {}): Snapshot {
  const database = new DatabaseSync(file, options);
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; BEGIN`);
  return {
    dialect: sqlite,
    name: file,
    query: async (sql, ...parameters) =>
      database
        .prepare(spell(sql, sqlite))
        .all(Object.fromEntries(parameters.map((value, i) => [`$${i + 1}`, value]))) as Row[],
    async ask(sql) {
      if (!isOneStatement(database, sql)) throw new Error('give one statement at a time');
      const statement = database.prepare(sql);
      const columns = statement.columns().map(({ name }) => name);
      return { columns, rows: statement.all() as Row[] };
    },
    close: async () => database.close(),
  };
}

async function openShared(url: string, mode: string): Promise<Snapshot> {
  const client = await connect(url);
  await client.query(`BEGIN ${mode}`);
  return {
    dialect: postgres,
    name: nameOf(url),
    query: async (sql, ...values) => (await client.query<Row>(spell(sql, postgres), values)).rows,
    async ask(text) {
      // A statement with a name goes to the server by itself: several at once are refused.
      const { fields, rows } = await client.query<Row>({ name: 'asked', text });
      return { columns: fields.map(({ name }) => name), rows };
    },
    close: () => client.end(),
  };
}

/** Opens a database to be written, which may be empty. `place` is a file or a URL. */
export const openTarget = async (place: string): Promise<Snapshot> =>
  isPostgres(place) ? openShared(place, 'READ WRITE') : inFile(place);

/**
 * Opens a ledger to be read as it is at one moment, whatever is counted meanwhile. `place` is a
 * folder, a file or the URL of a PostgreSQL.
 * @throws Error that says what is wrong with it, and what to do
 */
export async function openSnapshot(place: string): Promise<Snapshot> {
  const snapshot = isPostgres(place)
    ? await openShared(place, 'ISOLATION LEVEL REPEATABLE READ READ ONLY')
    : openFile(place);
  try {
    const [{ version } = {}] = await snapshot.query('SELECT version FROM ledger');
    if (version === VERSION) return snapshot;
    throw new Error(
      `it is of version ${version} and this tillwatch knows ${VERSION}: start ${Number(version) < VERSION ? 'this tillwatch on it once' : 'the newer one'}`,
    );
  } catch (error) {
    await snapshot.close();
    throw new Error(`cannot read the ledger ${snapshot.name}: ${(error as Error).message}`);
  }
}

/** Rows of a table or view in the order of its key, in parts. `where` may use no parameters. */
export async function* rowsOf(
  { query }: Snapshot,
  from: string,
  key: readonly string[],
  where = 'true',
): AsyncGenerator<Row[]> {
  const order = key.join(', ');
  const after = `(${order}) > (${key.map((_, i) => `$${i + 1}`).join(', ')})`;
  let last: Row | undefined;
  do {
    const values = last === undefined ? [] : key.map((column) => last?.[column] as Value);
    const rows: Row[] = await query(
      `SELECT * FROM ${from} WHERE ${where}${last === undefined ? '' : ` AND ${after}`} ORDER BY ${order} LIMIT 1000`,
      ...values,
    );
    yield rows;
    last = rows.at(-1);
  } while (last !== undefined);
}
