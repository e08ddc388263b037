import { bothNumbers, createNumberEvidence, type Decimal, decimalShownBy, OPEN, readCount } from './counts.ts';
import { headerText } from './header-names.ts';
import { COMPARISONS, type Comparison, type HourlyRole, hourlyColumns } from './hourly-names.ts';
import { NOTHING, TOTALS } from './no-rows.ts';
import { MAX_PROBLEMS, type Problem, refusal } from './problems.ts';
import type { ReadOptions } from './read-options.ts';
import { eachRecord, linesOf } from './records.ts';
import type { Source } from './source.ts';
import { isRule } from './spaced.ts';
import { findTable, type Table, writtenAs } from './table.ts';

export interface HourRow {
  hour: number;
  /** Sales of the hour; undefined where the cell is empty: an hour that has not come yet. */
  today?: number;
  compared: Partial<Record<Comparison, number>>;
}

export interface HourlyFile {
  rows: HourRow[];
  comparisons: Comparison[];
  skipped: number;
  /** The first of them. */
  problems: Problem[];
  /** The recognised form of the file, in one line. */
  recognised: string;
}

type HourlyColumns = { header: readonly string[]; at: Map<HourlyRole, number>; ignored: string[] };

/**
 * True for a file that compares today's hours with other days: it has a column of hours and one of
 * `today`.
 */
export const isHourly = (source: Source, { delimiter }: ReadOptions): boolean =>
  !('why' in findTable(source, delimiter, findHourly));

function findHourly(header: string[]): HourlyColumns | string {
  const at = hourlyColumns(header);
  const twice = header.find((name, column) => name !== '' && header.indexOf(name) !== column);
  if (twice !== undefined) return `the column ${twice} is there twice`;
  const isCompared = COMPARISONS.some((name) => at.has(name));
  if (!at.has('time') || !at.has('today') || !(isCompared || header.includes('today')))
    return 'no column is named as the hour, or none as today';
  const used = new Set(at.values());
  const ignored = header.flatMap((name, column) =>
    used.has(column) || name === '' ? [] : [headerText(header, column)],
  );
  return { header, at, ignored };
}

/** Tells after how many rows something that is no hourly file is given up: a day has 24. */
const MAX_ROWS = 1000;

/**
 * Reads `time,today,yesterday,same_day_last_week,avg_last_week,avg_last_month` (columns in any
 * order, at least one to compare with, others left aside) with the hours `00h` to `23h`, each at
 * most once.
 * @throws with the bad rows by line, unless `skipBadRows`
 */
export async function readHourly(source: Source, options: ReadOptions): Promise<HourlyFile> {
  const table = findTable(source, options.delimiter, findHourly);
  const header = 'why' in table ? table.header : table.columns.header.join(table.delimiter);
  if ('why' in table || !COMPARISONS.some((name) => table.columns.at.has(name)))
    throw new Error(
      `${source.name}: line ${'why' in table ? table.line : table.before + 1}: the header is ${JSON.stringify(header)}; ` +
        `expected time,today and at least one of ${COMPARISONS.join(', ')}`,
    );
  const records = await recordsOf(source, table);
  const decimal = options.decimal ?? decimalOf(source, table, records);
  const rows: HourRow[] = [];
  const problems: (Problem & { number: number })[] = [];
  let totals = 0;
  for (const { cells, number } of records) {
    if (TOTALS.test(cells[table.columns.at.get('time') ?? 0] ?? '')) {
      totals++;
      continue;
    }
    const row = readRow(cells, table.columns, rows, decimal);
    if ('message' in row) problems.push({ ...row, number, line: 0 });
    else rows.push(row);
  }
  const lines =
    problems.length === 0
      ? undefined
      : await linesOf(source, table.delimiter, new Set(problems.map(({ number }) => number)));
  const located = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ number, ...problem }) => ({ ...problem, line: lines?.get(number) ?? 0 }));
  if (problems.length > 0 && options.skipBadRows !== true)
    throw new Error(refusal(source.name, located, problems.length));
  if (rows.length === 0)
    throw new Error(`${source.name}: has no ${problems.length > 0 ? 'good row' : 'rows under its header'}`);
  const { ignored, at } = table.columns;
  return {
    rows: rows.sort((a, b) => a.hour - b.hour),
    comparisons: COMPARISONS.filter((comparison) => at.has(comparison)),
    skipped: problems.length,
    problems: located,
    recognised:
      `${source.name}: ${writtenAs(source, table.delimiter)}; hours of today and ${COMPARISONS.filter((name) => at.has(name)).join(', ')}` +
      (totals === 0 ? '' : `; ${totals === 1 ? 'a row' : `${totals} rows`} of totals left out`) +
      (ignored.length === 0 ? '' : `; left aside: ${ignored.map((one) => JSON.stringify(one)).join(', ')}`),
  };
}

type Numbered = { cells: string[]; number: number };

async function recordsOf(source: Source, { delimiter, before, columns }: Table<HourlyColumns>): Promise<Numbered[]> {
  const records: Numbered[] = [];
  await eachRecord(source, delimiter, (cells, number) => {
    if (number <= before || cells.every((cell) => cell === '') || isRule(cells)) return;
    if (records.length >= MAX_ROWS)
      throw new Error(`${source.name}: has more than ${MAX_ROWS} rows; an hourly file has 24`);
    records.push({
      cells: cells.length < columns.header.length && columns.header.at(-1) === '' ? [...cells, ''] : cells,
      number,
    });
  });
  return records;
}

function decimalOf(
  source: Source,
  { delimiter, columns: { at } }: Table<HourlyColumns>,
  records: readonly Numbered[],
): Decimal | undefined {
  const evidence = createNumberEvidence();
  const cells = records.flatMap(({ cells: own }) =>
    [...at].filter(([role]) => role !== 'time').map(([, column]) => own[column] ?? ''),
  );
  for (const cell of cells) evidence.take(cell);
  const decided = evidence.decide(delimiter);
  if ('decimal' in decided) return decided.decimal;
  if (decided.open === '') return cells.map(decimalShownBy).find((one) => one !== undefined);
  throw new Error(
    `${source.name}: ${JSON.stringify(decided.open)} may be ${bothNumbers(decided.open)}, and no number in the file tells which; say with --decimal . or --decimal , which sign begins the decimals`,
  );
}

function readRow(
  cells: string[],
  { header, at }: HourlyColumns,
  before: readonly HourRow[],
  decimal: Decimal | undefined,
): HourRow | Omit<Problem, 'line'> {
  if (cells.length !== header.length)
    return { column: 'row', value: cells.join(','), message: `has ${cells.length} fields, not ${header.length}` };
  const row: HourRow = { hour: Number.NaN, compared: {} };
  for (const [role, column] of at) {
    const value = cells[column] ?? '';
    const read = role === 'time' ? hourOf(value, before) : numberOf(value, role, decimal);
    if (typeof read === 'string') return { column: headerText(header, column), value, message: read };
    if (role === 'time') row.hour = read ?? Number.NaN;
    else if (role !== 'today') row.compared[role] = read ?? 0;
    else if (read !== undefined) row.today = read;
  }
  return row;
}

const DATE = /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|[a-z]{3} \d{1,2}, \d{4})[T, @]+(?=\d)/i;
/** `00h`, `00:00`, `0`, `12 AM`, `00 Uhr`. */
const HOUR =
  /^(?:hour |hora )?(\d{1,2})(?:[:h]\s?00(?::00(?:\.0+)?)?|\.0|\s?(?:h(?:rs?|s)?|uhr|時))?\s?(?:([ap])\.?m\.?)?(?:Z| ?UTC|[+-]\d{2}:?\d{2})?$/i;
/** The end of an hour: `00:00-01:00`, `00h - 01h`. */
const UNTIL = /\s?(?:-|–|to|a|às|até|bis)\s?\d{1,2}(?:[:h]?(?:00|59)?h?)$/i;

function hourOf(value: string, before: readonly HourRow[]): number | string {
  const [, digits, half] =
    HOUR.exec(value.replace(DATE, '')) ?? HOUR.exec(value.replace(DATE, '').replace(UNTIL, '')) ?? [];
  const said = Number(digits ?? 24);
  const hour = half === undefined ? said : (said % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  if (said > (half === undefined ? 23 : 12)) return 'is no hour; expected 00h to 23h';
  return before.some((row) => row.hour === hour) ? 'is there already' : hour;
}

function numberOf(value: string, role: HourlyRole, decimal: Decimal | undefined): number | string | undefined {
  if (NOTHING.test(value) && role === 'today') return undefined;
  const read = readCount(value, decimal, role !== 'today');
  return read === OPEN
    ? 'may be read in two ways; say with --decimal . or --decimal , which sign begins the decimals'
    : (read as number | string);
}
