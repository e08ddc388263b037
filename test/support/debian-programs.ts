import { homedir } from 'node:os';
import { join } from 'node:path';
import { cached } from '../../src/binaries/cache.ts';
import { fetchDebianPackages } from '../../src/binaries/debian.ts';
import { executableOnPath, executableUnder } from '../../src/binaries/executables.ts';

/**
 * Paths of programs of a Debian package: on PATH, else in the project's cache, into which the
 * package is fetched.
 */
export async function debianPrograms<Name extends string>(
  debianPackage: string,
  names: readonly Name[],
  folder: string = debianPackage,
): Promise<Record<Name, string>> {
  const found = await Promise.all(names.map((name) => executableOnPath(name, process.env.PATH ?? '')));
  const onPath = found.flatMap(([path]) => path ?? []);
  const inCache = async () => {
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tillwatch', folder);
    const root = await cached(cache, (into) => fetchDebianPackages('forky', [debianPackage], into));
    return Promise.all(names.map((name) => executableUnder(root, name)));
  };
  const paths = onPath.length === names.length ? onPath : await inCache();
  return Object.fromEntries(names.map((name, at) => [name, paths[at]])) as Record<Name, string>;
}
