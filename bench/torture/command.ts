import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/runtime/log.ts';
import { type Finding, PROJECT } from '../project.ts';
import { createViolations, type Seen, type Torture } from './row.ts';
import { TORTURES } from './tortures.ts';

const HELP = `npm run torture [-- OPTIONS]
Attacks the built service, on loopback, and prints what was done, what was seen, and whether it held.

  --only NAME   one row, may be given again: ${TORTURES.map(({ name }) => name).join(', ')}
  --scale N     fraction of the full amounts, such as 0.1 (default 1: about two hours, one of them the steady load)
  --json        the rows as [{"what","goal","figure","met"}]; the figure counts violations of the goal
`;

/** A row of the table as it came out. */
export interface Verdict extends Seen {
  what: string;
  goal: string;
  violations: number;
  first: readonly string[];
  seconds: number;
}

/** Runs one kind of torture; an error in it is a violation, since nothing was shown. */
export async function torture(
  { what, goal, name, run }: Torture,
  scale: number,
  log: (line: string) => void,
): Promise<Verdict> {
  const violations = createViolations();
  const folders: string[] = [];
  const start = performance.now();
  async function folder(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'tillwatch-torture-'));
    folders.push(made);
    return made;
  }
  let seen: Seen = { done: 'broken off', seen: '' };
  try {
    seen = await run({ scale, violations, folder, log: (line) => log(`${name}: ${line}`) });
  } catch (error) {
    violations.add(`the run broke off: ${messageOf(error)}`);
  } finally {
    for (const made of folders) await rm(made, { recursive: true, force: true });
  }
  const seconds = (performance.now() - start) / 1000;
  return { what, goal, ...seen, violations: violations.count(), first: violations.first(), seconds };
}

const met = ({ violations }: Verdict): boolean => violations === 0;

/** A paragraph a row: what holds is one look, what does not says how. */
export function verdictText(verdict: Verdict): string {
  const { what, goal, done, seen, violations, first, seconds } = verdict;
  const lines = [
    `${met(verdict) ? 'met   ' : 'MISSED'}  ${what}: ${done} in ${Math.round(seconds)} s`,
    `        goal: ${goal}`,
    ...(seen === '' ? [] : [`        seen: ${seen}`]),
    ...(violations === 0 ? [] : [`        ${violations} violations:`]),
    ...first.map((line) => `          ${line.replaceAll('\n', ' ')}`),
  ];
  return `${lines.join('\n')}\n`;
}

const findingOf = (verdict: Verdict): Finding => ({
  what: verdict.what,
  goal: verdict.goal,
  figure: verdict.violations,
  met: met(verdict),
});

function chosen(names: readonly string[]): readonly Torture[] {
  const unknown = names.find((name) => !TORTURES.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such row; see --help`);
  return names.length === 0 ? TORTURES : TORTURES.filter(({ name }) => names.includes(name));
}

function scaleOf(text: string): number {
  const scale = Number(text);
  if (scale > 0 && scale <= 1) return scale;
  throw new Error(`--scale ${text}: must be a number above 0, up to 1`);
}

async function runRows(rows: readonly Torture[], scale: number, json: boolean): Promise<number> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const verdicts: Verdict[] = [];
  for (const row of rows) {
    log(row.name);
    const verdict = await torture(row, scale, log);
    verdicts.push(verdict);
    (json ? process.stderr : process.stdout).write(verdictText(verdict));
  }
  if (json) process.stdout.write(`${JSON.stringify(verdicts.map(findingOf), null, 2)}\n`);
  return verdicts.every(met) ? 0 : 1;
}

/** @returns the exit code: 0 when every row was met, 1 when not, 2 when it was called wrongly */
export async function tortureCommand(args: string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        scale: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      return 0;
    }
    if (!existsSync(join(PROJECT, 'dist/main.js'))) throw new Error('there is no built program: npm run build');
    return await runRows(chosen(values.only), scaleOf(values.scale), values.json);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 2;
  }
}
