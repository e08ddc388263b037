/** Runs SQL in a thread of its own: a slow disk does not hold up requests that only read. */
import { existsSync, statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { DatabaseSync } from './driver.mjs';

/** @typedef {import('../engine.ts').Statement} Statement */
/** @typedef {{ kind: 'read' | 'write' | 'close', statements: Statement[] }} Message */

/** Milliseconds that a statement waits for another process. */
const BUSY_MS = 8000;

const { file, words } = /** @type {{ file: string, words: Record<string, string> }} */ (workerData);
if (!existsSync(file)) throw new Error(`${file} is gone`);
const database = new DatabaseSync(file);
database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);

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

/** @param {string} sql as spell() of engine.ts */
const spell = (sql) => sql.replace(/\{(\w+)\}/g, (_, word) => words[word] ?? '');

/** @typedef {{ statement: ReturnType<typeof database.prepare>, places: number[] }} Prepared */
/** @type {Map<string, Prepared>} */
const prepared = new Map();

/**
 * Prepares a statement. Parameters by their place cost half of those by name.
 * @param {string} sql
 */
function prepare(sql) {
  const text = spell(sql);
  const places = [...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number) - 1);
  const made = { statement: database.prepare(text.replace(/\$\d+/g, '?')), places };
  prepared.set(sql, made);
  return made;
}

/** @param {readonly Statement[]} statements */
const run = (statements) =>
  statements.map(([sql, ...parameters]) => {
    const { statement, places } = prepared.get(sql) ?? prepare(sql);
    return statement.all(...places.map((place) => parameters[place] ?? null));
  });

/**
 * Runs statements in one transaction: what is read is of one moment, and the locks are taken once.
 * @param {Message} message
 */
function act({ kind, statements }) {
  if (kind === 'close') return database.close();
  database.exec(kind === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN');
  try {
    const rows = run(statements);
    if (kind === 'write') checkFiles();
    database.exec('COMMIT');
    return rows;
  } finally {
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}

parentPort?.on('message', (/** @type {Message} */ message) => {
  try {
    parentPort?.postMessage({ rows: act(message) ?? [] });
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
  if (message.kind === 'close') parentPort?.close();
});
