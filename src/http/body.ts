import { pipeline, type Transform } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import zlib from 'node:zlib';
import type { Context } from 'koa';
import bodyParser from 'koa-bodyparser';
import { Problem } from './problem.ts';

const MB = 1024 * 1024;
const MAX_BODY = 4 * MB;
/** Characters. A longer body takes so long to read that others are answered first. */
const SHORT = 64 * 1024;
/**
 * Lists and objects within each other: those of a report are three deep, those of a notification
 * four.
 */
const MAX_DEPTH = 16;

export const JSON_TYPE = 'application/json';
export const LINES_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** Node has it from version 22.15 on. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };
const ENCODINGS = ['gzip', 'deflate', 'br', ...(createZstdDecompress ? ['zstd'] : [])];

/** @returns the type's name @throws Problem 415, before a byte is read */
function checkType(type: string, accepts: readonly string[]): string {
  const [name = '', ...parameters] = type.toLowerCase().split(';');
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith('charset='));
  // What curl says by itself.
  const curl =
    name.trim() === 'application/x-www-form-urlencoded' ? ` (curl --header 'Content-Type: ${JSON_TYPE}')` : '';
  if (!accepts.includes(name.trim()))
    throw new Problem(415, `Content-Type: "${name.trim()}" is not taken; send ${accepts.join(' or ')}${curl}`, {
      headers: { Accept: accepts.join(', ') },
    });
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset))
    throw new Problem(415, `Content-Type: ${charset} is not taken; JSON is UTF-8`);
  return name.trim();
}

const unreadable = (why: string): Problem => new Problem(400, `the body cannot be read: ${why.slice(0, 300)}`);

/** True for an error of zlib, brotli or zstd. */
const isUnpacking = ({ code = '' }: NodeJS.ErrnoException): boolean => /^(?:Z_|ERR_|ZSTD_)/.test(code);

/** Reads any body as text, unpacked, up to a limit. */
const textParser = (most: number) =>
  bodyParser({
    enableTypes: ['text'],
    extendTypes: { text: [JSON_TYPE, ...LINES_TYPES] },
    textLimit: String(most),
    onerror(error, ctx) {
      const { status } = error as Error & { status?: number };
      if (status === 413) throw new Problem(413, `the body is larger than ${most / MB}mb; send it in parts`);
      if (status === 415)
        throw new Problem(
          415,
          `Content-Encoding: "${ctx.get('Content-Encoding')}" is not taken; send ${ENCODINGS.join(', ')} or none`,
        );
      const packing = ctx.get('Content-Encoding');
      if (packing !== '' && isUnpacking(error))
        throw unreadable(
          `it is not ${packing}, as its Content-Encoding says, or it is cut off (${error.message}); send it packed that way, or without this header`,
        );
      // Anything else that the parser meets is the sender's too, such as a cut connection.
      throw unreadable(error.message);
    },
  });

/** The same request as if its body had not been packed by zstd, which the parser does not know. */
function withoutZstd(ctx: Context): Context {
  if (createZstdDecompress === undefined || ctx.get('Content-Encoding') !== 'zstd') return ctx;
  const unpacked = Object.assign(createZstdDecompress(), { headers: {} });
  // Errors reach the parser, which reads the unpacked side.
  pipeline(ctx.req, unpacked, () => {});
  return Object.create(ctx, { req: { value: unpacked } }) as Context;
}

/** A large body waits at most so long for its turn; milliseconds. */
const LONGEST_WAIT = 10_000;
let largeBodies: Promise<void> = Promise.resolve();

/**
 * Resolves when no other large body is in work: one of 32 MB takes 100 MB until it is answered. It
 * waits unread, in the sender's hands.
 * @throws Problem 503
 */
async function takeTurn({ req, res }: Context): Promise<void> {
  const before = largeBodies;
  const answered = new Promise<void>((resolve) => res.once('close', resolve));
  largeBodies = before.then(() => answered);
  const isFree = await Promise.race([before.then(() => true), sleep(LONGEST_WAIT, false, { ref: false })]);
  if (!isFree || req.destroyed)
    throw new Problem(503, 'another large body is being processed; send this one again', {
      headers: { 'Retry-After': '5' },
    });
}

/**
 * True where a body may be larger than most routes take, as it may when it is packed or has no
 * length.
 */
const mayBeLarge = ({ headers }: Context): boolean =>
  headers['content-encoding'] !== undefined || !(Number(headers['content-length']) <= MAX_BODY);

const QUOTE = 0x22;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/** The end of a string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start; ; ) {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
    let before = at;
    while (text[before - 1] === '\\') before--;
    if ((at - before) % 2 === 0) return at;
  }
}

/** True where lists and objects of JSON stand within each other more than `most` deep. */
function isNested(text: string, most: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (OPENING.includes(code) && ++depth > most) return true;
    else if (CLOSING.includes(code)) depth--;
  }
  return false;
}

let turn: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop of its own: others are answered between long bodies that
 * come at once.
 */
function turnOfItsOwn(): Promise<void> {
  turn = turn.then(() => nextTurn());
  return turn;
}

/** @throws Problem 400 */
async function checkLong(text: string): Promise<void> {
  await turnOfItsOwn();
  // Two million lists within each other are 4 MB of text, and 250 MB once they are read.
  if (isNested(text, MAX_DEPTH))
    throw unreadable(`lists and objects stand within each other more than ${MAX_DEPTH} deep`);
}

/** Such a key would be taken for the prototype of what it stands in. @throws SyntaxError */
function refusePrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('the key "__proto__" is forbidden');
  return value;
}

/** @throws SyntaxError */
function parseJson(text: string): unknown {
  // Looking at every key takes several times as long as all the rest. An escape can hide it.
  const suspicious = text.includes('__proto__') || text.includes('\\u');
  return suspicious ? JSON.parse(text, refusePrototype) : JSON.parse(text);
}

/** One value a line; empty lines do not count. @throws Problem 400 that names the line */
function parseLines(text: string): unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    try {
      return [parseJson(line)];
    } catch (error) {
      const why = `${jsonProblem(error).slice(0, 200)}${jsonHelp(line)}`;
      throw new Problem(400, `line ${index + 1} cannot be read as JSON: ${why}`);
    }
  });
}

/**
 * True where the first line is JSON by itself. The text is then one value a line, although its
 * type does not say so.
 */
function isByLine(text: string): boolean {
  try {
    parseJson(text.slice(0, text.indexOf('\n') + 1));
    return true;
  } catch {
    return false;
  }
}

/** @throws Problem 400 */
function parse(text: string, lines: { said: boolean; accepted: boolean }): unknown {
  if (lines.said) return parseLines(text);
  try {
    return parseJson(text);
  } catch (error) {
    if (lines.accepted && isByLine(text.trimStart())) return parseLines(text);
    throw unreadable(`${jsonProblem(error)}${jsonHelp(text)}`);
  }
}

/** A bracket, or a text, with the colon that makes it a key. */
const MARKS = /[{}[\]]|"(?:[^"\\]|\\.)*"(\s*:)?/g;

/** The end of a key; within a text, the same after a quote that is escaped. */
const KEY = /"\s*:/g;

/** The number of keys of all objects in a value, however deep they stand. */
function keysIn(value: unknown): number {
  let keys = 0;
  for (const open = [value]; open.length > 0; ) {
    const one = open.pop();
    if (typeof one !== 'object' || one === null) continue;
    const inner = Object.values(one);
    if (!Array.isArray(one)) keys += inner.length;
    open.push(...inner);
  }
  return keys;
}

/**
 * A key that an object has twice: JSON keeps the last of the two counts, and says nothing.
 * @param value what was read out of the text
 */
function keyTwice(text: string, value: unknown): string | undefined {
  // Nothing is lost in most texts, which is seen in a third of the time.
  if (text.match(KEY)?.length === keysIn(value)) return undefined;
  const open: Set<string>[] = [];
  for (const [mark, colon] of text.matchAll(MARKS)) {
    if (mark === '{' || mark === '[') open.push(new Set());
    else if (mark === '}' || mark === ']') open.pop();
    else if (colon !== undefined) {
      const key = mark.slice(0, -colon.length);
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}

/** What people write in the place of JSON, and what to do. */
const NO_JSON: readonly [RegExp, string][] = [
  [/^\p{Cc}\ufffd/u, 'it is packed by gzip: send it with Content-Encoding: gzip'],
  [/^\ufffd\ufffd/, 'it is UTF-16: send UTF-8'],
  [/^[^\s{["\d-]/, 'a report in JSON begins with {, and a list of them with ['],
  [/[“”]|[{,]\s*(?:'|[a-z_]\w*\s*:)/i, 'names and texts stand in double quotes: {"counts": {"approved": 116}}'],
  [/[:[,]\s*\$\w/, 'a shell replaces $names in double quotes only'],
  [/}\s*,?\s*{/, 'reports stand in a list, [{...}, {...}], or one a line'],
  [/,\s*[}\]]/, 'no comma stands before } or ]'],
  [/:\s*[,}]/, 'a value is missing behind a colon'],
  [/:\s*(?:NaN|-?Infinity|None|True|False|undefined)\b/, 'JSON has no NaN, None or True'],
];
const jsonHelp = (text: string): string => {
  const help = NO_JSON.find(([pattern]) => pattern.test(text.slice(0, 10_000).trimStart()))?.[1];
  return help === undefined ? '' : `; ${help}`;
};

/** The words of the engine, but where they do not say what happened. */
function jsonProblem(error: unknown): string {
  const { message } = error as Error;
  return message === 'Unexpected end of JSON input' ? 'its JSON is cut off before its end' : message;
}

/**
 * Reads the body of a request: `ctx.request.rawBody` is its text, `ctx.request.body` what that
 * says: a value of JSON, a list of the values of its lines, or an empty object where it is blank.
 * @returns a function, for one route
 * @throws Problem 400, 413 or 415
 */
export function bodyReader(accepts: readonly string[], most = MAX_BODY): (ctx: Context) => Promise<void> {
  const parseText = textParser(most);
  const accepted = LINES_TYPES.some((type) => accepts.includes(type));
  return async (ctx) => {
    const type = checkType(ctx.get('Content-Type'), accepts);
    if (most > MAX_BODY && mayBeLarge(ctx)) await takeTurn(ctx);
    await parseText(withoutZstd(ctx), async () => {});
    const text = String(ctx.request.rawBody ?? '');
    if (text.length > SHORT) await checkLong(text);
    ctx.request.body = text.trim() === '' ? {} : parse(text, { said: LINES_TYPES.includes(type), accepted });
    // Programs write long bodies, and no key twice.
    const twice = text.length > SHORT ? undefined : keyTwice(text, ctx.request.body);
    if (twice !== undefined) throw unreadable(`the key ${twice} stands twice in one object: give it once`);
  };
}
