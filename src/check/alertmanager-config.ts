import type { Problem } from '../runtime/file-problem.ts';
import { readYaml, type YamlFile } from '../runtime/yaml-file.ts';
import { fieldErrors, otherErrors } from './rules.ts';
import { runTool } from './tool.ts';

/**
 * What amtool finds wrong with a configuration; `as` is the file that people edit, `path` perhaps a
 * variant of it.
 */
export async function checkAlertmanagerConfig(amtool: string, path: string, as = path): Promise<Problem[]> {
  const file: YamlFile = { ...(await readYaml(path)), path: as };
  if (file.problems.length > 0) return file.problems.map((problem) => ({ ...problem, file: as }));
  const { ok, stdout } = await runTool(amtool, ['check-config', path]);
  // Templates are parsed too, after `SUCCESS`; they are looked at one by one elsewhere.
  if (ok || /^Checking .*SUCCESS$/m.test(stdout)) return [];
  const problems = fieldErrors(file, stdout);
  return problems.length > 0 ? problems : otherErrors(file, stdout);
}
