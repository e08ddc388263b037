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
    for (const file of secretFiles(receiver)) {
      if (await exists(join(folder, basename(file)))) continue;
      const line = lineOfQuoted(config, `"${file}"`) ?? lineOf(config, ['receivers', index]);
      const message = `${receiver.name} is switched on, and there is no secrets/${basename(file)}`;
      missing.push({ file: config.path, line, message });
    }
  }
  return missing;
}

/**
 * Values of `api_url_file`, `credentials_file` and the like, at any depth, that point into a folder
 * `secrets`.
 */
function secretFiles(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'string' && key.endsWith('_file') && /(^|\/)secrets\//.test(inner) ? [inner] : secretFiles(inner),
  );
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
