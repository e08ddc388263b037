/**
 * Runs SQL on the ledger's file in a thread of its own, so that a slow disk does not hold up
 * requests that only read.
 */
import { existsSync, statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { DatabaseSync } from './driver.mjs';

/** @typedef {import('../engine.ts').Statement} Statement */
/**
 * @typedef {{ id: number, kind: 'read' | 'begin' | 'run' | 'commit' | 'rollback' | 'close',
 * statements: Statement[] }} Message
 */

/** Milliseconds that a statement waits for another process. */
const BUSY_MS = 8000;

const { file, isNew } = /** @type {{ file: string, isNew: boolean }} */ (workerData);
if (!isNew && !existsSync(file)) throw new Error(`${file} is gone`);
const writer = new DatabaseSync(file);
writer.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
const reader = new DatabaseSync(file);
reader.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA query_only = ON`);

/**
 * The files that hold what is committed, as they were at the first commit. SQLite writes on happily
 * where they have been removed, and all of that is lost.
 * @type {Map<string, number>}
 */
const inodes = new Map();

function checkFiles() {
  for (const path of [file, `${file}-wal`]) {
    const inode = statSync(path, { throwIfNoEntry: false })?.ino;
    if (inode === undefined || inode !== (inodes.get(path) ?? inode))
      throw new Error(`${path} was removed or replaced while it was in use`);
    inodes.set(path, inode);
  }
}

/** @typedef {ReturnType<typeof writer.prepare>} Prepared */
/** @type {Map<string, Prepared>} */
const written = new Map();
/** @type {Map<string, Prepared>} */
const readOnly = new Map();

/**
 * @param {typeof writer} database
 * @param {Map<string, Prepared>} prepared
 * @param {readonly Statement[]} statements
 */
const runAll = (database, prepared, statements) =>
  statements.map(([sql, ...parameters]) => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = database.prepare(
        sql.replace(/\{(?:rows|texts) \$\d+\}/g, 'json_each(?) AS r').replace(/\$\d+/g, '?'),
      );
      prepared.set(sql, statement);
    }
    return statement.all(...parameters);
  });

function rollback() {
  if (writer.isTransaction) writer.exec('ROLLBACK');
}

/** @param {Message} message */
function act({ kind, statements }) {
  if (kind === 'read') return runAll(reader, readOnly, statements);
  if (kind === 'rollback') return rollback();
  if (kind === 'close') {
    rollback();
    reader.close();
    return writer.close();
  }
  if (kind === 'begin') {
    rollback();
    writer.exec('BEGIN IMMEDIATE');
  }
  const rows = runAll(writer, written, statements);
  if (kind !== 'commit') return rows;
  checkFiles();
  writer.exec('COMMIT');
  return [];
}

parentPort?.on('message', (/** @type {Message} */ message) => {
  try {
    parentPort?.postMessage({ id: message.id, rows: act(message) });
  } catch (error) {
    parentPort?.postMessage({ id: message.id, error: error instanceof Error ? error.message : String(error) });
  }
  if (message.kind === 'close') parentPort?.close();
});
