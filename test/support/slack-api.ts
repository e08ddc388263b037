import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startHttpServer } from './http-server.ts';
import { tempDir } from './temp-dir.ts';

export interface SlackCall {
  method: string;
  token: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a body of Slack's, as it was sent
  body: any;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

/**
 * Slack's Web API under its own name, which Alertmanager has built in: a proxy that leads there, and
 * a certificate to trust. Remembers calls, and numbers the messages that are posted.
 */
export async function startSlackApi() {
  const folder = await tempDir();
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'slack.pem')];
  const names = ['-subj', '/CN=slack.com', '-addext', 'subjectAltName=DNS:slack.com'];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2'];
  await promisify(execFile)('openssl', ['req', '-x509', ...made, ...names]);
  const calls: SlackCall[] = [];
  const tls = createTlsServer(
    { key: await readFile(key), cert: await readFile(certificate) },
    async (request, response) => {
      const body = JSON.parse(await bodyOf(request));
      const method = (request.url ?? '').replace('/api/', '');
      calls.push({ method, token: request.headers.authorization, body });
      const ts = method === 'chat.update' ? body.ts : `${calls.length}.0001`;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ok: true, channel: 'C0123456789', ts }));
    },
  ).listen(0, '127.0.0.1');
  const proxy = createServer();
  const sockets = new Set<Socket>();
  proxy.on('connect', (_request, socket: Socket) => {
    const through = connect((tls.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(through).pipe(socket);
    });
    for (const one of [socket, through]) sockets.add(one.on('error', () => {}));
  });
  const running = await startHttpServer(proxy);
  return {
    proxy: running.url,
    certificate,
    calls,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await running.close();
      tls.close();
      tls.closeAllConnections();
    },
  };
}
