import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context } from 'koa';
import { DATA_HEADERS } from './security-headers.ts';

const PROTECTION = Object.entries(DATA_HEADERS).flat();

/** Writes an answer whole, without Koa. */
export function send(ctx: Context, status: number, headers: Readonly<Record<string, string>>, text: string): void {
  ctx.respond = false;
  const length = ['Content-Length', String(Buffer.byteLength(text))];
  ctx.res.writeHead(status, [...PROTECTION, ...Object.entries(headers).flat(), ...length]);
  ctx.res.end(text);
}

/** After its last answer, a connection is read for this time; milliseconds. */
const LINGER_MS = 2000;

/**
 * Has the connection closed after the answer where the body has not come whole: nobody reads the
 * rest of it. Resolves before the answer.
 */
export async function closeUnread({ req, res }: Context): Promise<void> {
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length']) > 0;
  if (!hasBody || req.complete) return;
  // The end of the body may be in the packet whose beginning is being handled.
  await nextTurn();
  if (req.complete) return;
  if (!res.headersSent) res.setHeader('Connection', 'close');
  const { socket } = req;
  // Node would destroy the socket at once. A sender that still sends would meet a reset before it
  // has read the answer.
  socket.destroySoon = () => {
    socket.end();
    req.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}
