import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../runtime/folder.ts';
import { creating, holdsLedger, inserting, isNumbered, TABLES, type TableName } from '../schema.ts';
import { DatabaseSync } from '../sqlite/driver.mjs';
import { fileOf, isPostgres, openSnapshot, openTarget, rowsOf, type Snapshot } from './store.ts';

/** Fills a database that holds no ledger yet. @returns how many rows were copied */
async function fill(from: Snapshot, place: string): Promise<number> {
  const to = await openTarget(place);
  const { tables, renumber } = to.dialect;
  let copied = 0;
  try {
    if (holdsLedger(await to.query(tables)))
      throw new Error(`${to.name} holds a ledger already: nothing is replaced, so give an empty database`);
    for (const statement of creating()) await to.query(...statement);
    for (const [name, { columns, key }] of Object.entries(TABLES)) {
      const insert = inserting(name as TableName, Object.keys(columns));
      for await (const rows of rowsOf(from, name, key)) {
        const cells = rows.map((row) => Object.keys(columns).map((column) => row[column]));
        for (const statement of insert(cells)) await to.query(...statement);
        copied += rows.length;
      }
      if (isNumbered(name as TableName)) for (const statement of renumber(name)) await to.query(...statement);
    }
    await to.query('COMMIT');
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
  makeFile(file, (unfinished) => fill(from, unfinished));

/**
 * Copies a ledger as it is at this moment to a place where none is; `from` and `to` are folders,
 * files or URLs.
 * @returns how many rows were copied @throws Error; then nothing is there
 */
export async function copyLedger(from: string, to: string): Promise<number> {
  const snapshot = await openSnapshot(from);
  try {
    return isPostgres(to) ? await fill(snapshot, to) : await intoFile(snapshot, fileOf(to));
  } finally {
    await snapshot.close();
  }
}

/** Copies a ledger, which may be in use, into a file of SQLite, or makes none and throws. */
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
