import { createHash } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longest path that a Unix socket may have everywhere (macOS allows 103 bytes). */
const MAX_SOCKET_PATH = 100;

function socketPath(dir: string): string {
  const inside = join(realpathSync(dir), 'lock.sock');
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
  return join(tmpdir(), `tillwatch-${createHash('sha256').update(inside).digest('hex').slice(0, 16)}.sock`);
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.end());
  });

const listen = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.once('error', reject);
    server.listen(path, () => resolve(server.unref()));
  });

/**
 * Holds a folder for this process: a socket that answers for as long as the process lives, so that nothing is left to
 * clear up after `kill -9`, unlike a file with a process id.
 * @returns what gives the folder back
 * @throws if another live process holds it
 */
export async function holdFolder(dir: string): Promise<() => Promise<void>> {
  const path = socketPath(dir);
  if (await answers(path))
    throw new Error(
      `${dir} is in use by another tillwatch process. Stop that one, or give this one another --data DIR`,
    );
  rmSync(path, { force: true });
  const server = await listen(path);
  return () => new Promise((resolve) => server.close(() => resolve()));
}
