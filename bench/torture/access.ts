import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROLES, type Role } from '../../src/http/access.ts';
import { type Client, createClient } from './client.ts';
import { Refusal, serve } from './program.ts';
import { part, type Run, type Torture } from './row.ts';

const tokenOf = (role: string): string => `${role}-0123456789abcdef`;

/** The table of the contract: who may, by method and path; undefined is everybody. */
function roleOf(method: string, path: string): Role | undefined {
  if (method === 'POST' && path === '/api/v1/transactions') return 'ingest';
  if (method === 'POST' && path === '/api/v1/alertmanager') return 'webhook';
  if (method !== 'GET') return 'operate';
  return path.startsWith('/api/') || path === '/metrics' ? 'read' : undefined;
}

/** A header, and what must come of it where `role` is needed: 401, 403, or anything else. */
function attempts(role: Role | undefined): [string, number | undefined][] {
  const asked = (status: number) => (role === undefined ? undefined : status);
  const own = tokenOf(role ?? 'read');
  return [
    ...[
      '',
      'Bearer',
      'Basic dTpw',
      own,
      `Bearer ${own}x`,
      `Bearer ${own.slice(0, -1)}`,
      `Bearer ${own.toUpperCase()}`,
      `Bearer ${own}, Bearer ${own}`,
      'Bearer nonsense-0123456789',
    ].map((header): [string, number | undefined] => [header, asked(401)]),
    ...ROLES.map((held): [string, number | undefined] => [
      `Bearer ${tokenOf(held)}`,
      held === role ? undefined : asked(403),
    ]),
  ];
}

async function routesOf(client: Client): Promise<[string, string][]> {
  const { json } = await client.send({ path: '/openapi.json' });
  return Object.entries(json.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map((method): [string, string] => [method.toUpperCase(), path.replace(/\{\w+\}/, '1')]),
  );
}

async function tryRoute(client: Client, method: string, path: string, { violations }: Run): Promise<number> {
  const all = attempts(roleOf(method, path));
  // The stream of events does not end; HEAD asks for the same leave.
  const asked = path === '/api/v1/events' ? 'HEAD' : method;
  for (const [Authorization, status] of all) {
    const headers = { 'Content-Type': 'application/json', ...(Authorization !== '' && { Authorization }) };
    const reply = await client.send({ method: asked, path, headers, ...(asked === 'POST' && { body: '{}' }) });
    const right = status === undefined ? ![401, 403].includes(reply.status) : reply.status === status;
    violations.check(right, `${method} ${path} with "${Authorization}" was answered ${reply.status}`);
    violations.check(!reply.text.includes('0123456789abcdef'), `${method} ${path} shows a token`);
  }
  return all.length;
}

async function checkStart(args: string[], { folder, violations }: Run): Promise<void> {
  const outcome = await serve(await folder(), { args }).catch((error: unknown) => error);
  const refused = outcome instanceof Refusal && outcome.code === 2 && /--tokens-file/.test(outcome.message);
  violations.check(refused, `it starts with ${args.join(' ')}`);
  if (!(outcome instanceof Error)) await (outcome as { stop: () => Promise<unknown> }).stop();
}

async function run(run: Run) {
  const file = join(await run.folder(), 'tokens');
  await writeFile(file, ROLES.map((role) => `${role} ${tokenOf(role)}\n`).join(''));
  const program = await serve(await run.folder(), { args: ['--tokens-file', file] });
  const client = createClient(program.url, 4);
  const routes = await routesOf(client);
  let tries = 0;
  for (const [method, path] of routes) tries += await tryRoute(client, method, path, run);
  run.violations.check(!program.log().includes('0123456789abcdef'), 'the log shows a token');
  client.close();
  await program.stop();
  const hosts = ['0.0.0.0', '::', '192.0.2.1'].slice(0, part(run, 3));
  for (const host of hosts) await checkStart(['--host', host], run);
  return {
    done: `${routes.length} routes, ${tries} requests, ${hosts.length} public addresses`,
    seen: 'tokens are compared as hashes by timingSafeEqual (src/access.ts)',
  };
}

export const access: Torture = {
  name: 'access',
  what: 'access: every route, every role, no, wrong and right token',
  goal: 'the table of the contract; refuses to start open on a public address',
  run,
};
