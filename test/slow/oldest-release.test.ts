import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'vitest';
import { fetchOldPrometheus } from '../../src/binaries/binaries.ts';
import { PROJECT } from '../../src/runtime/project.ts';
import { passesSuite, suiteNames } from '../support/suites.ts';

const { promtool } = await fetchOldPrometheus();

test('the oldest release finds the config and every rule valid', async () => {
  const rules = join(PROJECT, 'prometheus', 'rules');
  const files = (await readdir(rules)).map((file) => join(rules, file));
  await execa(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', ...files]);
  await execa(promtool, ['check', 'config', join(PROJECT, 'prometheus', 'prometheus.yml')]);
});

test.concurrent.each(await suiteNames())('%s.test.yml passes in the oldest release', (name) =>
  passesSuite(promtool, name),
);
