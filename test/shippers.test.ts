import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fetchDebianPackages } from '../src/binaries/debian.ts';
import { startProcess, waitFor } from './support/processes.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

const DOCS = readFileSync(new URL('../docs/shippers.md', import.meta.url), 'utf8');
const LINES = [
  '{"status":"denied","code":"51"}',
  '{"status":"denied","code":"5"}',
  '{"status":"approved","code":"00"}',
  '{"status":"failed"}',
];
/** The lines of the minute before and of this one, whichever is the last when they are counted. */
const timedLines = () =>
  [60_000, 0].flatMap((ago) => {
    const time = new Date(Date.now() - ago).toISOString();
    return LINES.map((line) => line.replace('{', `{"time":"${time}",`));
  });

let service: Service;
const folder = temporaryFolder('shippers');
const log = join(folder, 'pos.log');
beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.close());

/**
 * The first block of a language below a heading of the docs, for the service and the log of this
 * test.
 */
function configuration(heading: string, language: string): string {
  const section = DOCS.split(`## ${heading}\n`)[1] ?? '';
  const block = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(section)?.[1] ?? '';
  expect(block).toContain('http://127.0.0.1:8080');
  return block.replaceAll('http://127.0.0.1:8080', service.url).replaceAll('/var/log/pos.log', log);
}

const denied = () => service.value('transactions_total{status="denied"}');

test.each([
  ['Shell', 'sh', 'sh', 'post.sh', 2],
  ['Python', 'python', 'python3', 'post.py', 6],
  ['Node.js', 'js', process.execPath, 'post.mjs', 6],
])('%s posts as documented', async (heading, language, command, name, count) => {
  writeFileSync(log, `${timedLines().join('\n')}\n`);
  const script = join(folder, name);
  writeFileSync(script, configuration(heading, language));
  const sender = await startProcess(command, [script], { env: { PATH: process.env.PATH } });
  const { code } = await sender.exited;
  expect(code, sender.stderr()).toBe(0);
  expect(sender.stdout()).toContain('unknown');
  expect(await denied()).toBe(count);
});

/**
 * syslog-ng of this Debian or Ubuntu, unpacked and not installed: its packages, and the libraries
 * that few machines have.
 */
async function unpackSyslogNg() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const suite = /^VERSION_CODENAME="?([a-z]+)/m.exec(release)?.[1];
  if (suite === undefined) throw new Error('syslog-ng is taken from packages of Debian or Ubuntu, and this is neither');
  const root = join(folder, 'root');
  const libraries = ['libivykis0', 'libnet1', 'libcurl4', 'libjson-c5', 'libpcre3', 'libwrap0'];
  await fetchDebianPackages(suite, ['syslog-ng-core', 'syslog-ng-mod-http', ...libraries], root);
  const lib = join(root, 'usr/lib/syslog-ng');
  return {
    program: join(root, 'usr/sbin/syslog-ng'),
    modules: join(lib, '3.38'),
    env: {
      LD_LIBRARY_PATH: [join(root, 'usr/lib/x86_64-linux-gnu'), join(root, 'lib/x86_64-linux-gnu'), lib].join(
        delimiter,
      ),
    },
  };
}

test('syslog-ng posts as documented', async () => {
  const { program, modules, env } = await unpackSyslogNg();
  const config = join(folder, 'syslog-ng.conf');
  writeFileSync(config, configuration('syslog-ng', 'syslog-ng'));
  writeFileSync(log, '');
  const own = (name: string) => join(folder, name);
  const files = ['-f', config, '-R', own('persist'), '-p', own('pid'), '-c', own('ctl')];
  const running = await startProcess(program, ['-F', '-e', '--no-caps', '--module-path', modules, ...files], { env });
  await waitFor(() => running.stderr().includes('starting up'), { what: 'syslog-ng to start' });
  appendFileSync(log, `${LINES.join('\n')}\n`);
  await waitFor(async () => (await denied()) === 2, { what: 'syslog-ng to post' });
  expect(await service.value('transactions_total{status="failed"}')).toBe(1);
  expect(await service.value('transactions_by_auth_code_total{auth_code="05"}')).toBe(1);
  await running.stop();
}, 180_000);
