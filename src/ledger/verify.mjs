/**
 * Reads every record of a ledger and exits 0, or 1 with the reason on stderr.
 * A process of its own, because a damaged LMDB file can end the process that reads it.
 */
import { openStore, TABLES, unseal, VERSION } from './store.mjs';

/** @param {string} file */
function verify(file) {
  const { tables } = openStore(file);
  const sealed = tables.meta.get('state');
  if (sealed === undefined) throw new Error('its state record is missing');
  const state = JSON.parse(unseal('meta', 'state', sealed));
  if (state.version !== VERSION)
    throw new Error(`it is of version ${state.version}, and this program reads version ${VERSION}`);
  for (const name of TABLES) {
    let records = 0;
    for (const { key, value } of tables[name].getRange({})) {
      unseal(name, key, value);
      records++;
    }
    if (name === 'totals' && records !== state.series)
      throw new Error(`it holds ${records} series where ${state.series} were written`);
  }
}

try {
  verify(process.argv[2] ?? '');
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
