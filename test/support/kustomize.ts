import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parseAllDocuments } from 'yaml';
import { cached } from '../../src/binaries/cache.ts';
import { fetchDebianPackages } from '../../src/binaries/debian.ts';
import { executableOnPath, executableUnder } from '../../src/binaries/executables.ts';

/** kustomize: from PATH, else from the project's cache, into which Debian's package is fetched. */
async function kustomize(): Promise<string> {
  const [found] = await executableOnPath('kustomize', process.env.PATH ?? '');
  if (found !== undefined) return found;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tillwatch', 'kustomize');
  return executableUnder(await cached(cache, (into) => fetchDebianPackages('forky', ['kustomize'], into)), 'kustomize');
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has a shape of its own, which its schema checks.
  [key: string]: any;
}

/** The objects that a folder makes, as `kubectl apply -k` would send them. */
export async function buildKustomization(folder: string): Promise<KubernetesObject[]> {
  const args = ['build', '--load-restrictor', 'LoadRestrictionsNone', folder];
  const { stdout } = await execa(await kustomize(), args);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}
