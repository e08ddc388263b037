/** Preloaded: the disk takes a second over each write to the log, on whatever thread it is waited for. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const SLOW_MS = 1000;
/** @type {Set<number>} */
const logs = new Set();
const { openSync, write, writeSync } = fs;

fs.openSync = (path, ...rest) => {
  const fd = openSync(path, ...rest);
  if (/-log[01]$/.test(String(path))) logs.add(fd);
  return fd;
};
/** @param {number} fd @param {unknown[]} rest */
function slowWriteSync(fd, ...rest) {
  if (logs.has(fd)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS);
  return Reflect.apply(writeSync, fs, [fd, ...rest]);
}
/** @param {number} fd @param {unknown[]} rest */
function slowWrite(fd, ...rest) {
  setTimeout(() => Reflect.apply(write, fs, [fd, ...rest]), logs.has(fd) ? SLOW_MS : 0);
}
// With what `promisify` reads of them.
/** @param {object} fake @param {object} real */
const like = (fake, real) => Object.defineProperties(fake, Object.getOwnPropertyDescriptors(real));
Object.assign(fs, { writeSync: like(slowWriteSync, writeSync), write: like(slowWrite, write) });
syncBuiltinESMExports();
