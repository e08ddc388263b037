/**
 * Which process writes a ledger's file, said in a file beside it. A service that is killed may leave one behind that is in the
 * middle of a commit; and whoever opens a file of LMDB sets its newest transaction back to the one that it has read, so that a
 * commit between that and its own first one would be written over. Plain JavaScript, for the same reason as the store's.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** @param {string} file the ledger */
const writerPath = (file) => `${file}-writer`;

/** Said before the file is opened, by whoever is to write it. @param {string} file the ledger */
export const noteWriter = (file) => writeFileSync(writerPath(file), String(process.pid));

/** @param {number} pid */
function lives(pid) {
  try {
    process.kill(pid, 0);
    // The number may have gone to another program since then. A process that has just ended has an empty line.
    if (existsSync('/proc/self'))
      return /\/ledger\/(writer|verify)\.mjs\0/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} file the ledger
 * @returns {number | undefined} the process that still writes it
 */
export function leftOver(file) {
  if (!existsSync(writerPath(file))) return undefined;
  const pid = Number(readFileSync(writerPath(file), 'utf8'));
  return Number.isInteger(pid) && pid > 0 && lives(pid) ? pid : undefined;
}
