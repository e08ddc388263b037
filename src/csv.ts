import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { type CsvKind, type CsvProblem, openHeader, type Row, readRow } from './csv-row.ts';
import { createTally, type Tally } from './minute-tally.ts';
import type { MinuteCounts } from './simulate.ts';

export interface CsvOptions {
  /** `2025-07-12`: the day of times such as `13h 05`. */
  date?: string;
  /** Leaves out rows with problems and counts them, instead of refusing the file. */
  skipBadRows?: boolean;
  /** What `-` reads. */
  stdin?: Readable;
  /** Told how many bytes have been read so far. */
  onBytes?: (bytes: number) => void;
  signal?: AbortSignal;
}

/** A file's counts, added up by minute and status (or auth code). */
export interface CsvHistory {
  kind: CsvKind;
  /** Good rows. */
  rows: number;
  skipped: number;
  /** The first problems of the skipped rows. */
  problems: CsvProblem[];
  /** The statuses or codes that occur, sorted. */
  keys: string[];
  /** First minute and the one after the last, in minutes since the epoch. */
  from: number;
  to: number;
  /** Rows of a minute and status (or code) that an earlier row has too (they add up), and the first twenty of those minutes. */
  repeated: { rows: number; minutes: number[] };
  /** Minutes that have a row, in order of time. */
  minutes: () => Generator<MinuteCounts>;
}

const MAX_PROBLEMS = 10;
const MAX_RECORD_BYTES = 100_000;

/**
 * Reads `timestamp,status,count`, `time,status,F1` or `timestamp,auth_code,count` (columns in any order) from a file,
 * or from stdin for `-`, as a stream.
 *
 * Rows may come in any order. Several rows of the same minute and status add up, seconds belong to their minute.
 * Memory grows with the days and statuses (or codes) that the file covers, not with its rows.
 *
 * @throws with a message that names up to ten bad rows by line, column and value, unless `skipBadRows`;
 *   a wrong header, a file without rows and a quote that is never closed are refused always
 */
export async function readCsv(file: string, options: CsvOptions = {}): Promise<CsvHistory> {
  const name = file === '-' ? 'stdin' : file;
  const state = { rows: 0, skipped: 0, problems: [] as CsvProblem[] };
  let toRow: ((record: string[]) => Row) | undefined;
  let kind: CsvKind = 'status';
  const tally = createTally();
  for await (const { record, info } of records(file, name, options)) {
    if (toRow === undefined) {
      const header = openHeader(record, options.date);
      if (!header.ok) throw new Error(`${name}: line ${info.lines}: ${header.message}`);
      kind = header.kind;
      toRow = (cells) => readRow(cells, header);
      continue;
    }
    take(toRow(record), info.lines, tally, state);
  }
  if (toRow === undefined) throw new Error(`${name}: is empty; expected a header such as timestamp,status,count`);
  if (state.skipped > 0 && options.skipBadRows !== true) throw new Error(refusal(name, state.problems, state.skipped));
  if (state.rows === 0) throw new Error(`${name}: has no ${state.skipped > 0 ? 'good row' : 'rows under its header'}`);
  const { from, to } = tally.range();
  return {
    kind,
    ...state,
    keys: tally.keys(),
    from,
    to,
    repeated: tally.repeated(),
    minutes: () => tallied(kind, tally),
  };
}

interface Parsed {
  record: string[];
  info: { lines: number };
}

async function* records(file: string, name: string, options: CsvOptions): AsyncGenerator<Parsed> {
  const input: Readable = file === '-' ? (options.stdin ?? process.stdin) : createReadStream(file);
  const parser = parse({
    bom: true,
    info: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: MAX_RECORD_BYTES,
  });
  let bytes = 0;
  input.on('data', (chunk: Buffer | string) => {
    bytes += chunk.length;
    options.onBytes?.(bytes);
  });
  input.once('error', (error) => parser.destroy(error));
  const interrupt = () => parser.destroy(new Error('interrupted'));
  options.signal?.addEventListener('abort', interrupt);
  input.pipe(parser);
  try {
    options.signal?.throwIfAborted();
    yield* parser as AsyncIterable<Parsed>;
  } catch (error) {
    throw new Error(`${name}: ${unreadable(error)}`);
  } finally {
    options.signal?.removeEventListener('abort', interrupt);
    if (file !== '-') input.destroy();
  }
}

/** csv-parse and the file system, in the words of who has the file. */
function unreadable(error: unknown): string {
  const { code, message, lines } = error as { code?: string; message: string; lines?: number };
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE')
    return `line ${lines}: a row longer than ${MAX_RECORD_BYTES} bytes, or a quote that is never closed before the end`;
  return message;
}

function take(row: Row, line: number, tally: Tally, state: { rows: number; skipped: number; problems: CsvProblem[] }) {
  const problem = 'column' in row ? row : tally.add(row.minute, row.key, row.count);
  if (problem === undefined) {
    state.rows++;
    return;
  }
  state.skipped++;
  if (state.problems.length < MAX_PROBLEMS) state.problems.push({ ...problem, line });
}

function refusal(name: string, problems: CsvProblem[], total: number): string {
  const more = total - problems.length;
  return [
    `${name}: ${total} bad ${total === 1 ? 'row' : 'rows'}, nothing was taken:`,
    ...describeProblems(problems),
    ...(more > 0 ? [`  and ${more} more`] : []),
    'Correct the file, or pass --skip-bad-rows to leave them out.',
  ].join('\n');
}

/** One indented line for each problem. */
export function describeProblems(problems: CsvProblem[]): string[] {
  return problems.map(({ line, column, value, message }) => `  line ${line}: ${column} ${quote(value)}: ${message}`);
}

const quote = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);

function* tallied(kind: CsvKind, tally: Tally): Generator<MinuteCounts> {
  for (const { minute, values } of tally.minutes()) {
    yield kind === 'status' ? { minute, counts: values } : { minute, authCodes: values };
  }
}
