import { connect, type Socket } from 'node:net';

/** Bytes of an answer that are kept. */
const KEPT = 64 * 1024;

/** A connection, with what came over it. Errors end it; they are the service's right. */
export interface Line {
  socket: Socket;
  /** The first bytes of what came, in Latin-1. */
  text: () => string;
  closed: Promise<void>;
  isClosed: () => boolean;
}

export function openLine(port: number): Line {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let over = false;
  socket.on('data', (data) => {
    if (text.length < KEPT) text += data.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      over = true;
      resolve();
    }),
  );
  return { socket, text: () => text, closed, isClosed: () => over };
}

/** Sends bytes, says that there are no more, and waits for the end. */
export async function exchange(port: number, bytes: Uint8Array, timeoutMs = 30_000): Promise<string> {
  const line = openLine(port);
  const late = setTimeout(() => line.socket.destroy(), timeoutMs);
  line.socket.end(bytes);
  await line.closed;
  clearTimeout(late);
  return line.text();
}
