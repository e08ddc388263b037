import type { ColumnsAsked } from './asked-columns.ts';
import { type Columns, findColumns } from './columns.ts';
import { openQuestion } from './doubts.ts';
import { isSetting } from './no-rows.ts';
import { noTableOf } from './no-table.ts';
import { firstRecords } from './records.ts';
import type { Source } from './source.ts';
import { isRule } from './spaced.ts';
import { timeText } from './time-columns.ts';
import { timeShape } from './times.ts';

/** The form of a file, as its beginning shows it. */
export interface Table<T = Columns> {
  delimiter: string;
  /** Records up to the header, and it. */
  before: number;
  columns: T;
}

const DELIMITERS = [',', ';', '\t', '|', '│', '^', '~', '\x01'];
const NAMES: Record<string, string> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'pipe',
  '│': 'line',
  ' ': 'space',
};
export const delimiterName = (delimiter: string): string => NAMES[delimiter] ?? JSON.stringify(delimiter);

/** Says how a file is written, as far as its cells go. */
export const writtenAs = ({ encoding, between }: Source, delimiter: string): string =>
  `${encoding}, ${between ?? delimiterName(delimiter)} between cells`;

/** Titles, comments and `sep=` lines that may stand before the header. */
const MAX_BEFORE = 30;
const SAMPLE = 200;

/** A delimiter as people write it on a command line; undefined when it is none. */
export function readDelimiter(text: string): string | undefined {
  const named = Object.entries(NAMES).find(([, name]) => name === text.toLowerCase())?.[0];
  if (named !== undefined) return named;
  if (text === '\\t') return '\t';
  return [...text].length === 1 && !/["\w\r\n]/.test(text) ? text : undefined;
}

/**
 * Finds the header and the delimiter of a table: those with which its columns are known.
 * @param find what the columns are, or why a record is no header
 */
export function findTable<T>(
  source: Source,
  delimiter: string | undefined,
  find: (header: string[], sample: string[][]) => T | string,
): Table<T> | { header: string; line: number; why: string } {
  let nearest: Failure | undefined;
  // Spaces between cells are tabs by now.
  const asked = delimiter === ' ' && source.between !== undefined ? undefined : delimiter;
  for (const one of asked === undefined ? delimitersFor(source.head) : [asked]) {
    const tried = tryDelimiter(source, one, find);
    if ('columns' in tried) return tried;
    if (one === ' ') continue;
    if (nearest === undefined || tried.cells > nearest.cells) nearest = tried;
  }
  return nearest ?? { header: '', line: 1, why: 'it is empty' };
}

interface Failure {
  header: string;
  line: number;
  why: string;
  cells: number;
}

/** That of the `sep=` line first, then the commonest on the first lines. */
function delimitersFor(head: string): string[] {
  const said = /^\ufeff?sep=(.)\r?\n/i.exec(head)?.[1];
  const start = head.slice(0, 4000);
  const counted = [...DELIMITERS].sort((a, b) => start.split(b).length - start.split(a).length);
  // A space last of all: titles and times hold some too.
  return [...new Set([...(said === undefined ? [] : [said]), ...counted, ' '])];
}

function tryDelimiter<T>(
  source: Source,
  delimiter: string,
  find: (header: string[], sample: string[][]) => T | string,
): Table<T> | Failure {
  const records = firstRecords(source.head, delimiter, MAX_BEFORE + SAMPLE);
  let failure: Failure | undefined;
  const rows: string[][] = [];
  for (const [at, record] of records.slice(0, MAX_BEFORE).entries()) {
    if (isRule(record) || /^sep=/i.test(record[0] ?? '')) continue;
    const under = records.slice(at + 1);
    const [first = '', ...rest] = record;
    const isComment = /^#./.test(first);
    const header = asWideAsRows([isComment ? first.replace(/^#+\s*/, '') : first, ...rest], under);
    const sample = under.filter((cells) => cells.length === header.length && !isRule(cells) && !isSetting(cells));
    // A comment may be the header, if it has as many cells as the rows.
    if (isComment && sample.length * 2 < under.length) continue;
    // Rows in spaces without a header are recognised before; here a title would be cut up.
    if (delimiter === ' ' && holdsTime(record)) continue;
    const columns = isTitled(header, sample)
      ? find(header, sample.slice(0, SAMPLE))
      : 'most of its columns have no name';
    // A table without a header begins with the first of its rows.
    const isLaterRow = holdsTime(record) && rows.some(({ length }) => length === record.length);
    if (typeof columns !== 'string' && !isLaterRow) return { delimiter, before: at, columns };
    if (holdsTime(record)) rows.push(record);
    if (typeof columns !== 'string') continue;
    if (!isComment) failure ??= { header: header.join(delimiter), line: at + 1, why: columns, cells: header.length };
  }
  return failure ?? { header: '', line: 1, why: 'it is empty', cells: 0 };
}

const holdsTime = (cells: readonly string[]): boolean =>
  cells.some((cell) => ['full', 'clock'].includes(timeShape(cell)));

/**
 * A header with the cell that it may lack: over row numbers in front, as R writes it, or over the
 * nothing that follows a delimiter at the end.
 */
function asWideAsRows(header: string[], rows: readonly string[][]): string[] {
  const wider = rows.filter((cells) => cells.length === header.length + 1);
  if (wider.length === 0 || wider.length * 2 <= rows.length) return header;
  if (wider.every((cells) => cells.at(-1) === '')) return [...header, ''];
  return wider.every((cells, row) => row === 0 || Number(cells[0]) === Number(wider[row - 1]?.[0]) + 1)
    ? ['', ...header]
    : header;
}

/** False for the line that pivot tables have above their header, with a name or two over many columns. */
const isTitled = (header: readonly string[], [first = []]: readonly string[][]): boolean =>
  header.filter((name, column) => name === '' && first[column] !== '').length * 2 < header.length;

/** Finds the columns of a table of counts. @throws in the words of who has the file */
export function recognise(source: Source, delimiter: string | undefined, asked: ColumnsAsked): Table {
  if (source.head.trim() === '' || source.head === '\ufeff')
    throw new Error(`${source.name}: is empty; expected a header such as timestamp,status,count`);
  const noTable = noTableOf(source.head);
  if (noTable !== undefined) throw new Error(`${source.name}: ${noTable}`);
  let sampled: string[][] = [];
  const table = findTable(source, delimiter, (header, sample) => {
    sampled = sample;
    return findColumns(header, sample, asked);
  });
  if ('why' in table) throw new Error(notRecognised(source, table));
  const under = firstRecords(source.head, table.delimiter, table.before + MAX_BEFORE).slice(table.before + 1);
  const question = openQuestion(table.columns, sampled, under.filter(isSetting), asked);
  if (question !== undefined) throw new Error(`${source.name}: line ${table.before + 1}: ${question}`);
  if (!['full', 'clock'].includes(timeShape(timeText(table.columns.header, table.columns)))) return table;
  // There is no header: the user has said by number which column is which.
  const header = table.columns.header.map((_, column) => `column ${column + 1}`);
  return { ...table, before: table.before - 1, columns: { ...table.columns, header } };
}

function notRecognised({ name }: Source, { header, line, why }: { header: string; line: number; why: string }): string {
  if (why.startsWith('--')) return `${name}: line ${line}: ${why}; the header is ${JSON.stringify(header)}`;
  return (
    `${name}: line ${line}: the header is ${JSON.stringify(header.slice(0, 200))}; ${why}. Expected columns such as timestamp,status,count, ` +
    'timestamp,auth_code,count or time,approved,denied,..., in any order; say which is which with ' +
    '--columns time=...,status=...,count=... (names, or numbers from 1 on), and the delimiter with --delimiter'
  );
}
