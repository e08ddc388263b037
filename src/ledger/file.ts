import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Log } from '../log.ts';
import { leftOver } from './left-over.mjs';
import { logPaths } from './log.mjs';
import { openStore, seal, VERSION } from './store.mjs';
import { witnessPath } from './witness.mjs';

export type Store = ReturnType<typeof openStore>;

/** The record that says how much the rest must hold. */
export interface State {
  version: number;
  /** Stands in every record of the log, so that it is never taken for that of another ledger; absent from version 1. */
  id?: string;
  /** It was closed, and holds everything that its log does. */
  closed?: boolean;
  /** Commits so far. */
  commits: number;
  /** Records in the table `totals`. */
  series: number;
  /** When the newest report was counted, in seconds since the epoch; 0 before the first. */
  lastReport: number;
  nextReport: number;
  nextNote: number;
  /** Records in the table `marks`; absent from a ledger that was written before there were any. */
  marks?: number;
}

const FIRST: State = {
  version: VERSION,
  closed: false,
  commits: 0,
  series: 0,
  lastReport: 0,
  nextReport: 0,
  nextNote: 0,
};

/** What lies beside a ledger and belongs to it alone. */
const companions = (file: string): string[] => [witnessPath(file), ...logPaths(file)];

/** Thrown when a ledger exists and cannot be trusted. */
export class DamagedLedger extends Error {
  override name = 'DamagedLedger';
  constructor(file: string, reason: string) {
    super(
      `the ledger ${file} cannot be used: ${reason}. Nothing was changed. Put a backup in its place and remove ${companions(file).join(', ')}, or move ${file} and those away to begin again from zero: counters will start anew, and Prometheus keeps what it has`,
    );
  }
}

/** Thrown when a sound ledger cannot be written. */
export class DiskRefuses extends Error {
  override name = 'DiskRefuses';
}

/** Without it a power cut could take the new name away, and counts with it. */
function syncFolder(dir: string): void {
  const folder = openSync(dir, 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** Room for an empty ledger and its lock file. */
const FIRST_BYTES = 128 * 1024;

/**
 * LMDB ends the process where it cannot write its lock file or its first pages, so the disk is asked before.
 * @throws the error of the disk
 */
function probeSpace(dir: string): void {
  const probe = join(dir, 'ledger.mdb.probe');
  try {
    writeFileSync(probe, Buffer.alloc(FIRST_BYTES), { flush: true });
  } finally {
    rmSync(probe, { force: true });
  }
}

/** The files of the log, where they are not there. */
function makeLog(file: string): void {
  for (const path of logPaths(file)) closeSync(openSync(path, 'a'));
}

/** Written beside and renamed into place, so that a file under the final name is always whole. */
async function create(file: string): Promise<void> {
  const fresh = `${file}.new`;
  for (const path of [fresh, `${fresh}-lock`]) rmSync(path, { force: true });
  const { env, tables } = openStore(fresh);
  const state = JSON.stringify({ ...FIRST, id: randomBytes(8).toString('hex') });
  env.transactionSync(() => tables.meta.putSync('state', seal('meta', 'state', state)));
  await env.close();
  // The witness of a ledger that was moved away says nothing about this one.
  rmSync(witnessPath(file), { force: true });
  makeLog(file);
  renameSync(fresh, file);
  syncFolder(dirname(file));
  rmSync(`${fresh}-lock`, { force: true });
}

/** Reads every record and brings the file up to date, in a process of its own: LMDB ends the process that reads a file cut short. */
function verify(file: string): Promise<void> {
  const script = fileURLToPath(new URL('./verify.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, file], (error, _stdout, stderr) => {
      if (error === null) return resolve();
      if (error.code === 2) return reject(new DiskRefuses(stderr.trim()));
      const reason = error.signal ? `reading it ended with ${error.signal}` : stderr.trim() || error.message;
      reject(new DamagedLedger(file, reason));
    });
  });
}

/** What a killed service left behind ends once its commit is on disk. */
const LEFT_OVER_MS = 60_000;

/** @throws where another process still writes the file after a minute */
async function untilAlone(file: string, log: Log): Promise<void> {
  const first = leftOver(file);
  if (first !== undefined)
    log('info', `waiting for process ${first} of a tillwatch that was killed, which still writes ${file}`);
  const end = performance.now() + LEFT_OVER_MS;
  for (let pid = first; pid !== undefined; pid = leftOver(file)) {
    if (performance.now() > end) throw new DiskRefuses(`process ${pid} still writes ${file}: end it first`);
    await sleep(20);
  }
}

/**
 * Makes sure that `dir` holds a sound ledger file, a new one only where there was none.
 * @returns its path
 * @throws DamagedLedger, or the error of a disk that has no room for a new one
 */
export async function prepareFile(dir: string, log: Log): Promise<string> {
  const file = join(dir, 'ledger.mdb');
  await untilAlone(file, log);
  if (!existsSync(`${file}-lock`)) probeSpace(dir);
  const orphan = logPaths(file).find((path) => !existsSync(file) && existsSync(path) && statSync(path).size > 0);
  if (orphan !== undefined) throw new DamagedLedger(file, `it is missing, and its log ${orphan} is there`);
  if (!existsSync(file)) await create(file);
  else if (statSync(file).size === 0) throw new DamagedLedger(file, 'it is empty');
  else await verify(file);
  makeLog(file);
  syncFolder(dir);
  return file;
}
