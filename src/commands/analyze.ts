import { analyzeMinutes, type MinuteAnalysis } from '../analyze/analyze.ts';
import { analyzeHourly, type HourlyAnalysis } from '../analyze/hourly.ts';
import { hourlySections } from '../analyze/hourly-report.ts';
import { hourlyPage, minutePage } from '../analyze/html.ts';
import { minuteSections } from '../analyze/minute-report.ts';
import { renderText } from '../analyze/report.ts';
import { type BandTunables, readTunables } from '../analyze/tunables.ts';
import { UsageError } from '../config/usage-error.ts';
import { type History, readFiles, warningsOf, withSources } from '../csv/files.ts';
import { isHourly, readHourly } from '../csv/hourly.ts';
import { type FileFlags, readOptions } from '../csv/options.ts';
import { describeProblems } from '../csv/problems.ts';
import type { ReadOptions } from '../csv/read-options.ts';
import type { Source } from '../csv/source.ts';
import { plural } from '../domain/plural.ts';
import { isoSecond } from '../domain/times.ts';
import { readChanges } from '../reports/changes.ts';
import type { Instant } from '../reports/time-chart.ts';
import type { Progress } from '../runtime/progress.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import type { CommandIo } from './io.ts';
import { runReading, shownNames, writePage } from './reading.ts';

export interface AnalyzeCommandOptions extends FileFlags {
  /** Files by status, by auth code or both; `-` is stdin. An hourly file alone. */
  files: readonly string[];
  /** The file to write the page into. */
  html?: string;
  /** A file of changes, drawn in the page. */
  changes?: string;
  json?: boolean;
  /** The folder whose tunables the suggestion starts from. Default: the project's own. */
  rulesDir?: string;
}

/** The result in each of the three forms of output. */
interface Result {
  name: string;
  text: () => string;
  json: () => unknown;
  html: (changes: readonly Instant[]) => string;
}

/** `tillwatch analyze`. @returns the exit code: 0 analyzed, 1 could not be, 2 used wrongly */
export async function analyzeCommand(options: AnalyzeCommandOptions, io: CommandIo): Promise<number> {
  return runReading(io, async (progress) => {
    if (options.files.length === 0) throw new UsageError('no file to analyze');
    if (options.changes !== undefined && options.html === undefined)
      throw new UsageError('--changes are drawn on charts: give --html FILE as well');
    const changes = options.changes === undefined ? [] : await readChanges(options.changes);
    const result = await analyze(options, io, progress);
    if (options.html !== undefined) await writePage(options.html, result.html(changes));
    return options.json === true ? `${JSON.stringify(result.json(), null, 2)}\n` : result.text();
  });
}

async function analyze(options: AnalyzeCommandOptions, io: CommandIo, progress: Progress): Promise<Result> {
  const reading = await readOptions(options, io.env);
  return withSources(options.files, io, progress, (sources) => analyzeSources(sources, reading, options, io, progress));
}

async function analyzeSources(
  sources: Source[],
  reading: ReadOptions,
  options: AnalyzeCommandOptions,
  io: CommandIo,
  progress: Progress,
): Promise<Result> {
  const hourly = sources.find((source) => isHourly(source, reading));
  if (hourly !== undefined && sources.length > 1)
    throw new UsageError(`${hourly.name} is an hourly file: it is analyzed alone`);
  if (hourly !== undefined) return hourlyResult(hourly, reading, io);
  const history = await readFiles(sources, reading, io, progress);
  io.stderr.write(warningsOf(history));
  progress.show('analyzing');
  const rules = options.rulesDir ?? SHIPPED_RULES;
  const tunables = await readTunables(rules);
  const analysis = analyzeMinutes(history, tunables);
  return minuteResult(shownNames(options.files), history, analysis, tunables);
}

function minuteResult(name: string, history: History, analysis: MinuteAnalysis, tunables: BandTunables): Result {
  const { judged: _, all: __, totals, authCodes, ...rest } = analysis;
  const { rows, skipped } = history;
  const left = skipped > 0 ? ` (${plural(skipped, 'bad row')} left out)` : '';
  const warnings = history.findings.map(({ file, kind, what }) => ({ file, kind, what }));
  return {
    name,
    text: () => renderText(`${name}: ${plural(rows, 'row')}${left}`, minuteSections(analysis)),
    json: () =>
      JSON.parse(
        JSON.stringify(
          { totals, ...(authCodes && { authCodes }), file: name, rows, skipped, warnings, ...rest },
          spellTimes,
        ),
      ),
    html: (changes) => minutePage(name, analysis, tunables, changes),
  };
}

async function hourlyResult(source: Source, reading: ReadOptions, io: CommandIo): Promise<Result> {
  const hourly = await readHourly(source, reading);
  io.stderr.write(`${hourly.recognised}\n`);
  if (hourly.skipped > 0)
    io.stderr.write(
      `${source.name}: left out ${plural(hourly.skipped, 'bad row')}:\n${describeProblems(hourly.problems).join('\n')}\n`,
    );
  const analysis: HourlyAnalysis = analyzeHourly(hourly);
  const name = shownNames([source.name]);
  const left = hourly.skipped > 0 ? ` (${plural(hourly.skipped, 'bad row')} left out)` : '';
  return {
    name,
    text: () => renderText(`${name}: ${plural(hourly.rows.length, 'hour')}${left}`, hourlySections(analysis)),
    json: () => ({ file: name, rows: hourly.rows.length, skipped: hourly.skipped, ...analysis }),
    html: (changes) => {
      if (changes.length === 0) return hourlyPage(name, analysis);
      throw new UsageError(`${name}: its hours have no date, so --changes have no place among them`);
    },
  };
}

/** Minutes since the epoch become `2025-07-12T13:45:00Z`. */
function spellTimes(key: string, value: unknown): unknown {
  if (key === 'first' && Array.isArray(value)) return value.map((minute) => spellTimes('at', minute));
  if (!['from', 'to', 'at'].includes(key) || typeof value !== 'number') return value;
  return isoSecond(value * 60);
}
