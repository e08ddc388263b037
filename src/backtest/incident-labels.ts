import type { Marked } from '../calendar/marks.ts';
import { describeProblems, MAX_PROBLEMS, type Problem } from '../csv/problems.ts';
import { eachRecord, linesOf } from '../csv/records.ts';
import { openSource, type Source } from '../csv/source.ts';
import { findTable } from '../csv/table.ts';
import { JUDGED_STATUSES } from '../domain/names.ts';
import { parseTime } from '../domain/times.ts';
import { suggest } from '../intake/suggest.ts';
import { type AlertSignal, SIGNALS, signalInFile, signalOf } from '../judge/alert-signal.ts';
import { readRules } from '../prometheus/rule-files.ts';
import type { Label } from './score.ts';

/** Statuses that a label without a signal may be about. */
const ANY_STATUS = ['approved', ...JUDGED_STATUSES];

/**
 * A label as the mark of a person who says at its end what it was. `none` was expected: a file does
 * not say of which status, so it is of all.
 */
export function marksOfLabel({ start, end, signals }: Label): Marked[] {
  const mark = { startsAt: start * 1000, endsAt: end * 1000, markedAt: end * 1000 };
  if (!signals.includes('none')) return [{ ...mark, verdict: 'incident', labels: {} }];
  return ANY_STATUS.map((status) => ({ ...mark, verdict: 'expected', labels: { status } }));
}

/** The signals that the alerts of these folders of rules have. @throws where one cannot be read */
export async function signalsOfRules(folders: readonly string[]): Promise<AlertSignal[]> {
  const rules = await Promise.all(folders.map(readRules));
  const signals = rules.flatMap(({ alerts }) => alerts.map(({ alert, labels }) => signalOf(alert, labels)));
  return [...new Set(signals)].map(signalInFile);
}

const COLUMNS = ['start', 'end', 'signal'];
const EXPECTED = 'expected a header start,end,signal (further columns are notes)';

/**
 * Reads labelled incidents: CSV with the columns `start,end,signal` in any order, times as in the
 * history, the end exclusive, several signals joined by `|`, `none` for what must not alert.
 * @param further signals that the rules have besides the shipped ones
 * @throws naming the file and the first bad rows by line, column and value
 */
export async function readLabels(file: string, further: readonly AlertSignal[] = []): Promise<Label[]> {
  const source = await openSource(file);
  try {
    return await labelsOf(source, [...new Set([...SIGNALS, ...further, 'none'])]);
  } finally {
    await source.close();
  }
}

async function labelsOf(source: Source, known: readonly string[]): Promise<Label[]> {
  const table = findTable(source, undefined, findColumns);
  if ('why' in table)
    throw new Error(
      table.header === ''
        ? `${source.name}: is empty; ${EXPECTED}`
        : `${source.name}: line ${table.line}: ${table.why} in "${table.header}"; ${EXPECTED}`,
    );
  const labels: Label[] = [];
  const problems: (Omit<Problem, 'line'> & { number: number })[] = [];
  await eachRecord(source, table.delimiter, (cells, number) => {
    if (number <= table.before) return;
    const read = readLabel(table.columns, cells, known);
    if ('message' in read) problems.push({ ...read, number });
    else labels.push(read);
  });
  if (problems.length === 0) return labels;
  const first = problems.slice(0, MAX_PROBLEMS);
  const lines = await linesOf(source, table.delimiter, new Set(first.map(({ number }) => number)));
  const located = first.map(({ number, ...problem }) => ({ ...problem, line: lines.get(number) ?? 0 }));
  const more = problems.length > MAX_PROBLEMS ? [`  and ${problems.length - MAX_PROBLEMS} more`] : [];
  throw new Error([`${source.name}: bad labels:`, ...describeProblems(located), ...more].join('\n'));
}

/** The names of the columns in lower case, or what is missing. */
function findColumns(header: string[]): string[] | string {
  const names = header.map((name) => name.toLowerCase());
  const missing = COLUMNS.filter((name) => !names.includes(name));
  return missing.length === 0 ? names : `no column ${missing.join(', ')}`;
}

/** The label, or what is wrong with the row. */
function readLabel(
  names: readonly string[],
  cells: readonly string[],
  known: readonly string[],
): Label | Omit<Problem, 'line'> {
  const cell = (name: string) => cells[names.indexOf(name)] ?? '';
  const problem = (column: string, message: string) => ({ column, value: cell(column), message });
  const [start, end] = [parseTime(cell('start')) / 1000, parseTime(cell('end')) / 1000];
  if (Number.isNaN(start)) return problem('start', 'is no time; write it as 2026-01-05T00:00:00Z');
  if (Number.isNaN(end)) return problem('end', 'is no time; write it as 2026-01-05T00:00:00Z');
  if (end <= start) return problem('end', 'is not after the start; the end is exclusive');
  const signals = cell('signal')
    .split('|')
    .map((signal) => signal.trim());
  const strange = signals.find((signal) => !known.includes(signal));
  if (strange !== undefined) return { column: 'signal', value: strange, message: expected(strange, known) };
  const note = cells.filter((text, at) => text !== '' && !COLUMNS.includes(names[at] ?? '')).join(', ');
  return { start, end, signals, note };
}

function expected(signal: string, known: readonly string[]): string {
  const meant = suggest(signal, known);
  const hint = meant === undefined ? '' : `did you mean ${meant}? `;
  return `${hint}expected ${known.join(', ')}, or several joined by |`;
}
