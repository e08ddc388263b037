import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchDebianPackages } from '../../src/binaries/debian.ts';
import type { Run } from './row.ts';

/**
 * A folder with packages of this Debian or Ubuntu unpacked, not installed; only what a fault cannot
 * be made without.
 * @throws where they cannot be had
 */
export async function unpacked(packages: string[], { folder }: Run): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const suite = /^VERSION_CODENAME="?([a-z]+)/m.exec(release)?.[1];
  if (suite === undefined)
    throw new Error(`${packages[0]} is taken from packages of Debian or Ubuntu, and this is neither`);
  const into = join(await folder(), 'root');
  await fetchDebianPackages(suite, packages, into);
  return into;
}
