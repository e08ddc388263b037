import { execa } from 'execa';
import { parseAllDocuments } from 'yaml';
import { debianPrograms } from './debian-programs.ts';

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
  const { kustomize } = await debianPrograms('kustomize', ['kustomize']);
  const { stdout } = await execa(kustomize, args);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}
