import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { PROJECT } from '../../src/runtime/project.ts';

/** The folder of the promtool suites, NAME.test.yml. */
export const SUITES = join(PROJECT, 'prometheus', 'tests');

export const suiteNames = async (): Promise<string[]> =>
  (await readdir(SUITES)).map((file) => file.replace('.test.yml', ''));

/**
 * Runs a suite.
 * @throws with the expectations that did not come true
 */
export async function passesSuite(promtool: string, name: string): Promise<void> {
  // Collects garbage less often, which takes a third of a suite's CPU else.
  await execa(promtool, ['test', 'rules', join(SUITES, `${name}.test.yml`)], { env: { GOGC: '400' } });
}
