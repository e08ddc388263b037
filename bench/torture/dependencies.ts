import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../project.ts';
import type { Run, Torture } from './row.ts';

/**
 * Licences under which a part may be shipped with a program under Apache-2.0. CC-BY-3.0 is that of
 * the list of holidays, which docs/calendar.md credits.
 */
const SHIPPED = [
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'BlueOak-1.0.0',
  'CC-BY-3.0',
  'CC0-1.0',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
  'Zlib',
];
/** Licences of what is only used to build and to test. */
const DEVELOPMENT = [...SHIPPED, 'MPL-2.0', 'MIT-0', 'CC-BY-4.0'];
const LONGEST_MS = 120_000;

interface Locked {
  version: string;
  dev?: boolean;
  license?: string;
  resolved?: string;
  integrity?: string;
}

interface Outcome {
  stdout: string;
  stderr: string;
}

/** npm, whatever its exit code: an audit that finds something ends with 1. */
const npm = (args: string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile('npm', args, { cwd: PROJECT, timeout: LONGEST_MS, maxBuffer: 1 << 28 }, (_error, stdout, stderr) =>
      resolve({ stdout, stderr }),
    );
  });

async function readLock(): Promise<[string, Locked][]> {
  const { packages } = JSON.parse(await readFile(join(PROJECT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  return Object.entries(packages).filter(([path]) => path !== '');
}

/** `(MIT OR Apache-2.0)`: one of them suffices; of `AND` each must be allowed. */
const allowed = (licence: string, list: readonly string[]): boolean =>
  licence
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => list.includes(one.trim())));

function checkLicences(lock: [string, Locked][], { violations }: Run): void {
  for (const [path, { license = 'none', dev = false }] of lock)
    violations.check(
      allowed(license, dev ? DEVELOPMENT : SHIPPED),
      `${path}: the licence ${license} is not on the list`,
    );
}

async function checkAudit({ violations }: Run): Promise<string> {
  const { stdout } = await npm(['audit', '--json']);
  const report = JSON.parse(stdout || '{}') as {
    vulnerabilities?: Record<string, { severity: string; isDirect: boolean }>;
    message?: string;
  };
  if (report.vulnerabilities === undefined)
    return `the registry does not answer npm audit (${report.message?.split(' - ')[0] ?? 'no reason given'})`;
  const found = Object.entries(report.vulnerabilities);
  for (const [name, { severity }] of found) violations.add(`npm audit: ${name}, ${severity}`);
  return `npm audit: ${found.length} known vulnerabilities`;
}

/**
 * Checks the bill of all packages: with `--omit dev` npm leaves out those that a development
 * dependency needs too.
 */
async function checkBill(lock: [string, Locked][], { violations }: Run): Promise<string> {
  const { stdout, stderr } = await npm(['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only']);
  const { components = [] } = JSON.parse(stdout || '{}') as { components?: { name: string; version: string }[] };
  violations.check(components.length > 0, `npm sbom lists nothing: ${stderr.slice(-200)}`);
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  for (const [path, { version }] of lock) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    violations.check(listed.has(`${name}@${version}`), `${path} is not in the bill of materials`);
  }
  return `${components.length} parts in the bill of materials`;
}

async function run(run: Run) {
  const lock = await readLock();
  const shipped = lock.filter(([, { dev = false }]) => !dev).length;
  checkLicences(lock, run);
  for (const [path, { resolved, integrity }] of lock)
    run.violations.check(resolved === undefined || integrity !== undefined, `${path} is locked without a checksum`);
  const seen = [await checkBill(lock, run), await checkAudit(run)];
  return { done: `${lock.length} packages, ${shipped} of them shipped`, seen: seen.join('; ') };
}

export const dependencies: Torture = {
  name: 'dependencies',
  what: 'dependencies',
  goal: 'no known vulnerability (where the registry tells), licences of the list, checksums, a complete bill of materials (npm sbom)',
  run,
};
