/**
 * Takes commits over from the log into the ledger's file, in a thread of its own: no report waits for that.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from './store.mjs';
import { takeOver } from './take-over.mjs';

/** @typedef {Parameters<typeof takeOver>[2]} Order */

const store = openStore(workerData.file);

parentPort?.on('message', (/** @type {Order} */ order) => {
  try {
    takeOver(store, workerData.file, order);
    parentPort?.postMessage({});
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
});
parentPort?.postMessage({ ready: true });
