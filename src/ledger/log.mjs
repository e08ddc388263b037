/**
 * The log of commits, two files beside the ledger: what was acknowledged and is not yet in the ledger's own file. A record
 * is a header and the commit's lines; records follow each other, their numbers going up by one. While one file is written,
 * the other's commits are taken over into the ledger, after which it is written again from its start, over what it held.
 * Plain JavaScript, for the same reason as the store's.
 */
import { existsSync, readFileSync } from 'node:fs';
import zlib from 'node:zlib';

/** @param {string} file the ledger */
export const logPaths = (file) => [`${file}-log0`, `${file}-log1`];

/** The first byte is none of UTF-8: no body holds this. */
const MAGIC = Buffer.from('ff54574c4f470001', 'hex');
/** Magic, ledger, commit (8 bytes each), length, checksum of the body, checksum of all that (4 bytes each). */
export const HEADER = 36;

/**
 * @param {string} id the ledger's own, 16 hexadecimal digits
 * @param {number} commit
 * @param {string} text
 */
export function sealRecord(id, commit, text) {
  const length = Buffer.byteLength(text);
  const record = Buffer.allocUnsafe(HEADER + length);
  record.write(text, HEADER, length, 'utf8');
  MAGIC.copy(record);
  record.write(id, 8, 8, 'hex');
  record.writeBigUInt64LE(BigInt(commit), 16);
  record.writeUInt32LE(length, 24);
  record.writeUInt32LE(zlib.crc32(record.subarray(HEADER)), 28);
  record.writeUInt32LE(zlib.crc32(record.subarray(0, 32)), 32);
  return record;
}

/** @typedef {{commit: number, body: Buffer, end: number}} LogRecord */

/**
 * @param {Buffer} bytes
 * @param {number} at
 * @param {Buffer} id
 * @returns {LogRecord | undefined} undefined where no whole record of this ledger begins
 */
function recordAt(bytes, at, id) {
  if (at + HEADER > bytes.length || bytes.compare(MAGIC, 0, 8, at, at + 8) !== 0) return undefined;
  if (bytes.readUInt32LE(at + 32) !== zlib.crc32(bytes.subarray(at, at + 32))) return undefined;
  if (bytes.compare(id, 0, 8, at + 8, at + 16) !== 0) return undefined;
  const end = at + HEADER + bytes.readUInt32LE(at + 24);
  const body = bytes.subarray(at + HEADER, end);
  if (end > bytes.length || bytes.readUInt32LE(at + 28) !== zlib.crc32(body)) return undefined;
  return { commit: Number(bytes.readBigUInt64LE(at + 16)), body, end };
}

/**
 * The records from the start of a file on.
 * @param {Buffer} bytes
 * @param {Buffer} id
 */
function readRecords(bytes, id) {
  /** @type {LogRecord[]} */
  const records = [];
  let at = 0;
  for (;;) {
    const record = recordAt(bytes, at, id);
    const last = records.at(-1);
    if (record === undefined || (last !== undefined && record.commit !== last.commit + 1)) break;
    records.push(record);
    at = record.end;
  }
  return records;
}

/**
 * The number of the newest that stands after a gap: 0 where there is none. Records of an earlier turn are no gap: their
 * numbers are lower.
 * @param {Buffer} bytes
 * @param {Buffer} id
 * @param {number} end of the records before the gap
 */
function newestBeyond(bytes, id, end) {
  let newest = 0;
  for (let at = bytes.indexOf(MAGIC, end); at !== -1; at = bytes.indexOf(MAGIC, at + 1))
    newest = Math.max(newest, recordAt(bytes, at, id)?.commit ?? 0);
  return newest;
}

/** @param {string} path */
const bytesOf = (path) => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0));

/**
 * The commits after `stored` that the log holds, in order. What stands half-written at the end was never acknowledged,
 * and is left out; the caller has a witness for that.
 * @param {string} file the ledger
 * @param {string} id
 * @param {number} stored newest commit in the ledger's own file
 * @param {number} [to] the newest to take: what is after it may be being written at this moment
 * @returns {LogRecord[]}
 * @throws Error when one between them is missing or damaged
 */
export function recordsAfter(file, id, stored, to = Number.POSITIVE_INFINITY) {
  const ledger = Buffer.from(id, 'hex');
  const logs = logPaths(file).map((path) => {
    const bytes = bytesOf(path);
    return { bytes, records: readRecords(bytes, ledger) };
  });
  const records = logs
    .flatMap((log) => log.records)
    .filter(({ commit }) => commit > stored && commit <= to)
    .sort((a, b) => a.commit - b.commit);
  let next = stored + 1;
  for (const { commit } of records) {
    if (commit !== next) throw new Error(`commit ${next} is missing from its log, although commit ${commit} is there`);
    next++;
  }
  const beyond = (/** @type {typeof logs[number]} */ log) =>
    newestBeyond(log.bytes, ledger, log.records.at(-1)?.end ?? 0);
  const newest = Number.isFinite(to) ? to : Math.max(...logs.map(beyond));
  if (newest >= next) throw new Error(`commit ${next} in its log is damaged, although there is commit ${newest}`);
  return records;
}
