import { wordsIn } from '../domain/status-words.ts';
import { candidates, coreOf, headerKey, isCounting } from './header-names.ts';
import { bestBy, cellsOf, onlyOne, type Sampled, shareOf } from './sampled.ts';

/** Names of columns that are no counts although their cells are whole numbers. */
const NO_COUNT_NAME =
  /^(?:hour|minute|second|hora|minuto|segundo)s?$|id$|^id|amount|^amt|amt$|kwota|сумма|tutar|金額|金额|bedrag|belopp|value|valor|price|preco|betrag|gross|brut|liquid|fee$|importe|montant|monto|code|codigo|number|account|card|bin|pan|nsu|stan|rrn|arn|trace|sequence|terminal|reference|referencia|order|pedido|invoice/;

/** Words that begin or end the name of a count: `Distinct count of Tx Id`, `code_count`. */
const COUNTED =
  /^(?:distinct|unique|count|counta|number|contagem|quantidade|qtde?|anzahl|recuento|conteo|cantidad|nombre|aantal|conteggio)$/;

/** True for the name of numbers that are no counts. */
export const isNoCount = (name: string): boolean =>
  INSTALMENTS.test(headerKey(name)) ||
  (NO_COUNT_NAME.test(headerKey(name)) &&
    !isCounting(name) &&
    !(wordsIn(name).length > 1 && [wordsIn(name)[0], wordsIn(name).at(-1)].some((word = '') => COUNTED.test(word))));
const INSTALMENTS = /parcela|instal?lment|cuota/;

/** A whole number as programs write counts: `116`, `1,164`, `1.164`, `116.0`. */
export const isCount = (cell: string): boolean =>
  /^\d{1,3}(?:[., \u00a0\u202f'’]?\d{3})*(?:[.,]0{1,2})?$|^\d{1,2}(?:,\d{2})+,\d{3}$/.test(cell);

const WHOLE = /^\d[\d., \u00a0\u202f'’]*$/;
export const isWhole = (cell: string): boolean => WHOLE.test(cell) && !/[.,]\d{2}$/.test(cell);

/**
 * The column of counts: by its name, or the only one of whole numbers where rows look counted
 * by the minute.
 */
export function countColumn(
  table: Sampled,
  time: readonly number[],
  keys: readonly (number | undefined)[],
): number | undefined {
  const { header, free } = table;
  const isFree = (column: number) => free(column) && !keys.includes(column) && !isRate(header[column] ?? '');
  const wholeShare = (column: number) => shareOf(cellsOf(table, column), isWhole);
  // A volume or a total beside a number of transactions is money.
  const named = bestBy(
    candidates(header, 'count').filter(isFree),
    (column) => wholeShare(column) + (isVague(header[column] ?? '') ? 0 : 0.5),
  );
  const counted = looksCounted(table.sample, time, keys);
  // Money beside a transaction may be called "total" or "value" too.
  if (named !== undefined && (counted || !isMoney(cellsOf(table, named)))) return named;
  if (!counted) return undefined;
  return onlyOne(
    header,
    (column) =>
      isFree(column) &&
      isVarying(table.sample, column) &&
      !isNoCount(header[column] ?? '') &&
      !isShare(header[column] ?? ''),
  );
}

const isMoney = (cells: readonly string[]): boolean =>
  shareOf(cells, (cell) => /^\d[\d.,]*[.,]\d{2}$/.test(cell)) > 0.5 && cells.some((cell) => !cell.endsWith('00'));

/** Tells counts from row numbers, which never come again, and from numbers that stay the same. */
export function isVarying(sample: readonly string[][], column: number): boolean {
  const cells = cellsOf({ sample }, column);
  const different = new Set(cells).size;
  return cells.length > 0 && cells.every(isCount) && different > 1 && different < cells.length;
}

export const ENOUGH_ROWS = 10;

/** True where each row has a whole minute and key of its own, as the rows of GROUP BY have. */
export function looksCounted(
  sample: readonly string[][],
  time: readonly number[],
  keys: readonly (number | undefined)[],
): boolean {
  if (sample.length < ENOUGH_ROWS || time.length === 0) return false;
  const columns = [...time, ...keys].filter((column) => column !== undefined);
  const texts = new Set(sample.map((cells) => columns.map((column) => cells[column]).join('\0')));
  return texts.size === sample.length && !hasSeconds(sample, time);
}

export const hasSeconds = (sample: readonly string[][], time: readonly number[]): boolean =>
  sample.some((cells) => time.some((column) => /(?<!\d)\d{1,2}:\d{2}:(?!00(?:\D|$))\d{2}/.test(cells[column] ?? '')));

/** True for names that counts and sums of money share. */
export const isVague = (name: string): boolean =>
  /^(?:total|totals|volume|value|size|sum|metric|amount|valor|wert)$/.test(headerKey(name));

/** True for the name of a count that may as well be one of a number, size or sum of a transaction. */
export const isWeakCount = (name: string): boolean =>
  /^(?:\d*|total|volume|value|size|number|num|numero|sum|no|nr)$/.test(coreOf(name));

/** True for the name of a count that may as well be one of the items of a transaction. */
export const isQuantity = (name: string): boolean =>
  /^(?:qty|quantity|qtde?|quantidade|cantidad|cant|menge|quantite|quantita|items?)$/.test(coreOf(name));

/** True for the name of a transaction's own number. */
export const isIdName = (name: string): boolean =>
  wordsIn(name).some((word) => ID.test(word)) || OF_TRANSACTION.test(headerKey(name));
const ID = /^(?:id|ids|uuid|guid|nsu|rrn|tid|ref|reference|referencia)$/;
const OF_TRANSACTION = /ordercode$|(?:order|transaction|txn|payment|pedido)(?:number|no|nr|num|key|ref)$/;
/** True where that number is of one transaction for sure, and not of an order that is tried again. */
export const isOwnIdName = (name: string): boolean =>
  isIdName(name) &&
  wordsIn(name).some((word) => /^(?:transaction|transacao|transaccion|txn|tx|payment|psp|charge)$/.test(word));

/** True for the name of a part of something, which is never a count: `percent`, `sample_rate`, `count %`. */
export const isRate = (name: string): boolean => name.includes('%') || wordsIn(name).some((word) => RATE.test(word));
const RATE = /^(?:pct|perc|percent\w*|prozent\w*|share|rate|rates|ratio|taxa|tasa|quote|anteil|taux|samplerate)$/;
/** True for the name of a part of something, of money or of a mean, which are no counts. */
export const isShare = (name: string): boolean =>
  /[$€£]/.test(name) || isRate(name) || wordsIn(name).some((word) => SHARE.test(word));
const SHARE =
  /^(?:avg|average|mean|media|sum|soma|brl|usd|eur|gbp|volume|ticket|ms|seconds?|latency|duration|time|at|is|has)$/;
