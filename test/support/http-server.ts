import { once } from 'node:events';
import { createServer, type RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An HTTP server of the test's own on a free port of loopback. `close` cuts what is still
 * connected, and waits until all is closed.
 */
export async function startHttpServer(answer: RequestListener | Server) {
  const server = (answer instanceof Server ? answer : createServer(answer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  async function close(): Promise<void> {
    const closed = once(server, 'close');
    server.close().closeAllConnections();
    await closed;
  }
  return { port, url: `http://127.0.0.1:${port}`, close };
}
