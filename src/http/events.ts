import type { ServerResponse } from 'node:http';
import type { Gauge } from 'prom-client';
import { Problem } from './problem.ts';

/** Names of the events that the live page receives. */
export type EventName = 'state' | 'report' | 'notification' | 'marks' | 'silences' | 'change';

const MAX_STREAMS = 100;
/** A comment this often, so that both ends notice when the other has gone; in milliseconds. */
const HEARTBEAT_MS = 10_000;
/** A reader that has left this much unread is dropped before it is sent more; in bytes. */
const MAX_UNREAD = 256 * 1024;

export interface Stream {
  /** To this reader alone. */
  send(event: EventName, data: unknown): void;
}

/**
 * Server-sent events to everyone who listens. A reader that does not keep up is dropped: it
 * connects again, memory stays.
 */
export interface Events {
  /** Never waits, never throws. */
  publish(event: EventName, data: unknown): void;
  /**
   * Makes an answer whose headers are set an endless stream. @throws Problem 429 when there are too
   * many, 503 when closed
   */
  open(response: ServerResponse): Stream;
  size(): number;
  /** Ends every stream and opens no other. */
  close(): void;
}

interface Reader {
  response: ServerResponse;
  /** Had not read everything at the last heartbeat. */
  behind: boolean;
}

const message = (event: EventName, data: unknown): Buffer =>
  Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

function admit(open: number, closed: boolean): void {
  if (closed) throw new Problem(503, 'tillwatch is stopping', { headers: { 'Retry-After': '5' } });
  if (open < MAX_STREAMS) return;
  throw new Problem(429, `${MAX_STREAMS} event streams are open, and more are not kept: close a page, then try again`, {
    headers: { 'Retry-After': '15' },
  });
}

/** @param gauge is kept at the number of open streams */
export function createEvents(gauge: Gauge): Events {
  const readers = new Set<Reader>();
  let heart: NodeJS.Timeout | undefined;
  let closed = false;

  function leave(reader: Reader): void {
    if (!readers.delete(reader)) return;
    gauge.set(readers.size);
    if (readers.size === 0) clearInterval(heart);
  }
  function write(reader: Reader, bytes: Buffer | string): void {
    if (reader.response.writableLength <= MAX_UNREAD) reader.response.write(bytes);
    else reader.response.destroy();
  }
  function beat(): void {
    for (const reader of [...readers]) {
      const behind = reader.response.writableLength > 0;
      if (behind && reader.behind) reader.response.destroy();
      else write(reader, ':\n\n');
      reader.behind = behind;
    }
  }
  return {
    publish(event, data) {
      if (readers.size === 0) return;
      const bytes = message(event, data);
      for (const reader of [...readers]) write(reader, bytes);
    },
    open(response) {
      admit(readers.size, closed);
      const reader = { response, behind: false };
      response.on('close', () => leave(reader));
      // Written to after its reader went away: `close` follows.
      response.on('error', () => {});
      if (readers.size === 0) heart = setInterval(beat, HEARTBEAT_MS).unref();
      readers.add(reader);
      gauge.set(readers.size);
      response.writeHead(200);
      response.write('retry: 2000\n\n');
      return { send: (event, data) => write(reader, message(event, data)) };
    },
    size: () => readers.size,
    close() {
      closed = true;
      for (const { response } of [...readers]) {
        if (response.writableLength > 0) response.destroy();
        else response.end();
      }
    },
  };
}
