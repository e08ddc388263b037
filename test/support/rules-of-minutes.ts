import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../../src/runtime/project.ts';

/**
 * Writes the shipped rules into a folder, with every group once a minute, so that a test of minutes
 * sees all of them evaluated.
 */
export async function sourceOfMinutes(dir: string): Promise<string> {
  const source = join(dir, 'source');
  await cp(join(PROJECT, 'prometheus', 'rules'), source, { recursive: true });
  for (const name of await readdir(source)) {
    const text = await readFile(join(source, name), 'utf8');
    await writeFile(join(source, name), text.replaceAll(/^( {4}interval: )\d+[mh]$/gm, '$11m'));
  }
  return source;
}
