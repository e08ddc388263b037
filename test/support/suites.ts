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
  await testRules(promtool, join(SUITES, `${name}.test.yml`));
}

/**
 * Runs promtool on a file of rule tests.
 * @throws with the expectations that did not come true
 */
export async function testRules(promtool: string, file: string): Promise<void> {
  // Garbage is collected less often than by default, where it takes a third of the CPU.
  await execa(promtool, ['test', 'rules', file], { env: { GOGC: '1000' } });
}
