/**
 * The one writer of the ledger, in a thread of its own so that a slow disk does not stop the service from reading
 * requests and serving scrapes. A batch is one transaction and one fsync: all of it is on disk, or none.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openStore, seal, unseal } from './store.mjs';
import { openWitness } from './witness.mjs';

/**
 * Records removed a commit at the most, so that clearing a backlog never holds up a report; and more than the commit adds,
 * so that a backlog never grows.
 */
const PRUNE = 500;

/** @typedef {{commit: number, puts: string, prune: import('./commits.ts').Prune}} Batch */

const { env, tables } = openStore(workerData.file);
const witness = openWitness(workerData.file);

/** @param {Batch} batch */
function apply({ puts, prune }) {
  const lines = puts.split('\n');
  const limit = PRUNE + lines.length;
  for (let at = 0; at < lines.length; at += 3) {
    const [table, key, text] = /** @type {[keyof typeof tables, string, string]} */ (lines.slice(at, at + 3));
    if (text === '') tables[table].removeSync(key);
    else tables[table].putSync(key, seal(table, key, text));
  }
  for (const name of /** @type {const} */ (['minutes', 'reports']))
    for (const key of [...tables[name].getKeys({ end: prune[name], limit })]) tables[name].removeSync(key);
  for (const { key, value } of [...tables.expiry.getRange({ end: prune.keys, limit })]) {
    tables.keys.removeSync(JSON.parse(unseal('expiry', key, value)));
    tables.expiry.removeSync(key);
  }
}

parentPort?.on('message', (/** @type {Batch} */ batch) => {
  const start = performance.now();
  try {
    env.transactionSync(() => apply(batch));
    witness.write(batch.commit);
    parentPort?.postMessage({ seconds: (performance.now() - start) / 1000 });
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
});
parentPort?.postMessage({ ready: true });
