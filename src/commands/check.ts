import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { findBinary } from '../binaries/binaries.ts';
import { readEntries } from '../calendar/calendar-file.ts';
import { checkAlertmanagerConfig } from '../check/alertmanager-config.ts';
import { loopbackLinks } from '../check/links.ts';
import { checkRoutes } from '../check/routes.ts';
import { checkRuleTests } from '../check/rule-tests.ts';
import { checkPrometheusConfig, checkRuleFile } from '../check/rules.ts';
import { missingSecrets, placeholders } from '../check/secrets.ts';
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

/** Says what each part of a check found as soon as the part is done. */
interface CheckReport {
  /** @returns true where the part is right */
  part: (name: string, problems: readonly Problem[]) => boolean;
  /** The number of problems so far. */
  count: () => number;
}

function createReport(io: CheckIo): CheckReport {
  const told = new Set<string>();
  return {
    part: (name, problems) => {
      for (const problem of inOrder([...problems])) {
        const line = formatProblem(problem, process.cwd());
        if (!told.has(line)) io.stdout(`${line}\n`);
        told.add(line);
      }
      if (problems.length === 0) io.stdout(`ok    ${name}\n`);
      return problems.length === 0;
    },
    count: () => told.size,
  };
}

/**
 * `tillwatch check [DIR] [--tests] [--for ENGINE]`. promtool and amtool check every file in
 * DIR/prometheus and DIR/alertmanager that people edit. Each problem becomes one line
 * `file:line: message` on stdout, and each part without one a line `ok    PART`. With an engine DIR
 * may be what `tillwatch rules --out DIR` has written.
 * @returns the exit code: 0 without problems, else 1
 * @throws UsageError where there is no such engine
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
  const report = createReport(io);
  await checkAlertmanager(amtool, root, files.templates, report);
  await checkPrometheus(promtool, root, files, report, log);
  const calendar =
    options.calendar === undefined ? undefined : await readEntries(resolve(options.calendar), RETENTION_DAYS);
  if (calendar !== undefined) report.part('calendar', calendar.problems);
  if (engine !== undefined) report.part(`limits of ${engine}`, await checkLimits(engine, files.rules));
  const alertmanager = await readYaml(join(root, 'alertmanager', 'alertmanager.yml'));
  const notes = [
    ...(await missingSecrets(alertmanager, join(root, 'alertmanager', 'secrets'))),
    ...placeholders(alertmanager),
    ...(calendar?.notes ?? []),
    ...loopbackLinks(alertmanager, await readYaml(join(root, 'prometheus', 'prometheus.yml'))),
  ];
  for (const note of notes) log(`note: ${formatProblem(note, process.cwd())}`);
  if (report.count() > 0) return refuse(report, io);
  const counted = [plural(files.rules.length, 'rule file')];
  if (tests) counted.push(plural(files.tests.length, 'test file'));
  if (calendar !== undefined) counted.push('calendar');
  counted.push(plural(files.templates.length, 'template file'), 'prometheus.yml', 'alertmanager.yml and its routes');
  io.stdout(`${counted.join(', ')}: all right\n`);
  return 0;
}

function refuse(report: CheckReport, io: CheckIo): 1 {
  io.stderr(`${plural(report.count(), 'problem')}\n`);
  return 1;
}

/** True for a folder that holds rule files itself, instead of prometheus/rules. */
async function isRuleFolder(dir: string): Promise<boolean> {
  const names = await readdir(dir).catch((): string[] => []);
  return !names.includes('prometheus') && names.some((name) => name.endsWith('.yml'));
}

/** Checks files that `tillwatch rules` has written. promtool knows those for Prometheus only. */
async function checkWritten(engine: Engine, root: string, io: CheckIo): Promise<0 | 1> {
  const files = await filesIn(root, '.yml');
  const report = createReport(io);
  report.part(`limits of ${engine}`, await checkLimits(engine, files));
  if (engine === 'prometheus') {
    const promtool = await findBinary('promtool', { log: (line) => io.stderr(`${line}\n`) });
    report.part(plural(files.length, 'rule file'), await checkRuleFiles(promtool, files));
  }
  if (report.count() > 0) return refuse(report, io);
  io.stdout(`${plural(files.length, 'rule file')}: within the limits of ${engine}\n`);
  return 0;
}

interface PrometheusFiles {
  rules: string[];
  tests: string[];
}

async function checkRuleFiles(promtool: string, files: readonly string[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const file of files) problems.push(...(await checkRuleFile(promtool, file)));
  return problems;
}

async function checkPrometheus(
  promtool: string,
  root: string,
  { rules, tests }: PrometheusFiles,
  report: CheckReport,
  log: (line: string) => void,
): Promise<void> {
  const config = join('prometheus', 'prometheus.yml');
  const isConfigRight = report.part(config, await checkPrometheusConfig(promtool, join(root, config)));
  const none = { file: join(root, 'prometheus', 'rules'), message: 'no rule files (*.yml) here' };
  const wrong = rules.length === 0 ? [none] : await checkRuleFiles(promtool, rules);
  const areRulesRight = report.part(plural(rules.length, 'rule file'), wrong);
  if (!isConfigRight || !areRulesRight) {
    // The tests would fail for the same reason, and say so less well.
    if (tests.length > 0) log('rule tests are not run until the rule files are right');
    return;
  }
  // The suites run side by side, because promtool evaluates each of them on one core.
  await Promise.all(tests.map(async (file) => report.part(relative(root, file), await checkRuleTests(promtool, file))));
}

/** Checks what Alertmanager really reads: blocks that are switched off are only comments to it. */
async function checkAlertmanager(
  amtool: string,
  root: string,
  templates: string[],
  report: CheckReport,
): Promise<void> {
  const config = join('alertmanager', 'alertmanager.yml');
  const path = join(root, config);
  if (!report.part(config, await checkAlertmanagerConfig(amtool, path))) return;
  const routes = join('alertmanager', 'routes.test.yml');
  report.part(routes, await checkRoutes(amtool, join(root, routes), await readYaml(path)));
  const scratch = await mkdtemp(join(tmpdir(), 'tillwatch-check-'));
  try {
    const wrong = await checkTemplates({ amtool, config: path, files: templates, scratch });
    report.part(plural(templates.length, 'template file'), wrong);
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
