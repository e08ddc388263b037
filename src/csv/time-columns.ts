import { wordsIn } from '../domain/status-words.ts';
import { openZone, type Zone } from '../domain/zone.ts';
import { headerKey } from './header-names.ts';
import { DAY_ZERO, MIDNIGHT, type TimeShape, timeShape } from './times.ts';

/**
 * The meaning of a number beside a date as a time of day: `945` for 09:45, or 585 minutes after
 * midnight; or beside a whole hour such as `13:00` or `13h`, whose minute it is.
 */
export type SplitTime = 'hhmm' | 'minute-of-day' | 'minute-of-hour';

/** Columns whose cells make up a time: one; a date and a clock; a date or its parts, hour and minute. */
export interface TimeColumns {
  time: number[];
  split?: SplitTime;
}

type CellShape = TimeShape | 'number';

const YEAR = /^(?:year|ano|jahr|annee|anno|yyyy)$/;
const MONTH = /^(?:month|mes|monat|mois|mese)$/;
const DAY = /^(?:day|dia|tag|jour|giorno)$/;
const HOUR = /^(?:hour|hora|heure|stunde|ora|hr|hh|h|time)$/;
const MINUTE = /^(?:minute|minuto|min|mm|mi|mn)$/;
const CLOCK = /^(?:time|clock|hour|hora|horario|uhrzeit|heure|hhmm|hhmmss)$/;

/** @param named columns that are named as a time, the likeliest first */
export function timeColumns(
  header: readonly string[],
  sample: readonly string[][],
  named: readonly number[],
  taken: ReadonlySet<number>,
): TimeColumns {
  const all = header.map((_, column) => column).filter((column) => !taken.has(column));
  const shapes = new Map(all.map((column) => [column, shapeOf(column, sample)]));
  const shaped = (shape: CellShape, columns: readonly number[] = all) =>
    columns.filter((column) => shapes.get(column) === shape);
  const full = shaped('full', named)[0];
  const clock = shaped('clock', named)[0] ?? only(shaped('clock'));
  const byContent = only(shaped('full').filter((column) => !/^[\d.]+$/.test(sample[0]?.[column] ?? '')));
  const isAlone = clock === undefined && byContent !== undefined;
  const date = shaped('date', named)[0] ?? (isAlone ? undefined : only(shaped('date')));
  const numbers = (names: RegExp) =>
    shaped('number').find(
      // A column such as `15 min` has counts.
      (column) => !/\d/.test(header[column] ?? '') && wordsIn(header[column] ?? '').some((word) => names.test(word)),
    );
  const minute = numbers(MINUTE);
  const hour = full ?? clock;
  const days = full === undefined && date !== undefined ? [date] : [];
  if (hour !== undefined && minute !== undefined && areMinutesOfHours(sample, hour, minute))
    return { time: [...days, hour, minute], split: 'minute-of-hour' };
  if (full !== undefined) return { time: [full] };
  if (date !== undefined) return { ...withClock(date, clock, numbers, sample, header) };
  const parts = [YEAR, MONTH, DAY, HOUR].map(numbers);
  if (parts.every((column) => column !== undefined))
    return { time: [...(parts as number[]), ...(minute === undefined ? [] : [minute])] };
  const any = byContent ?? clock ?? named[0] ?? only(shaped('date'));
  return { time: any === undefined ? [] : [any] };
}

/** A whole hour within a time: `13:00:00`, `13h`, `1:00 PM`. */
const WHOLE_HOUR = /(?<=[T ,]|^)(\d{1,2})(?:\s?h(?:rs?|s)?(?!\w)|:00(?::00(?:\.0+)?)?(?![:\d])|(?= ?[ap]\.?m)|$)/i;

function areMinutesOfHours(sample: readonly string[][], hour: number, minute: number): boolean {
  const rows = sample.filter((cells) => cells[hour] !== '' && cells[minute] !== '');
  const fits = rows.filter((cells) => WHOLE_HOUR.test(cells[hour] ?? '') && /^[0-5]?\d$/.test(cells[minute] ?? ''));
  // Notes and totals may be among the rows.
  return rows.length > 0 && fits.length > 0.8 * rows.length;
}

function withClock(
  date: number,
  clock: number | undefined,
  numbers: (names: RegExp) => number | undefined,
  sample: readonly string[][],
  header: readonly string[],
): TimeColumns {
  if (clock !== undefined) return { time: [date, clock] };
  const cellsOf = (column: number) => sample.map((cells) => cells[column] ?? '').filter((cell) => cell !== '');
  const [hour, minute, digits] = [HOUR, MINUTE, CLOCK].map(numbers);
  if (hour !== undefined && cellsOf(hour).every((cell) => Number(cell) < 24))
    return { time: [date, hour, ...(minute === undefined ? [] : [minute])] };
  if (digits !== undefined && areDigits(cellsOf(digits))) return { time: [date, digits], split: 'hhmm' };
  if (minute !== undefined && /day|dia/.test(wordsIn(header[minute] ?? '').join('')))
    return { time: [date, minute], split: 'minute-of-day' };
  return { time: [date] };
}

/**
 * True for numbers such as `0945` or `094500`, and for `945` where it is clear that no seconds
 * follow.
 */
function areDigits(cells: readonly string[]): boolean {
  const lengths = new Set(cells.map((cell) => cell.length));
  const isClock = (cell: string) =>
    /^(?:[01]?\d|2[0-3])[0-5]\d(?:[0-5]\d)?$/.test(cell.padStart(cell.length > 4 ? 6 : 4, '0'));
  if (!cells.every(isClock)) return false;
  if (lengths.size === 1) return lengths.has(4) || lengths.has(6);
  return Math.max(...lengths) <= 4 && cells.some((cell) => cell.length > 2 && !cell.endsWith('00'));
}

const only = (columns: readonly number[]): number | undefined => (columns.length === 1 ? columns[0] : undefined);

/** The shape of most of a column's cells. */
function shapeOf(column: number, sample: readonly string[][]): CellShape {
  const cells = sample
    .map((row) => row[column] ?? '')
    .filter((cell) => cell !== '')
    .slice(0, 50);
  // One of minutes may be midnight; where all are, a date is meant.
  const areDates = cells.every((cell) => MIDNIGHT.test(cell));
  const shapes = cells.map((cell): CellShape => {
    if (/^\d{1,6}$/.test(cell)) return 'number';
    return timeShape((areDates ? cell.replace(MIDNIGHT, '') : cell).replace(DAY_ZERO, ''));
  });
  const most = (shape: CellShape) => shapes.filter((one) => one === shape).length * 2 > shapes.length;
  return (['full', 'date', 'clock', 'number'] as const).find(most) ?? 'none';
}

const ABBREVIATION =
  'BRS?T|ART|CLS?T|COT|PET|[ECMP][SD]T|A[KS][SD]T|CES?T|WES?T|EES?T|BST|IST|MSK|JST|KST|SGT|HKT|AE[SD]T';
const TIME_ZONE = /^(?:(?:time|date)?timezone|tz|tzname|fuso|fusohorario|zonahoraria|zeitzone|fuseauhoraire)$/;
const ZONE = new RegExp(
  String.raw`^(?:Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]\w+\/[\w/+-]+|${ABBREVIATION})$`,
);
const OFFSET = /^[+-]\d{1,2}(?::?\d{2})?$/;

/** The column of the zone or the offset of times that have none in their own cell. */
export function zoneColumn(
  header: readonly string[],
  sample: readonly string[][],
  time: readonly number[],
): number | undefined {
  const cells = (column: number) => sample.map((row) => row[column] ?? '').filter((cell) => cell !== '');
  const isBare = cells(time[0] ?? 0).every((cell) => /\d$/.test(cell) && !/^[\d.]+$|[T ].*[+-]\d/.test(cell));
  const found = header.findIndex((name, column) => {
    const [key, there] = [headerKey(name), cells(column)];
    if (there.length === 0 || time.includes(column)) return false;
    if (TIME_ZONE.test(key)) return true;
    if (key === 'zone') return there.every((cell) => ZONE.test(cell));
    return /^(?:utc|gmt|tz|zone|timezone)?offset$/.test(key) && there.every((cell) => OFFSET.test(cell));
  });
  return isBare && found >= 0 ? found : undefined;
}

/**
 * The time that the cells of a row make up, as one text.
 * @param zoned false where the zone is known from elsewhere
 */
export function timeText(
  cells: readonly string[],
  columns: { time: readonly number[]; split?: SplitTime | undefined; zone?: number | undefined },
  zoned = true,
): string {
  const text = localText(cells, columns);
  return columns.zone === undefined || !zoned ? text : `${text} ${cells[columns.zone]}`.trimEnd();
}

function localText(
  cells: readonly string[],
  { time, split }: { time: readonly number[]; split?: SplitTime | undefined },
): string {
  if (split === 'minute-of-hour') {
    const minute = (cells[time.at(-1) ?? 0] ?? '').padStart(2, '0');
    return localText(cells, { time: time.slice(0, -1) }).replace(WHOLE_HOUR, `$1:${minute}`);
  }
  const parts = time.map((column) => cells[column] ?? '');
  const [first = '', second, third, hour = '', minute = '0'] = parts;
  if (second === undefined) return first;
  if (parts.length > 3) return `${first}-${second}-${third} ${hour}:${minute.padStart(2, '0')}`;
  const date = first.replace(MIDNIGHT, '');
  if (!/^\d{1,6}$/.test(second)) return `${date} ${second.replace(DAY_ZERO, '')}`;
  if (split === 'minute-of-day')
    return `${date} ${Math.floor(Number(second) / 60)}:${String(Number(second) % 60).padStart(2, '0')}`;
  if (split !== 'hhmm') return `${date} ${second}:${(third ?? '0').padStart(2, '0')}`;
  const digits = second.padStart(second.length > 4 ? 6 : 4, '0');
  return `${date} ${digits.match(/../g)?.join(':')}`;
}

/** Abbreviations of zones in a header: each may mean several, as `IST` and `CST` do. */
const ABBREVIATIONS = new RegExp(String.raw`(?:^|[\s([_])(${ABBREVIATION})(?:$|[\s)\]])`);
const ABBREVIATION_AT_END = new RegExp(`_(${ABBREVIATION})$`, 'i');
const LOCAL = /(?:^|[\s([_])local(?:$|[\s)\]_]|time|date)/i;

/** Lines above a table that name a zone: `Time zone: America/Sao_Paulo`, `All times are in UTC-3`. */
const NAMES_ZONE =
  /(?:time\s?zone|fuso(?: hor[aá]rio)?|zona horaria|zeitzone|fuseau horaire|\btimes? (?:is |are )?in)\b[^\p{L}\p{N}+-]*(.+)$/iu;

/**
 * The zone that a line above the table names.
 * @returns why it is not known, where it may be several
 */
export function zoneAbove(line: string): Zone | string | undefined {
  const named = NAMES_ZONE.exec(line)?.[1]?.trim();
  if (named === undefined) return undefined;
  const zone = /[A-Z]\w+\/[\w/+-]+|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?(?!\d)|\b(?:UTC|GMT)\b/.exec(named)?.[0];
  return (
    (zone === undefined ? undefined : openZone(zone)) ??
    `names the zone ${JSON.stringify(named)}; say which it is with --timezone, such as America/Sao_Paulo`
  );
}

/** True for a column of offsets of times, such as `utc_offset_minutes`. */
export const isOffsetName = (name: string): boolean => {
  const words = wordsIn(name);
  return words.includes('offset') && words.some((word) => /^(?:utc|gmt|tz|zone|timezone)$/.test(word));
};

/**
 * The zone that a column names in its header: `Time (America/Sao_Paulo)`, `Time [UTC-3]`.
 * @returns why it is not known, where it may be several
 */
export function zoneIn(header: string): Zone | string | undefined {
  const named = /[([](?:in )?((?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|[A-Z]\w+\/[\w/+-]+)[)\]]/.exec(header)?.[1];
  const zone = named === undefined ? undefined : openZone(named.replace(/^(?:UTC|GMT)(?=[+-])/, ''));
  if (zone !== undefined) return zone;
  if (/bras[ií]lia/i.test(header)) return openZone('America/Sao_Paulo');
  const say = 'say which with --timezone, such as America/Sao_Paulo';
  const abbreviation = ABBREVIATIONS.exec(header)?.[1] ?? ABBREVIATION_AT_END.exec(header)?.[1];
  if (abbreviation !== undefined) return `names the zone ${abbreviation.toUpperCase()}, which may mean several; ${say}`;
  return LOCAL.test(header) ? `says that its times are local, but not of which time zone; ${say}` : undefined;
}
