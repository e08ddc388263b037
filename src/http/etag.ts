import { createHash } from 'node:crypto';
import type { Context } from 'koa';

/** A hash of these bytes, quoted as HTTP has it. */
export const etagOf = (content: string | Buffer): string =>
  `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;

const READ = /^(application\/json|text\/(csv|html))/;

/**
 * Gives JSON, CSV and pages an ETag, and answers 304 to who has them already, so that a client can
 * poll. The tag is weak: compressed or not, the answer is the same.
 * @param changing a field that is another at each reading, such as its time: no news by itself
 */
export function tagAnswer(ctx: Context, changing?: string): void {
  const { body, type } = ctx;
  if (ctx.respond === false || ctx.status !== 200 || !READ.test(type)) return;
  if (typeof body !== 'string' && !isPlain(body)) return;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const told = changing === undefined ? text : JSON.stringify({ ...(body as object), [changing]: undefined });
  ctx.body = text;
  ctx.set('ETag', `W/${etagOf(told)}`);
  if (ctx.response.get('Cache-Control') === '') ctx.set('Cache-Control', 'no-cache');
  if (ctx.fresh) ctx.status = 304;
}

/** True for what becomes JSON; not for bytes and streams. */
const isPlain = (body: unknown): body is object =>
  Array.isArray(body) || (typeof body === 'object' && Object.getPrototypeOf(body ?? []) === Object.prototype);
