import { isScalar, Scalar } from 'yaml';
import type { Problem } from '../runtime/file-problem.ts';
import { itemsAt, lineOf, lineOfQuoted, readYaml, type YamlFile } from '../runtime/yaml-file.ts';
import { runTool } from './tool.ts';

interface Rule {
  record?: string;
  alert?: string;
  labels?: Record<string, unknown>;
}

/** Finds all that promtool refuses in one rule file, duplicate rules included. */
export async function checkRuleFile(promtool: string, path: string): Promise<Problem[]> {
  const file = await readYaml(path);
  if (file.problems.length > 0) return file.problems;
  const args = ['check', 'rules', '--lint=duplicate-rules', '--lint-fatal', path];
  const { ok, stdout, stderr } = await runTool(promtool, args);
  if (ok) return [];
  const said = `${stdout}\n${stderr}`;
  const problems = [...ruleErrors(file, said), ...fieldErrors(file, said), ...duplicates(file, said)];
  return problems.length > 0 ? problems : otherErrors(file, said);
}

/** Checks prometheus.yml itself. The files that it refers to are checked on their own. */
export async function checkPrometheusConfig(promtool: string, path: string): Promise<Problem[]> {
  const file = await readYaml(path);
  if (file.problems.length > 0) return file.problems;
  const { ok, stdout, stderr } = await runTool(promtool, ['check', 'config', '--syntax-only', path]);
  if (ok) return [];
  const said = `${stdout}\n${stderr}`;
  const problems = fieldErrors(file, said);
  return problems.length > 0 ? problems : otherErrors(file, said);
}

/**
 * `FILE: 5:15: group "a", rule 1, "x:y": what is wrong`; line and column only where the expression
 * is at fault.
 */
function ruleErrors(file: YamlFile, said: string): Problem[] {
  const pattern = /^.*?: (?:(\d+):\d+: )?group "([^"]*)", rule (\d+), "[^"]*": (.*)$/gm;
  return [...said.matchAll(pattern)].map(([, , group, rule, message = '']) => {
    const groups = itemsAt(file, ['groups']) as { name?: string }[];
    const path = ['groups', groups.findIndex(({ name }) => name === group), 'rules', Number(rule) - 1];
    return {
      file: file.path,
      line: lineWithin(file, path, message),
      message: `rule ${ruleName(file, path)}: ${message}`,
    };
  });
}

function lineWithin(file: YamlFile, rule: (string | number)[], message: string): number | undefined {
  const expression = /could not parse expression: (\d+):\d+:/.exec(message);
  if (expression) return expressionLine(file, [...rule, 'expr'], Number(expression[1]));
  const part = /^(annotation|label) "([^"]+)"/.exec(message);
  if (part) return lineOf(file, [...rule, `${part[1]}s`, part[2] ?? '']);
  return lineOf(file, rule);
}

/** A block scalar (`|`) keeps its lines: line 1 of the expression is the one below the bar. */
function expressionLine(file: YamlFile, path: (string | number)[], line: number): number | undefined {
  const start = lineOf(file, path);
  const node = file.doc.getIn(path, true);
  if (start === undefined || !isScalar(node)) return start;
  return node.type === Scalar.BLOCK_LITERAL ? start + line : start;
}

function ruleName(file: YamlFile, path: (string | number)[]): string {
  const rule = itemsAt(file, path.slice(0, -1))[Number(path.at(-1))] as Rule | undefined;
  return rule?.record ?? rule?.alert ?? String(path.at(-1));
}

/** Finds lines such as `line 3: field interva not found in type rulefmt.RuleGroup`. */
export function fieldErrors(file: YamlFile, said: string): Problem[] {
  return [...said.matchAll(/^.*\bline (\d+): (.*)$/gm)].map((match) => ({
    file: file.path,
    line: Number(match[1]),
    message: (match[2] ?? '').replace(/ in type \S+$/, ''),
  }));
}

/** The linter names metric and labels only: the later of the two rules is the one to look at. */
function duplicates(file: YamlFile, said: string): Problem[] {
  if (!/duplicate rule\(s\) found/.test(said)) return [];
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const [group] of itemsAt(file, ['groups']).entries()) {
    for (const [index, rule] of (itemsAt(file, ['groups', group, 'rules']) as Rule[]).entries()) {
      const key = JSON.stringify([rule.record ?? rule.alert, Object.entries(rule.labels ?? {}).sort()]);
      const line = lineOf(file, ['groups', group, 'rules', index]);
      const message = `rule ${rule.record ?? rule.alert} stands here a second time with the same labels`;
      if (seen.has(key)) problems.push({ file: file.path, line, message });
      seen.add(key);
    }
  }
  return problems;
}

/** Makes a problem of any other message. What the message quotes tells its line. */
export function otherErrors(file: YamlFile, said: string): Problem[] {
  const message = said
    .replaceAll(`parsing YAML file ${file.path}:`, '')
    .replaceAll(`${file.path}:`, '')
    .split('\n')
    .map((line) => line.replace(/^.*FAILED:/, '').trim())
    .find((line) => line !== '' && !line.startsWith('Checking '));
  const text = message ?? 'refused without a reason';
  return [{ file: file.path, line: lineOfQuoted(file, text), message: text }];
}
