import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Log } from '../runtime/log.ts';

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
  /** The flag as messages name it, such as `--port`. */
  flag: string;
  port: number;
  /** Another one will do, as in the demo. */
  movable: boolean;
}

export interface StackPorts<Port = number> {
  service: Port;
  prometheus: Port;
  alertmanager: Port;
}

/**
 * The ports that are wanted as far as they are free, or others where those will do.
 * @throws when a port is in use and no other will do
 */
export async function choosePorts(wanted: StackPorts<WantedPort>, log: Log): Promise<StackPorts> {
  const choose = async (one: WantedPort): Promise<number> => {
    const port = await choosePort(one);
    if (one.port !== 0 && port !== one.port) log('warn', `${one.flag} ${one.port} is in use: the demo takes ${port}`);
    return port;
  };
  const prometheus = await choose(wanted.prometheus);
  const alertmanager = await choose(wanted.alertmanager);
  return { prometheus, alertmanager, service: await choose(wanted.service) };
}

/**
 * The port that is wanted if it is free, or another where that will do.
 * @throws when the port is in use and no other will do
 */
export async function choosePort({ flag, port, movable }: WantedPort): Promise<number> {
  const free = await tryPort(port);
  if (free !== undefined) return free;
  if (!movable)
    throw new Error(
      `${flag} ${port}: this port is in use; stop what uses it, or give another ${flag} (0 takes a free one)`,
    );
  const other = await tryPort(0);
  if (other === undefined) throw new Error('no free port on 127.0.0.1');
  return other;
}
