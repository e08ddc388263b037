/**
 * A witness beside the ledger: the number of its newest acknowledged commit. It tells a last record of the log that was
 * damaged from one that was never finished. LMDB keeps its last two states, too, and falls back to the older one when the
 * page that names the newer is damaged; nothing inside its file could tell.
 *
 * Written after a commit is on disk and before anyone hears of it, so it is never ahead of a sound ledger, whenever the
 * process ends. It is not synced: after a power cut it may lag, which proves less and refuses nothing.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import zlib from 'node:zlib';

/** @param {string} file the ledger */
export const witnessPath = (file) => `${file}-commits`;

/** @param {string} digits */
const sealed = (digits) => `${digits} ${zlib.crc32(digits).toString(16).padStart(8, '0')}\n`;

/**
 * @param {string} file the ledger
 * @returns {{write(commits: number): void, close(): void}}
 */
export function openWitness(file) {
  const fd = openSync(witnessPath(file), constants.O_RDWR | constants.O_CREAT, 0o644);
  return {
    write(commits) {
      try {
        // One write of few bytes in place: neither a kill nor a full disk can tear it.
        writeSync(fd, sealed(String(commits).padStart(16, '0')), 0);
      } catch {
        // The commit itself is on disk; a witness that lags is no reason to call it failed.
      }
    },
    close: () => closeSync(fd),
  };
}

/**
 * @param {string} file the ledger
 * @returns {number | undefined} undefined where there is none, or one that cannot be read: then it proves nothing
 */
export function readWitness(file) {
  try {
    const text = readFileSync(witnessPath(file), 'utf8');
    const digits = text.slice(0, 16);
    return text === sealed(digits) ? Number(digits) : undefined;
  } catch {
    return undefined;
  }
}
