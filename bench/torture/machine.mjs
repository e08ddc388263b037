/**
 * Watches the machine from a thread of its own, ten times a second: how long one block takes to be
 * on disk, written over in place, and how late the thread wakes up; and how much CPU the host gave
 * to others. Tells of each minute when it is over.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { cpus } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

const EVERY_MS = 100;
const MINUTE_MS = 60_000;
const BLOCK = Buffer.alloc(4096, 1);

/**
 * Seconds of CPU since the start of the machine that it was ready for and did not get; 0 where
 * there is no /proc.
 */
function stolen() {
  try {
    return Number(readFileSync('/proc/stat', 'utf8').split(/\s+/, 9)[8]) / 100;
  } catch {
    return 0;
  }
}

const { path, ended } = workerData;
const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC);
for (let end = performance.now() + MINUTE_MS, going = true; going; end += MINUTE_MS) {
  const [began, before] = [performance.now(), stolen()];
  const minute = { seconds: 0, block: 0, late: 0, stolen: 0 };
  while (going && performance.now() < end) {
    const asked = performance.now();
    writeSync(file, BLOCK, 0, BLOCK.length, 0);
    const slept = performance.now();
    going = Atomics.wait(ended, 0, 0, EVERY_MS) === 'timed-out';
    minute.block = Math.max(minute.block, slept - asked);
    minute.late = Math.max(minute.late, performance.now() - slept - EVERY_MS);
  }
  minute.seconds = (performance.now() - began) / 1000;
  minute.stolen = (stolen() - before) / cpus().length / minute.seconds;
  parentPort?.postMessage(minute);
}
closeSync(file);
