import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { compareAlerts } from '../backtest/compare.ts';
import { readLabels, signalsOfRules } from '../backtest/incident-labels.ts';
import type { Result } from '../backtest/json.ts';
import type { BacktestAlert } from '../backtest/run.ts';
import { nameText } from '../backtest/text.ts';
import { readHistoryCalendar } from '../calendar/calendar-file.ts';
import { readCalendarFile } from '../config/config.ts';
import { UsageError } from '../config/usage-error.ts';
import { type History, slicesOf } from '../csv/files.ts';
import { type FileFlags, readOptions } from '../csv/options.ts';
import { plural } from '../domain/plural.ts';
import { leftInWords, timeLeft } from '../domain/time-left.ts';
import { isoTime, utcMinute } from '../domain/times.ts';
import { messageOf } from '../runtime/log.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import { isBetter } from '../tune/better.ts';
import { type Factors, lineDiff, multiplied, SETTINGS_TUNED } from '../tune/tunables-text.ts';
import { absentText, type Input, runRules, scoreFromOf } from './backtest.ts';
import type { CommandIo } from './io.ts';
import { readHistory, runReading } from './reading.ts';

export interface TuneCommandOptions extends FileFlags {
  files: readonly string[];
  /** A CSV file `start,end,signal`. */
  labels: string;
  /** Default: the project's own. */
  rules?: string;
  calendar?: string;
  /** An alert or incident that starts before this time is not scored. */
  scoreFrom?: string;
  json?: boolean;
}

const TUNABLES_FILE = 'tunables.rules.yml';
/** Each factor is tried for each setting. The factor 1 would leave it as it is. */
const FACTORS = [0.8, 0.9, 1.1, 1.25, 1.5];
/** Each of them, and the rules as they are. */
const TRIALS = 1 + SETTINGS_TUNED.length * FACTORS.length;

interface Trial {
  factors: Factors;
  text: string;
  result: Result;
}

/** `tillwatch tune`. @returns the exit code: 0 done, 1 failed, 2 used wrongly */
export async function tuneCommand(options: TuneCommandOptions, io: CommandIo): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-tune-'));
  return runReading(io, async (progress) => {
    const rulesDir = options.rules ?? SHIPPED_RULES;
    const before = await tunablesOf(rulesDir);
    const reading = await readOptions(options, io.env);
    const history = await readHistory(options.files, reading, io, progress);
    const labels = await readLabels(options.labels, await signalsOfRules([rulesDir]));
    const calendar = await readHistoryCalendar(readCalendarFile(options, io.env), reading.times?.zone?.name);
    const input = { history, labels, scoreFrom: scoreFromOf(options), calendar };
    io.stderr.write(planText(history));
    const since = Date.now();
    let number = 0;
    const ground = { rulesDir, before, folder, input };
    const trial = (factors: Factors) => {
      const done = number++;
      return tried(factors, ground, io, (share, what) => {
        const left = leftInWords(timeLeft((done + share) / TRIALS, since));
        const percent = `${Math.floor(share * 100)} % played`;
        progress.show(`${done + 1} of ${TRIALS}, ${left}: ${namedFactors(factors)}, ${percent}, ${what}`);
      });
    };
    const now = await trial({});
    // The trials are copies of the same rules, in which only numbers differ.
    io.stderr.write(absentText(rulesDir, now.result.absent));
    if ((now.result.scored?.score.incidents ?? 0) === 0)
      throw new UsageError(`${options.labels}: no incident in it lies in the history, so nothing can be tuned by it`);
    let best = now;
    for (const { name } of SETTINGS_TUNED) {
      const start = best;
      for (const factor of FACTORS) {
        const other = await trial({ ...start.factors, [name]: factor });
        if (isBetter(other.result.scored?.score, best.result.scored?.score)) best = other;
      }
    }
    const diff = lineDiff(relative(process.cwd(), join(rulesDir, TUNABLES_FILE)), before, best.text);
    return options.json === true ? json(now, best, diff) : report(now, best, diff);
  }).finally(() => rm(folder, { recursive: true, force: true }));
}

/** Says what is about to be played, since it may take long. */
function planText(history: History): string {
  const hours = Math.ceil((history.to - history.from) / 60);
  const time = hours < 48 ? plural(hours, 'hour') : plural(Math.round(hours / 24), 'day');
  const slices = slicesOf(history).filter((labels) => Object.keys(labels).length > 0).length;
  const what = slices === 0 ? 'the total' : `the total and ${plural(slices, 'slice')}`;
  return `plays ${time} of ${what} ${TRIALS} times: as it is, and with other sensitivities\n`;
}

async function tunablesOf(rulesDir: string): Promise<string> {
  try {
    return await readFile(join(rulesDir, TUNABLES_FILE), 'utf8');
  } catch (error) {
    throw new UsageError(`--rules ${rulesDir}: needs a file ${TUNABLES_FILE} (${messageOf(error)})`);
  }
}

interface Ground {
  rulesDir: string;
  before: string;
  folder: string;
  input: Input;
}

async function tried(
  factors: Factors,
  { rulesDir, before, folder, input }: Ground,
  io: CommandIo,
  onProgress: (share: number, what: string) => void,
): Promise<Trial> {
  const text = multiplied(before, factors);
  const dir = join(folder, 'rules');
  await rm(dir, { recursive: true, force: true });
  await cp(rulesDir, dir, { recursive: true });
  await writeFile(join(dir, TUNABLES_FILE), text);
  const result = await runRules(dir, input, io, onProgress);
  return { factors, text, result };
}

const namedFactors = (factors: Factors): string => {
  const changed = Object.entries(factors).filter(([, factor]) => factor !== 1);
  return changed.length === 0 ? 'as it is' : changed.map(([name, factor]) => `${name} times ${factor}`).join(', ');
};

function scoreLine(name: string, { result: { scored } }: Trial): string {
  if (scored === undefined) return '';
  const { incidents, detected, falseAlarms, delayMinutes } = scored.score;
  const median = delayMinutes.median === null ? '' : `, median ${delayMinutes.median} min`;
  return `${name}  ${detected} of ${incidents} incidents found, ${falseAlarms} false alarms${median}\n`;
}

interface Change {
  change: 'appears' | 'disappears';
  alert: BacktestAlert;
}

function changesOf(now: Trial, best: Trial): Change[] {
  return compareAlerts(now.result.alerts, best.result.alerts).flatMap(({ here, there }): Change[] => {
    if (here === undefined && there !== undefined) return [{ change: 'appears', alert: there }];
    return here !== undefined && there === undefined ? [{ change: 'disappears', alert: here }] : [];
  });
}

function report(now: Trial, best: Trial, diff: string): string {
  if (diff === '')
    return `${scoreLine('before', now)}Nothing that was tried does better: leave the tunables as they are.\n`;
  const changes = changesOf(now, best).map(
    ({ change, alert }) =>
      `${change.padEnd(10)}  ${utcMinute(alert.startsAt)}  ${nameText(alert, change === 'appears' ? best.result : now.result)}\n`,
  );
  const alerts = changes.length === 0 ? 'No alert appears or disappears.\n' : changes.join('');
  const words = `Proposed: ${namedFactors(best.factors)}. Read it, then apply it by: patch -p0 < FILE\n`;
  return `${scoreLine('before', now)}${scoreLine('after ', best)}\n${alerts}\n${words}\n${diff}`;
}

function json(now: Trial, best: Trial, diff: string): string {
  const changes = changesOf(now, best).map(({ change, alert: { alertname, labels, startsAt } }) => ({
    change,
    alertname,
    labels,
    startsAt: isoTime(startsAt),
  }));
  const scores = { before: now.result.scored?.score, after: best.result.scored?.score };
  return `${JSON.stringify({ ...scores, factors: best.factors, alerts: changes, diff }, null, 2)}\n`;
}
