import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { parseTime } from '../domain/times.ts';
import type { Label } from './score.ts';

const MAX_PROBLEMS = 10;
const EXPECTED = 'expected a header start,end,signal (further columns are notes)';

/**
 * Reads labelled incidents: CSV with the columns `start,end,signal` in any order, times as in the history, the end exclusive, several
 * signals joined by `|`, `none` for what must not alert.
 * @throws naming the file and up to ten bad rows by line, column and value
 */
export async function readLabels(file: string): Promise<Label[]> {
  const [header, ...rows] = await readRows(file);
  if (header === undefined) throw new Error(`${file}: is empty; ${EXPECTED}`);
  const names = header.cells.map((cell) => cell.toLowerCase());
  const missing = ['start', 'end', 'signal'].filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw new Error(
      `${file}: line ${header.line}: no column ${missing.join(', ')} in "${header.cells.join(',')}"; ${EXPECTED}`,
    );
  const read = rows.map((row) => readLabel(names, row));
  const problems = read.filter((one) => typeof one === 'string');
  if (problems.length > 0) {
    const more = problems.length > MAX_PROBLEMS ? [`  and ${problems.length - MAX_PROBLEMS} more`] : [];
    throw new Error([`${file}: bad labels:`, ...problems.slice(0, MAX_PROBLEMS), ...more].join('\n'));
  }
  return read.filter((one) => typeof one !== 'string');
}

interface Row {
  cells: string[];
  line: number;
}

async function readRows(file: string): Promise<Row[]> {
  try {
    const records = parse(await readFile(file), {
      bom: true,
      info: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw new Error(`${file}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
}

/** The label, or what is wrong with the row. */
function readLabel(names: readonly string[], { cells, line }: Row): Label | string {
  const cell = (name: string) => cells[names.indexOf(name)] ?? '';
  const problem = (name: string, message: string) =>
    `  line ${line}: ${name} ${JSON.stringify(cell(name))}: ${message}`;
  const [start, end] = [parseTime(cell('start')) / 1000, parseTime(cell('end')) / 1000];
  if (Number.isNaN(start)) return problem('start', 'is no time; write it as 2026-01-05T00:00:00Z');
  if (Number.isNaN(end)) return problem('end', 'is no time; write it as 2026-01-05T00:00:00Z');
  if (end <= start) return problem('end', 'is not after the start; the end is exclusive');
  const signals = cell('signal')
    .split('|')
    .map((signal) => signal.trim());
  if (!signals.every((signal) => /^\w+$/.test(signal)))
    return problem(
      'signal',
      'is none of denied, failed, reversed, refunded, volume, feed, processing, auth_code, none, or several joined by |',
    );
  const note = cells
    .filter((text, at) => text !== '' && !['start', 'end', 'signal'].includes(names[at] ?? ''))
    .join(', ');
  return { start, end, signals, note };
}
