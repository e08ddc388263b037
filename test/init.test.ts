import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { waitFor } from './support/processes.ts';
import { clientOf, PROGRAM, runProgram, runToEnd, temporaryFolder } from './support/service.ts';

const PORTS = ['--port', '0', '--prometheus-port', '0', '--alertmanager-port', '0'];

test('init writes a folder that check passes, overwrites nothing, and up runs from it', async () => {
  const folder = join(temporaryFolder('init'), 'shop');
  const first = await runToEnd(['init', folder]);
  expect([first.code, first.stderr]).toEqual([0, '']);
  for (const name of ['.env', 'docker-compose.yml', 'prometheus/prometheus.yml', 'alertmanager/secrets/README.md'])
    expect(existsSync(join(folder, name)), name).toBe(true);
  expect(statSync(join(folder, '.env')).mode & 0o077).toBe(0);

  writeFileSync(join(folder, '.env'), 'TILLWATCH_DIMENSIONS=shop\n');
  const rules = join(folder, 'prometheus', 'rules', 'tunables.rules.yml');
  const edited = readFileSync(rules, 'utf8').replace(/(window: 1m\}, expr: vector\()3\.3/, '$19.9');
  writeFileSync(rules, edited);
  const again = await runToEnd(['init', folder]);
  expect(again.stdout).toContain('kept    .env: it exists');
  expect(again.stdout).toMatch(/\n0 files written to /);
  expect(readFileSync(rules, 'utf8')).toBe(edited);

  const running = await runProgram(['up', '--config', folder, ...PORTS], process.env);
  await waitFor(() => running.stdout().includes('Tillwatch runs'), { timeout: 500_000, what: 'the stack' });
  const service = clientOf(/live page\s+(\S+)\//.exec(running.stdout())?.[1] ?? '');
  expect((await service.post({ counts: { approved: 1 }, labels: { shop: 'one' } })).status).toBe(200);
  const { groups } = (await service.get('/api/v1/rules')).json;
  const queries = groups.flatMap((group: { rules: { query: string }[] }) => group.rules.map(({ query }) => query));
  expect(queries).toContain('vector(9.9)');
  expect(existsSync(join(folder, 'data', 'ledger.sqlite'))).toBe(true);
  await running.stop();
});

test('a demo leaves nothing in the folder that it is started from', async () => {
  const [folder, elsewhere] = [join(temporaryFolder('init'), 'shop'), temporaryFolder('demo')];
  await runToEnd(['init', folder]);
  const env = { ...process.env, TMPDIR: elsewhere };
  const running = await runProgram(['up', '--demo', '--config', folder, ...PORTS], env);
  const isWriting = () => readdirSync(elsewhere).some((name) => existsSync(join(elsewhere, name, 'prometheus')));
  await waitFor(isWriting, { timeout: 500_000, what: 'the data of the demo' });
  expect(existsSync(join(folder, 'data'))).toBe(false);
  await running.stop();
});

test('init says how to start it in the words with which it was called', async () => {
  const folder = temporaryFolder('init');
  const bin = join(folder, 'node_modules', '.bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(PROGRAM, join(bin, 'tillwatch'));
  for (const [script, words] of [
    [join(bin, 'tillwatch'), 'npx tillwatch'],
    [PROGRAM, `node ${PROGRAM}`],
  ] as const) {
    const { stdout } = await execa(process.execPath, [script, 'init', 'shop'], { cwd: folder, extendEnv: false });
    expect(stdout).toContain(`Start it:    ${words} up --config shop\n`);
    expect(stdout).toContain(`Check it:    ${words} check shop`);
  }
});

test('a folder that init has not made is refused with what to do', async () => {
  const { code, stderr } = await runToEnd(['up', '--config', temporaryFolder('init')]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/prometheus\/prometheus.yml is not there. node \S+ init \S+ writes/),
  ]);
});

test('a port that is taken stops the start: up moves to another in silence nowhere', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  const env = { TILLWATCH_DATA: temporaryFolder('init') };
  const { code, stderr } = await runToEnd(['up', ...PORTS.slice(2), '--port', String(port)], env);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(`--port ${port}: this port is in use; stop what uses it, or give`),
  ]);
  taken.close();
});
