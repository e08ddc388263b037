import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import type { CsvProblem } from './csv-row.ts';

/** What today's hours are compared with. */
export const COMPARISONS = ['yesterday', 'same_day_last_week', 'avg_last_week', 'avg_last_month'] as const;
export type Comparison = (typeof COMPARISONS)[number];

export interface HourRow {
  hour: number;
  /** Sales of the hour; undefined where the cell is empty: an hour that has not come yet. */
  today?: number;
  compared: Partial<Record<Comparison, number>>;
}

export interface HourlyFile {
  /** Sorted by hour. */
  rows: HourRow[];
  comparisons: Comparison[];
  skipped: number;
  /** The first ten. */
  problems: CsvProblem[];
}

const HEAD_BYTES = 4096;
/** 24 rows are a few hundred bytes: a larger file is something else. */
const MAX_BYTES = 1_000_000;
const MAX_PROBLEMS = 10;

/** Whether a header is that of an hourly checkout file, judged by its column `today`. */
export function isHourlyHeader(text: string): boolean {
  const header =
    text
      .replace(/^\ufeff/, '')
      .split(/\r?\n/)
      .find((line) => line.trim() !== '') ?? '';
  return header.split(',').some((name) => name.trim().replaceAll('"', '').toLowerCase() === 'today');
}

/** The beginning of a file, or of stdin for `-`, which can be read from its start all the same afterwards. Empty if there is none. */
export async function peek(file: string, stdin: Readable): Promise<string> {
  if (file !== '-') return peekFile(file);
  for (;;) {
    if (stdin.readableEnded || stdin.errored) return '';
    const chunk = stdin.read() as Buffer | string | null;
    if (chunk !== null) {
      stdin.unshift(chunk);
      return chunk.toString().slice(0, HEAD_BYTES);
    }
    if (stdin.readableEnded) return '';
    await new Promise<void>((resolve) => {
      const settle = () => {
        for (const event of ['readable', 'end', 'error', 'close']) stdin.off(event, settle);
        resolve();
      };
      for (const event of ['readable', 'end', 'error', 'close']) stdin.once(event, settle);
    });
  }
}

async function peekFile(file: string): Promise<string> {
  // What is wrong with a file, the reader says.
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  } finally {
    await handle.close();
  }
}

/**
 * Reads `time,today,yesterday,same_day_last_week,avg_last_week,avg_last_month` (columns in any order, at least one to compare with)
 * with the times `00h` to `23h`, each at most once.
 * @throws with the bad rows by line, unless `skipBadRows`
 */
export async function readHourly(
  input: AsyncIterable<Buffer | string>,
  name: string,
  { skipBadRows = false }: { skipBadRows?: boolean } = {},
): Promise<HourlyFile> {
  const lines = recordsOf(await readAll(input, name), name);
  const header = lines[0];
  if (header === undefined) throw new Error(`${name}: is empty; expected a header such as time,today,yesterday`);
  const columns = readHeader(header.record, `${name}: line ${header.line}`);
  const found = { rows: [] as HourRow[], problems: [] as CsvProblem[] };
  for (const { record, line } of lines.slice(1)) {
    const row = readRow(record, columns, found.rows);
    if ('message' in row) found.problems.push({ ...row, line });
    else found.rows.push(row);
  }
  if (found.problems.length > 0 && !skipBadRows) throw new Error(refusal(name, found.problems));
  if (found.rows.length === 0)
    throw new Error(`${name}: has no ${found.problems.length > 0 ? 'good row' : 'rows under its header'}`);
  return {
    rows: found.rows.sort((a, b) => a.hour - b.hour),
    comparisons: COMPARISONS.filter((comparison) => columns.includes(comparison)),
    skipped: found.problems.length,
    problems: found.problems.slice(0, MAX_PROBLEMS),
  };
}

async function readAll(input: AsyncIterable<Buffer | string>, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`${name}: is larger than ${MAX_BYTES} bytes; an hourly file has 24 rows`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function recordsOf(text: string, name: string): { record: string[]; line: number }[] {
  try {
    const options = { bom: true, info: true, trim: true, skip_empty_lines: true, relax_column_count: true } as const;
    const parsed = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

function readHeader(record: string[], where: string): string[] {
  const columns = record.map((column) => column.toLowerCase());
  const known = ['time', 'today', ...COMPARISONS];
  const wrong =
    columns.find((column) => !known.includes(column)) ?? columns.find((each, at) => columns.indexOf(each) !== at);
  if (wrong !== undefined || !columns.includes('time') || columns.length < 3)
    throw new Error(
      `${where}: the header is ${JSON.stringify(record.join(','))}; expected time,today and at least one of ${COMPARISONS.join(',')}, each once`,
    );
  return columns;
}

function readRow(cells: string[], columns: string[], before: readonly HourRow[]): HourRow | Omit<CsvProblem, 'line'> {
  if (cells.length !== columns.length)
    return { column: 'row', value: cells.join(','), message: `has ${cells.length} fields, not ${columns.length}` };
  const row: HourRow = { hour: Number.NaN, compared: {} };
  for (const [at, column] of columns.entries()) {
    const value = cells[at] ?? '';
    const message = column === 'time' ? timeProblem(value, before) : countProblem(value, column);
    if (message !== undefined) return { column, value, message };
    if (column === 'time') row.hour = Number(value.slice(0, -1));
    else if (column !== 'today') row.compared[column as Comparison] = Number(value);
    else if (value !== '') row.today = Number(value);
  }
  return row;
}

function timeProblem(value: string, before: readonly HourRow[]): string | undefined {
  if (!/^\d{1,2}h$/.test(value) || Number(value.slice(0, -1)) > 23) return 'is no hour; write 00h to 23h';
  return before.some(({ hour }) => hour === Number(value.slice(0, -1))) ? 'is there already' : undefined;
}

function countProblem(value: string, column: string): string | undefined {
  if (value === '') return column === 'today' ? undefined : 'is missing';
  if (/^-\d/.test(value)) return 'is negative';
  if (!/^\d{1,15}(\.\d+)?$/.test(value)) return 'is not a number of 0 or more';
  return column === 'today' && value.includes('.') ? 'is not a whole number' : undefined;
}

function refusal(name: string, problems: CsvProblem[]): string {
  const shown = problems.slice(0, MAX_PROBLEMS);
  return [
    `${name}: ${problems.length} bad ${problems.length === 1 ? 'row' : 'rows'}, nothing was taken:`,
    ...shown.map(
      ({ line, column, value, message }) =>
        `  line ${line}: ${column} ${JSON.stringify(value.slice(0, 60))}: ${message}`,
    ),
    ...(problems.length > shown.length ? [`  and ${problems.length - shown.length} more`] : []),
    'Correct the file, or pass --skip-bad-rows to leave them out.',
  ].join('\n');
}
