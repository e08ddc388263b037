/**
 * Reads every record of a ledger and exits 0, or 1 with the reason on stderr. Changes nothing.
 * A process of its own, because a damaged LMDB file can end the process that reads it.
 */
import { openStore, TABLES, unseal, VERSION } from './store.mjs';
import { readWitness } from './witness.mjs';

/** @typedef {ReturnType<typeof openStore>['tables'][typeof TABLES[number]]} Table */

/** @param {Table | undefined} meta */
function readState(meta) {
  if (meta === undefined) throw new Error('its state record is missing');
  const sealed = meta.get('state');
  if (sealed === undefined) throw new Error('its state record is missing');
  const state = JSON.parse(unseal('meta', 'state', sealed));
  if (state.version !== VERSION)
    throw new Error(
      `it is of version ${state.version}, and this program reads version ${VERSION}: use the other program`,
    );
  return state;
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

/** @param {string} file */
function verify(file) {
  const { tables } = openStore(file, true);
  const state = readState(tables.meta);
  const acknowledged = readWitness(file);
  if (acknowledged !== undefined && state.commits < acknowledged)
    throw new Error(
      `it ends with commit ${state.commits} although commit ${acknowledged} was acknowledged: its newest page is damaged, or it is an older copy`,
    );
  /** @type {Partial<Record<typeof TABLES[number], number>>} */
  const written = { totals: state.series, marks: state.marks ?? 0 };
  for (const name of TABLES) verifyTable(name, tables[name], written[name]);
}

try {
  verify(process.argv[2] ?? '');
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
