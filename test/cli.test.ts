import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { run } from '../src/cli.ts';
import { SETTINGS, variable } from '../src/config/config.ts';
import { PROJECT, VERSION } from '../src/runtime/project.ts';
import { createTestIo } from './support/command-io.ts';
import { runProgram, runToEnd, serveProcess, temporaryFolder } from './support/service.ts';

/** Runs a command line in this process. */
async function runHere(args: string[]) {
  const io = createTestIo();
  const code = await run(args, io);
  return { code, ...io.written };
}

const COMMANDS = ['serve', 'up', 'import', 'simulate', 'check', 'rules'];

describe('help', () => {
  test('lists every command', async () => {
    const { code, stdout, stderr } = await runHere(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
  });

  test.each(COMMANDS)('%s has its own', async (command) => {
    const { code, stdout, stderr } = await runHere([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`tillwatch ${command}`);
  });

  test('of serve names each setting, its variable and its default', async () => {
    const { stdout } = await runHere(['serve', '--help']);
    const text = stdout.replace(/\s+/g, ' ');
    for (const [name, { flag, default: fallback }] of Object.entries(SETTINGS)) {
      if (['prometheusPort', 'alertmanagerPort'].includes(name)) continue;
      expect(text).toContain(`--${flag}`);
      expect(text).toContain(variable(flag));
      if (fallback !== '' && name !== 'insecure') expect(text).toContain(`default ${fallback}`);
    }
  });

  test('the version is that of the package', async () => {
    const { code, stdout } = await runHere(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

test('npx runs the program, and before the build says how to build it', async () => {
  const bin = join(PROJECT, 'bin', 'tillwatch.js');
  const { stdout } = await execa(process.execPath, [bin, '--version']);
  expect(stdout).toBe(VERSION);
  const clone = temporaryFolder('clone');
  await cp(bin, join(clone, 'bin', 'tillwatch.js'));
  await cp(join(PROJECT, 'package.json'), join(clone, 'package.json'));
  const { exitCode, stderr } = await execa(process.execPath, [join(clone, 'bin', 'tillwatch.js')], { reject: false });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('npm run build')]);
});

test.each([
  [[], 'serve'],
  [['watch'], "'watch'\nAll commands: tillwatch --help"],
  [['serve', '--colour'], "'--colour'\nHelp, with an example: tillwatch serve --help"],
  [['serve', '--port'], '--port'],
  [['serve', '--port', 'http'], '--port: must be a whole number'],
  [['serve', '--port', '99999', '--dimensions', 'a b'], '--dimensions: "a b"'],
  [['import'], 'file'],
  [['init', '/dev/null'], '/dev/null is not a folder'],
])('%j is a wrong use: exit 2, said on stderr', async (args, said) => {
  const { code, stdout, stderr } = await runHere(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(said);
  expect(stderr).not.toMatch(/\n\s+at /);
});

describe('serve', () => {
  test('says so where its folder cannot be made, at once', async () => {
    // Node's recursive mkdir never returns from there.
    const { code, stderr } = await runToEnd(['serve', '--data', '/proc/nowhere/data']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('cannot keep data in /proc/nowhere') });
  });

  test('logs to stderr, with the address in use, and ends with 0 on a signal', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const service = await serveProcess(temporaryFolder('cli'));
      expect((await service.get('/-/healthy')).status).toBe(200);
      expect(await service.process.stop(signal)).toEqual({ code: 0, signal: null });
      expect(service.process.stdout()).toBe('');
      expect(service.process.stderr()).toContain(`info  listening on ${service.url}\n`);
      expect(service.process.stderr()).toContain(signal);
    }
  });

  test('takes its settings from the environment', async () => {
    const data = temporaryFolder('cli-env');
    const running = await runProgram(['serve'], { TILLWATCH_DATA: data, TILLWATCH_PORT: 'x', TILLWATCH_LATENESS: 'y' });
    expect(await running.exited).toEqual({ code: 2, signal: null });
    expect(running.stderr()).toMatch(/TILLWATCH_PORT: .*\n.*TILLWATCH_LATENESS: /s);
  });

  test('says so when its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await runToEnd(['serve', '--port', String(port), '--data', temporaryFolder('cli-port')]);
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} of 127.0.0.1 is in use: stop what uses it, or give another --port`);
    taken.close();
  });
});
