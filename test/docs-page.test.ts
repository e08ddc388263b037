import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRules } from '../src/prometheus/rule-files.ts';
import { launchChromium, violationsOf } from './support/browser.ts';
import { type Service, startService } from './support/service.ts';

interface Operation {
  method: string;
  path: string;
  role: string | undefined;
  summary: string;
  operationId: string;
}

let service: Service;
let page: string;
let operations: Operation[];
beforeAll(async () => {
  service = await startService({ dimensions: 'acquirer' });
  page = (await service.get('/docs')).text;
  const { paths } = (await service.get('/openapi.json')).json;
  operations = Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { 'x-role': role, summary, operationId }]) => {
      return { method: method.toUpperCase(), path, role, summary, operationId };
    }),
  );
});
afterAll(() => service.close());

const bare = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

describe('/docs', () => {
  test('lists exactly the operations of openapi.json, each with its role', () => {
    const articles = [...page.matchAll(/<article[^>]*>\s*<header>(.*?)<\/header>/gs)].map((match) =>
      bare(match[1] ?? ''),
    );
    expect(articles.sort()).toEqual(
      operations
        .map(({ method, path, role }) => `${method} ${path} ${role === undefined ? 'no role needed' : `role ${role}`}`)
        .sort(),
    );
  });

  test('has a command for each that goes to this service', () => {
    const commands = [...page.matchAll(/<figcaption>Request<\/figcaption><pre[^>]*><code>curl (.*?)<\/code>/gs)];
    expect(commands.length).toBe(operations.length);
    for (const [, command] of commands) expect(command).toContain(`${service.url}/`);
  });

  test('its command to report counts is taken when it is sent as it stands', async () => {
    const article = page.slice(page.indexOf('id="post-api-v1-transactions"'));
    const body = /-d &#39;(\{.*?\})&#39;/s.exec(article)?.[1]?.replaceAll('&quot;', '"');
    const { status, text } = await service.post(body);
    expect(status, text).toBe(200);
  });

  test('says what a field is, its limits, and which label the service takes', () => {
    const silence = bare(
      page.slice(page.indexOf('id="post-api-v1-silences"'), page.indexOf('id="delete-api-v1-silences')),
    );
    expect(silence).toMatch(/minutes integer required.*1 to 10080/);
    const comparison = bare(page.slice(page.indexOf('id="get-api-v1-comparison"')));
    expect(comparison).toMatch(/acquirer string query/);
  });
});

/** A request with every parameter filled in; nothing of its body is right. */
async function ask({ method, path }: Operation) {
  const filled = path
    .replaceAll(/\{asset\}/g, 'main.js')
    .replaceAll(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000');
  const sent = method === 'POST' ? { headers: { 'Content-Type': 'application/json' }, body: '{}' } : {};
  const response = await fetch(service.url + filled, { method, ...sent });
  const isStream = response.headers.get('content-type')?.includes('event-stream');
  const text = isStream ? '' : await response.text();
  if (isStream) await response.body?.cancel();
  return { status: response.status, text };
}

describe('openapi.json', () => {
  test('lists only operations that exist', async () => {
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) {
      const { status, text } = await ask(operation);
      expect(status, `${operation.method} ${operation.path}: ${text}`).not.toBe(405);
      expect(text, `${operation.method} ${operation.path}`).not.toContain('there is nothing at');
    }
  });

  test('lists every method that a path takes', async () => {
    for (const path of new Set(operations.map((operation) => operation.path))) {
      const { status, headers } = await service.send('PUT', path.replaceAll(/[{}]/g, ''));
      const listed = operations.filter((operation) => operation.path === path).map(({ method }) => method);
      expect(status).toBe(405);
      expect(
        headers
          .get('allow')
          ?.split(', ')
          .filter((method) => method !== 'HEAD')
          .sort(),
        path,
      ).toEqual(listed.sort());
    }
  });

  test('lists every route that the program has', () => {
    const sources = readdirSync('src/http/routes').map((name) => readFileSync(`src/http/routes/${name}`, 'utf8'));
    const written = sources.flatMap((text) =>
      [...text.matchAll(/(?:path: |(?:file|route|instead)\(\s*)'(\/[^']*)'/g)].map((match) => match[1]),
    );
    const templates = written.map((path) => path?.replaceAll(/:(\w+)/g, '{$1}'));
    expect([...new Set(templates)].sort()).toEqual([...new Set(operations.map(({ path }) => path))].sort());
  });

  test('names the role operate for what changes something, and for nothing else', () => {
    const changing = operations.filter(({ role }) => role === 'operate').map(({ method, path }) => `${method} ${path}`);
    const others = ['/api/v1/transactions', '/api/v1/alertmanager'];
    const expected = operations.filter(({ method, path }) => method !== 'GET' && !others.includes(path));
    expect(changing).toEqual(expected.map(({ method, path }) => `${method} ${path}`));
  });

  test('gives every operation a name of its own for generated clients', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(operations.length);
    expect(ids).toContain('postTransactions');
    for (const id of ids) expect(id).toMatch(/^[a-z][a-zA-Z0-9]+$/);
  });

  test('says of every operation what it does', () => {
    for (const { method, path, summary } of operations) expect(summary, `${method} ${path}`).toMatch(/\w{3}/);
  });
});

describe('documents', () => {
  test('the runbook has a heading for every alert, where the links of messages lead', async () => {
    const { status, text } = await service.get('/docs/runbook');
    expect(status).toBe(200);
    const { alerts } = await readRules('prometheus/rules');
    for (const { alert } of alerts) expect(text).toContain(`id="${alert.toLowerCase()}"`);
  });

  test('links lead to documents and headings that are there', async () => {
    const seen = new Map<string, string>();
    const read = async (name: string) => {
      if (!seen.has(name)) seen.set(name, (await service.get(`/docs/${name}`)).text);
      return seen.get(name) ?? '';
    };
    const linksOf = (html: string) => [...html.matchAll(/href="([\w-]+)?(?:#([^"]+))?"/g)];
    for (const [, name = 'index'] of linksOf(await read('index')))
      for (const [, to = name, anchor] of linksOf(await read(name))) {
        const target = await read(to);
        expect(target, `${name} -> ${to}`).not.toContain('there is no document');
        if (anchor !== undefined && anchor !== 'main')
          expect(target, `${name} -> ${to}#${anchor}`).toContain(`id="${anchor}"`);
      }
    expect(seen.size).toBeGreaterThan(5);
  });

  test.each(['/docs/nothing', '/docs/..%2Fpackage', '/docs/runbook.md'])('%s is not there', async (path) => {
    expect((await service.get(path)).status).toBe(404);
  });
});

test('a path that is nearly right is told the right one', async () => {
  const detail = async (path: string) => (await service.get(path)).json.detail;
  expect(await detail('/METRICS')).toContain('did you mean /metrics?');
  expect(await detail('/api/v1/transaction')).toContain('did you mean /api/v1/transactions?');
  expect(await detail('/nowhere-near')).toContain('/docs');
});

test.each([
  ['a desk', 1440],
  ['a phone', 390],
])('in a browser on %s it fits, obeys the content security policy, and copies a command', async (_, width) => {
  const browser = await launchChromium();
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const tab = await context.newPage();
  const complaints: string[] = [];
  tab.on('console', (message) => complaints.push(message.text()));
  tab.on('pageerror', (error) => complaints.push(String(error)));
  await tab.goto(`${service.url}/docs`, { waitUntil: 'networkidle' });
  const wider = await tab.evaluate('document.documentElement.scrollWidth > innerWidth');
  const violations = await violationsOf(tab);
  const article = tab.locator('#get-api-v1-anomalies');
  await article.getByRole('button', { name: 'Copy the request' }).click();
  await article.getByRole('button', { name: 'Copy the request' }).filter({ hasText: 'Copied' }).waitFor();
  const copied = await tab.evaluate('navigator.clipboard.readText()');
  await browser.close();
  expect(wider).toBe(false);
  expect(copied).toBe(`curl '${service.url}/api/v1/anomalies'`);
  expect(complaints).toEqual([]);
  expect(violations.map(({ id, impact }) => `${impact}: ${id}`)).toEqual([]);
});
