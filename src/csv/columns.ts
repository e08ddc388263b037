import { APPROVED_CODES, isCommonCode } from '../domain/auth-codes.ts';
import { statusOf, statusOfCell, wordsIn } from '../domain/status-words.ts';
import { type ColumnsAsked, chosenColumns } from './asked-columns.ts';
import { countColumn, ENOUGH_ROWS, hasSeconds, isNoCount, isShare, isWhole } from './count-column.ts';
import { type Dimension, dimensionsOf, withAsked } from './dimensions.ts';
import { candidates, headerText, isIndexName, rankOf } from './header-names.ts';
import { codesByContent, keyColumns } from './key-columns.ts';
import { cellsOf, onlyOne, type Sampled, shareOf } from './sampled.ts';
import {
  isShortDate,
  type SplitTime,
  splitOf,
  surerTime,
  timeColumns,
  timeText,
  withHalf,
  zoneColumn,
} from './time-columns.ts';
import { DIGITS_OF_TIME, timeShape } from './times.ts';
import { type WideColumn, wideColumns } from './wide-columns.ts';

/** The role of each column of a file. Columns are counted from 0. */
export interface Columns {
  /** The header as the file spells it. */
  header: readonly string[];
  /** One column, or those whose cells make up a time together. */
  time: readonly number[];
  /** The way in which several columns make up a time. */
  split?: SplitTime | undefined;
  /** The column of the zone or the offset of each time. */
  zone?: number | undefined;
  status?: number;
  code?: number;
  /** Undefined where each row is one transaction. */
  count?: number;
  wide: readonly WideColumn[];
  dimensions: readonly Dimension[];
  /** Columns that nobody asked for, as people read them. */
  ignored: readonly string[];
  /**
   * Columns that nobody asked for and that tell one row from another, such as an acquirer: not
   * index columns.
   */
  telling: readonly number[];
}

/**
 * Finds the columns of a table by their names, and where these may mean several things by the first
 * rows.
 * @param sample the first rows under the header
 * @returns why it is no header, in words that follow "the header is ...;"
 */
export function findColumns(
  header: readonly string[],
  sample: readonly string[][],
  asked: ColumnsAsked,
): Columns | string {
  if (asked.columns === undefined && header.some((cell) => ['full', 'clock'].includes(timeShape(cell))))
    return byContent([[...header], ...sample], asked) ?? 'it is a row, not a header: it holds a time';
  const chosen = chosenColumns(header, asked.columns ?? {});
  if (typeof chosen === 'string') return chosen;
  const namedTimes = candidates(header, 'time').filter((column) => !chosen.taken.has(column));
  const { time: found, split } = chosen.time
    ? { time: chosen.time, split: splitOf(chosen.time, sample) }
    : surerTime(
        header,
        sample,
        timeColumns(header, sample, namedTimes, chosen.taken),
        chosen.taken,
        asked.times?.zone !== undefined,
      );
  const time = withHalf(found, sample, (column) => !chosen.taken.has(column));
  if (time.length === 0) return 'no column is named as a time (timestamp, time, date, minute, datetime, ...)';
  const short = namedTimes.find((column) => isShortDate(header[column] ?? '', cellsOf({ sample }, column)));
  if (short !== undefined && timeShape(timeText(sample[0] ?? [], { time, split })) !== 'full')
    return `${headerText(header, short)} holds ${JSON.stringify(cellsOf({ sample }, short)[0])}, a date of which any two digits may be the year; write it as 2026-11-21`;
  const zone = zoneColumn(header, sample, time);
  const free = (column: number) => !time.includes(column) && column !== zone && !chosen.taken.has(column);
  const table = { header, sample, free, asked };
  const named = wideColumns(header, free, asked.statusWords);
  const isFlags = areFlags(table, time, named);
  const allWide = isFlags ? [] : named;
  const { status, code } = keyColumns(table, chosen, allWide.length > 1);
  const isLong = status !== undefined || code !== undefined;
  const wide = chosen.wide.length > 0 ? chosen.wide : isLong ? [] : withoutParts(table, allWide);
  const [unread] = candidates(header, 'status').filter(free);
  if (!isLong && wide.length === 0 && unread !== undefined && cellsOf(table, unread).length > 0)
    return `${headerText(header, unread)} holds ${JSON.stringify(cellsOf(table, unread)[0])}, which is no status; if it holds auth codes, pass --columns auth_code=${headerText(header, unread)}`;
  const [flag] = isFlags ? named : [];
  if (!isLong && wide.length === 0 && flag !== undefined) return flagHelp(table, flag);
  if (!isLong && wide.length === 0)
    return `no column is named as a status (status, state, result, ...) or an auth code (auth_code, response_code, ...), and none is named by a status itself${beside(table)}${inWords(table)}`;
  const isNeeded = wide.length === 0 && chosen.count !== 'none';
  const count =
    typeof chosen.count === 'number' ? chosen.count : isNeeded ? countColumn(table, time, [status, code]) : undefined;
  const cut = count === undefined || header[count + 1] !== '' ? [] : cellsOf(table, count + 1);
  if (cut.length > 0 && cut.every((cell) => /^\d{3}$/.test(cell)))
    return `the numbers of ${headerText(header, count ?? 0)} are cut in two: a number with a comma in it must be in quotes`;
  const twin =
    count === undefined
      ? -1
      : header.findIndex((name, column) => column !== count && isAgain(name, header[count] ?? ''));
  if (twin >= 0 && free(twin) && header[twin] !== '' && chosen.count === undefined)
    return `the column ${header[twin]} is there twice, so say which is the count by its number: --columns count=${(count ?? 0) + 1} or count=${twin + 1}`;
  const isTwice = (column: number | undefined) =>
    column !== undefined && header.some((name, at) => at > column && isAgain(name, header[column] ?? ''));
  const repeated = wide.find(({ column }) => isTwice(column));
  if (repeated !== undefined && isTwice(time[0]))
    return `the columns ${headerText(header, time[0] ?? 0)} and ${headerText(header, repeated.column)} are there twice, as of two tables side by side: save each as a file of its own`;
  if (repeated !== undefined && chosen.wide.length === 0)
    return `the column ${headerText(header, repeated.column)} is there twice, and one may hold money: say which are counts by their numbers, such as --columns ${repeated.status ?? repeated.code}=${repeated.column + 1}, ...`;
  const used = new Set([...time, zone, status, code, count, ...wide.map(({ column }) => column)]);
  return withRest({ header, time, split, zone, status, code, count, wide }, used, asked);
}

/** True for a name that is there before, also where a program has numbered it: `approved.1`. */
const isAgain = (name: string, before: string): boolean => name === before || /^[.:_]1$/.test(name.replace(before, ''));

/** The columns of a table without a header, where its cells leave no doubt. */
function byContent(records: readonly string[][], asked: ColumnsAsked): Columns | undefined {
  // Sorting puts the header among the rows, or under them.
  const rows = records.filter((cells) => !cells.some((cell) => rankOf(cell, 'time') !== undefined));
  const header = (rows[0] ?? []).map(() => '');
  const isEpoch = (cell: string) => EPOCH_NOW.test(cell) || DIGITS_OF_TIME.test(cell);
  const epochs = onlyOne(header, (column) => cellsOf({ sample: rows }, column).every(isEpoch));
  const found = epochs === undefined ? timeColumns(header, rows, [], new Set()) : { time: [epochs] };
  const time = withHalf(found.time, rows, () => true);
  const shapes = new Set(rows.map((cells) => timeShape(timeText(cells, { time }))));
  if (time.length === 0 || shapes.size !== 1 || !(shapes.has('full') || shapes.has('clock'))) return undefined;
  const table: Sampled = { header, sample: rows, free: (column) => !time.includes(column), asked };
  const { status, code: alone } = keyColumns(table, { wide: [], taken: new Set() }, false);
  const code = status === undefined ? alone : codesBeside(table, status);
  if (status === undefined && code === undefined) return undefined;
  const keys = [...time, status, code];
  const numbers = [...header.keys()].filter(
    (column) => !keys.includes(column) && shareOf(cellsOf(table, column), isWhole) === 1,
  );
  const counts = numbers.length > 1 ? numbers.filter((column) => !isSerial(cellsOf(table, column))) : numbers;
  if (counts.length > 1) return undefined;
  const [count] = counts;
  const all = { header: rows[0] ?? [], time, split: undefined, zone: undefined, status, code, count, wide: [] };
  return withRest(all, new Set([...keys, count]), asked) as Columns;
}

/**
 * The column of auth codes beside one of statuses. Approvals must have codes of approvals and
 * denials others, with a code such as `00` or in so many rows that it is no column of counts.
 */
function codesBeside(table: Sampled, status: number): number | undefined {
  const beside = { ...table, free: (column: number) => table.free(column) && column !== status };
  const code = codesByContent(beside, (cell) => /^\d{2}$/.test(cell) && isCommonCode(cell));
  if (code === undefined) return undefined;
  const isSure = table.sample.length >= ENOUGH_ROWS || cellsOf(table, code).some((cell) => cell.startsWith('0'));
  const agrees = (cells: readonly string[]) => {
    const said = statusOfCell(cells[status] ?? '');
    const isApproval = APPROVED_CODES.includes(cells[code] ?? '');
    return said === 'approved' ? isApproval : said !== 'denied' || !isApproval;
  };
  return isSure && table.sample.every(agrees) ? code : undefined;
}

/** Epoch numbers of the years 2014 to 2033, in any unit. */
const EPOCH_NOW = /^1[4-9]\d{8}(?:\d{3}){0,3}(?:\.\d+)?$/;

/** True for row numbers. */
const isSerial = (cells: readonly string[]): boolean =>
  cells.length > 1 && cells.every((cell, at) => at === 0 || Number(cell) === Number(cells[at - 1]) + 1);

/**
 * True where columns named by a status say yes or no of each row: beside a count, in words, or one
 * alone with rows of transactions.
 */
function areFlags(table: Sampled, time: readonly number[], named: readonly WideColumn[]): boolean {
  const cells = named.map(({ column }) => cellsOf(table, column));
  if (named.length === 0 || !cells.every(isFlag)) return false;
  const isAlone = named.length === 1 && hasSeconds(table.sample, time);
  return (
    isAlone || candidates(table.header, 'count').some(table.free) || cells.flat().some((cell) => !/^[01]$/.test(cell))
  );
}

function flagHelp(table: Sampled, { column, status }: WideColumn): string {
  const name = headerText(table.header, column);
  const [no, yes] = [...new Set(cellsOf(table, column))].sort();
  return (
    `${JSON.stringify(name)} says yes or no of each row, and nothing says what a no means: pass --columns status=${name}, and ` +
    `--status-map with a file of lines such as "${yes ?? no}: ${status ?? 'approved'}" and "${no}: denied"`
  );
}

/** Says what to do with columns such as `acme approved`, which may be parts or anything else. */
function beside({ header, free }: Sampled): string {
  const statusIn = (name: string) =>
    wordsIn(name)
      .map((word) => statusOf(word))
      .find((status) => status !== undefined);
  const part = header.find(
    (name, column) => free(column) && !isShare(name) && !isNoCount(name) && statusIn(name) !== undefined,
  );
  if (part === undefined) return '';
  const line = `${part}: ${statusIn(part)}`;
  return ` (if those such as ${JSON.stringify(part)} are counts, say so in a file given by --status-map, with a line such as "${line}" for each)`;
}

/** Names columns of statuses, of which either may say what came of a transaction. */
function inWords(table: Sampled): string {
  const isStatus = (cell: string) => statusOfCell(cell) !== undefined;
  const columns = [...table.header.keys()].filter(
    (column) => table.free(column) && cellsOf(table, column).length > 0 && cellsOf(table, column).every(isStatus),
  );
  const names = columns.map((column) => headerText(table.header, column));
  return names.length < 2
    ? ''
    : `. Statuses stand in more than one column: pass ${names.map((name) => `--columns status="${name}"`).join(' or ')}`;
}

/** True for cells that say yes or no. */
const isFlag = (cells: readonly string[]): boolean =>
  cells.length > 1 && cells.every((cell) => /^(?:[01]|true|false|yes|no)$/i.test(cell));

type Found = Pick<Columns, 'header' | 'time' | 'split' | 'wide'> &
  Record<'zone' | 'status' | 'code' | 'count', number | undefined>;

function withRest(found: Found, used: ReadonlySet<number | undefined>, asked: ColumnsAsked): Columns | string {
  const { header, time, split, zone, status, code, count, wide } = found;
  const others = header.map((_, column) => column).filter((column) => !used.has(column));
  const isIndex = (column: number) => isIndexName(header[column] ?? '');
  const dimensions = dimensionsOf(header, others, isIndex, asked, wide);
  if (typeof dimensions === 'string') return dimensions;
  const left = others.filter((column) => !dimensions.some((one) => one.column === column));
  return {
    header,
    time,
    ...(split !== undefined && { split }),
    ...(zone !== undefined && { zone }),
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(count !== undefined && { count }),
    wide: withAsked(wide, asked.dimensions ?? []),
    dimensions,
    ignored: left
      .filter((column) => header[column] !== '' || column < header.length - 1)
      .map((column) => headerText(header, column)),
    telling: left.filter((column) => !isIndex(column)),
  };
}

/**
 * Leaves out columns that are parts of another one of the same status, as soft and hard declines are
 * of all declines, or that say the same, as those of replicas do. The whole is the sum of its parts in
 * each row.
 */
function withoutParts({ sample, asked }: Sampled, wide: readonly WideColumn[]): readonly WideColumn[] {
  const keyOf = ({ status, labels }: WideColumn) => JSON.stringify([status, labels]);
  const keys = withAsked(wide, asked.dimensions ?? []).map(keyOf);
  const alike = (at: number) =>
    wide.filter((one, other) => other !== at && one.status !== undefined && keys[other] === keys[at]);
  const numberIn = (cells: readonly string[], { column }: WideColumn) => Number(cells[column] || 0);
  const isWholeOf = (one: WideColumn, parts: readonly WideColumn[]) => {
    const numbers = sample.map((cells) => numberIn(cells, one)).filter((number) => number > 0);
    // Two may be equal by chance.
    const isSure = numbers.length >= ENOUGH_ROWS && (parts.length > 1 || new Set(numbers).size > 2);
    return (
      isSure &&
      sample.every((cells) => numberIn(cells, one) === parts.reduce((sum, part) => sum + numberIn(cells, part), 0))
    );
  };
  const left = new Set<WideColumn>();
  for (const [at, one] of wide.entries()) {
    const parts = alike(at).filter((part) => !left.has(part));
    if (!left.has(one) && parts.length > 0 && isWholeOf(one, parts)) for (const part of parts) left.add(part);
  }
  return wide.filter((one) => !left.has(one));
}
