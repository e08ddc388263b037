import { APPROVED_CODES, isCommonCode } from '../domain/auth-codes.ts';
import { statusOf } from '../domain/status-words.ts';
import { type Chosen, type ColumnsAsked, chosenColumns } from './asked-columns.ts';
import {
  countColumn,
  ENOUGH_ROWS,
  hasSeconds,
  isCount,
  isNoCount,
  isVarying,
  isWeakCount,
  isWhole,
  looksCounted,
} from './count-column.ts';
import { type Dimension, dimensionsOf } from './dimensions.ts';
import { candidates, headerKey, headerText, isIndexName, rankOf } from './header-names.ts';
import { bestBy, cellsOf, onlyOne, type Sampled, shareOf } from './sampled.ts';
import { type SplitTime, timeColumns } from './time-columns.ts';
import { timeShape } from './times.ts';
import { codeOf, seriesLabels, type WideColumn, wideColumns } from './wide-columns.ts';

/** The role of each column of a file. Columns are counted from 0. */
export interface Columns {
  /** The header as the file spells it. */
  header: readonly string[];
  /** One column, or those whose cells make up a time together. */
  time: readonly number[];
  /** The way in which several columns make up a time. */
  split?: SplitTime | undefined;
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
  const { time, split } = chosen.time
    ? { time: chosen.time, split: undefined }
    : timeColumns(header, sample, namedTimes, chosen.taken);
  if (time.length === 0) return 'no column is named as a time (timestamp, time, date, minute, datetime, ...)';
  const free = (column: number) => !time.includes(column) && !chosen.taken.has(column);
  const table = { header, sample, free, asked };
  const named = wideColumns(header, free);
  // Yes or no beside a count is no count itself.
  const isFlags = candidates(header, 'count').some(free) && named.every(({ column }) => isFlag(cellsOf(table, column)));
  const allWide = isFlags ? [] : named;
  const { status, code } = keyColumns(table, chosen, allWide.length > 1);
  const isLong = status !== undefined || code !== undefined;
  const wide = chosen.wide.length > 0 ? chosen.wide : isLong ? [] : allWide;
  if (!isLong && wide.length === 0)
    return 'no column is named as a status (status, state, result, ...) or an auth code (auth_code, response_code, ...), and none is named by a status itself';
  const isNeeded = wide.length === 0 && chosen.count !== 'none';
  const count =
    typeof chosen.count === 'number' ? chosen.count : isNeeded ? countColumn(table, time, [status, code]) : undefined;
  const twin =
    count === undefined ? -1 : header.findIndex((name, column) => column !== count && name === header[count]);
  if (twin >= 0 && free(twin) && header[twin] !== '' && chosen.count === undefined)
    return `the column ${header[twin]} is there twice, so say which is the count by its number: --columns count=${(count ?? 0) + 1} or count=${twin + 1}`;
  const used = new Set([...time, status, code, count, ...wide.map(({ column }) => column)]);
  return withRest({ header, time, split, status, code, count, wide }, used, asked);
}

/** Finds the columns of the status and the auth code of a row. */
function keyColumns(table: Sampled, chosen: Chosen, mayBeWide: boolean): { status?: number; code?: number } {
  const { header, free, asked } = table;
  const isStatus = (cell: string) =>
    statusOf(seriesLabels(cell).status ?? cell) !== undefined || asked.statusWords?.has(headerKey(cell)) === true;
  const isCode = (cell: string) => isCommonCode(codeOf(cell));
  const statusShare = (column: number) => shareOf(cellsOf(table, column), isStatus);
  const allAre = (column: number, is: (cell: string) => boolean) =>
    free(column) && cellsOf(table, column).length > 0 && cellsOf(table, column).every(is);
  const named = bestBy(candidates(header, 'status').filter(free), statusShare);
  const isNamed = named !== undefined && (statusShare(named) > 0 || !(mayBeWide || allAre(named, isCode)));
  // A name that nobody knows may stand over words that everybody knows.
  const byWords = onlyOne(header, (column) => allAre(column, isStatus));
  const best = isNamed && statusShare(named) > 0 ? named : (byWords ?? (isNamed ? named : undefined));
  const forStatus = chosen.status ?? best;
  const byName = bestBy(
    candidates(header, 'code').filter((column) => free(column) && column !== forStatus),
    (column) => shareOf(cellsOf(table, column), (cell) => /^[0-9A-Za-z]{1,4}$/.test(cell)),
  );
  const code =
    chosen.code ?? byName ?? (forStatus === undefined && !mayBeWide ? codesByContent(table, isCode) : undefined);
  const isWeak = forStatus !== chosen.status && forStatus !== undefined && statusShare(forStatus) === 0;
  // A column called "name" beside one of auth codes is no status.
  const status = isWeak && code !== undefined && code !== forStatus ? undefined : forStatus;
  return { ...(status !== undefined && { status }), ...(code !== undefined && { code }) };
}

/** The only column of common codes, an approval among them, that is not named as a count. */
const codesByContent = (table: Sampled, isCode: (cell: string) => boolean): number | undefined =>
  onlyOne(table.header, (column) => {
    const cells = cellsOf(table, column);
    const isApproval = (cell: string) => APPROVED_CODES.includes(codeOf(cell));
    const isFree = table.free(column) && rankOf(table.header[column] ?? '', 'count') === undefined;
    return isFree && cells.some((cell) => cell.length > 1) && cells.every(isCode) && cells.some(isApproval);
  });

/** The columns of a table without a header, where its cells leave no doubt. */
function byContent(rows: readonly string[][], asked: ColumnsAsked): Columns | undefined {
  const header = (rows[0] ?? []).map(() => '');
  const table: Sampled = { header, sample: rows, free: () => true, asked };
  const { time } = timeColumns(header, rows, [], new Set());
  if (time.length !== 1 || rows.some((cells) => timeShape(cells[time[0] ?? 0] ?? '') !== 'full')) return undefined;
  table.free = (column) => !time.includes(column);
  const { status, code } = keyColumns(table, { wide: [], taken: new Set() }, false);
  const key = status ?? code;
  if (key === undefined) return undefined;
  const numbers = header
    .map((_, column) => column)
    .filter((column) => table.free(column) && column !== key && shareOf(cellsOf(table, column), isWhole) === 1);
  if (numbers.length > 1) return undefined;
  const [count] = numbers;
  return withRest(
    {
      header: rows[0] ?? [],
      time,
      split: undefined,
      status,
      code: status === undefined ? code : undefined,
      count,
      wide: [],
    },
    new Set([...time, key, count]),
    asked,
  ) as Columns;
}

/** True for cells that say yes or no. */
const isFlag = (cells: readonly string[]): boolean =>
  cells.length > 1 && cells.every((cell) => /^(?:[01]|true|false|yes|no)$/i.test(cell));

type Found = Pick<Columns, 'header' | 'time' | 'split' | 'wide'> &
  Record<'status' | 'code' | 'count', number | undefined>;

function withRest(found: Found, used: ReadonlySet<number | undefined>, asked: ColumnsAsked): Columns | string {
  const { header, time, split, status, code, count, wide } = found;
  const others = header.map((_, column) => column).filter((column) => !used.has(column));
  const isIndex = (column: number) => isIndexName(header[column] ?? '');
  const dimensions = dimensionsOf(header, others, isIndex, asked.dimensions ?? [], wide);
  if (typeof dimensions === 'string') return dimensions;
  const left = others.filter((column) => !dimensions.some((one) => one.column === column));
  return {
    header,
    time,
    ...(split !== undefined && { split }),
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(count !== undefined && { count }),
    wide,
    dimensions,
    ignored: left
      .filter((column) => header[column] !== '' || column < header.length - 1)
      .map((column) => headerText(header, column)),
    telling: left.filter((column) => !isIndex(column)),
  };
}

/**
 * An ignored column whose cells are whole numbers, where each row would otherwise be one
 * transaction.
 */
export function likelyCount(
  { header, telling, time, status, code, count, wide }: Columns,
  sample: readonly string[][],
): string | undefined {
  if (count !== undefined || wide.length > 0) return undefined;
  const counted = looksCounted(sample, time, [status, code]);
  const column = telling.find(
    (one) =>
      sample.length > 0 &&
      sample.every((cells) => isCount(cells[one] ?? '')) &&
      (!isNoCount(header[one] ?? '') || (counted && isVarying(sample, one))),
  );
  return column === undefined ? undefined : headerText(header, column);
}

/** A count by its name, where times with seconds say that each row may be one transaction. */
export function doubtfulCount({ header, count, time }: Columns, sample: readonly string[][]): string | undefined {
  if (count === undefined || sample.length < ENOUGH_ROWS || !hasSeconds(sample, time)) return undefined;
  return isWeakCount(header[count] ?? '') ? headerText(header, count) : undefined;
}
