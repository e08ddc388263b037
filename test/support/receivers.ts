import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { startHttpServer } from './http-server.ts';
import { type ParsedMail, parseMail } from './mime.ts';

export interface Delivery {
  path: string;
  body: string;
}

/**
 * An HTTP server that takes every POST as Slack, Teams, PagerDuty and webhooks would, and remembers
 * it.
 */
export async function startHttpReceiver() {
  const deliveries: Delivery[] = [];
  const server = await startHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      deliveries.push({ path: request.url ?? '', body });
      // PagerDuty answers 202; Slack answers the text `ok`; the others take anything in the 200s.
      response.writeHead(request.url === '/pagerduty' ? 202 : 200, { 'content-type': 'text/plain' }).end('ok');
    });
  });
  return {
    ...server,
    deliveries,
    /** Bodies that arrived at a path, oldest first. */
    at: (path: string) => deliveries.filter((one) => one.path === path).map((one) => JSON.parse(one.body)),
  };
}

export interface Mail {
  to: string[];
  /** Header and bodies, with line folding and quoted-printable undone. */
  text: string;
  parsed: ParsedMail;
}

/** A mail server that wants the password. */
export async function startMailServer(user: string, password: string) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password: given }, _session, done) => {
      if (username === user && given === password) done(null, { user });
      else done(new Error('wrong password'));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const raw = Buffer.concat(chunks).toString('utf8');
        mails.push({ to, text: readable(raw), parsed: parseMail(raw) });
        done();
      });
    },
  });
  // An Alertmanager that is stopped may cut a connection; the server goes on without it.
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    mails,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function readable(raw: string): string {
  const unfolded = raw.replace(/\r\n/g, '\n').replace(/=\n/g, '');
  return unfolded.replace(/(?:=[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString());
}
