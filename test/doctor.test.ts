import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { createTestIo } from './support/command-io.ts';
import { startHttpServer } from './support/http-server.ts';
import { waitFor } from './support/processes.ts';
import { runProgram, temporaryFolder } from './support/service.ts';

async function tillwatch(...args: string[]) {
  const io = { ...createTestIo(), env: { PATH: process.env.PATH } };
  const code = await run(args, io);
  return { code, ...io.written };
}

const PORTS = ['--port', '0', '--prometheus-port', '0', '--alertmanager-port', '0'];

test('a set-up that runs is in order; then its rules differ, and it is told', async () => {
  const folder = temporaryFolder('doctor');
  await tillwatch('init', folder);
  const running = await runProgram(['up', '--config', folder, ...PORTS], process.env);
  await waitFor(() => running.stdout().includes('Tillwatch runs'), { timeout: 500_000, what: 'the stack' });
  const at = (name: string) => new RegExp(`${name}\\s+(http://127.0.0.1:(\\d+))`).exec(running.stdout()) ?? [];
  const ports = { PORT: 'live page', PROMETHEUS_PORT: 'Prometheus', ALERTMANAGER_PORT: 'Alertmanager' };
  const settings = Object.entries(ports).map(([name, what]) => `TILLWATCH_${name}=${at(what)[2]}\n`);
  writeFileSync(join(folder, '.env'), settings.join(''));
  const asked = () => tillwatch('doctor', '--config', folder);
  // Prometheus has not scraped yet, which is no fault.
  const first = await asked();
  expect(first.stdout).toMatch(/ok {4}Prometheus scrapes Tillwatch\nok {4}Prometheus knows an Alertmanager\n/);
  // Nor is it one that no rule was evaluated since the start.
  expect(first.stdout).toMatch(
    /wait {2}alerts pass prometheus\n {6}Prometheus has not evaluated the rules since Tillwatch/,
  );
  const well = await waitFor(
    async () => {
      const { code, stdout } = await asked();
      return code === 0 ? stdout : undefined;
    },
    { timeout: 500_000, what: 'a set-up in order' },
  );
  expect(well).toMatch(/ok {4}Prometheus \S+ answers\n/);
  expect(well).toContain('nothing is wrong');

  // Prometheus reads changed files every half minute, which a busy doctor may miss.
  let attempt = 0;
  const differing = await waitFor(
    async () => {
      const rule = `{record: "own:series${++attempt}", expr: vector(1)}`;
      const own = `groups:\n  - name: own\n    rules:\n      - ${rule}\n`;
      writeFileSync(join(folder, 'prometheus', 'rules', 'own.rules.yml'), own);
      const { code, stdout } = await asked();
      return code === 1 ? stdout : undefined;
    },
    { what: 'a doctor that sees the rules differ' },
  );
  expect(differing).toMatch(/WRONG the rules.*\n.*own:series.*reload/);
  await running.stop();
}, 1_200_000);

test('each thing that is wrong is named with what to do', async () => {
  const other = await startHttpServer((_request, response) => response.end('{}'));
  const data = temporaryFolder('doctor');
  const tokensFile = join(data, 'tokens');
  writeFileSync(tokensFile, 'read let-me-have-a-look\n');
  chmodSync(tokensFile, 0o644);
  mkdirSync(join(data, 'x'));
  writeFileSync(join(data, 'ledger.sqlite'), 'no database');
  const nowhere = ['--prometheus-url', 'http://127.0.0.1:61999', '--alertmanager-url', 'http://127.0.0.1:61999'];
  const { code, stdout } = await tillwatch(
    'doctor',
    '--data',
    data,
    '--port',
    String(other.port),
    '--tokens-file',
    tokensFile,
    ...nowhere,
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/WRONG Prometheus answers\n.*the connection is refused.*--prometheus-url/);
  expect(stdout).toMatch(/WRONG Alertmanager answers\n.*--alertmanager-url/);
  expect(stdout).toMatch(/WRONG only its owner reads the file of tokens\n.*chmod 600/);
  expect(stdout).toMatch(/WRONG the ledger is in order\n/);
  expect(stdout).toMatch(/WRONG Tillwatch is ready.*\n.*another program answers there/);
  await other.close();
});
