import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';

/** Longest path that a Unix socket may have everywhere: macOS allows 103 bytes. */
const MAX_SOCKET_PATH = 103;

/** Where the sockets of a folder's processes are, and what their names begin with. */
function socketsOf(dir: string): { folder: string; prefix: string } {
  const folder = realpathSync(dir);
  if (Buffer.byteLength(join(folder, socketName('lock'))) <= MAX_SOCKET_PATH) return { folder, prefix: 'lock' };
  return { folder: tmpdir(), prefix: `tillwatch-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}` };
}

const socketName = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}.sock`;

/** Whether a process lives behind a socket; what cannot be asked counts as living. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      resolve(true);
      socket.end();
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
    socket.once('close', () => socket.destroy());
  });

const listen = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.once('error', reject);
    server.listen(path, () => resolve(server.unref()));
  });

/**
 * Holds a folder for this process: a socket that answers for as long as the process lives, so that nothing is left to
 * clear up after `kill -9`, unlike a file with a process id. Each process has a socket of its own, and looks at the others
 * once its own answers: of two that start together, at least the later one to look sees the other and steps back.
 * @returns what gives the folder back
 * @throws if another live process holds it
 */
export async function holdFolder(dir: string): Promise<() => Promise<void>> {
  const { folder, prefix } = socketsOf(dir);

  /** Of all other processes; removes those of dead ones, once this process has its own. */
  async function othersLive(own?: string): Promise<boolean> {
    const dead: string[] = [];
    for (const name of readdirSync(folder)) {
      if (name === own || !name.startsWith(prefix) || !name.endsWith('.sock')) continue;
      if (await answers(join(folder, name))) return true;
      dead.push(join(folder, name));
    }
    if (own !== undefined) for (const path of dead) rmSync(path, { force: true });
    return false;
  }

  for (;;) {
    if (await othersLive())
      throw new Error(
        `${dir} is in use by another tillwatch process. Stop that one, or give this one another --data DIR`,
      );
    const own = socketName(prefix);
    const server = await listen(join(folder, own));
    const release = () => new Promise<void>((resolve) => server.close(() => resolve()));
    if (!(await othersLive(own))) return release;
    await release();
    // Two that stepped back from each other do not come back together.
    await passed(Math.random() * 100);
  }
}
