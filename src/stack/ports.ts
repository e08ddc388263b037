import { once } from 'node:events';
import { createServer } from 'node:net';

/** Tries to listen on loopback. @returns the port, undefined when it is in use */
async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const { port: taken } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return taken;
}

export interface WantedPort {
  /** For messages: `--port`. */
  flag: string;
  port: number;
  /** Somebody asked for this very port. */
  given: boolean;
}

/**
 * The port that is wanted if it is free; another when nobody asked for that one.
 * @throws when a port that was asked for is in use
 */
export async function choosePort({ flag, port, given }: WantedPort): Promise<number> {
  const free = await tryPort(port);
  if (free !== undefined) return free;
  if (given)
    throw new Error(`${flag} ${port}: this port is in use; stop what uses it or give another (0 takes a free one)`);
  const other = await tryPort(0);
  if (other === undefined) throw new Error('no free port on 127.0.0.1');
  return other;
}
