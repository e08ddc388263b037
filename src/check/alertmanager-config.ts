import type { Problem } from '../runtime/file-problem.ts';
import { readYaml } from '../runtime/yaml-file.ts';
import { fieldErrors, otherErrors } from './rules.ts';
import { runTool } from './tool.ts';

/** Finds what amtool objects to in a configuration. */
export async function checkAlertmanagerConfig(amtool: string, path: string): Promise<Problem[]> {
  const file = await readYaml(path);
  if (file.problems.length > 0) return file.problems;
  const { ok, stdout } = await runTool(amtool, ['check-config', path]);
  // Templates are parsed too, after `SUCCESS`; they are looked at one by one elsewhere.
  if (ok || /^Checking .*SUCCESS$/m.test(stdout)) return [];
  const problems = fieldErrors(file, stdout);
  return problems.length > 0 ? problems : otherErrors(file, stdout);
}
