import { readFile } from 'node:fs/promises';
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
import { readRules } from '../prometheus/rule-files.ts';
import { messageOf } from '../runtime/log.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import { MOST_TRIALS, namedFactors, search, type Trial } from '../tune/search.ts';
import { multipliedRules } from '../tune/tunable-rules.ts';
import { patchCommand, TUNABLES_FILE } from '../tune/tunables-file.ts';
import { type Factors, lineDiff, multiplied } from '../tune/tunables-text.ts';
import { absentText, runRules, scoreFromOf } from './backtest.ts';
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

interface Tried extends Trial {
  result: Result;
}

/** `tillwatch tune`. @returns the exit code: 0 done, 1 failed, 2 used wrongly */
export async function tuneCommand(options: TuneCommandOptions, io: CommandIo): Promise<number> {
  return runReading(io, async (progress) => {
    const rulesDir = options.rules ?? SHIPPED_RULES;
    const before = await tunablesOf(rulesDir);
    const rules = await readRules(rulesDir);
    const reading = await readOptions(options, io.env);
    const history = await readHistory(options.files, reading, io, progress);
    const labels = await readLabels(options.labels, await signalsOfRules([rulesDir]));
    const calendar = await readHistoryCalendar(readCalendarFile(options, io.env), reading.times?.zone?.name);
    const input = { history, labels, scoreFrom: scoreFromOf(options), calendar };
    io.stderr.write(planText(history));
    const since = Date.now();
    let number = 0;
    const attempt = async (factors: Factors, most: number): Promise<Tried> => {
      const done = number++;
      const result = await runRules(multipliedRules(rules, factors).changed, input, io, (share, what) => {
        const left = leftInWords(timeLeft((done + share) / most, since));
        const percent = `${Math.floor(share * 100)} % played`;
        progress.show(`${done + 1} of at most ${most}, ${left}: ${namedFactors(factors)}, ${percent}, ${what}`);
      });
      return { factors, result, scored: result.scored };
    };
    const now = await attempt({}, MOST_TRIALS);
    io.stderr.write(absentText(rulesDir, now.result.absent));
    if ((now.scored?.score.incidents ?? 0) === 0)
      throw new UsageError(`${options.labels}: no incident in it lies in the history, so nothing can be tuned by it`);
    const best = await search(now, attempt);
    const file = relative(process.cwd(), join(rulesDir, TUNABLES_FILE));
    const diff = lineDiff(file, before, multiplied(before, best.factors));
    return options.json === true ? json(now, best, diff) : report(now, best, file, diff);
  });
}

/** Says what is about to be played, since it may take long. */
function planText(history: History): string {
  const hours = Math.ceil((history.to - history.from) / 60);
  const time = hours < 48 ? plural(hours, 'hour') : plural(Math.round(hours / 24), 'day');
  const slices = slicesOf(history).filter((labels) => Object.keys(labels).length > 0).length;
  const what = slices === 0 ? 'the total' : `the total and ${plural(slices, 'slice')}`;
  return `plays ${time} of ${what} up to ${MOST_TRIALS} times: as it is, and with other sensitivities\n`;
}

async function tunablesOf(rulesDir: string): Promise<string> {
  try {
    return await readFile(join(rulesDir, TUNABLES_FILE), 'utf8');
  } catch (error) {
    throw new UsageError(`--rules ${rulesDir}: needs a file ${TUNABLES_FILE} (${messageOf(error)})`);
  }
}

function scoreLine(name: string, { scored }: Tried): string {
  if (scored === undefined) return '';
  const { incidents, detected, falseAlarms, delayMinutes } = scored.score;
  const median = delayMinutes.median === null ? '' : `, median ${delayMinutes.median} min`;
  return `${name}  ${detected} of ${incidents} incidents found, ${falseAlarms} false alarms${median}\n`;
}

interface Change {
  change: 'appears' | 'disappears';
  alert: BacktestAlert;
}

function changesOf(now: Tried, best: Tried): Change[] {
  return compareAlerts(now.result.alerts, best.result.alerts).flatMap(({ here, there }): Change[] => {
    if (here === undefined && there !== undefined) return [{ change: 'appears', alert: there }];
    return here !== undefined && there === undefined ? [{ change: 'disappears', alert: here }] : [];
  });
}

function report(now: Tried, best: Tried, file: string, diff: string): string {
  if (diff === '')
    return `${scoreLine('before', now)}Nothing that was tried does better: leave the tunables as they are.\n`;
  const changes = changesOf(now, best).map(
    ({ change, alert }) =>
      `${change.padEnd(10)}  ${utcMinute(alert.startsAt)}  ${nameText(alert, change === 'appears' ? best.result : now.result)}\n`,
  );
  const alerts = changes.length === 0 ? 'No alert appears or disappears.\n' : changes.join('');
  const words = `Proposed: ${namedFactors(best.factors)}. Read it, save it as tune.diff, then apply it: ${patchCommand(file)}\n`;
  return `${scoreLine('before', now)}${scoreLine('after ', best)}\n${alerts}\n${words}\n${diff}`;
}

function json(now: Tried, best: Tried, diff: string): string {
  const changes = changesOf(now, best).map(({ change, alert: { alertname, labels, startsAt } }) => ({
    change,
    alertname,
    labels,
    startsAt: isoTime(startsAt),
  }));
  const scores = { before: now.scored?.score, after: best.scored?.score };
  return `${JSON.stringify({ ...scores, factors: best.factors, alerts: changes, diff }, null, 2)}\n`;
}
