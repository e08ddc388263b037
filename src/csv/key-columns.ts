import { APPROVED_CODES, isCommonCode } from '../domain/auth-codes.ts';
import { isOperation, statusOfCell } from '../domain/status-words.ts';
import type { Chosen } from './asked-columns.ts';
import { ENOUGH_ROWS } from './count-column.ts';
import { candidates, headerKey, rankOf } from './header-names.ts';
import { bestBy, cellsOf, onlyOne, type Sampled, shareOf } from './sampled.ts';
import { codeOf, seriesLabels, statusOfMeasure } from './wide-columns.ts';

/** Finds the columns of the status and the auth code of a row. */
export function keyColumns(table: Sampled, chosen: Chosen, mayBeWide: boolean): { status?: number; code?: number } {
  const { header, free, asked } = table;
  const isStatus = (cell: string) => {
    const labels = seriesLabels(cell);
    // A whole record in one cell has a count of its own.
    if (Object.keys(labels).some((name) => rankOf(name, 'count') !== undefined)) return false;
    const status = statusOfCell(labels.status ?? cell) ?? statusOfMeasure(cell);
    return status !== undefined || asked.statusWords?.has(headerKey(cell)) === true;
  };
  const isCode = (cell: string) => isCommonCode(codeOf(cell));
  const statusShare = (column: number) => shareOf(cellsOf(table, column), isStatus);
  const allAre = (column: number, is: (cell: string) => boolean) =>
    free(column) && cellsOf(table, column).length > 0 && cellsOf(table, column).every(is);
  const named = bestBy(candidates(header, 'status').filter(free), statusShare);
  const areCodes = (column: number) =>
    shareOf(cellsOf(table, column), isCode) > 0.5 && cellsOf(table, column).length > 0;
  const isNamed = named !== undefined && (statusShare(named) > 0 || !(mayBeWide || areCodes(named)));
  // A name that nobody knows may stand over words that everybody knows.
  const byWords = onlyOne(header, (column) => allAre(column, isStatus) && !cellsOf(table, column).every(isOperation));
  const best = isNamed && statusShare(named) > 0 ? named : (byWords ?? (isNamed ? named : undefined));
  const forStatus = chosen.status ?? best;
  const byName = bestBy(
    candidates(header, 'code').filter(
      (column) =>
        free(column) &&
        column !== forStatus &&
        !areApprovalNumbers(cellsOf(table, column)) &&
        !(forStatus !== undefined && areOutcomes(cellsOf(table, column))),
    ),
    (column) => shareOf(cellsOf(table, column), (cell) => /^[0-9A-Za-z]{1,4}$/.test(cell)),
  );
  const code =
    chosen.code ?? byName ?? (forStatus === undefined && !mayBeWide ? codesByContent(table, isCode) : undefined);
  const isWeak = forStatus !== chosen.status && forStatus !== undefined && statusShare(forStatus) === 0;
  // A column called "name" beside one of auth codes is no status.
  const status = isWeak && code !== undefined && code !== forStatus ? undefined : forStatus;
  return { ...(status !== undefined && { status }), ...(code !== undefined && { code }) };
}

/** True for numbers that an issuer gives each approval, and calls a code as well: `831000`. */
const areApprovalNumbers = (cells: readonly string[]): boolean =>
  cells.length >= ENOUGH_ROWS &&
  new Set(cells).size * 2 > cells.length &&
  shareOf(cells, (cell) => /^\w{5,}$/.test(codeOf(cell))) > 0.5;

/**
 * True for `1` to `4` as some processors number what came of a transaction, and for 0 and 1. Of auth
 * codes that lost their zero, approvals alone would look like that.
 */
const areOutcomes = (cells: readonly string[]): boolean =>
  cells.length > 0 && cells.every((cell) => /^[0-4]$/.test(cell)) && cells.some((cell) => cell !== '0');

/** The only column of common codes, an approval among them, that is not named as a count. */
export const codesByContent = (table: Sampled, isCode: (cell: string) => boolean): number | undefined =>
  onlyOne(table.header, (column) => {
    const cells = cellsOf(table, column);
    const isApproval = (cell: string) => APPROVED_CODES.includes(codeOf(cell));
    const isFree = table.free(column) && rankOf(table.header[column] ?? '', 'count') === undefined;
    return isFree && cells.some((cell) => cell.length > 1) && cells.every(isCode) && cells.some(isApproval);
  });
