import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../runtime/folder.ts';
import type { Engine } from '../engine.ts';
import { openPostgres } from '../postgres/postgres.ts';
import { beginNew, inserting, isNumbered, TABLES, type TableName } from '../schema.ts';
import { DatabaseSync } from '../sqlite/driver.mjs';
import { openSqlite } from '../sqlite/sqlite.ts';
import { fileOf, isPostgres, openSnapshot, rowsOf, type Snapshot } from './store.ts';

/** Fills an engine that holds no ledger yet. @returns how many rows were copied */
async function fill(from: Snapshot, to: Engine): Promise<number> {
  let copied = 0;
  try {
    if (!(await beginNew(to)))
      throw new Error(`${to.name} holds a ledger already: nothing is replaced, so give an empty database`);
    for (const [name, { columns, key }] of Object.entries(TABLES)) {
      const insert = inserting(name as TableName, Object.keys(columns));
      for await (const rows of rowsOf(from, name, key)) {
        if (rows.length > 0)
          await to.run([insert(rows.map((row) => Object.keys(columns).map((column) => row[column])))]);
        copied += rows.length;
      }
      if (isNumbered(name as TableName)) await to.run(to.dialect.renumber(name));
    }
    await to.commit([]);
  } catch (error) {
    to.abandon();
    throw error;
  } finally {
    await to.close();
  }
  return copied;
}

/** Makes a file that only its owner can read, all of it or none. */
async function makeFile<T>(file: string, write: (unfinished: string) => Promise<T>): Promise<T> {
  if (existsSync(file)) throw new Error(`${file} exists: nothing is replaced, so move it away or give another name`);
  const unfinished = `${file}.unfinished`;
  makeFolder(dirname(file));
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
    for (const more of ['-journal', '-wal', '-shm']) rmSync(`${unfinished}${more}`, { force: true });
  }
}

function sync(path: string): void {
  const handle = openSync(path, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

const intoFile = (from: Snapshot, file: string): Promise<number> =>
  makeFile(file, async (unfinished) => {
    const copied = await fill(from, openSqlite(unfinished));
    // In this mode, a reader leaves no other file beside it.
    const database = new DatabaseSync(unfinished);
    database.exec('PRAGMA journal_mode = DELETE');
    database.close();
    return copied;
  });

/**
 * Copies a ledger as it is at this moment to a place where none is; `from` and `to` are folders,
 * files or URLs.
 * @returns how many rows were copied @throws Error; then nothing is there
 */
export async function copyLedger(from: string, to: string): Promise<number> {
  const snapshot = await openSnapshot(from);
  try {
    return isPostgres(to) ? await fill(snapshot, openPostgres(to, {})) : await intoFile(snapshot, fileOf(to));
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
