import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startHttpServer } from './support/http-server.ts';
import { waitFor } from './support/processes.ts';
import { runProgram, runToEnd, temporaryFolder } from './support/service.ts';

const PORTS = ['--port', '0', '--prometheus-port', '0', '--alertmanager-port', '0'];

test('a set-up that runs is in order; then its rules differ, and it is told', async () => {
  const folder = temporaryFolder('doctor');
  await runToEnd(['init', folder]);
  const running = await runProgram(['up', '--config', folder, ...PORTS], process.env);
  await waitFor(() => running.stdout().includes('Tillwatch runs'), { timeout: 60_000, what: 'the stack' });
  const at = (name: string) => new RegExp(`${name}\\s+(http://127.0.0.1:(\\d+))`).exec(running.stdout()) ?? [];
  const flags = [
    ...['--port', at('live page')[2] ?? '', '--prometheus-url', at('Prometheus')[1] ?? ''],
    ...['--alertmanager-url', at('Alertmanager')[1] ?? '', '--data', join(folder, 'data'), '--config', folder],
  ];
  const asked = () => runToEnd(['doctor', ...flags]);
  const well = await waitFor(
    async () => {
      const { code, stdout } = await asked();
      return code === 0 ? stdout : undefined;
    },
    { timeout: 90_000, what: 'a set-up in order' },
  );
  expect(well).toMatch(/ok {4}Prometheus \S+ answers\n/);
  expect(well).toContain('nothing is wrong');

  writeFileSync(
    join(folder, 'prometheus', 'rules', 'own.rules.yml'),
    'groups:\n  - name: own\n    rules:\n      - {record: "own:series", expr: vector(1)}\n',
  );
  const differing = await asked();
  expect([differing.code, differing.stdout]).toEqual([
    1,
    expect.stringMatching(/WRONG the rules.*\n.*own:series.*reload/),
  ]);
  await running.stop();
}, 200_000);

test('each thing that is wrong is named with what to do', async () => {
  const other = await startHttpServer((_request, response) => response.end('{}'));
  const data = temporaryFolder('doctor');
  const tokensFile = join(data, 'tokens');
  writeFileSync(tokensFile, 'read let-me-have-a-look\n');
  chmodSync(tokensFile, 0o644);
  mkdirSync(join(data, 'x'));
  writeFileSync(join(data, 'ledger.sqlite'), 'no database');
  const nowhere = ['--prometheus-url', 'http://127.0.0.1:61999', '--alertmanager-url', 'http://127.0.0.1:61999'];
  const { code, stdout } = await runToEnd([
    'doctor',
    '--data',
    data,
    '--port',
    String(other.port),
    '--tokens-file',
    tokensFile,
    ...nowhere,
  ]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/WRONG Prometheus answers\n.*the connection is refused.*--prometheus-url/);
  expect(stdout).toMatch(/WRONG Alertmanager answers\n.*--alertmanager-url/);
  expect(stdout).toMatch(/WRONG only its owner reads the file of tokens\n.*chmod 600/);
  expect(stdout).toMatch(/WRONG the ledger is in order\n/);
  expect(stdout).toMatch(/WRONG Tillwatch is ready.*\n.*another program answers there/);
  await other.close();
});
