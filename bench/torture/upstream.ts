import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The state of a Prometheus or an Alertmanager: `down` does not listen, `silent` takes requests
 * and says nothing.
 */
export const FAULTS = [
  'down',
  'silent',
  'slow',
  'cut off',
  'garbage',
  'other JSON',
  'error 500',
  'a million series',
] as const;
export type Mood = 'up' | (typeof FAULTS)[number];

export interface Upstream {
  url: string;
  set: (mood: Mood) => Promise<void>;
  close: () => Promise<void>;
}

const SERIES = 1_000_000;
const seriesText = (i: number): string =>
  `{"metric":{"__name__":"status:transactions:odds","status":"denied","merchant":"merchant ${i}"},"value":[1795264260,"0.05"]}`;

function* millionText(): Generator<string> {
  yield '{"status":"success","data":{"resultType":"vector","result":[';
  for (let i = 0; i < SERIES; i += 1000)
    yield `${i === 0 ? '' : ','}${Array.from({ length: 1000 }, (_, j) => seriesText(i + j)).join(',')}`;
  yield ']}}';
}

/** As fast as it is read, so that it is the reader who must stop. */
const million = (response: ServerResponse) => pipeline(Readable.from(millionText()), response).catch(() => {});

/** A byte a second: the answer never ends in time. */
async function slowly(response: ServerResponse): Promise<void> {
  for (let i = 0; i < 60 && !response.destroyed; i++) {
    response.write(' ');
    await sleep(1000);
  }
  response.end();
}

/** @param healthy answers as the real one does */
export async function startUpstream(
  healthy: (request: IncomingMessage) => Promise<string>,
  first: Mood,
): Promise<Upstream> {
  let mood: Mood = 'up';
  const answers: Record<Mood, (request: IncomingMessage, response: ServerResponse) => unknown> = {
    up: async (request, response) => response.end(await healthy(request)),
    down: (_, response) => response.destroy(),
    silent: () => {},
    slow: (_, response) => slowly(response),
    'cut off': (_, response) =>
      response.writeHead(200, { 'Content-Length': '1000' }).write('{"status":', () => response.destroy()),
    garbage: (_, response) =>
      response.end(Buffer.from(Array.from({ length: 5000 }, () => Math.floor(Math.random() * 256)))),
    'other JSON': (_, response) => response.end('{"status":"success","data":[null,{"a":1}]}'),
    'error 500': (_, response) => response.writeHead(500).end('{"status":"error","error":"out of memory"}'),
    'a million series': (_, response) => million(response),
  };
  const server = createServer((request, response) => {
    response.on('error', () => {});
    void answers[mood](request, response);
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const close = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  const port = await listen(0);
  async function set(next: Mood): Promise<void> {
    mood = next;
    if (next === 'down') await close();
    else if (!server.listening) await listen(port);
    else server.closeAllConnections();
  }
  await set(first);
  return { url: `http://127.0.0.1:${port}`, set, close };
}
