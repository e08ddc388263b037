import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationSeconds } from '../domain/durations.ts';
import type { Problem } from '../runtime/file-problem.ts';
import { itemsAt, lineOf, lineOfQuoted, readYaml, type YamlFile } from '../runtime/yaml-file.ts';
import { fieldErrors } from './rules.ts';
import { runTool } from './tool.ts';

interface TestCase {
  name?: string;
  alert_rule_test?: { alertname?: string; eval_time?: string }[];
  promql_expr_test?: { expr?: string; eval_time?: string }[];
}

/**
 * Runs one file of promtool tests.
 * @returns a problem for each expectation that did not come true
 */
export async function checkRuleTests(promtool: string, path: string): Promise<Problem[]> {
  const file = await readYaml(path);
  if (file.problems.length > 0) return file.problems;
  const scratch = await mkdtemp(join(tmpdir(), 'tillwatch-check-'));
  try {
    const report = join(scratch, 'junit.xml');
    const { ok, stdout, stderr } = await runTool(promtool, ['test', 'rules', `--junit=${report}`, path]);
    const problems = missingRuleFiles(file, stderr);
    if (ok) return problems;
    const failures = junitFailures(await readFile(report, 'utf8').catch(() => ''));
    problems.push(...failures.flatMap((failure) => explain(file, failure)));
    if (problems.length > 0) return problems;
    return [{ file: path, message: (stderr || stdout).trim() }];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** promtool only warns of these, and a test without rules can pass. */
function missingRuleFiles(file: YamlFile, said: string): Problem[] {
  return [...said.matchAll(/WARNING: no file match pattern (\S+)/g)].map((match) => ({
    file: file.path,
    line: lineOf(file, ['rule_files', 0]),
    message: `rule_files: nothing matches ${match[1]}`,
  }));
}

interface Failure {
  /** Name of the test, or `unnamed#INDEX`. */
  test: string;
  text: string;
}

/** promtool's own JUnit report: the one output that says which test a failure belongs to. */
function junitFailures(xml: string): Failure[] {
  return [...xml.matchAll(/<testcase name="([^"]*)">(.*?)<\/testcase>/gs)].flatMap(([, test = '', body = '']) =>
    [...body.matchAll(/<(?:failure|error)[^>]*>(.*?)<\/(?:failure|error)>/gs)].map((match) => ({
      test: unescapeXml(test),
      text: unescapeXml(match[1] ?? ''),
    })),
  );
}

function unescapeXml(text: string): string {
  const names: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return names[name] ?? whole;
  });
}

function explain(file: YamlFile, { test, text }: Failure): Problem[] {
  const fields = fieldErrors(file, text);
  if (fields.length > 0) return fields;
  const tests = itemsAt(file, ['tests']) as TestCase[];
  const unnamed = /^unnamed#(\d+)$/.exec(test);
  const index = unnamed ? Number(unnamed[1]) : tests.findIndex(({ name }) => name === test);
  const line = expectationLine(file, index, tests[index] ?? {}, text) ?? lineOfQuoted(file, text);
  const called = unnamed ? '' : `${test}: `;
  return [{ file: file.path, line: line ?? lineOf(file, ['tests', index]), message: `test failed: ${called}${text}` }];
}

/** The expectation is known by what it asks and when. */
function expectationLine(file: YamlFile, index: number, test: TestCase, text: string): number | undefined {
  const alert = /alertname: (.*?), time: (\S+?),/.exec(text);
  if (alert) {
    const expectations = test.alert_rule_test ?? [];
    const at = expectations.findIndex(
      ({ alertname, eval_time }) => alertname === alert[1] && seconds(eval_time) === seconds(alert[2]),
    );
    return at < 0 ? undefined : lineOf(file, ['tests', index, 'alert_rule_test', at]);
  }
  const expression = /expr: ("(?:[^"\\]|\\.)*"), time: (\S+?),/.exec(text);
  const at = (test.promql_expr_test ?? []).findIndex(
    ({ expr, eval_time }) =>
      JSON.stringify(expr) === expression?.[1] && seconds(eval_time) === seconds(expression?.[2]),
  );
  return at < 0 ? undefined : lineOf(file, ['tests', index, 'promql_expr_test', at]);
}

/** promtool writes 90m as 1h30m. */
const seconds = (duration: unknown): number => durationSeconds(String(duration ?? '0'));
