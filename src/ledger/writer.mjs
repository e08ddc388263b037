/**
 * Takes commits over from the log into the ledger's file. A process of its own: no report waits for it, and LMDB damages
 * the memory of a process whose disk refuses a page, which ends that process sooner or later.
 */
import { noteWriter } from './left-over.mjs';
import { openStore } from './store.mjs';
import { takeOver } from './take-over.mjs';

/** @typedef {Parameters<typeof takeOver>[2]} Order */

// Ctrl-C and systemd signal this process, too, while the service still has its last order to give.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
process.on('disconnect', () => process.exit());

const file = process.argv[2] ?? '';
/** @type {ReturnType<typeof openStore> | undefined} */
let store;

process.on('message', (/** @type {Order} */ order) => {
  try {
    if (store === undefined) noteWriter(file);
    store ??= openStore(file);
    takeOver(store, file, order);
    process.send?.({});
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
