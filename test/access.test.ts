import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAccess } from '../src/http/access.ts';
import { runToEnd, type Service, startService, temporaryFolder, transactionLines } from './support/service.ts';

const TOKEN = {
  ingest: 'ingest-0123456789abcdef',
  read: 'read-0123456789abcdef',
  webhook: 'webhook-0123456789abcdef',
  operate: 'operate-0123456789abcdef',
  both: 'both-0123456789abcdef',
};
const TOKENS = `# who may do what
ingest ${TOKEN.ingest}

read   ${TOKEN.read}\r
webhook ${TOKEN.webhook}
operate ${TOKEN.operate}
ingest,read ${TOKEN.both}
`;

function tokensFile(text: string): string {
  const file = join(temporaryFolder('tokens'), 'tokens');
  writeFileSync(file, text);
  return file;
}

let service: Service;
beforeAll(async () => {
  service = await startService({ tokensFile: tokensFile(TOKENS) });
});
afterAll(() => service.close());

const ROUTES = [
  ['POST', '/api/v1/transactions', 'ingest'],
  ['GET', '/api/v1/transactions', 'read'],
  ['GET', '/api/v1/anomalies', 'read'],
  ['GET', '/api/v1/series?status=denied', 'read'],
  ['GET', '/api/v1/alerts', 'read'],
  ['GET', '/api/v1/state', 'read'],
  ['HEAD', '/api/v1/events', 'read'],
  ['GET', '/api/v1/comparison?status=denied', 'read'],
  ['GET', '/api/v1/auth-codes', 'read'],
  ['GET', '/api/v1/rules', 'read'],
  ['GET', '/api/v1/access', 'read'],
  ['GET', '/api/v1/silences', 'read'],
  ['POST', '/api/v1/silences', 'operate'],
  ['DELETE', '/api/v1/silences/1', 'operate'],
  ['GET', '/api/v1/incidents', 'read'],
  ['GET', '/api/v1/incidents.csv', 'read'],
  ['POST', '/api/v1/incidents/1/mark', 'operate'],
  ['POST', '/api/v1/demo/incidents', 'operate'],
  ['POST', '/api/v1/alertmanager', 'webhook'],
  ['GET', '/metrics', 'read'],
  ['GET', '/-/healthy', undefined],
  ['GET', '/-/ready', undefined],
  ['GET', '/openapi.json', undefined],
  ['GET', '/docs', undefined],
  ['GET', '/', undefined],
  ['GET', '/live/main.js', undefined],
] as const;

const ask = (method: string, path: string, authorization?: string) =>
  service.send(method, path, method === 'POST' ? {} : undefined, {
    ...(authorization !== undefined && { Authorization: authorization }),
  });

describe.each(ROUTES)('%s %s', (method, path, role) => {
  test('without a token, or with one that is not known', async () => {
    const wrong = ['Bearer nonsense-0123456789', `Bearer ${TOKEN.ingest}x`, 'Basic dTpw', 'Bearer', TOKEN.read];
    for (const authorization of [undefined, ...wrong]) {
      const answer = await ask(method, path, authorization);
      if (role === undefined) expect(answer.status).toBe(200);
      else {
        expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
        expect(answer.headers.get('www-authenticate')).toContain('Bearer');
        expect(answer.text).not.toContain('0123456789');
      }
    }
  });

  test.each(['ingest', 'read', 'webhook', 'operate', 'both'] as const)('with the token of %s', async (holder) => {
    const { status } = await ask(method, path, `Bearer ${TOKEN[holder]}`);
    const roles: (string | undefined)[] = holder === 'both' ? ['ingest', 'read'] : [holder];
    if (role === undefined || roles.includes(role)) expect([401, 403]).not.toContain(status);
    else expect(status).toBe(403);
  });
});

test('a token learns which roles it has; where none is asked for, they are all', async () => {
  expect((await ask('GET', '/api/v1/access', `Bearer ${TOKEN.both}`)).json).toEqual({ roles: ['ingest', 'read'] });
  expect(createAccess('').rolesOf(undefined)).toEqual(['ingest', 'read', 'webhook', 'operate']);
});

test('who is refused changes nothing, and is refused before the body is looked at', async () => {
  const before = transactionLines((await ask('GET', '/metrics', `Bearer ${TOKEN.read}`)).text);
  for (const authorization of [undefined, `Bearer ${TOKEN.read}`]) {
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    expect([401, 403]).toContain((await service.post({ status: 'denied' }, headers)).status);
    expect([401, 403]).toContain((await service.post('no JSON', headers)).status);
  }
  expect(transactionLines((await ask('GET', '/metrics', `bearer  ${TOKEN.read}`)).text)).toEqual(before);
});

test.each([
  [
    'read read-0123456789abcdef\nwriter abcdefghijklmnopq',
    /tokens:2: "writer" is no role; roles are ingest, read, webhook, operate/,
  ],
  ['# none\n\nread', /tokens:3: must be "ROLE TOKEN"/],
  ['read short', /tokens:1: must be "ROLE TOKEN", with a token of at least 16/],
  ['read has blanks in its token', /tokens:1: must be "ROLE TOKEN"/],
  ['ingest,admin abcdefghijklmnopq', /tokens:1: "admin" is no role/],
  ['# nothing but a comment', /holds no token/],
])('a tokens file %j is refused', (text, message) => {
  expect(() => createAccess(tokensFile(text))).toThrow(message);
});

test('a tokens file never shows its tokens', () => {
  expect(() => createAccess(tokensFile('read secret-of-mine extra'))).not.toThrow(/secret-of-mine/);
});

describe('on a public address', () => {
  const burst = (url: string, count: number, token: string) =>
    Promise.all(
      Array.from({ length: count }, () => fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${token}` } })),
    );
  const startOpen = async (rateLimit: string) => {
    const open = await startService({ host: '0.0.0.0', tokensFile: tokensFile(TOKENS), rateLimit });
    return { ...open, url: `http://127.0.0.1:${new URL(open.url).port}` };
  };

  test('a token asks so many times a second, then is told when to come back; another token is served', async () => {
    const open = await startOpen('5');
    const answers = await burst(open.url, 40, TOKEN.read);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused) expect(headers.get('retry-after')).toBe('1');
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(4);
    expect((await burst(open.url, 1, TOKEN.both))[0]?.status).toBe(200);
    await open.close();
  });

  test('who guesses tokens is slowed down, whatever the guesses; the holder of one is not', async () => {
    const open = await startOpen('5');
    const guesses = await Promise.all(
      Array.from({ length: 40 }, (_, guess) => burst(open.url, 1, `guess-${guess}-0123456789`)),
    );
    const statuses = new Set(guesses.flat().map(({ status }) => status));
    expect([...statuses].sort()).toEqual([401, 429]);
    expect((await burst(open.url, 1, TOKEN.read))[0]?.status).toBe(200);
    await open.close();
  });

  test('there is no limit where it is 0', async () => {
    const open = await startOpen('0');
    expect((await burst(open.url, 40, TOKEN.read)).every(({ status }) => status === 200)).toBe(true);
    await open.close();
  });
});

describe('the start', () => {
  const serve = (...args: string[]) => runToEnd(['serve', '--port', '0', '--data', temporaryFolder('access'), ...args]);

  test.each(['0.0.0.0', '::', '192.0.2.1'])('is refused on %s without tokens', async (host) => {
    const { code, stderr, stdout } = await serve('--host', host);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`--host ${host}: .*--tokens-file.*--insecure`));
  });

  test('is refused with a tokens file that is not there', async () => {
    const { code, stderr } = await serve('--tokens-file', '/nowhere/tokens');
    expect(code).toBe(2);
    expect(stderr).toContain('--tokens-file: cannot read /nowhere/tokens');
  });

  test('is possible on every address with tokens, or without when told so', async () => {
    for (const flags of [{ tokensFile: tokensFile(TOKENS) }, { insecure: true }]) {
      const open = await startService({ host: '0.0.0.0', ...flags });
      const port = new URL(open.url).port;
      const response = await fetch(`http://127.0.0.1:${port}/metrics`);
      expect(response.status).toBe('insecure' in flags ? 200 : 401);
      await open.close();
    }
  });
});
