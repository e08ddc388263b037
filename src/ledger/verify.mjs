/**
 * Reads every record of a ledger, then takes over what its log holds; from then on it counts as open, and is of this version.
 * Exits 0; or, with the reason on stderr and nothing changed, 1 where it is damaged and 2 where the disk refuses.
 * A process of its own, because a damaged LMDB file can end the process that reads it, or that asks it for a free page.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { noteWriter } from './left-over.mjs';
import { logPaths, recordsAfter } from './log.mjs';
import { openStore, TABLES, unseal, VERSION } from './store.mjs';
import { readState, takeOver, writeLittle } from './take-over.mjs';
import { readWitness } from './witness.mjs';

/** @typedef {ReturnType<typeof openStore>['tables'][typeof TABLES[number]]} Table */

/** @param {{version: number}} state */
function verifyVersion({ version }) {
  if (version >= 1 && version <= VERSION) return;
  throw new Error(
    `it is of version ${version}, and this program reads versions up to ${VERSION}: use the other program`,
  );
}

/**
 * Nothing acknowledged has gone missing between the ledger's file and its log.
 * @param {string} file
 * @param {{commits: number, id?: string, closed?: boolean}} state
 */
function verifyLog(file, { commits, id, closed }) {
  const lost = logPaths(file).find((path) => !existsSync(path));
  // A file that was closed holds everything, as a backup does.
  if (id !== undefined && !closed && lost !== undefined)
    throw new Error(`its log ${lost} is missing, and it was not closed: what was acknowledged last is only there`);
  const newest = id === undefined ? commits : (recordsAfter(file, id, commits).at(-1)?.commit ?? commits);
  const acknowledged = readWitness(file);
  if (acknowledged !== undefined && newest < acknowledged)
    throw new Error(
      `it ends with commit ${newest} although commit ${acknowledged} was acknowledged: what is newest is damaged, or it is an older copy`,
    );
}

/**
 * Every record has its checksum, its place in the order, and is found by its key; none has gone missing.
 * @param {typeof TABLES[number]} name
 * @param {Table | undefined} table
 * @param {number | undefined} written how many records the state says, where it says it
 */
function verifyTable(name, table, written) {
  if (table === undefined) {
    // A ledger from before there were marks has no table for them; opening it makes one.
    if (name === 'marks' && written === 0) return;
    throw new Error(`its table ${name} is missing`);
  }
  let records = 0;
  let before = Buffer.alloc(0);
  for (const { key, value } of table.getRange({})) {
    if (typeof key !== 'string') throw new Error(`the table ${name} holds a key that was never written`);
    unseal(name, key, value);
    const bytes = Buffer.from(key);
    if (Buffer.compare(before, bytes) >= 0)
      throw new Error(`the table ${name} is out of order at ${JSON.stringify(key)}`);
    if (table.get(key) === undefined)
      throw new Error(`the table ${name} does not find its record ${JSON.stringify(key)}`);
    before = bytes;
    records++;
  }
  const { entryCount } = /** @type {{entryCount: number}} */ (table.getStats());
  if (records !== entryCount || records !== (written ?? records))
    throw new Error(`the table ${name} holds ${records} records where ${written ?? entryCount} were written`);
}

/**
 * @param {string} file
 * @returns {Promise<{id?: string}>} its state
 */
async function verify(file) {
  const { env, tables } = openStore(file, true);
  const state = readState(tables);
  verifyVersion(state);
  verifyLog(file, state);
  /** @type {Partial<Record<typeof TABLES[number], number>>} */
  const written = { totals: state.series, marks: state.marks ?? 0 };
  for (const name of TABLES) verifyTable(name, tables[name], written[name]);
  await env.close();
  return state;
}

/** LMDB's own errors have numbers below zero; the others are the system's, as are those of a call. @param {unknown} error */
function isOfDisk(error) {
  const { code, syscall } = /** @type {{code?: unknown, syscall?: string}} */ (error);
  return Number(code) > 0 || syscall !== undefined;
}

/**
 * The same records in a file of their own, beside it.
 * @param {string} file
 * @returns {Promise<string>} its path
 */
async function copyRecords(file) {
  const fresh = `${file}.new`;
  for (const path of [fresh, `${fresh}-lock`]) rmSync(path, { force: true });
  const [from, to] = [openStore(file, true), openStore(fresh)];
  to.env.transactionSync(() => {
    for (const name of TABLES)
      for (const { key, value } of from.tables[name].getRange({})) to.tables[name].putSync(key, value);
  });
  await from.env.close();
  await to.env.close();
  return fresh;
}

/**
 * @param {string} path of the file that is written, which may be a copy
 * @param {string} file the ledger, whose log is taken over
 * @param {string} id
 */
async function takeOverAll(path, file, id) {
  const store = openStore(path);
  try {
    writeLittle(store);
    takeOver(store, file, { to: Number.POSITIVE_INFINITY, state: { id, closed: false } });
  } finally {
    await store.env.close();
  }
}

/** Every record has just been read and is sound: if LMDB can't write the file, its own book-keeping is wrong, which a copy makes anew. */
async function rewrite(/** @type {string} */ file, /** @type {string} */ id) {
  const copy = await copyRecords(file);
  await takeOverAll(copy, file, id);
  renameSync(copy, file);
  rmSync(`${copy}-lock`, { force: true });
}

const file = process.argv[2] ?? '';
try {
  noteWriter(file);
  const { id = randomBytes(8).toString('hex') } = await verify(file);
  await takeOverAll(file, file, id).catch((error) => {
    if (isOfDisk(error)) throw error;
    return rewrite(file, id);
  });
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = isOfDisk(error) ? 2 : 1;
}
