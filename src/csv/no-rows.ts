import type { Columns } from './columns.ts';
import { isWhole } from './count-column.ts';
import { headerKey, type Role, rankOf } from './header-names.ts';
import { isRule } from './spaced.ts';
import { zoneAbove } from './time-columns.ts';
import { timeShape } from './times.ts';

/** Lines between the rows that are none, and totals under the table. */
export interface NoRows {
  headersAgain: number;
  notes: number;
  /** A note that names the zone of the times. */
  zone: string | undefined;
  /** The number is that of the last one's record. */
  totals: { rows: number; number: number };
  /** True for a record that is no row. @param number its place in the file */
  take: (cells: string[], number: number) => boolean;
  /** Takes a row for one of totals. */
  takeTotals: (number: number) => void;
}

/** A cell that holds no number. */
export const NOTHING = /^(?:|[([<]?(?:null|nil|none|undefined|nan|blank|empty)[)\]>]?|#?n[./]?a\.?|[-–—]|\\n)$/i;
/** Control characters at the end of a file, such as the Ctrl-Z of CP/M. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOTHING_SAID = /^[\x00-\x1f\s]*$/;
export const TOTALS =
  /^(?:[\d:./ T-]+ )?(?:grand |sub|overall |soma |suma |resultado |valor )?total(?:s|es|is|e)?(?: [\p{L} ]+)?(?: [\d:./T -]+)?:?$|^(?:all|todos|todas|tous|toutes|alle|tutt[ie]|sum|suma|soma|somma|somme|summe|gesamt\p{L}*|insgesamt|totaal|average|avg|mean|m[eé]dia|promedio|durchschnitt|moyenne|gemiddelde|mittelwert|max(?:imum)?|min(?:imum)?|m[aá]ximo|m[ií]nimo|median[ao]?):?$/iu;
const FOOTER =
  /^\(?[\d.,]+ (?:rows?|row\(s\)|records?|linhas?|filas?|zeilen?)(?: (?:affected|in set|selected|returned|produced|exported|fetched).*)?\)?\.?$|^[\d.,]+ rows? +\d+ columns?$|^time: [\d.,]+ ms|^\\\.$/i;
/** Lines of prose under a table; more of them are no notes, but a file of another kind. */
const MAX_NOTES = 20;
const COMMENT = /^(?:#|--|\/\/)/;
/** Lines between a header and the first row. */
const MAX_UNDER = 3;
/** Under a header: `(UTC)`, `bigint`, or nothing. */
const UNIT =
  /^(?:[([].*[)\]]|(?:big|small|tiny|u)?int(?:eger)?\d{0,3}|[iuf]\d{1,3}|long|double|(?:float|decimal|numeric|number|str(?:ing)?|varchar|char|text|date|datetime|time|timestamp|lowcardinality|nullable)\d{0,2}(?:[([].*[)\]]| with.*)?)?$/i;
/** Names of lines under a header that say how its columns were asked for, as CloudWatch writes them. */
const SETTING =
  /^(?:id|label|fulllabel|account\w*|region|namespace|metric(?:name)?|dimensions?|unit|period|stat(?:istic)?s?|statisticmathexpression|expression|color|yaxis)$/;
/** Lines of settings under a header. */
const MAX_SETTINGS = 12;
export const isSetting = (cells: readonly string[]): boolean =>
  SETTING.test(headerKey(cells[0] ?? '')) && cells.slice(1).every((cell) => timeShape(cell) === 'none');
const ROLES: readonly Role[] = ['time', 'status', 'code', 'count'];
/** A sentence alone in its row, and no row in another dialect. */
const SENTENCE = /^[*†¹]?\s?\p{L}[^;|\t]*$/u;

/** @param before records up to the header, and it */
export function createNoRows(columns: Columns, before: number): NoRows {
  const { header, time, status, code, wide, count } = columns;
  const counted = count === undefined ? wide.map(({ column }) => column) : [count];

  /** Also the header that sorting has put among the rows. */
  const isHeaderAgain = (cells: readonly string[]): boolean => {
    if (cells.length !== header.length) return false;
    // A second line of names may have another word over the times.
    const isName = (cell: string, at: number) =>
      headerKey(cell) === headerKey(header[at] ?? '') || (time.includes(at) && /^\P{N}+$/u.test(cell));
    if (cells.every(isName) && !counted.every((column) => cells[column] === '')) return true;
    const isNamed = (column: number | undefined, role: Role) =>
      column !== undefined && rankOf(cells[column] ?? '', role) !== undefined;
    return (
      time.every((column) => isNamed(column, 'time')) &&
      (isNamed(status, 'status') || isNamed(code, 'code')) &&
      // Lines of uniq -c count the header too; any other name begins another table.
      (count === undefined || isNamed(count, 'count') || isWhole(cells[count] ?? ''))
    );
  };

  const isNote = (cells: readonly string[]): boolean => {
    if (COMMENT.test(cells[0] ?? '')) return true;
    const [alone = '', ...others] = cells.filter((cell) => cell !== '');
    return others.length === 0 && cells[0] === alone && SENTENCE.test(alone) && !TOTALS.test(alone);
  };

  /** Units, types or a second line of names: `(UTC),,(n)`, `minute,count,count`. */
  const isUnderHeader = (cells: readonly string[], number: number): boolean =>
    number <= before + MAX_UNDER &&
    cells.every((cell) => UNIT.test(cell) || ROLES.some((role) => rankOf(cell, role) !== undefined));

  const isSettingUnderHeader = (cells: readonly string[], number: number): boolean =>
    number <= before + MAX_SETTINGS && time.includes(0) && isSetting(cells);

  /** Numbers under the counts, with nothing beside them that says of what. */
  const isSumAlone = (cells: readonly string[]): boolean =>
    counted.length > 0 &&
    [...time, status, code].every((column) => column === undefined || cells[column] === '') &&
    counted.every((column) => isWhole(cells[column] ?? ''));

  const noRows: NoRows = {
    headersAgain: 0,
    notes: 0,
    zone: undefined,
    totals: { rows: 0, number: 0 },
    take: (cells, number) => {
      const said = cells.filter((cell) => cell !== '').join(' ');
      if (NOTHING_SAID.test(said) || isRule(cells) || FOOTER.test(said)) return true;
      if (isHeaderAgain(cells)) noRows.headersAgain++;
      else if (
        (isNote(cells) || isUnderHeader(cells, number) || isSettingUnderHeader(cells, number)) &&
        noRows.notes < MAX_NOTES
      ) {
        noRows.notes++;
        noRows.zone ??= zoneAbove(said) === undefined ? undefined : said;
      } else if (cells.some((cell) => TOTALS.test(cell)) || isSumAlone(cells)) noRows.takeTotals(number);
      else return false;
      return true;
    },
    takeTotals: (number) => {
      noRows.totals.rows++;
      noRows.totals.number = number;
    },
  };
  return noRows;
}
