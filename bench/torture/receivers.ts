import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../project.ts';
import type { Run, Torture } from './row.ts';

/**
 * On a real Alertmanager with the shipped configuration; what fails, and how, stands in the tests.
 */
const FILES = ['test/messages.test.ts', 'test/receivers-down.test.ts'];
const NAMED = 'a receiver that is down';
const LONGEST_MS = 600_000;

interface Report {
  testResults: { assertionResults: { status: string; title: string; fullName: string; failureMessages: string[] }[] }[];
}

/** The tests of that name, by the test runner: they are the torture, and run in every test run. */
async function run({ violations }: Run) {
  const line = ['run', ...FILES, '--reporter=json', '--testNamePattern', NAMED];
  const runner = join(PROJECT, 'node_modules/vitest/vitest.mjs');
  const stdout = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [runner, ...line],
      { cwd: PROJECT, timeout: LONGEST_MS, maxBuffer: 1 << 26 },
      (_error, out) => resolve(out),
    );
  });
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Report;
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== 'skipped' && status !== 'pending');
  for (const { status, fullName, failureMessages } of ran)
    violations.check(status === 'passed', `${fullName}: ${failureMessages.join(' ')}`);
  violations.check(ran.length > 0, `no test is called "${NAMED}"`);
  return { done: `${ran.length} ways to fail`, seen: ran.map(({ fullName }) => fullName).join('; ') };
}

export const receivers: Torture = {
  name: 'receivers',
  what: 'Slack, Teams, SMTP answering 429, 500, nothing',
  goal: "Alertmanager's retry delivers to each; the journal is complete",
  run,
};
