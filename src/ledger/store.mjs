/**
 * The ledger's file: what its tables are, how a value is sealed, and how it is opened.
 * Plain JavaScript, because the processes that verify and take over load it without a build.
 */
import zlib from 'node:zlib';
import { open } from 'lmdb';

/**
 * Raised when what the file says changes; a file of a later version is refused, not guessed at. Version 1 had no log, and
 * version 2 listed reports as objects.
 */
export const VERSION = 3;

export const TABLES = /** @type {const} */ ([
  'meta',
  'totals',
  'minutes',
  'keys',
  'expiry',
  'reports',
  'journal',
  'marks',
]);

/** Virtual address space, not disk: the file grows as it is used. */
const MAP_SIZE = 16 * 1024 ** 3;

/**
 * @param {string} file
 * @param {boolean} [readOnly]
 * @returns {{env: import('lmdb').RootDatabase, tables: Record<typeof TABLES[number], import('lmdb').Database<Buffer, string>>}}
 */
export function openStore(file, readOnly = false) {
  // Without overlapping sync a transaction that has returned is on disk.
  const env = open({
    path: file,
    noSubdir: true,
    overlappingSync: false,
    maxDbs: 16,
    mapSize: MAP_SIZE,
    encoding: 'binary',
    readOnly,
  });
  const entries = TABLES.map((name) => [name, env.openDB(name, { encoding: 'binary' })]);
  return { env, tables: /** @type {any} */ (Object.fromEntries(entries)) };
}

/**
 * A value with the checksum of its table, key and text, since LMDB has none of its own.
 * @param {string} table
 * @param {string} key
 * @param {string} text
 */
export function seal(table, key, text) {
  const of = `${table}\0${key}\0`;
  const start = Buffer.byteLength(of);
  const bytes = Buffer.from(of + text);
  // The checksum takes the place of the last of what it is of besides: a table, a key and two ends are more than four bytes.
  bytes.writeUInt32LE(zlib.crc32(bytes), start - 4);
  return bytes.subarray(start - 4);
}

/**
 * @param {string} table
 * @param {string} key
 * @param {Buffer} sealed
 * @returns {string} the text
 * @throws if a byte has changed since it was sealed
 */
export function unseal(table, key, sealed) {
  const body = sealed.subarray(4);
  if (sealed.length < 4 || sealed.readUInt32LE(0) !== zlib.crc32(body, zlib.crc32(`${table}\0${key}\0`)))
    throw new Error(`the checksum of ${table} ${JSON.stringify(key)} does not match`);
  return body.toString('utf8');
}
