/** The sign that begins the decimals; the other one groups thousands. */
export type Decimal = '.' | ',';

/** Only the rest of the file can tell whether `1.050` is a thousand or one. */
export const OPEN = Symbol('thousand or one');

/** A count without any sign, which is exact. */
export const PLAIN_COUNT = /^\d{1,15}$/;
const GROUPED_BY_SPACE = /^\d{1,3}(?:[ \u00a0\u2009\u202f'’]\d{3})+(?=$|[.,]\d+$)/;
/** Thousands as India groups them: `1,16,400`. */
const LAKHS = /^\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?$/;
const ONE_GROUP = /^[1-9]\d{0,2}([.,])\d{3}$/;

/** A number as written, and what it shows of the file's way to write numbers. */
interface Shown {
  decimal?: Decimal;
  /** Has one sign, and three digits after it: either a thousand or decimals. */
  open?: Decimal;
  /** Has no sign at all, and up to three digits or more. */
  plain?: 'short' | 'long';
}

const other = (sign: Decimal): Decimal => (sign === '.' ? ',' : '.');

function shownBy(text: string): Shown {
  if (/^\d{1,3}$/.test(text)) return { plain: 'short' };
  if (/^\d{4,}$/.test(text)) return { plain: 'long' };
  const open = ONE_GROUP.exec(text)?.[1] as Decimal | undefined;
  if (open !== undefined) return { open };
  const grouped = /^\d{1,3}([.,])\d{3}(?:\1\d{3})+(?:[.,]\d+)?$/.exec(text)?.[1] as Decimal | undefined;
  if (grouped !== undefined) return { decimal: other(grouped) };
  if (LAKHS.test(text)) return { decimal: '.' };
  const last = /^[\d., \u00a0\u2009\u202f'’]*\d([.,])\d+$/.exec(text)?.[1] as Decimal | undefined;
  return last === undefined ? {} : { decimal: last };
}

/**
 * Reads a count that is no plain row of digits.
 * @param decimal how the file writes numbers, where that is known
 * @param fractions whether means such as `6.42` are taken too
 * @returns the number, what is wrong with it, or `OPEN` while the file's way to write numbers is
 *   not known
 */
export function readCount(
  text: string,
  decimal: Decimal | undefined,
  fractions = false,
): number | string | typeof OPEN {
  if (PLAIN_COUNT.test(text)) return Number(text);
  if (text === '') return 'is missing';
  if (/^[-−–]\s?\d/.test(text)) return 'is negative; expected a whole number of 0 or more';
  if (/^\d+$/.test(text))
    return Number.isSafeInteger(Number(text)) ? Number(text) : 'is too large to be counted exactly';
  const bare = unquoted(text);
  if (bare !== text) return readCount(bare, decimal, fractions);
  const power = POWER.exec(text);
  if (power !== null) return ofPower(text, power);
  if (/^[\d.,]+ ?(?:k|mil|mio|m|bn)\.?$/i.test(text))
    return 'is rounded: export whole numbers (in Grafana with the unit "none" instead of "short")';
  if (/^[\d.,]+ ?%/.test(text)) return `is a share; ${EXPORT_COUNTS}`;
  if (/^[\d.,]+ ?\p{L}*\/ ?(?:s|sec|min|h)/iu.test(text)) return `is a rate; ${EXPORT_COUNTS}`;
  const joined = text.replace(GROUPED_BY_SPACE, (digits) => digits.replaceAll(/\D/g, ''));
  if (PLAIN_COUNT.test(joined)) return Number(joined);
  if (!/^\d[\d.,]*$/.test(joined)) return 'is not a number; expected a whole number of 0 or more';
  const shown = shownBy(joined);
  const sign = decimal ?? shown.decimal;
  if (sign === undefined) return OPEN;
  const [whole = '', decimals = ''] = splitAt(joined, sign);
  const digits = whole.replaceAll(other(sign), '');
  const isGrouped = /^\d{1,3}(?:[.,]\d{3})+$/.test(whole) || LAKHS.test(whole);
  if (whole.includes(other(sign)) && !isGrouped) return MISPLACED;
  if (!/^\d{1,15}$/.test(digits) || !/^\d*$/.test(decimals)) return MISPLACED;
  if (/[1-9]/.test(decimals) && !fractions)
    return shown.open === undefined
      ? `is not a whole number; ${EXPORT_COUNTS}`
      : `is not a whole number, as this file writes decimals with "${sign}"; ${EXPORT_COUNTS}`;
  return Number(`${digits}.${decimals || '0'}`);
}

/** Without what keeps a spreadsheet from touching a number, a plus, and underscores of thousands. */
const unquoted = (text: string): string =>
  (/^="(.*)"$/.exec(text)?.[1] ?? text)
    .replace(/^['+](?=\d)/, '')
    .replace(/^(\d+)[.,]$/, '$1')
    .replace(/^\d{1,3}(?:_\d{3})+$/, (digits) => digits.replaceAll('_', ''));

const POWER = /^\d(?:[.,](\d+))?(e)\+?(\d{1,2})$/i;

/**
 * A number such as `1.05E+02`, if none of its digits was rounded away. Spreadsheets round, and write
 * two digits of the exponent. Programs that write one, and R with `1e+05`, write all digits there are.
 */
function ofPower(text: string, [, decimals = '', letter, exponent = '']: RegExpExecArray): number | string {
  const [number, power] = [Number(text.replace(',', '.')), Number(exponent)];
  const isShortest = exponent.length === 1 || (letter === 'e' && decimals === '' && power >= 5);
  return Number.isInteger(number) && (decimals.length >= power || isShortest)
    ? number
    : 'may have been rounded by a spreadsheet: give the column a number format without exponent, and export again';
}

const EXPORT_COUNTS = 'export counts, not rates or shares (in PromQL as round(increase(...[1m])))';
const MISPLACED = 'is not a number: its points or commas stand where no number has them';

const splitAt = (text: string, sign: Decimal): [string, string] => {
  const at = text.lastIndexOf(sign);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

/** The decimal sign that a cell shows by itself. */
export const decimalShownBy = (text: string): Decimal | undefined => shownBy(text).decimal;

/** Collects from the cells of a file how it writes numbers. */
export interface NumberEvidence {
  take: (text: string) => void;
  /** The decimal sign, or the first cell that may be read in two ways. */
  decide: (delimiter: string) => { decimal: Decimal } | { open: string };
}

export function createNumberEvidence(): NumberEvidence {
  const seen: { decimal?: Decimal | undefined; open?: string; short: boolean; long: boolean } = {
    short: false,
    long: false,
  };
  return {
    take: (text) => {
      const { decimal, open, plain } = shownBy(text);
      seen.decimal ??= decimal;
      if (plain === 'short') seen.short = true;
      if (plain === 'long') seen.long = true;
      if (open !== undefined) seen.open ??= text;
    },
    decide: (delimiter) => {
      const text = seen.open ?? '';
      const sign: Decimal = text.includes(',') ? ',' : '.';
      if (seen.decimal !== undefined) return { decimal: seen.decimal };
      // A program that groups thousands groups all of them.
      if (seen.long) return { decimal: sign };
      // One that writes three decimals writes them for 6 as well. But a semicolon between cells
      // goes with a comma in numbers, and a comma with a point: then the sign may well be the
      // decimal one.
      const contradicted = (delimiter === ';' && sign === ',') || (delimiter === ',' && sign === '.');
      return seen.short && !contradicted ? { decimal: other(sign) } : { open: text };
    },
  };
}

/** The two readings of a number that may be either, for the message that asks which. */
export function bothNumbers(text: string): string {
  const digits = text.replaceAll(/\D/g, '');
  return `${digits} or ${Number(text.replace(',', '.'))}`;
}
