import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretsFor, startAlertmanager, withReceivers } from './support/alertmanager.ts';
import { waitFor } from './support/processes.ts';
import { startHttpReceiver } from './support/receivers.ts';

/**
 * What messages.test.ts cannot make fail: the mail server, and an address that takes a connection
 * and says nothing.
 */
type Failure = 'tempfail' | 'busy' | 'silent';

/** A mail server that fails the next deliveries, then takes them. */
async function startUnwillingMail() {
  const failures: Failure[] = [];
  const taken: string[] = [];
  const held = new Set<() => void>();
  const refusal = (text: string, responseCode: number) => Object.assign(new Error(text), { responseCode });
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    authOptional: true,
    // Alertmanager waits for a first word without end: it is the silent server that hangs up.
    socketTimeout: 3000,
    disableReverseLookup: true,
    onConnect(_session, done) {
      if (failures[0] === 'silent') held.add(done);
      else if (failures[0] === 'busy') done(refusal('too many connections, try later', 421));
      else return done();
      failures.shift();
    },
    onMailFrom(_address, _session, done) {
      if (failures[0] !== 'tempfail') return done();
      failures.shift();
      done(refusal('mailbox busy, try later', 451));
    },
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        taken.push(text);
        done();
      });
    },
  });
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    failures,
    taken,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** In front of a port: holds the next connections without a word, passes on those that follow. */
async function startSilentDoor(port: () => number) {
  let silent = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    if (silent > 0) return void silent--;
    const through = connect(port(), '127.0.0.1').on('error', () => socket.destroy());
    sockets.add(through);
    socket.pipe(through).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  /** Also ends connections that are open, which would be used again. */
  function silence(connections: number): void {
    silent = connections;
    for (const socket of sockets) socket.destroy();
  }
  const close = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, silence, silent: () => silent, close };
}

let mail: Awaited<ReturnType<typeof startUnwillingMail>>;
let services: Awaited<ReturnType<typeof startHttpReceiver>>;
let door: Awaited<ReturnType<typeof startSilentDoor>>;
let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;

/** Without a password: the unwilling server asks for none. */
function edit(config: string, folder: string): string {
  const receivers = { url: services.url, mailPort: mail.port, interval: '600ms' };
  return withReceivers(config, folder, receivers).replaceAll(/^ +auth_(username|password_file|identity).*\n/gm, '');
}

beforeAll(async () => {
  [mail, services] = [await startUnwillingMail(), await startHttpReceiver()];
  door = await startSilentDoor(() => Number(new URL(services.url).port));
  alertmanager = await startAlertmanager(edit, { ...secretsFor(services.url), slack_url: `${door.url}/slack` });
});
afterAll(async () => {
  await alertmanager?.stop();
  await Promise.all([door?.close(), services?.close(), mail?.close()]);
});

const alertOf = (service: string) => ({
  labels: { alertname: 'TransactionsDeniedAboveNormal', service, severity: 'critical', status: 'denied' },
  annotations: { summary: `denied above normal of ${service}`, description: 'd', since: '04:00' },
});

const told = (service: string) => ({
  mail: mail.taken.some((text) => text.includes(service)),
  slack: JSON.stringify(services.at('/slack')).includes(service),
  teams: JSON.stringify(services.at('/teams')).includes(service),
  journal: JSON.stringify(services.at('/api/v1/alertmanager')).includes(service),
});

describe('a receiver that is down:', () => {
  test.each<[string, string, Failure[]]>([
    ['mail that says 451', 'tempfail', ['tempfail', 'tempfail']],
    ['mail that says 421', 'busy', ['busy', 'busy']],
    ['mail that takes the connection, says nothing and hangs up', 'silentmail', ['silent']],
  ])('%s gets the message when it is back; the others and the journal had it', async (_name, service, failures) => {
    mail.failures.push(...failures);
    await alertmanager.post([alertOf(service)]);
    await waitFor(
      () => {
        const { mail: _, ...others } = told(service);
        return Object.values(others).every(Boolean);
      },
      { what: 'the message at the others' },
    );
    await waitFor(() => told(service).mail, {
      what: `the mail\n${alertmanager.log().slice(-1500)}`,
      timeout: 90_000,
    });
    expect(mail.failures, 'it did fail before').toEqual([]);
  });

  test('Slack that takes the connection and says nothing gets the message when it is back', async () => {
    door.silence(1);
    const service = 'silentslack';
    await alertmanager.post([alertOf(service)]);
    await waitFor(() => Object.values(told(service)).every(Boolean), {
      what: `the message everywhere\n${alertmanager.log().slice(-1500)}`,
      timeout: 90_000,
    });
    expect(door.silent(), 'it was silent before').toBe(0);
  });
});
