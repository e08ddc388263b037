import { mkdtempSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAssets } from '../src/http/assets.ts';
import { type Headings, type Service, startService, temporaryFolder } from './support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

interface Raw {
  status: number;
  headers: Record<string, unknown>;
  body: Buffer;
}

/** A request with headers that fetch sets itself, its answer's bytes as they came. */
function ask(method: string, path: string, headers: Headings = {}, at = service): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, at.url), { method, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) });
    });
    sent.on('error', reject).end(method === 'POST' ? '{"status":"denied"}' : undefined);
  });
}

const POLICY =
  "default-src 'none';script-src 'self';style-src 'self';connect-src 'self';img-src 'self' data:;frame-ancestors 'none';base-uri 'none';form-action 'self'";

function expectProtected({ headers }: Raw, policy: string): void {
  expect(headers).toMatchObject({
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(headers).not.toHaveProperty('x-powered-by');
  expect(headers).not.toHaveProperty('strict-transport-security');
}

describe('headers that protect a browser', () => {
  test.each([
    ['the page', 200, 'GET', '/'],
    ['an answer', 200, 'GET', '/openapi.json'],
    ['a script', 200, 'GET', '/live/main.js'],
    ['an event stream', 200, 'HEAD', '/api/v1/events'],
  ])('are on %s (%i)', async (_name, status, method, path) => {
    const answer = await ask(method, path);
    expect(answer.status).toBe(status);
    expectProtected(answer, POLICY);
    expect(answer.headers).toMatchObject({ 'referrer-policy': 'no-referrer' });
  });

  test.each([
    ['a report taken', 200, 'POST', '/api/v1/transactions', { 'Content-Type': 'application/json' }],
    ['nothing', 404, 'GET', '/nothing', {}],
    ['a wrong parameter', 422, 'GET', '/api/v1/transactions?limit=x', {}],
    ['another method', 405, 'PUT', '/metrics', {}],
    ['a wrong content type', 415, 'POST', '/api/v1/transactions', {}],
  ])(
    'are fewer on %s (%i), of which a browser may run nothing at all',
    async (_name, status, method, path, headers) => {
      const answer = await ask(method, path, headers);
      expect(answer.status).toBe(status);
      expectProtected(answer, "default-src 'none';frame-ancestors 'none'");
    },
  );
});

describe('the page and its files', () => {
  test('are there, whole, each with its type, and small', async () => {
    const { body } = await ask('GET', '/');
    const loaded = [...body.toString().matchAll(/(?:src|href)="(live\/[^"]+)"/g)].map((match) => `/${match[1]}`);
    expect(loaded.length).toBeGreaterThan(2);
    const files = new Set(['/', ...loaded]);
    let transferred = 0;
    for (const path of files) {
      const { status, headers, body: zipped } = await ask('GET', path, { 'Accept-Encoding': 'gzip' });
      expect([path, status, headers['content-encoding']]).toEqual([path, 200, 'gzip']);
      const type = path.endsWith('.js') ? 'text/javascript' : path.endsWith('.css') ? 'text/css' : 'text/html';
      expect(headers['content-type']).toContain(type);
      transferred += zipped.length;
      const source = gunzipSync(zipped);
      expect(source).toEqual((await ask('GET', path)).body);
      for (const [, name] of source.toString().matchAll(/from\s*["']\.\/([^"']+)["']/g)) files.add(`/live/${name}`);
    }
    expect(transferred).toBeLessThan(150_000);
  });

  test('are not sent again to who has them', async () => {
    const { headers } = await ask('GET', '/live/main.js');
    expect(headers).toMatchObject({ 'cache-control': 'no-cache', vary: 'Accept-Encoding' });
    const again = await ask('GET', '/live/main.js', { 'If-None-Match': String(headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    const changed = await ask('GET', '/live/main.js', { 'If-None-Match': '"another"' });
    expect(changed.status).toBe(200);
  });

  test('nor are answers that a client polls, as long as they say the same', async () => {
    for (const path of ['/api/v1/cookbook', '/api/v1/state', '/api/v1/incidents.csv', '/openapi.json', '/docs']) {
      const { status, headers } = await ask('GET', path);
      expect([path, status, headers.etag]).toEqual([path, 200, expect.stringMatching(/^W\/"[\w-]{22}"$/)]);
      const again = await ask('GET', path, { 'If-None-Match': String(headers.etag), 'Accept-Encoding': 'gzip' });
      expect([path, again.status, again.body.length]).toEqual([path, 304, 0]);
    }
    const { headers } = await ask('GET', '/api/v1/transactions');
    await service.post({ counts: { approved: 1 } });
    expect((await ask('GET', '/api/v1/transactions', { 'If-None-Match': String(headers.etag) })).status).toBe(200);
  });

  test('answer HEAD without a body', async () => {
    const { status, headers, body } = await ask('HEAD', '/');
    expect([status, body.length]).toEqual([200, 0]);
    expect(headers['content-type']).toContain('text/html');
  });

  test.each([
    '/live/',
    '/live/package.json',
    '/live/..%2fmain.js',
    '/live/%2e%2e%2f%2e%2e%2fpackage.json',
    '/live/a/b',
  ])('are all that is served: %s is not', async (path) => {
    expect((await ask('GET', path)).status).toBe(404);
  });

  test('missing, they fail the start with what to do', () => {
    const empty = mkdtempSync(join(temporaryFolder('assets'), 'a'));
    expect(() => readAssets(join(empty, 'nowhere'))).toThrow('Run npm run build');
    writeFileSync(join(empty, 'index.html'), '<script src="live/main.js" type="module"></script>');
    expect(() => readAssets(empty)).toThrow(/main\.js is missing\. Run npm run build/);
    writeFileSync(join(empty, 'main.js'), "import { x } from './other.js';");
    expect(() => readAssets(empty)).toThrow('other.js is missing');
  });
});

const JSON_TYPE = { 'Content-Type': 'application/json' };
const post = (headers: Headings, at?: Service) => ask('POST', '/api/v1/transactions', { ...JSON_TYPE, ...headers }, at);

describe('a browser that shows another site', () => {
  test.each([
    ['cross-site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['another port of the same site', { 'Sec-Fetch-Site': 'same-site', Origin: 'http://127.0.0.1:1' }],
    ['an older one, by its origin', { Origin: 'https://evil.example' }],
    ['a sandboxed frame', { Origin: 'null' }],
  ])('changes nothing: %s', async (_name, headers) => {
    const before = await service.value('transactions_total{status="denied"}');
    const { status, headers: sent, body } = await post(headers as Headings);
    expect([status, sent['content-type']]).toEqual([403, 'application/problem+json']);
    expect(JSON.parse(body.toString()).detail).toContain('another site');
    expect(await service.value('transactions_total{status="denied"}')).toBe(before);
  });

  test('the own page may, and so may programs', async () => {
    const origin = service.url;
    expect((await post({ 'Sec-Fetch-Site': 'same-origin', Origin: origin })).status).toBe(200);
    expect((await post({ Origin: origin })).status).toBe(200);
    // Behind a proxy that gives the service another name.
    expect((await post({ 'Sec-Fetch-Site': 'same-origin', Origin: 'https://tillwatch.example' })).status).toBe(200);
    expect((await post({})).status).toBe(200);
  });
});

describe('a name that another site has pointed at this machine', () => {
  test.each(['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', 'x@evil.example', '10.0.0.1'])(
    'reads nothing: %s',
    async (host) => {
      const { status, body } = await ask('GET', '/api/v1/transactions', { Host: host });
      expect(status).toBe(403);
      expect(JSON.parse(body.toString()).detail).toContain('--allowed-hosts');
    },
  );

  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8080', '[::1]:8080', '127.0.0.2'])(
    '%s is no such name',
    async (host) => {
      expect((await ask('GET', '/metrics', { Host: host })).status).toBe(200);
    },
  );

  test('reads nothing from a service that was told --insecure, unless it is among --allowed-hosts', async () => {
    const open = await startService({ host: '0.0.0.0', insecure: true, allowedHosts: 'Tillwatch, pos.example' });
    const at = { ...open, url: open.url.replace('0.0.0.0', '127.0.0.1') };
    const statusOf = async (host: string) => (await ask('GET', '/metrics', { Host: host }, at)).status;
    const hosts = ['evil.example', 'sub.pos.example', 'tillwatch:8080', 'pos.example', 'localhost:8080', '127.0.0.1'];
    expect(await Promise.all(hosts.map(statusOf))).toEqual([403, 403, 200, 200, 200, 200]);
    await open.close();
  });

  test('may be the service’s own where tokens are asked for, unless names are given', async () => {
    const tokens = join(temporaryFolder('tokens'), 'tokens');
    writeFileSync(tokens, 'read read-0123456789abcdef\n');
    const headers = { Host: 'tillwatch.example', Authorization: 'Bearer read-0123456789abcdef' };
    for (const [allowedHosts, status] of [
      ['', 200],
      ['other.example', 403],
    ] as const) {
      const guarded = await startService({ tokensFile: tokens, allowedHosts });
      expect((await ask('GET', '/metrics', headers, guarded)).status).toBe(status);
      await guarded.close();
    }
  });
});
