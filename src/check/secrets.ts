import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Problem } from '../runtime/file-problem.ts';
import { itemsAt, lineOf, lineOfQuoted, type YamlFile } from '../runtime/yaml-file.ts';
import { routedReceivers } from './routes.ts';

/**
 * Finds secret files that receivers in use name and that are not in `folder`. This is no error,
 * because a checkout for checking has no secrets. But without them Alertmanager sends nothing, and
 * only its log says so.
 */
export async function missingSecrets(config: YamlFile, folder: string): Promise<Problem[]> {
  const routed = routedReceivers(config.text);
  const missing: Problem[] = [];
  for (const [index, receiver] of (itemsAt(config, ['receivers']) as { name?: string }[]).entries()) {
    if (!routed.has(receiver.name ?? '')) continue;
    for (const [, file] of leavesOf(receiver, []).filter(isSecretFile)) {
      if (await exists(join(folder, basename(file)))) continue;
      const line = lineOfQuoted(config, `"${file}"`) ?? lineOf(config, ['receivers', index]);
      const message = `${receiver.name} is switched on, and there is no secrets/${basename(file)}`;
      missing.push({ file: config.path, line, message });
    }
  }
  return missing;
}

/** Hosts and ids that stand in the shipped file for those of its user. */
const PLACEHOLDER = /\bexample\.(?:com|org|net)\b|\bexample\.atlassian\.net\b|^C0123456789$/;

/** Finds receivers in use that still have an address of the shipped file, where nobody reads. */
export function placeholders(config: YamlFile): Problem[] {
  const routed = routedReceivers(config.text);
  return (itemsAt(config, ['receivers']) as { name?: string }[]).flatMap((receiver, index) => {
    const [path, value] = leavesOf(receiver, ['receivers', index]).find(([, text]) => PLACEHOLDER.test(text)) ?? [];
    if (path === undefined || !routed.has(receiver.name ?? '')) return [];
    const message = `${receiver.name} is switched on with ${path.at(-1)}: ${value}, an example: write your own there`;
    return [{ file: config.path, line: lineOf(config, path), message }];
  });
}

type Path = readonly (string | number)[];

/** All texts within a value, at any depth, with their paths. */
function leavesOf(value: unknown, path: Path): [Path, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    leavesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** True for `api_url_file`, `credentials_file` and the like that point into a folder `secrets`. */
const isSecretFile = ([path, value]: [Path, string]): boolean =>
  String(path.at(-1)).endsWith('_file') && /(^|\/)secrets\//.test(value);

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
