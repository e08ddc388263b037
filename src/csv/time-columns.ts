import { wordsIn } from '../domain/status-words.ts';
import { openZone, type Zone } from '../domain/zone.ts';
import { headerKey } from './header-names.ts';
import { DAY_ZERO, DIGITS_OF_TIME, MIDNIGHT, monthOf, readTime, type TimeShape, timeShape } from './times.ts';

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
const CLOCK = /^(?:time|tim|clock|hour|hora|horario|uhrzeit|heure|hhmm|hhmmss)$/;

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
  // An amount such as 12.50 looks like a time of day as well.
  const clock = shaped('clock', named)[0] ?? only(shaped('clock').filter((column) => !isDotted(sample, column)));
  const isNoEpoch = (cell: string) => !/^[\d.]+$/.test(cell) || DIGITS_OF_TIME.test(cell);
  const byContent = only(shaped('full').filter((column) => isNoEpoch(sample[0]?.[column] ?? '')));
  const isAlone = clock === undefined && byContent !== undefined;
  const date = shaped('date', named)[0] ?? (isAlone ? undefined : only(shaped('date')));
  const numbers = (names: RegExp) =>
    shaped('number').find(
      // A column such as `15 min` has counts.
      (column) => !/\d/.test(header[column] ?? '') && wordsIn(header[column] ?? '').some((word) => names.test(word)),
    );
  const isQuarter = (column: number) => PART_OF_HOUR.test(header[column] ?? '') && areMinutes(sample, column);
  const minute = numbers(MINUTE) ?? shaped('number').find(isQuarter);
  const hour = full ?? clock;
  const days = full === undefined && date !== undefined ? [date] : [];
  if (hour !== undefined && minute !== undefined && areMinutesOfHours(sample, hour, minute))
    return { time: [...days, hour, minute], split: 'minute-of-hour' };
  if (full !== undefined) return { time: [full] };
  if (date !== undefined) return withClock(date, clock, minute, numbers, sample, header);
  const monthByName = all.find(
    (column) => wordsIn(header[column] ?? '').some((word) => MONTH.test(word)) && areMonths(sample, column),
  );
  const parts = [numbers(YEAR), numbers(MONTH) ?? monthByName, numbers(DAY), numbers(HOUR) ?? clock];
  if (parts.every((column) => column !== undefined))
    return { time: [...(parts as number[]), ...(minute === undefined ? [] : [minute])] };
  const any = byContent ?? clock ?? named[0] ?? only(shaped('date'));
  return { time: any === undefined ? [] : [any] };
}

const isDotted = (sample: readonly string[][], column: number): boolean =>
  sample.every((cells) => /^(?:\d+\.\d+)?$/.test(cells[column] ?? ''));

const areMonths = (sample: readonly string[][], column: number): boolean =>
  sample.length > 0 && sample.every((cells) => cells[column] === '' || monthOf(cells[column]) !== '0');

const HALF = /^[ap]\.?\s?m\.?$/i;

/** With the column beside them that says whether an hour is before noon or after it. */
export function withHalf(
  time: readonly number[],
  sample: readonly string[][],
  free: (column: number) => boolean,
): number[] {
  const cells = (column: number) => sample.map((row) => row[column] ?? '').filter((cell) => cell !== '');
  const half = sample[0]?.findIndex(
    (_, column) =>
      free(column) &&
      !time.includes(column) &&
      cells(column).length > 0 &&
      cells(column).every((cell) => HALF.test(cell)),
  );
  return half === undefined || half < 0 ? [...time] : [...time, half];
}

/** Minutes that two zones may differ by. */
const MOST_OFFSET = 14 * 60;

/**
 * The column that says the same times with an offset, in UTC by its name, or as epoch numbers, where
 * one does. Times without an offset beside it are those of some other zone.
 * @param zoned true where the user named the zone of times without an offset
 */
export function surerTime(
  header: readonly string[],
  sample: readonly string[][],
  found: TimeColumns,
  taken: ReadonlySet<number>,
  zoned: boolean,
): TimeColumns {
  const minuteOf = (text: string): number => {
    const time = readTime(text, {});
    return typeof time === 'object' ? time.minute : Number.NaN;
  };
  const isSure = (column: number) =>
    (!zoned && /(?:^|_)(?:utc|gmt|zulu)(?:_|$)/.test(wordsIn(header[column] ?? '').join('_'))) ||
    sample.every(
      (cells) =>
        cells[column] === '' || /^\d{10,19}(?:\.\d+)?$|\d ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})$/i.test(cells[column] ?? ''),
    );
  if (sample.length < 2 || found.time.length === 0 || found.time.some(isSure)) return found;
  const own = sample.map((cells) => minuteOf(timeText(cells, found)));
  const sure = [...header.keys()].find((column) => {
    if (found.time.includes(column) || taken.has(column) || !isSure(column)) return false;
    const [apart = 0, ...others] = sample.map((cells, row) => minuteOf(cells[column] ?? '') - (own[row] ?? 0));
    return Math.abs(apart) <= MOST_OFFSET && apart % 15 === 0 && others.every((one) => one === apart);
  });
  return sure === undefined ? found : { time: [sure] };
}

/** A whole hour within a time: `13:00:00`, `13h`, `1:00 PM`. */
const WHOLE_HOUR = /(?<=[T ,]|^)(\d{1,2})(?:\s?h(?:rs?|s)?(?!\w)|:00(?::00(?:\.0+)?)?(?![:\d])|(?= ?[ap]\.?m)|$)/i;

/** `2026112113`, with a minute in another column. */
const DAY_AND_HOUR = /^20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])$/;

/** The way in which columns that the user named make up a time. */
export const splitOf = (time: readonly number[], sample: readonly string[][]): SplitTime | undefined =>
  time.length > 1 && areMinutesOfHours(sample, time.at(-2) ?? 0, time.at(-1) ?? 0) ? 'minute-of-hour' : undefined;

function areMinutesOfHours(sample: readonly string[][], hour: number, minute: number): boolean {
  const rows = sample.filter((cells) => cells[hour] !== '' && cells[minute] !== '');
  const isHour = (cell: string) => WHOLE_HOUR.test(cell) || DAY_AND_HOUR.test(cell);
  const fits = rows.filter((cells) => isHour(cells[hour] ?? '') && /^[0-5]?\d$/.test(cells[minute] ?? ''));
  // Notes and totals may be among the rows.
  return rows.length > 0 && fits.length > 0.8 * rows.length;
}

/** Names of columns of quarters of an hour and other parts of it. */
const PART_OF_HOUR =
  /quart|viertel|(?:^|[\W_])(?:min|mi|m|slot|bucket|interval|intervalo|faixa|fra[cç][aã]o|franja|tramo|tranche|bloco|bloque|part)(?:$|[\W_\d])/i;
/** True for `0`, `15`, `30`, `45`, or such steps of 5 or 10 minutes. */
const areMinutes = (sample: readonly string[][], column: number): boolean => {
  const cells = sample.map((cells) => cells[column] ?? '').filter((cell) => cell !== '');
  return cells.every((cell) => /^(?:[0-5]?[05])$/.test(cell)) && cells.some((cell) => Number(cell) >= 15);
};

/**
 * A column that tells apart rows of an hour, where times are whole hours, and that may hold their
 * minutes.
 */
export function likelyMinutes(
  {
    header,
    time,
    split,
    telling,
  }: { header: readonly string[]; time: readonly number[]; split?: SplitTime | undefined; telling: readonly number[] },
  sample: readonly string[][],
): number | undefined {
  const hours = sample.map((cells) => timeText(cells, { time, split }));
  if (
    sample.length < 2 ||
    !hours.every((hour) => /(?:[T ]|^)\d{1,2}(?::00(?::00(?:\.0+)?)?|h)?$/.test(hour) && !/\d{8}$/.test(hour))
  )
    return undefined;
  return telling.find((column) => {
    const cells = sample.map((row) => row[column] ?? '');
    const differs = cells.some((cell, row) => row > 0 && cell !== cells[row - 1] && hours[row] === hours[row - 1]);
    const numbers = cells.map((cell) => (/^\d{1,2}$/.test(cell) ? Number(cell) : 99));
    const areMinutes = Math.max(...numbers) <= 59 && Math.max(...numbers) >= 30 && numbers.includes(0);
    return differs && (areMinutes || PART_OF_HOUR.test(header[column] ?? ''));
  });
}

function withClock(
  date: number,
  clock: number | undefined,
  minute: number | undefined,
  numbers: (names: RegExp) => number | undefined,
  sample: readonly string[][],
  header: readonly string[],
): TimeColumns {
  if (clock !== undefined) return { time: [date, clock] };
  const cellsOf = (column: number) => sample.map((cells) => cells[column] ?? '').filter((cell) => cell !== '');
  const [hour, digits] = [HOUR, CLOCK].map(numbers);
  if (hour !== undefined && cellsOf(hour).every((cell) => Number(cell) < 24))
    return { time: [date, hour, ...(minute === undefined ? [] : [minute])] };
  if (digits !== undefined && areDigits(cellsOf(digits))) return { time: [date, digits], split: 'hhmm' };
  const isOfDay = (column: number) =>
    /day|dia/.test(wordsIn(header[column] ?? '').join('')) || cellsOf(column).some((cell) => Number(cell) > 59);
  if (minute !== undefined && isOfDay(minute) && cellsOf(minute).every((cell) => Number(cell) < 1440))
    return { time: [date, minute], split: 'minute-of-day' };
  return { time: [date] };
}

/**
 * True for numbers such as `0945`, `094500` or `09450012`, and for `945` where it is clear that no seconds
 * follow.
 */
function areDigits(cells: readonly string[]): boolean {
  const lengths = new Set(cells.map((cell) => cell.length));
  if (!cells.every((cell) => /^(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\d\d)?)?$/.test(evenDigits(cell)))) return false;
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  if (most > 4 || lengths.size === 1) return most % 2 === 0 && least >= most - 1 && most >= 4;
  return cells.some((cell) => cell.length > 2 && !cell.endsWith('00'));
}

/** With the zeros that a number loses: `0945`, `094500`, `09450012`. */
const evenDigits = (cell: string): string => cell.padStart(Math.max(4, cell.length + (cell.length % 2)), '0');

const only = (columns: readonly number[]): number | undefined => (columns.length === 1 ? columns[0] : undefined);

const DATE = /^(?:date|data|dat|dt|day|dia|fecha|datum)$/;
/** True for dates such as `261121`. */
export const isShortDate = (name: string, cells: readonly string[]): boolean =>
  wordsIn(name).some((word) => DATE.test(word)) && cells.length > 0 && cells.every((cell) => SHORT_DATE.test(cell));
const SHORT_DATE = /^(?:\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])|(?:[0-2]\d|3[01])(?:0[1-9]|1[0-2])\d\d)$/;

const DAY_IN_DIGITS = /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/;

/** The shape of most of a column's cells. */
function shapeOf(column: number, sample: readonly string[][]): CellShape {
  const cells = sample
    .map((row) => row[column] ?? '')
    .filter((cell) => cell !== '')
    .slice(0, 50);
  // One of minutes may be midnight; where all are, a date is meant.
  const areDates = cells.every((cell) => MIDNIGHT.test(cell));
  const shapes = cells.map((cell): CellShape => {
    if (/^\d{1,8}$/.test(cell) && !DAY_IN_DIGITS.test(cell)) return 'number';
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
  const half = time.length > 1 ? (cells[time.at(-1) ?? 0] ?? '') : '';
  if (HALF.test(half)) return `${localText(cells, { time: time.slice(0, -1), split })} ${half}`;
  if (split === 'minute-of-hour') {
    const minute = (cells[time.at(-1) ?? 0] ?? '').padStart(2, '0');
    const hour = localText(cells, { time: time.slice(0, -1) });
    return DAY_AND_HOUR.test(hour) ? hour + minute : hour.replace(WHOLE_HOUR, `$1:${minute}`);
  }
  const parts = time.map((column) => cells[column] ?? '');
  const [first = '', second, third, hour = '', minute = '0'] = parts;
  if (second === undefined) return first;
  if (parts.length > 3) {
    const month = /^\d+$/.test(second) ? second : monthOf(second);
    const time = hour.includes(':') ? hour : `${hour}:${minute.padStart(2, '0')}`;
    return `${first}-${month}-${third} ${time}`;
  }
  const date = first.replace(MIDNIGHT, '');
  if (!/^\d{1,8}$/.test(second)) return `${date} ${second.replace(DAY_ZERO, '')}`;
  if (split === 'minute-of-day')
    return `${date} ${Math.floor(Number(second) / 60)}:${String(Number(second) % 60).padStart(2, '0')}`;
  if (split !== 'hhmm') return `${date} ${second}:${(third ?? '0').padStart(2, '0')}`;
  const [hours, minutes, seconds = '00', hundredths = '0'] = evenDigits(second).match(/../g) ?? [];
  return `${date} ${hours}:${minutes}:${seconds}.${hundredths}`;
}

/** Abbreviations of zones in a header: each may mean several, as `IST` and `CST` do. */
const ABBREVIATIONS = new RegExp(String.raw`(?:^|[\s([_])(${ABBREVIATION})(?:$|[\s)\]_])`);
const ABBREVIATION_BEHIND = new RegExp(`_(${ABBREVIATION})(?:_|$)`, 'i');
const LOCAL = /^(?:local[ae]?|lok?al\w*|ortszeit|local(?:date)?time|(?:date|time|hora|fecha|data)local)$/;
/** `UTC-3`, `utc_minus_3`, `gmt+02:00`, `utcm3`, `utc_plus_5_30`; or an offset that needs no such word. */
const OFFSET_IN =
  /(?:utc|gmt)[\s_]*([-−+]|(?:minus|menos|m|plus|mais|mas|p)(?=[\s_]*\d))[\s_]*(\d{1,2})(?:[:_]?(00|15|30|45))?(?!\d)|([-+])(\d{2}):?(\d{2})(?!\d)/i;
const UNSIGNED = /(?:utc|gmt)[\s_]*\d{1,2}(?![\d:])/i;

/** Lines above a table that name a zone: `Time zone: America/Sao_Paulo`, `All times are in UTC-3`. */
const NAMES_ZONE =
  /(?:time\s?zone|fuso(?: hor[aá]rio)?|zona horaria|zeitzone|fuseau horaire|\btimes? (?:is |are )?in)\b[^\p{L}\p{N}+-]*(.+)$/iu;

/**
 * The zone that a line above the table names.
 * @returns why it is not known, where it may be several
 */
export function zoneAbove(line: string): Zone | string | undefined {
  const named = NAMES_ZONE.exec(line)?.[1]?.trim();
  // A title names a zone in passing.
  if (named === undefined)
    return ABBREVIATIONS.test(line) ||
      /(?:utc|gmt)[ _]?[-−+]\d|\blocal time\b|hor(?:a|ário) (?:local|de bras[ií]lia)/i.test(line)
      ? zoneIn(line)
      : undefined;
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

/** Cities that zones are named for, as the words of a header have them: `_sao_paulo_`. */
const cities = (): (readonly [words: string, zone: string])[] =>
  Intl.supportedValuesOf('timeZone').map((zone) => [`_${wordsIn(zone.split('/').at(-1) ?? '').join('_')}_`, zone]);

/**
 * The zone that a column names in its header: `Time (America/Sao_Paulo)`, `Time [UTC-3]`,
 * `ts_utc_minus_3`, `hora_sao_paulo`.
 * @returns why it is not known, where it may be several
 */
export function zoneIn(header: string): Zone | string | undefined {
  const say = 'say which with --timezone, such as America/Sao_Paulo';
  const named = /[([](?:in )?([+-]\d{1,2}|[A-Z]\w+\/[\w/+-]+)[)\]]/.exec(header)?.[1];
  const [, sign = '', hours, minutes = '00', ...bare] = OFFSET_IN.exec(header) ?? [];
  const offset = hours === undefined ? bare.join('') : `${/^[-−m]/i.test(sign) ? '-' : '+'}${hours}:${minutes}`;
  const zone = openZone(named ?? '') ?? openZone(offset);
  if (zone !== undefined) return zone;
  if (UNSIGNED.test(header)) return `names an offset without + or -; ${say}`;
  const words = wordsIn(header);
  const city = /bras[ií]lia/i.test(header)
    ? 'America/Sao_Paulo'
    : cities().find(([name]) => `_${words.join('_')}_`.includes(name))?.[1];
  if (city !== undefined) return openZone(city);
  const abbreviation = ABBREVIATIONS.exec(header)?.[1] ?? ABBREVIATION_BEHIND.exec(header)?.[1];
  if (abbreviation !== undefined) return `names the zone ${abbreviation.toUpperCase()}, which may mean several; ${say}`;
  return words.some((word) => LOCAL.test(word))
    ? `says that its times are local, but not of which time zone; ${say}`
    : undefined;
}
