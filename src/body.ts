import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import bodyParser from 'koa-bodyparser';
import { Problem } from './problem.ts';

const MAX_BODY = '4mb';
/** Bytes; what is longer takes so long in any case that it may as well go through the parser. */
const SHORT = 64 * 1024;

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

/** Any body as text, unpacked, up to its limit. */
const parseText = bodyParser({
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
  await parseText(ctx, async () => {});
  return String(ctx.request.body);
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
    ctx.request.rawBody = text;
    if (!isJson) ctx.request.body = text;
    else ctx.request.body = text === '' ? {} : parseJson(text);
  };
}
