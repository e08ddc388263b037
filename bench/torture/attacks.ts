import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createClient } from './client.ts';
import { type Line, openLine } from './raw.ts';
import { inParallel, waitFor } from './wait.ts';

export interface Attack {
  name: string;
  /** Rejects, or returns what should not have been; undefined when the service bore it. */
  run: (target: { url: string; port: number; scale: number }) => Promise<string | undefined>;
}

const POST = 'POST /api/v1/transactions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';
/**
 * Longest that an unfinished request may hold a connection: the service's own limits, and a look
 * every few seconds.
 */
const LONGEST_MS = 75_000;

/** Opens connections that send `first`, then `drip` every second; all of them must be cut off. */
async function drips(port: number, count: number, first: string, drip: string): Promise<string | undefined> {
  const lines: Line[] = [];
  for (let i = 0; i < count; i++) {
    const line = openLine(port);
    line.socket.write(first);
    lines.push(line);
  }
  const dripping = setInterval(() => {
    for (const { socket, isClosed } of lines) if (!isClosed()) socket.write(drip);
  }, 1000);
  try {
    await waitFor('slow senders to be cut off', () => lines.every(({ isClosed }) => isClosed()), LONGEST_MS);
    const other = lines.find(({ text }) => !/^(HTTP\/1\.1 (408|400) |$)/.test(text()));
    return other && `a slow sender was answered ${other.text().slice(0, 60)}`;
  } finally {
    clearInterval(dripping);
    for (const { socket } of lines) socket.destroy();
  }
}

/** Connections that say nothing. Others are served while they are open; none may stay for good. */
async function idle(port: number, count: number): Promise<string | undefined> {
  const lines: Line[] = [];
  try {
    await inParallel(count, 200, async () => {
      const line = openLine(port);
      lines.push(line);
      await new Promise((resolve) => line.socket.once('connect', resolve).once('close', resolve));
    });
    const refused = lines.filter(({ isClosed }) => isClosed()).length;
    await waitFor('silent connections to be closed', () => lines.every(({ isClosed }) => isClosed()), LONGEST_MS);
    return refused > count / 100 ? `${refused} of ${count} were refused` : undefined;
  } finally {
    for (const { socket } of lines) socket.destroy();
  }
}

/** Requests in one go, whose answers are read or not. */
async function pipelined(port: number, count: number, request: string, reads: boolean): Promise<string | undefined> {
  const line = openLine(port);
  let answers = 0;
  if (reads) line.socket.on('data', (data) => (answers += data.toString('latin1').split('HTTP/1.1 200').length - 1));
  else line.socket.pause();
  line.socket.write(request.repeat(count));
  if (reads) {
    await waitFor('pipelined requests to be answered', () => answers >= count - 5 || line.isClosed());
    line.socket.destroy();
    return undefined;
  }
  await sleep(3000);
  line.socket.destroy();
  return undefined;
}

/** Sends a body and wants it refused. */
async function refused(url: string, body: string | Uint8Array, headers: Record<string, string>, count = 1) {
  const client = createClient(url, 20);
  const statuses = new Set<number>();
  await inParallel(count, 20, async () => {
    const { status } = await client.post(body, headers).catch((error) => {
      // An answer given before the body was read may end the connection under the sender.
      if (/EPIPE|ECONNRESET/.test(String(error.code))) return { status: 413 };
      throw error;
    });
    statuses.add(status);
  });
  client.close();
  const wrong = [...statuses].find((status) => ![400, 413, 415, 422].includes(status));
  return wrong === undefined ? undefined : `it was answered ${wrong}`;
}

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const bomb = (megabytes: number): Uint8Array => gzipSync(Buffer.alloc(megabytes * 1e6, ' '));
const JSON_BODIES: [string, string | Uint8Array, Record<string, string>?][] = [
  ['40,000-deep lists', deep(40_000)],
  ['40,000-deep objects', `${'{"counts":'.repeat(40_000)}1${'}'.repeat(40_000)}`],
  ['2,000,000-deep lists', deep(2_000_000)],
  [
    '100,000 keys',
    JSON.stringify({ counts: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, 1])) }),
  ],
  ['duplicate keys that hide a bad one', '{"counts":{"denied":1},"counts":{"denied":-1}}'],
  ['numbers of 1,000,000 digits', `{"counts":{"denied":${'9'.repeat(1_000_000)}}}`],
  ['1e999', '{"counts":{"denied":1e999}}'],
  ['__proto__', '{"__proto__":{"counts":{"denied":1}}}'],
  ['constructor.prototype', '{"constructor":{"prototype":{"counts":1}},"status":"denied"}'],
  [
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from('{"status":"denied","source":"'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"x}')]),
  ],
  ['UTF-16', Buffer.from('{"status":"denied"}', 'utf16le'), { 'Content-Type': 'application/json; charset=utf-16' }],
  ['UTF-7', '{"status":"denied"}', { 'Content-Type': 'application/json; charset=utf-7' }],
  ['two charsets', '{"status":"denied"}', { 'Content-Type': 'application/json; charset=latin1; charset=utf-8' }],
];

export const ATTACKS: readonly Attack[] = [
  {
    name: 'slow headers',
    run: ({ port, scale }) =>
      drips(port, Math.ceil(500 * scale), 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ', 'x'),
  },
  {
    name: 'slow bodies',
    run: ({ port, scale }) => drips(port, Math.ceil(500 * scale), `${POST}Content-Length: 4000\r\n\r\n{`, ' '),
  },
  { name: 'idle connections', run: ({ port, scale }) => idle(port, Math.ceil(10_000 * scale)) },
  {
    name: 'pipelining',
    run: ({ port, scale }) =>
      pipelined(port, Math.ceil(10_000 * scale), 'GET /-/healthy HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', true),
  },
  {
    name: 'pipelined scrapes that nobody reads',
    run: ({ port, scale }) =>
      pipelined(port, Math.ceil(20_000 * scale), 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', false),
  },
  {
    name: 'gzip bombs',
    run: ({ url, scale }) => refused(url, bomb(100), { 'Content-Encoding': 'gzip' }, Math.ceil(200 * scale)),
  },
  {
    name: 'a bomb in a bomb',
    run: ({ url, scale }) => refused(url, gzipSync(bomb(100)), { 'Content-Encoding': 'gzip' }, Math.ceil(200 * scale)),
  },
  { name: 'headers of 1 MB', run: ({ url }) => longHeaders(url) },
  ...JSON_BODIES.map(
    ([name, body, headers]): Attack => ({
      name,
      run: ({ url, scale }) => refused(url, body, headers ?? {}, Math.ceil(20 * scale)),
    }),
  ),
];

async function longHeaders(url: string): Promise<string | undefined> {
  const client = createClient(url, 1);
  const { status } = await client.send({ path: '/', headers: { X: 'x'.repeat(1e6) } }).catch(() => ({ status: 431 }));
  client.close();
  return status === 431 ? undefined : `they were answered ${status}`;
}
