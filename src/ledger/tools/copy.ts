import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Row, spell, type Value } from '../engine.ts';
import { connect, nameOf, dialect as postgres } from '../postgres/postgres.ts';
import { MIGRATIONS, TABLES } from '../schema.ts';
import { DatabaseSync } from '../sqlite/driver.mjs';
import { dialect as sqlite } from '../sqlite/sqlite.ts';
import { fileOf, isPostgres, openSnapshot, rowsOf, type Snapshot } from './store.ts';

/** Where rows are written: an empty ledger with its tables. */
interface Target {
  insert(table: string, rows: readonly Row[]): Promise<void>;
}

const migrations = MIGRATIONS.flat();

async function fill(from: Snapshot, target: Target): Promise<number> {
  let copied = 0;
  for (const [table, key] of Object.entries(TABLES))
    for await (const rows of rowsOf(from, table, key)) {
      if (rows.length > 0) await target.insert(table, rows);
      copied += rows.length;
    }
  return copied;
}

/** Makes a file that only its owner can read, all of it or none. */
async function makeFile<T>(file: string, write: (unfinished: string) => Promise<T>): Promise<T> {
  if (existsSync(file)) throw new Error(`${file} exists: nothing is replaced, so move it away or give another name`);
  const unfinished = `${file}.unfinished`;
  await mkdir(dirname(file), { recursive: true });
  rmSync(unfinished, { force: true });
  closeSync(openSync(unfinished, 'wx', 0o600));
  try {
    const written = await write(unfinished);
    chmodSync(unfinished, 0o600);
    sync(unfinished);
    renameSync(unfinished, file);
    sync(dirname(file));
    return written;
  } finally {
    rmSync(unfinished, { force: true });
    rmSync(`${unfinished}-journal`, { force: true });
  }
}

function sync(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

async function intoFile(from: Snapshot, file: string): Promise<number> {
  return makeFile(file, async (unfinished) => {
    const database = new DatabaseSync(unfinished);
    try {
      database.exec('BEGIN');
      for (const sql of migrations) database.exec(spell(sql, sqlite));
      const copied = await fill(from, {
        async insert(table, rows) {
          const columns = Object.keys(rows[0] ?? {});
          const insert = database.prepare(
            `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
          );
          for (const row of rows) insert.run(...columns.map((column) => row[column] as Value));
        },
      });
      database.exec('COMMIT');
      return copied;
    } finally {
      database.close();
    }
  });
}

async function intoPostgres(from: Snapshot, url: string): Promise<number> {
  const client = await connect(url, {});
  try {
    await client.query('BEGIN');
    for (const sql of postgres.exclusive) await client.query(sql);
    const { rows: tables } = await client.query(postgres.tables);
    if (tables.some(({ name }) => name === 'ledger'))
      throw new Error(`${nameOf(url)} holds a ledger already: nothing is replaced, so give an empty database`);
    for (const sql of migrations) await client.query(spell(sql, postgres));
    const copied = await fill(from, {
      async insert(table, rows) {
        const sql = `INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`;
        await client.query(sql, [JSON.stringify(rows)]);
      },
    });
    const numbered = await client.query(
      "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'",
    );
    for (const { name } of numbered.rows)
      await client.query(
        `SELECT setval(pg_get_serial_sequence('${name}', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM ${name}), false)`,
      );
    await client.query('COMMIT');
    return copied;
  } finally {
    await client.end();
  }
}

/**
 * Copies a ledger as it is at this moment to a place where none is; `from` and `to` are folders,
 * files or URLs.
 * @returns how many rows were copied @throws Error; then nothing is there
 */
export async function copyLedger(from: string, to: string): Promise<number> {
  const snapshot = await openSnapshot(from);
  try {
    return isPostgres(to) ? await intoPostgres(snapshot, to) : await intoFile(snapshot, fileOf(to));
  } finally {
    await snapshot.close();
  }
}

/**
 * Copies a ledger that may be in use into a file of SQLite. @throws Error; then there is no file
 */
export async function backUp(place: string, file: string): Promise<void> {
  const snapshot = await openSnapshot(place);
  try {
    if (isPostgres(place)) await intoFile(snapshot, file);
    else await makeFile(file, async (unfinished) => vacuumInto(snapshot.name, unfinished));
  } finally {
    await snapshot.close();
  }
}

function vacuumInto(from: string, to: string): void {
  const database = new DatabaseSync(from, { readOnly: true });
  try {
    database.prepare('VACUUM INTO ?').run(to);
  } finally {
    database.close();
  }
}
