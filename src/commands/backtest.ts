import { type Curve, readCurves } from '../backtest/curves.ts';
import { backtestPage } from '../backtest/html.ts';
import { marksOfLabel, readLabels, signalsOfRules } from '../backtest/incident-labels.ts';
import { backtestJson, type Result } from '../backtest/json.ts';
import { type BacktestOptions, runBacktest } from '../backtest/run.ts';
import { type Label, scoreAlerts } from '../backtest/score.ts';
import { backtestText } from '../backtest/text.ts';
import { readHistoryCalendar } from '../calendar/calendar-file.ts';
import type { CalendarAt } from '../calendar/series.ts';
import { readCalendarFile } from '../config/config.ts';
import { UsageError } from '../config/usage-error.ts';
import { codesOf, type History, historyMinutes } from '../csv/files.ts';
import { type FileFlags, readOptions } from '../csv/options.ts';
import { type Rules, readRules } from '../prometheus/rule-files.ts';
import { readChanges } from '../reports/changes.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import type { CommandIo } from './io.ts';
import { readHistory, runReading, shownNames, writePage } from './reading.ts';
import { timeOf } from './time-flag.ts';

export interface BacktestCommandOptions extends FileFlags {
  /** Files by status, by auth code or both; `-` is stdin. */
  files: readonly string[];
  /** Default: the project's own. */
  rules?: string;
  /** A CSV file `start,end,signal`. */
  labels?: string;
  calendar?: string;
  /** A CSV file as `labels`: what people would have marked. */
  marks?: string;
  /** A second folder of rules. */
  compare?: string;
  json?: boolean;
  html?: string;
  /** A file of changes, drawn in the page. */
  changes?: string;
  /** An alert or incident that starts before this time is not scored. */
  scoreFrom?: string;
}

/** `tillwatch backtest`. @returns the exit code: 0 done, 1 failed, 2 used wrongly */
export async function backtestCommand(options: BacktestCommandOptions, io: CommandIo): Promise<number> {
  return runReading(io, async (progress) => {
    const scoreFrom = scoreFromOf(options);
    if (scoreFrom !== undefined && options.labels === undefined)
      throw new UsageError('--score-from says what to score: give --labels FILE as well');
    if (options.changes !== undefined && options.html === undefined)
      throw new UsageError('--changes are drawn on charts: give --html FILE as well');
    const changes = options.changes === undefined ? undefined : await readChanges(options.changes);
    const dir = options.rules ?? SHIPPED_RULES;
    const folders = options.compare === undefined ? [dir] : [dir, options.compare];
    const labelsOf = async (file: string) => readLabels(file, await signalsOfRules(folders));
    const labels = options.labels === undefined ? undefined : await labelsOf(options.labels);
    const reading = await readOptions(options, io.env);
    const calendar = readCalendarFile(options, io.env);
    const marks = options.marks === undefined ? [] : (await labelsOf(options.marks)).flatMap(marksOfLabel);
    const calendarAt = await readHistoryCalendar(calendar, reading.times?.zone?.name, marks);
    const history = await readHistory(options.files, reading, io, progress);
    const input = { history, labels, scoreFrom, calendar: calendarAt };
    const curves: Curve[] = [];
    const takeCurves: BacktestOptions['inspect'] = async (replay, recorded, shift) => {
      if (options.html !== undefined) curves.push(...(await readCurves(replay, recorded, shift, io.signal)));
    };
    const { compare } = options;
    const telling = (whose: string) => (share: number, what: string) =>
      progress.show(`${whose}${Math.floor(share * 100)} % played, ${what}`);
    const result = await runRules(
      await readRules(dir),
      input,
      io,
      telling(compare === undefined ? '' : 'the rules: '),
      takeCurves,
    );
    const compared =
      compare === undefined
        ? undefined
        : await runRules(await readRules(compare), input, io, telling('the other rules: '));
    for (const [folder, of] of [
      [dir, result],
      [options.compare ?? '', compared],
    ] as const)
      io.stderr.write(absentText(folder, of?.absent));
    if (options.html !== undefined) {
      const name = shownNames(options.files);
      await writePage(options.html, backtestPage({ name, result, curves, labels, changes, compared }));
    }
    return options.json === true
      ? `${JSON.stringify(backtestJson(result, compared), null, 2)}\n`
      : backtestText(result, compared);
  });
}

/** What rules read that neither they nor the history have, each on a line. */
export const absentText = (dir: string, absent: readonly string[] = []): string =>
  absent.map((name) => `${dir}: rules read ${name}, which the history does not have\n`).join('');

/** The seconds since the epoch of --score-from. @throws UsageError */
export const scoreFromOf = ({ scoreFrom }: { scoreFrom?: string }): number | undefined =>
  scoreFrom === undefined ? undefined : timeOf('--score-from', scoreFrom);

export interface Input {
  history: History;
  labels: Label[] | undefined;
  scoreFrom: number | undefined;
  calendar: CalendarAt | undefined;
}

/**
 * Computes the alerts that rules would have fired on a history, scored where labels are given.
 */
export async function runRules(
  rules: Rules,
  { history, labels, scoreFrom, calendar }: Input,
  io: CommandIo,
  onProgress: NonNullable<BacktestOptions['onProgress']>,
  inspect?: BacktestOptions['inspect'],
): Promise<Result> {
  const backtest = await runBacktest({
    minutes: historyMinutes(history),
    statuses: history.statuses !== undefined,
    authCodes: codesOf(history),
    rules,
    calendar,
    from: history.from * 60,
    to: history.to * 60,
    onProgress,
    ...(inspect !== undefined && { inspect }),
    signal: io.signal,
  });
  if (labels === undefined) return backtest;
  return {
    ...backtest,
    scored: scoreAlerts(backtest.alerts, labels, { from: scoreFrom ?? backtest.from, to: backtest.to }),
  };
}
