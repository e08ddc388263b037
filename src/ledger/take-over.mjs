/**
 * Takes commits over from the log into the ledger's own file. Plain JavaScript, for the same reason as the store's.
 */
import { recordsAfter } from './log.mjs';
import { seal, unseal, VERSION } from './store.mjs';

/** @typedef {ReturnType<typeof import('./store.mjs').openStore>} Store */
/** @typedef {Store['tables']} Tables */
/** @typedef {keyof Tables} Table */
/** @typedef {import('./take-overs.ts').Prune} Prune */

/**
 * Records of a table that are removed at a time at the most, so that clearing a backlog never takes long; with as many again
 * as are added, so that a backlog never grows.
 */
const PRUNE = 5000;

/** @param {{meta?: Tables['meta']}} tables */
export function readState({ meta }) {
  const sealed = meta?.get('state');
  if (sealed === undefined) throw new Error('its state record is missing');
  return JSON.parse(unseal('meta', 'state', sealed));
}

/**
 * Comes before the first take-over of a process that has opened a ledger: LMDB's binding may lose its way in the list of free
 * pages when the first transaction needs many ("Invalid null txn id", twice in 320 kills); after a small one it does not.
 * @param {Store} store
 */
export function writeLittle({ env, tables }) {
  env.transactionSync(() => tables.meta.putSync('state', seal('meta', 'state', JSON.stringify(readState(tables)))));
}

/**
 * A counter's record with another value: of one that is known the log says the value alone.
 * @param {string} text
 * @param {string} value
 */
const withValue = (text, value) => JSON.stringify({ ...JSON.parse(text), value: Number(value) });

/** @param {string} text */
const isValue = (text) => text !== '' && !text.startsWith('{');

/**
 * Lines of table, key and text; of a key that comes again only the last counts. An empty text is a removal.
 * @param {Iterable<Buffer>} bodies
 */
function lastOf(bodies) {
  /** @type {Map<Table, Map<string, string>>} */
  const all = new Map();
  for (const body of bodies) {
    const lines = body.toString('utf8').split('\n');
    for (let at = 0; at + 2 < lines.length; at += 3) {
      const [table, key, text] = /** @type {[Table, string, string]} */ ([lines[at], lines[at + 1], lines[at + 2]]);
      const records = all.get(table) ?? new Map();
      all.set(table, records);
      const before = table === 'totals' ? records.get(key) : undefined;
      records.set(key, before === undefined || isValue(before) || !isValue(text) ? text : withValue(before, text));
    }
  }
  return all;
}

/**
 * @param {Tables} tables
 * @param {Table} table
 * @param {string} key
 * @param {string} text
 */
function wholeText(tables, table, key, text) {
  if (table !== 'totals' || !isValue(text)) return text;
  const sealed = tables.totals.get(key);
  if (sealed === undefined) throw new Error(`its log counts on ${JSON.stringify(key)}, which is not there`);
  return withValue(unseal('totals', key, sealed), text);
}

/**
 * @param {Tables} tables
 * @param {Prune} before
 * @param {number} limit
 */
function removeOld(tables, before, limit) {
  for (const name of /** @type {const} */ (['minutes', 'reports']))
    for (const key of [...tables[name].getKeys({ end: before[name], limit })]) tables[name].removeSync(key);
  for (const { key, value } of [...tables.expiry.getRange({ end: before.keys, limit })]) {
    const name = JSON.parse(unseal('expiry', key, value));
    const sealed = tables.keys.get(name);
    // It may have been given anew since then.
    const given = sealed === undefined ? 0 : (JSON.parse(unseal('keys', name, sealed)).at ?? 0);
    if (given < Number(before.keys) * 1000) tables.keys.removeSync(name);
    tables.expiry.removeSync(key);
  }
}

/**
 * One transaction: all of it is on disk when this returns, or none.
 * @param {Store} store
 * @param {string} file the ledger
 * @param {{to: number, state: object, prune?: Prune}} options the newest commit to take, Infinity for all there are, what to
 *   say in the state record, and what is too old to keep
 * @throws when the log does not hold these commits whole, or the disk refuses
 */
export function takeOver({ env, tables }, file, { to, state, prune }) {
  env.transactionSync(() => {
    // Looked up within: the writer of a service that was killed may live a moment longer, beside the next one.
    const before = readState(tables);
    if (before.commits > to) return;
    // A ledger of version 1 has no log.
    const records = before.id === undefined ? [] : recordsAfter(file, before.id, before.commits, to);
    const puts = lastOf(records.map(({ body }) => body));
    let written = 0;
    for (const [table, texts] of puts) {
      // In order, so that neighbours change the same pages.
      for (const key of [...texts.keys()].sort()) {
        const text = texts.get(key) ?? '';
        if (text === '') tables[table].removeSync(key);
        else tables[table].putSync(key, seal(table, key, wholeText(tables, table, key, text)));
        written++;
      }
    }
    const text = JSON.stringify({ ...readState(tables), version: VERSION, ...state });
    tables.meta.putSync('state', seal('meta', 'state', text));
    if (prune !== undefined) removeOld(tables, prune, PRUNE + written);
  });
}
