import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findBinary } from '../binaries/binaries.ts';
import { readEntries } from '../calendar/calendar-file.ts';
import { checkAlertmanagerConfig } from '../check/alertmanager-config.ts';
import { loopbackLinks } from '../check/links.ts';
import { checkRoutes } from '../check/routes.ts';
import { checkRuleTests } from '../check/rule-tests.ts';
import { checkPrometheusConfig, checkRuleFile } from '../check/rules.ts';
import { missingSecrets } from '../check/secrets.ts';
import { checkTemplates } from '../check/templates.ts';
import { plural } from '../domain/plural.ts';
import type { Engine } from '../engines/engine-names.ts';
import { checkLimits } from '../engines/limits.ts';
import { RETENTION_DAYS } from '../history/history.ts';
import { formatProblem, inOrder, type Problem } from '../runtime/file-problem.ts';
import { readYaml } from '../runtime/yaml-file.ts';
import { engineNamed } from './engine-flag.ts';

export interface CheckIo {
  stdout: (text: string) => void;
  stderr: (text: string) => void;
}

export interface CheckOptions {
  /** True to have promtool run the suites in prometheus/tests, which takes minutes. */
  tests?: boolean;
  /** A calendar's file, which is checked as well. */
  calendar?: string;
  /** An engine whose limits the rules are held to as well. */
  for?: string;
}

/**
 * `tillwatch check [DIR] [--tests] [--for ENGINE]`: every file in DIR/prometheus and
 * DIR/alertmanager that people edit, held against promtool and amtool. Each problem becomes one
 * line `file:line: message` on stdout. 0 when there is none, else 1. With an engine DIR may be what
 * `tillwatch rules --out DIR` has written.
 */
export async function check(dir: string, io: CheckIo, options: CheckOptions = {}): Promise<0 | 1> {
  const { tests = false } = options;
  const engine = options.for === undefined ? undefined : engineNamed(options.for);
  if (engine !== undefined && (await isRuleFolder(dir))) return checkWritten(engine, resolve(dir), io);
  const log = (line: string) => io.stderr(`${line}\n`);
  const promtool = await findBinary('promtool', { log });
  const amtool = await findBinary('amtool', { log });
  const root = resolve(dir);
  const files = {
    rules: await filesIn(join(root, 'prometheus', 'rules'), '.yml'),
    tests: tests ? await filesIn(join(root, 'prometheus', 'tests'), '.test.yml') : [],
    templates: await filesIn(join(root, 'alertmanager', 'templates'), '.tmpl'),
  };
  const calendar =
    options.calendar === undefined ? undefined : await readEntries(resolve(options.calendar), RETENTION_DAYS);
  const problems = inOrder([
    ...(await checkPrometheus(promtool, root, files, log)),
    ...(await checkAlertmanager(amtool, root, files.templates)),
    ...(calendar?.problems ?? []),
    ...(engine === undefined ? [] : await checkLimits(engine, files.rules)),
  ]);
  const alertmanager = await readYaml(join(root, 'alertmanager', 'alertmanager.yml'));
  const notes = [
    ...(await missingSecrets(alertmanager, join(root, 'alertmanager', 'secrets'))),
    ...(calendar?.notes ?? []),
    ...loopbackLinks(alertmanager, await readYaml(join(root, 'prometheus', 'prometheus.yml'))),
  ];
  for (const note of notes) log(`note: ${formatProblem(note, process.cwd())}`);
  if (problems.length > 0) return tell(problems, io);
  const counted = [plural(files.rules.length, 'rule file')];
  if (tests) counted.push(plural(files.tests.length, 'test file'));
  if (options.calendar !== undefined) counted.push('calendar');
  counted.push(plural(files.templates.length, 'template file'), 'prometheus.yml', 'alertmanager.yml and its routes');
  io.stdout(`${counted.join(', ')}: all right\n`);
  return 0;
}

function tell(problems: readonly Problem[], io: CheckIo): 1 {
  for (const problem of problems) io.stdout(`${formatProblem(problem, process.cwd())}\n`);
  io.stderr(`${plural(problems.length, 'problem')}\n`);
  return 1;
}

/** True for a folder that holds rule files itself, instead of prometheus/rules. */
async function isRuleFolder(dir: string): Promise<boolean> {
  const names = await readdir(dir).catch((): string[] => []);
  return !names.includes('prometheus') && names.some((name) => name.endsWith('.yml'));
}

/** Files that `tillwatch rules` has written. promtool knows those for Prometheus only. */
async function checkWritten(engine: Engine, root: string, io: CheckIo): Promise<0 | 1> {
  const files = await filesIn(root, '.yml');
  const problems = await checkLimits(engine, files);
  if (engine === 'prometheus') {
    const promtool = await findBinary('promtool', { log: (line) => io.stderr(`${line}\n`) });
    for (const file of files) problems.push(...(await checkRuleFile(promtool, file)));
  }
  if (problems.length > 0) return tell(inOrder(problems), io);
  io.stdout(`${plural(files.length, 'rule file')}: within the limits of ${engine}\n`);
  return 0;
}

interface PrometheusFiles {
  rules: string[];
  tests: string[];
}

async function checkPrometheus(
  promtool: string,
  root: string,
  files: PrometheusFiles,
  log: (line: string) => void,
): Promise<Problem[]> {
  const problems = await checkPrometheusConfig(promtool, join(root, 'prometheus', 'prometheus.yml'));
  for (const file of files.rules) problems.push(...(await checkRuleFile(promtool, file)));
  if (files.rules.length === 0) {
    problems.push({ file: join(root, 'prometheus', 'rules'), message: 'no rule files (*.yml) here' });
  }
  if (problems.length > 0) {
    // They would fail for the same reason, and say so less well.
    if (files.tests.length > 0) log('rule tests are not run until the rule files are right');
    return problems;
  }
  // Side by side: promtool takes its time over days of minutes, on one core.
  const tested = await Promise.all(files.tests.map((file) => checkRuleTests(promtool, file)));
  return [...problems, ...tested.flat()];
}

/** Checks what Alertmanager really reads: blocks that are switched off are only comments to it. */
async function checkAlertmanager(amtool: string, root: string, templates: string[]): Promise<Problem[]> {
  const config = join(root, 'alertmanager', 'alertmanager.yml');
  const problems = await checkAlertmanagerConfig(amtool, config);
  if (problems.length > 0) return problems;
  const scratch = await mkdtemp(join(tmpdir(), 'tillwatch-check-'));
  try {
    return [
      ...(await checkTemplates({ amtool, config, files: templates, scratch })),
      ...(await checkRoutes(amtool, join(root, 'alertmanager', 'routes.test.yml'), await readYaml(config))),
    ];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function filesIn(folder: string, ending: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}
