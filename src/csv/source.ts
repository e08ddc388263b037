import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline, type Readable, Transform } from 'node:stream';
import { pipeline as piped } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { noTextOf } from './no-table.ts';
import { eachLine, spacedBy } from './spaced.ts';

/** A file of text, whatever it is packed in and however it is encoded. */
export interface Source {
  name: string;
  /** `UTF-8`, `UTF-16LE, gzip`: for the line that says what was recognised. */
  encoding: string;
  /** What stands between its cells, where it is no delimiter; `read` has tabs in its place. */
  between?: string;
  /** The beginning of its text. */
  head: string;
  /**
   * Its text in UTF-8 from the beginning, as often as it is asked for. @throws in the words of who
   * has the file
   */
  read: () => AsyncIterable<Buffer>;
  /** Deletes the copy of what could be read only once. */
  close: () => Promise<void>;
}

export interface SourceOptions {
  /** The stream that `-` reads. */
  stdin?: Readable;
  /** Receives the number of bytes of text read so far. */
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

const HEAD_CHARACTERS = 65_536;
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
/** Behind a first byte of 0x50 to 0x5f: a frame of zstd that others skip, as pzstd writes it in front. */
const SKIPPABLE = [0x2a, 0x4d, 0x18];

/** A file may be packed when it is written, and again when it is sent. */
const MAX_PACKINGS = 3;

/**
 * Opens a file, or stdin for `-`. Whatever can be read only once (stdin, a pipe) is copied to a
 * temporary file first, because the last row of a file may decide what its first one means.
 * @throws with the file's name when it cannot be read or holds no text
 */
export async function openSource(file: string, options: SourceOptions = {}): Promise<Source> {
  const name = file === '-' ? 'stdin' : file;
  const { path, remove } = await rereadable(file, name, options);
  try {
    const packings: Packing[] = [];
    const unpacked = () => counted(explained(unpack(path, packings, options.signal), name, packings), options.onBytes);
    let start = await firstBytes(path, name);
    for (let packing = packingOf(start); packing !== undefined; packing = packingOf(start)) {
      if (packings.push(packing) > MAX_PACKINGS)
        throw new Error(`${name}: is packed more than ${MAX_PACKINGS} times: unpack it`);
      start = await firstOf(unpacked());
    }
    const noText = noTextOf(start);
    if (noText !== undefined) throw new Error(`${name}: ${noText}`);
    const encoding = encodingOf(await firstOf(unpacked()), name);
    const written = () => toUtf8(unpacked(), encoding);
    const headOf = async (text: AsyncIterable<Buffer>) =>
      new TextDecoder().decode(await firstOf(text)).slice(0, HEAD_CHARACTERS);
    const head = await headOf(written());
    const spaced = spacedBy(head);
    const read = spaced === undefined ? written : () => eachLine(written(), spaced.line);
    return {
      name,
      encoding: [encoding.toUpperCase(), ...packings, spaced?.written].filter((one) => one !== undefined).join(', '),
      ...(spaced?.between !== undefined && { between: spaced.between }),
      head: spaced === undefined ? head : await headOf(read()),
      read,
      close: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

type Packing = 'gzip' | 'zstd';
const packingOf = (magic: Buffer): Packing | undefined =>
  startsWith(magic, GZIP) ? 'gzip' : isZstd(magic) ? 'zstd' : undefined;
const isZstd = (magic: Buffer): boolean =>
  startsWith(magic, ZSTD) || ((magic[0] ?? 0) >> 4 === 5 && startsWith(magic.subarray(1), SKIPPABLE));

const startsWith = (bytes: Buffer, start: readonly number[]): boolean => start.every((byte, at) => bytes[at] === byte);

async function rereadable(file: string, name: string, { stdin, signal }: SourceOptions) {
  const regular = file !== '-' && (await stat(file).catch((error: unknown) => refuse(name, error)));
  if (regular !== false && regular.isDirectory()) throw new Error(`${name}: is a folder, not a file`);
  if (regular !== false && regular.isFile()) return { path: file, remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-input-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'input');
  try {
    const input = file === '-' ? (stdin ?? process.stdin) : createReadStream(file);
    await piped(input, createWriteStream(path), { ...(signal && { signal }) });
    return { path, remove };
  } catch (error) {
    await remove();
    return refuse(name, signal?.aborted ? new Error('interrupted') : error);
  }
}

function refuse(name: string, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  const said = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'must not be read by this user' : message;
  throw new Error(`${name}: ${said}`);
}

async function firstBytes(path: string, name: string): Promise<Buffer> {
  const handle = await open(path).catch((error: unknown) => refuse(name, error));
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** At least the head's characters, if there are as many. */
async function firstOf(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= HEAD_CHARACTERS) break;
  }
  return Buffer.concat(chunks);
}

function unpack(path: string, packings: readonly Packing[], signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: 262_144, ...(signal && { signal }) });
  return packings.reduce<Readable>(
    (packed, packing) => pipeline(packed, packing === 'gzip' ? createGunzip() : createUnzstd(), () => {}),
    file,
  );
}

/** Node reads zstd itself only from version 22.15 on. */
function createUnzstd(): Transform {
  const decompress = new Decompress((chunk) => transform.push(Buffer.from(chunk)));
  const transform = new Transform({
    transform(chunk: Buffer, _, done) {
      attempt(() => decompress.push(chunk), done);
    },
    flush(done) {
      attempt(() => decompress.push(new Uint8Array(), true), done);
    },
  });
  return transform;
}

function attempt(work: () => void, done: (error?: Error) => void): void {
  try {
    work();
    done();
  } catch (error) {
    done(error as Error);
  }
}

async function* explained(
  bytes: AsyncIterable<Buffer>,
  name: string,
  packings: readonly Packing[],
): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw new Error('interrupted');
    if (packings.length === 0) return refuse(name, error);
    throw new Error(
      `${name}: cannot be unpacked (${packings.join(', ')}): ${(error as Error).message}; is it cut off?`,
    );
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, onBytes: (bytes: number) => void = () => {}) {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    onBytes(bytes);
    yield chunk;
  }
}

/**
 * By its byte order mark, else by where zero bytes are; what is no UTF-8 is taken for the code page
 * of Western Windows.
 */
function encodingOf(start: Buffer, name: string): string {
  if (startsWith(start, [0xff, 0xfe])) return 'utf-16le';
  if (startsWith(start, [0xfe, 0xff])) return 'utf-16be';
  const zeros = [0, 0];
  for (let at = 0; at < Math.min(start.length, 2000); at++)
    if (start[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  if (even + odd > 0) {
    const half = Math.min(start.length, 2000) / 2;
    if (odd > 0.7 * half && even === 0) return 'utf-16le';
    if (even > 0.7 * half && odd === 0) return 'utf-16be';
    throw new Error(`${name}: is no text file (it holds zero bytes); expected CSV, also packed by gzip or zstd`);
  }
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

async function* toUtf8(bytes: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  if (encoding === 'utf-8') {
    yield* bytes;
    return;
  }
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}
