import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context } from 'koa';
import bodyParser from 'koa-bodyparser';
import { Problem } from './problem.ts';

const MAX_BODY = '4mb';
/** Bytes; what is longer takes so long in any case that it may as well go through the parser. */
const SHORT = 64 * 1024;
/** Of lists and objects: those of a report are three deep, those of a notification four. */
const MOST_NESTED = 16;

/** @returns the type's name @throws Problem 415, before a byte is read */
function checkType(type: string, accepts: readonly string[]): string {
  const [name = '', ...parameters] = type.toLowerCase().split(';');
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith('charset='));
  if (!accepts.includes(name.trim()))
    throw new Problem(415, `Content-Type: must be ${accepts.join(' or ')}`, {
      headers: { Accept: accepts.join(', ') },
    });
  if (charset !== undefined && !/^charset="?utf-8"?$/.test(charset))
    throw new Problem(415, `Content-Type: ${charset} is not taken; JSON is UTF-8`);
  return name.trim();
}

const unreadable = (why: string, status = 400): Problem =>
  new Problem(status, `the body cannot be read: ${why.slice(0, 200)}`);

/** Any body, unpacked, up to its limit: as bytes, since text in pieces would stay in memory for longer. */
const parseBytes = bodyParser({
  // To co-body this means bytes; the types do not know of it.
  ...{ encoding: null },
  enableTypes: ['text'],
  extendTypes: { text: ['application/json', 'application/x-ndjson'] },
  textLimit: MAX_BODY,
  onerror(error) {
    const { status } = error as Error & { status?: number };
    if (status === 413) throw new Problem(413, `the body is larger than ${MAX_BODY}; send it in parts`);
    // Anything else that the parser meets is the sender's: broken gzip, a cut connection.
    throw unreadable(error.message, status === 415 ? 415 : 400);
  },
});

/** A short body that says its length and is not packed, as nearly all are: its bytes are all there is to read. */
const isPlain = ({ headers }: IncomingMessage): boolean =>
  headers['content-encoding'] === undefined && Number(headers['content-length']) <= SHORT;

const utf8 = new TextDecoder();

/** @throws Problem 400 where the connection ends before the body does */
function plainText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(utf8.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))));
    request.on('error', (error) => reject(unreadable(error.message)));
  });
}

async function textOf(ctx: Context): Promise<string> {
  if (isPlain(ctx.req)) return plainText(ctx.req);
  await parseBytes(ctx, async () => {});
  const { body } = ctx.request;
  // The parser leaves an object where a request has no body at all.
  return Buffer.isBuffer(body) ? utf8.decode(body) : '';
}

const QUOTE = 0x22;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/** Where a string ends that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = start; ; ) {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
    let before = at;
    while (text[before - 1] === '\\') before--;
    if ((at - before) % 2 === 0) return at;
  }
}

/** Whether lists and objects of JSON stand within each other more than `most` deep. */
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

/** Of the event loop: long bodies that are there at once are parsed one in each, and others are answered in between. */
function turnOfItsOwn(): Promise<void> {
  turn = turn.then(() => nextTurn());
  return turn;
}

/** @throws Problem 400 */
async function checkLong(text: string): Promise<void> {
  await turnOfItsOwn();
  // Two million lists within each other are 4 MB of text, and 250 MB once they are read.
  if (isNested(text, MOST_NESTED))
    throw unreadable(`lists and objects stand within each other more than ${MOST_NESTED} deep`);
}

/** Such a key would be taken for the prototype of what it stands in. @throws SyntaxError */
function refusePrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('Object contains the forbidden key "__proto__"');
  return value;
}

/** An object or a list. @throws Problem 400 */
function parseJson(text: string): unknown {
  let value: unknown;
  try {
    // Looked for in the text first: to look at every key takes several times as long as all the rest. An escape can hide it.
    const suspicious = text.includes('__proto__') || text.includes('\\u');
    value = suspicious ? JSON.parse(text, refusePrototype) : JSON.parse(text);
  } catch (error) {
    throw unreadable((error as Error).message);
  }
  if (typeof value !== 'object' || value === null) throw unreadable('invalid JSON, only an object or a list is taken');
  return value;
}

/**
 * Reads the body of a request: `ctx.request.rawBody` is its text; `ctx.request.body` what that says as JSON, an empty object
 * where it is empty, or the text itself where it is of another type that is accepted.
 * @returns a function, for one route
 * @throws Problem 400, 413 or 415
 */
export function bodyReader(accepts: readonly string[]): (ctx: Context) => Promise<void> {
  // Clients say the same again and again; anybody may say something else, so only the last good one is kept.
  let known = { type: '', name: '' };
  return async (ctx) => {
    const type = ctx.req.headers['content-type'] ?? '';
    if (type !== known.type || type === '') known = { type, name: checkType(type, accepts) };
    const isJson = known.name === 'application/json';
    const text = await textOf(ctx);
    if (text.length > SHORT) await checkLong(text);
    ctx.request.rawBody = text;
    if (!isJson) ctx.request.body = text;
    else ctx.request.body = text === '' ? {} : parseJson(text);
  };
}
