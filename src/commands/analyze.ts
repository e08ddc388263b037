import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyzeHourly, type HourlyAnalysis } from '../analyze/hourly.ts';
import { hourlySections } from '../analyze/hourly-report.ts';
import { minuteSections } from '../analyze/minute-report.ts';
import { plural, renderText } from '../analyze/report.ts';
import { type BandTunables, readTunables } from '../analyze/tunables.ts';
import { analyzeMinutes, type MinuteAnalysis } from '../analyze.ts';
import { hourlyPage, minutePage } from '../analyze-html.ts';
import { UsageError } from '../config.ts';
import { type CsvHistory, describeProblems, readCsv } from '../csv.ts';
import type { CsvProblem } from '../csv-row.ts';
import { isHourlyHeader, peek, readHourly } from '../hourly-csv.ts';
import { messageOf } from '../log.ts';
import { createProgress, type Progress } from '../progress.ts';
import type { CommandIo } from './io.ts';

export interface AnalyzeCommandOptions {
  /** One file, or one by status and one by auth code; `-` is stdin. An hourly file alone. */
  files: readonly string[];
  /** Where the page is written. */
  html?: string;
  json?: boolean;
  date?: string;
  skipBadRows?: boolean;
  /** Whose tunables the suggestion starts from. Default: the project's own. */
  rulesDir?: string;
}

/** What the three forms of output are made of. */
interface Result {
  name: string;
  text: () => string;
  json: () => unknown;
  html: () => string;
}

/** `tillwatch analyze`. @returns the exit code: 0 analyzed, 1 could not be, 2 used wrongly */
export async function analyzeCommand(options: AnalyzeCommandOptions, io: CommandIo): Promise<number> {
  const progress = createProgress(io.stderr);
  try {
    if (options.files.length === 0) throw new UsageError('no file to analyze');
    const result = await analyze(options, io, progress);
    if (options.html !== undefined) await writePage(options.html, result.html());
    progress.end();
    io.stdout.write(options.json === true ? `${JSON.stringify(result.json(), null, 2)}\n` : result.text());
    return 0;
  } catch (error) {
    progress.end();
    io.stderr.write(`${io.signal.aborted ? 'interrupted' : messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function analyze(options: AnalyzeCommandOptions, io: CommandIo, progress: Progress): Promise<Result> {
  for (const file of options.files) {
    if (!isHourlyHeader(await peek(file, io.stdin))) continue;
    if (options.files.length > 1) throw new UsageError(`${file} is an hourly file: it is analyzed alone`);
    return hourlyResult(file, options, io);
  }
  const files: CsvHistory[] = [];
  for (const file of options.files) files.push(await readMinutes(file, options, io, progress, files));
  progress.show('analyzing');
  const rules = options.rulesDir ?? fileURLToPath(new URL('../../prometheus/rules', import.meta.url));
  const tunables = await readTunables(rules);
  return minuteResult(options.files.map(nameOf).join(' and '), files, analyzeMinutes(files, tunables), tunables);
}

const nameOf = (file: string): string => (file === '-' ? 'stdin' : basename(file));

async function readMinutes(
  file: string,
  { date, skipBadRows }: AnalyzeCommandOptions,
  io: CommandIo,
  progress: Progress,
  before: readonly CsvHistory[],
): Promise<CsvHistory> {
  const history = await readCsv(file, {
    ...(date !== undefined && { date }),
    skipBadRows: skipBadRows === true,
    stdin: io.stdin,
    signal: io.signal,
    onBytes: (bytes) => progress.show(`reading ${file}: ${(bytes / 1e6).toFixed(1)} MB`),
  });
  if (before.some(({ kind }) => kind === history.kind))
    throw new UsageError(`two files count by ${history.kind}: give one by status and one by auth code, or one alone`);
  warnOfSkipped(file, history, io);
  return history;
}

function warnOfSkipped(
  file: string,
  { skipped, problems }: { skipped: number; problems: CsvProblem[] },
  io: CommandIo,
) {
  if (skipped === 0) return;
  io.stderr.write(`${file}: left out ${plural(skipped, 'bad row')}:\n${describeProblems(problems).join('\n')}\n`);
}

function minuteResult(name: string, files: CsvHistory[], analysis: MinuteAnalysis, tunables: BandTunables): Result {
  const { judged: _, all: __, ...rest } = analysis;
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const skipped = files.reduce((sum, file) => sum + file.skipped, 0);
  const left = skipped > 0 ? ` (${plural(skipped, 'bad row')} left out)` : '';
  return {
    name,
    text: () => renderText(`${name}: ${plural(rows, 'row')}${left}`, minuteSections(analysis)),
    json: () => JSON.parse(JSON.stringify({ file: name, rows, skipped, ...rest }, spellTimes)),
    html: () => minutePage(name, analysis, tunables),
  };
}

async function hourlyResult(file: string, { skipBadRows }: AnalyzeCommandOptions, io: CommandIo): Promise<Result> {
  const input = file === '-' ? io.stdin : createReadStream(file);
  const hourly = await readHourly(input, nameOf(file), { skipBadRows: skipBadRows === true });
  warnOfSkipped(file, hourly, io);
  const analysis: HourlyAnalysis = analyzeHourly(hourly);
  const name = nameOf(file);
  const left = hourly.skipped > 0 ? ` (${plural(hourly.skipped, 'bad row')} left out)` : '';
  return {
    name,
    text: () => renderText(`${name}: ${plural(hourly.rows.length, 'hour')}${left}`, hourlySections(analysis)),
    json: () => ({ file: name, rows: hourly.rows.length, skipped: hourly.skipped, ...analysis }),
    html: () => hourlyPage(name, analysis),
  };
}

async function writePage(file: string, html: string): Promise<void> {
  try {
    await writeFile(file, html);
  } catch (error) {
    throw new Error(`${file}: cannot be written: ${messageOf(error)}`);
  }
}

/** Minutes since the epoch become `2025-07-12T13:45:00Z`. */
function spellTimes(key: string, value: unknown): unknown {
  if (key === 'first' && Array.isArray(value)) return value.map((minute) => spellTimes('at', minute));
  if (!['from', 'to', 'at'].includes(key) || typeof value !== 'number') return value;
  return new Date(value * 60_000).toISOString().replace('.000Z', 'Z');
}
