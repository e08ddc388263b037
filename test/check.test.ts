import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CheckOptions, check } from '../src/commands/check.ts';
import { switches, switchOn } from './support/switches.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tillwatch-check-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Small rules with their test, so that every line number here is known. */
const PROJECT = {
  'prometheus/prometheus.yml': `global:
  scrape_interval: 1m
rule_files:
  - rules/*.yml
`,
  'prometheus/rules/small.yml': `groups:
  - name: small.rules
    rules:
      - record: job:up:sum
        expr: |
          sum by (job) (
            up
          )
      - alert: AllDown
        expr: job:up:sum == 0
        for: 2m
        labels:
          severity: critical
        annotations:
          summary: '{{ $labels.job }} is down'
`,
  'prometheus/tests/small.test.yml': `rule_files: [../rules/small.yml]
evaluation_interval: 1m
tests:
  - name: fires after two minutes, not before
    interval: 1m
    input_series:
      - series: up{job="a"}
        values: 1 0x10
    alert_rule_test:
      - alertname: AllDown
        eval_time: 2m
        exp_alerts: []
      - alertname: AllDown
        eval_time: 3m
        exp_alerts:
          - exp_labels: { severity: critical, job: a }
            exp_annotations: { summary: a is down }
    promql_expr_test:
      - expr: job:up:sum
        eval_time: 90m
        exp_samples: []
`,
};

/** The least that Alertmanager takes. */
const SMALL_ALERTMANAGER = {
  'alertmanager/alertmanager.yml': 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n',
  'alertmanager/routes.test.yml': '[{ name: all stay here, labels: { a: b }, receivers: [nobody] }]\n',
};

type Edits = Record<string, (text: string) => string>;

/** A folder of the small rules and the shipped Alertmanager side, edited. */
async function project(edits: Edits = {}): Promise<string> {
  const dir = await mkdtemp(join(scratch, 'project-'));
  await cp(join(root, 'alertmanager'), join(dir, 'alertmanager'), { recursive: true });
  return edited(dir, PROJECT, edits);
}

/** The same without all that Alertmanager is shipped with, which takes thirty processes to check. */
async function smallProject(edits: Edits): Promise<string> {
  return edited(await mkdtemp(join(scratch, 'project-')), { ...PROJECT, ...SMALL_ALERTMANAGER }, edits);
}

async function edited(dir: string, files: Record<string, string>, edits: Edits): Promise<string> {
  for (const [file, text] of Object.entries(files)) await write(dir, file, text);
  for (const [file, edit] of Object.entries(edits)) {
    const before = await readFile(join(dir, file), 'utf8').catch(() => '');
    const after = edit(before);
    expect(after, `the edit of ${file} must change it`).not.toBe(before);
    await write(dir, file, after);
  }
  return dir;
}

async function write(dir: string, file: string, text: string): Promise<void> {
  await mkdir(dirname(join(dir, file)), { recursive: true });
  await writeFile(join(dir, file), text);
}

async function run(dir: string, options: CheckOptions = {}) {
  const said = { stdout: '', stderr: '' };
  const exit = await check(
    dir,
    {
      stdout: (text) => {
        said.stdout += text;
      },
      stderr: (text) => {
        said.stderr += text;
      },
    },
    options,
  );
  return {
    exit,
    ...said,
    problems: said.stdout
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('ok '))
      .map((line) => line.replace(`${dir}/`, '')),
  };
}

/** The line, counted from 1, of the only place where a text stands in a shipped file. */
async function lineIn(file: string, text: string): Promise<number> {
  const lines = (await readFile(join(root, file), 'utf8')).split('\n');
  const found = lines.flatMap((line, index) => (line.includes(text) ? [index + 1] : []));
  expect(found, `${text} in ${file}`).toHaveLength(1);
  return found[0] ?? 0;
}

test('the shipped project passes', async () => {
  const { exit, stdout } = await run(root);
  expect(stdout).toMatch(/all right\n$/);
  expect(exit).toBe(0);
});

test('a copy of it anywhere passes, and each part is told when it is done', async () => {
  const { exit, stdout } = await run(await project(), { tests: true });
  expect(stdout).toBe(
    'ok    alertmanager/alertmanager.yml\n' +
      'ok    alertmanager/routes.test.yml\n' +
      'ok    8 template files\n' +
      'ok    prometheus/prometheus.yml\n' +
      'ok    1 rule file\n' +
      'ok    prometheus/tests/small.test.yml\n' +
      '1 rule file, 1 test file, 8 template files, prometheus.yml, alertmanager.yml and its routes: all right\n',
  );
  expect(exit).toBe(0);
});

test('does not run the rule tests unless asked to', async () => {
  const dir = await smallProject({ [tests]: (text) => text.replace('eval_time: 3m', 'eval_time: 0m') });
  const { exit, stdout } = await run(dir);
  expect(stdout).toMatch(/^1 rule file, 0 template files, .*: all right\n$/m);
  expect(stdout).not.toMatch(/^ok .*small\.test\.yml$/m);
  expect(exit).toBe(0);
});

const rules = 'prometheus/rules/small.yml';
const tests = 'prometheus/tests/small.test.yml';
const config = 'alertmanager/alertmanager.yml';

describe('names file and line of', () => {
  test.each<[string, string, (text: string) => string, string | RegExp]>([
    [
      'PromQL that does not parse',
      rules,
      (text) => text.replace('job:up:sum == 0', 'sum(job:up:sum == 0'),
      `${rules}:10: rule AllDown: could not parse expression: 1:20: parse error: unclosed left parenthesis`,
    ],
    [
      'an unknown function inside a longer expression',
      rules,
      (text) => text.replace('            up\n', '            upp(up)\n'),
      new RegExp(`^${rules}:7: rule job:up:sum: .*unknown function with name "upp"`),
    ],
    [
      'a key that rules do not have',
      rules,
      (text) => text.replace('for: 2m', 'fro: 2m'),
      `${rules}:11: field fro not found`,
    ],
    ['a bad duration', rules, (text) => text.replace('for: 2m', 'for: 2x'), new RegExp(`^${rules}:11: .*"2x"`)],
    [
      'a broken annotation',
      rules,
      (text) => text.replace('$labels.job', '$labels.job | shout'),
      new RegExp(`^${rules}:15: rule AllDown: annotation "summary": .*"shout" not defined`),
    ],
    [
      'a rule that stands there twice',
      rules,
      (text) => `${text}      - record: job:up:sum\n        expr: sum by (job) (up)\n`,
      `${rules}:16: rule job:up:sum stands here a second time with the same labels`,
    ],
    [
      'a rule file that is no YAML',
      rules,
      (text) => text.replace('labels:', 'labels: ['),
      new RegExp(`^${rules}:1[2-5]: `),
    ],
    [
      'a setting that Prometheus does not have',
      'prometheus/prometheus.yml',
      (text) => text.replace('scrape_interval', 'scrape_intervall'),
      'prometheus/prometheus.yml:2: field scrape_intervall not found',
    ],
    [
      'an alert that its test expects and that does not fire',
      tests,
      (text) => text.replace('eval_time: 3m', 'eval_time: 0m'),
      new RegExp(`^${tests}:13: test failed: fires after two minutes, not before: .*alertname: AllDown, time: 0s`),
    ],
    [
      'an alert that fires too early for its test, though asked for twice',
      tests,
      (text) => text.replace('eval_time: 2m', 'eval_time: 4m'),
      new RegExp(`^${tests}:10: test failed: .*exp:\\[\\], got:\\[ 0: Labels:.*AllDown`),
    ],
    [
      'a value that is another, at a time that promtool writes in its own way',
      tests,
      (text) => text.replace('0x10', '0x99'),
      new RegExp(`^${tests}:19: test failed: .*expr: "job:up:sum", time: 1h30m`),
    ],
    [
      'a test of rules that are not there',
      tests,
      (text) => text.replace('../rules/small.yml', '../rules/small.yml, ../rules/gone.yml'),
      new RegExp(`^${tests}:1: rule_files: nothing matches .*gone\\.yml`),
    ],
  ])('%s', async (_, file, edit, expected) => {
    const { exit, problems } = await run(await smallProject({ [file]: edit }), { tests: file === tests });
    expect(problems[0]).toMatch(expected);
    expect(exit).toBe(1);
  });

  test('a route to a receiver that is not defined', async () => {
    const line = await lineIn(config, '- receiver: journal');
    const edit = (text: string) => text.replace('- receiver: journal', '- receiver: jornal');
    const { exit, problems } = await run(await project({ [config]: edit }));
    expect(problems).toEqual([`${config}:${line}: undefined receiver "jornal" used in route`]);
    expect(exit).toBe(1);
  });

  test('a key of the configuration that does not exist', async () => {
    const line = await lineIn(config, 'group_wait: 1s');
    const edit = (text: string) => text.replace('group_wait: 1s', 'group_wayt: 5s');
    const { problems } = await run(await project({ [config]: edit }));
    expect(problems).toEqual([`${config}:${line}: field group_wayt not found`]);
  });

  test('a route that leads elsewhere than the table says', async () => {
    const table = 'alertmanager/routes.test.yml';
    const line = await lineIn(table, 'name: a warning reaches chat');
    const edit = (text: string) =>
      switchOn(text).replace('severity="critical"]\n      receiver: email', 'severity=~".+"]\n      receiver: email');
    const { exit, problems } = await run(await project({ [config]: edit }));
    expect(problems[0]).toBe(
      `${table}:${line}: "a warning reaches chat and the journal, and wakes nobody" goes to ` +
        'slack,slack-bot,teams,discord,mattermost,telegram,email,webhook,journal; ' +
        'the table says slack,slack-bot,teams,discord,mattermost,telegram,webhook,journal',
    );
    expect(exit).toBe(1);
  });

  test.each<[string, string, (text: string) => string, string]>([
    [
      'does not parse',
      'broken.tmpl',
      () => 'one\n{{ define "x" }}\n{{ if }}{{ end }}{{ end }}\n',
      ':3: missing value for if',
    ],
    [
      'uses a function that does not exist',
      'broken.tmpl',
      () => '{{ define "x" }}\n{{ shout . }}{{ end }}',
      ':2: function "shout" not defined',
    ],
    [
      'refers to a template that does not exist',
      'common.tmpl',
      (text) => text.replace('"tillwatch.lasted"', '"tillwatch.last"'),
      ':49: template "tillwatch.last" is not defined in any file',
    ],
    [
      'asks for a field that messages do not have',
      'pagerduty.tmpl',
      (text) => text.replace('range .Alerts', 'range .Alarms'),
      ':3: executing "pagerduty.tillwatch.severity" at <.Alarms>: can\'t evaluate field Alarms in type template.Data',
    ],
  ])('a template that %s', async (_, name, edit, expected) => {
    const file = `alertmanager/templates/${name}`;
    const { exit, problems } = await run(await project({ [file]: edit }));
    expect(problems).toEqual([`${file}${expected}`]);
    expect(exit).toBe(1);
  });

  test('a template that the configuration misspells', async () => {
    const line = await lineIn(config, 'template "slack.tillwatch.text"');
    const edit = (text: string) => text.replace('slack.tillwatch.text', 'slick.tillwatch.text');
    const { problems } = await run(await project({ [config]: edit }));
    expect(problems).toEqual([`${config}:${line}: template "slick.tillwatch.text" is not defined in any file`]);
  });
});

test('several problems are all told, in the order of files and lines', async () => {
  const dir = await project({
    [rules]: (text) =>
      text.replace('job:up:sum == 0', 'job:up:sum ==').replace('            up\n', '            up(\n'),
    'alertmanager/templates/broken.tmpl': () => '{{ end }}',
  });
  const { problems, stderr } = await run(dir);
  expect(problems.map((line) => line.split(': ')[0])).toEqual([
    'alertmanager/templates/broken.tmpl:1',
    expect.stringMatching(`^${rules}:[78]$`),
    `${rules}:10`,
  ]);
  expect(stderr).toContain('3 problems');
});

test('a receiver that is switched on as it was shipped is no error, and pointed out', async () => {
  const line = await lineIn(config, 'slack_url');
  const dir = await project({ [config]: (text) => switchOn(text, ['slack', 'email']) });
  const note = `${config}:${line}: slack is switched on, and there is no secrets/slack_url`;
  const without = await run(dir);
  expect(without.stderr.replace(`${dir}/`, '')).toContain(note);
  expect(without.exit).toBe(0);
  const to = 'payments-oncall@example.com';
  expect(without.stderr.replace(`${dir}/`, '')).toContain(
    `${config}:${await lineIn(config, to)}: email is switched on with to: ${to}, an example: write your own there`,
  );
  await write(dir, 'alertmanager/secrets/slack_url', 'https://hooks.example/1');
  expect((await run(dir)).stderr).not.toContain('slack is switched on');
});

test('everything switched on passes, and so does what a person switched on before', async () => {
  const some = await run(await project({ [config]: (text) => switchOn(text, ['slack', 'email']) }));
  expect([some.exit, some.problems.at(-1)]).toEqual([0, expect.stringMatching(/all right$/)]);
  const all = await run(await project({ [config]: (text) => switchOn(switchOn(text, ['email'])) }));
  expect([all.exit, all.problems.at(-1)]).toEqual([0, expect.stringMatching(/all right$/)]);
});

test('messages that leave the machine and lead back to it are pointed out', async () => {
  const prometheus = 'prometheus/prometheus.yml';
  const linked = (url: string) => (text: string) =>
    text.replace('  scrape_interval', `  external_labels:\n    tillwatch_url: ${url}\n  scrape_interval`);
  const said = async (edits: Edits) => (await run(await project(edits))).stderr;
  const slackOn = { [config]: (text: string) => switchOn(text, ['slack']) };
  expect(await said({ ...slackOn, [prometheus]: linked('http://127.0.0.1:8080') })).toMatch(
    /prometheus\.yml:3: messages to slack link to http:\/\/127\.0\.0\.1:8080/,
  );
  expect(await said({ ...slackOn, [prometheus]: linked('https://till.example') })).not.toContain('link to');
  expect(await said({ [prometheus]: linked('http://localhost:8080') })).not.toContain('link to');
});

test('a folder that is no project says what is missing', async () => {
  const { exit, problems } = await run(join(scratch, 'nowhere'));
  expect(problems).toEqual([
    'alertmanager/alertmanager.yml:1: there is no such file',
    'prometheus/prometheus.yml:1: there is no such file',
    'prometheus/rules:1: no rule files (*.yml) here',
  ]);
  expect(exit).toBe(1);
});

describe('switching on', () => {
  const text = `a: 1
# ---- switch on: one ---- why
# b:
#   # said twice
#   c: 2
# ---- end: one
  # ---- switch on: two
  # d: 3
  # ---- end: two
# a comment
`;

  test('takes the comment sign off one block and keeps the lines', () => {
    const on = switchOn(text, ['one']).split('\n');
    expect(on.slice(2, 5)).toEqual(['b:', '  # said twice', '  c: 2']);
    expect(on[7]).toBe('  # d: 3');
    expect(on).toHaveLength(text.split('\n').length);
  });

  test('takes it off all of them', () => {
    expect(switchOn(text).split('\n').slice(7)).toEqual(['  d: 3', '  # ---- end: two', '# a comment', '']);
    expect(switches(text)).toEqual(['one', 'two']);
  });

  test('finds every receiver of the shipped configuration', async () => {
    expect(switches(await readFile(join(root, config), 'utf8'))).toEqual(
      expect.arrayContaining(['slack', 'slack-bot', 'discord', 'telegram', 'jira', 'ntfy', 'watchdog', 'token']),
    );
  });
});
