import { offsetMinutes, openZone, type Zone } from '../domain/zone.ts';

/** Tells which of two numbers is the day in `05/11/2026`. */
export type DateOrder = 'day-first' | 'month-first';

/** A cell of the time column, read. Minutes since the epoch. */
export interface ReadTime {
  minute: number;
  /** Has seconds within the minute. */
  seconds: boolean;
  /** Is a date alone, read as its midnight. */
  dateOnly: boolean;
  /** Minutes after midnight, of a time without a day of its own. */
  clock?: number;
  /** A local time that the zone has twice or never. */
  odd?: 'twice' | 'never';
  /** Minutes of the offset or zone that the cell itself has. */
  offset?: number;
}

export interface TimeOptions {
  /** `2025-07-12`, in minutes of local time since the epoch: the day of times such as `13h 05`. */
  day?: number;
  order?: DateOrder | undefined;
  /** True where a year may have two digits, which only the user can allow. */
  shortYear?: boolean;
  /** A unit that the user named for epoch numbers. */
  epoch?: EpochUnit;
  /** The meaning that the user named for digits such as `11211305`. */
  digits?: DigitsMeaning;
  /** The zone of times without an offset. Default UTC. */
  zone?: Zone;
  /** Says why a time without an offset cannot be read, where its zone is not known. */
  refuseLocal?: string;
}

/** Only the rest of the file can tell which of two numbers is the day. */
export const UNDECIDED = Symbol('day or month');

export type EpochUnit = 's' | 'ms' | 'us' | 'ns';
const PER_SECOND: Record<EpochUnit, number> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

/** `MMDDhhmm` and `MMDDhhmmss` of ISO 8583, or `hhmmssff` of a switch. */
export type DigitsMeaning = 'yearless' | 'clock';

const CLOCK = String.raw`(\d{1,2})\s?[h:.]\s?(\d{2})(?:\s?m(?:in)?(?![a-z]))?(?:[:.]?\s?(\d{2})(?:[.,]\d{1,9})?s?)?\s*(?:([ap])\.?\s?m\.?)?`;
const ZONE = String.raw`\s*(?:(Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)(?:\s?\[[\w/+-]+\])?)?`;
const AFTER_DATE = String.raw`(?:(?:T|:|,?\s+(?:at\s+|@\s+)?)${CLOCK}${ZONE})?`;
const pattern = (source: string) => new RegExp(`^${source}$`, 'i');

const YEAR_FIRST = pattern(String.raw`(\d{4})([-/.])(\d{1,2})\2(\d{1,2})${AFTER_DATE}`);
const YEAR_LAST = pattern(String.raw`(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})${AFTER_DATE}`);
const COMPACT =
  /^((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:[T _-]?(\d{2}):?(\d{2})(?::?(\d{2})(?:\.?\d{3}|\.\d+)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const DAY_NAME = String.raw`(?:\p{L}{2,9}\.?,?\s+)?`;
const DAY_MONTH_NAME = new RegExp(
  String.raw`^${DAY_NAME}(\d{1,2})\.?(?:[-/ ]|\sde\s)?([\p{L}]{3,12})\.?(?:[-/, ]|\sde\s)?\s?(\d{4}|\d{2})${AFTER_DATE}$`,
  'iu',
);
const MONTH_NAME_DAY = new RegExp(String.raw`^${DAY_NAME}([\p{L}]{3,12})\.?\s(\d{1,2}),?\s(\d{4})${AFTER_DATE}$`, 'iu');
/** `Sat Nov 21 12:00:00 UTC 2026`, as `date` and ctime write it. */
const YEAR_AT_END = /^\p{L}{2,4} (\p{L}{3,5}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?: (UTC|GMT|Z))? (\d{4})$/u;
/** `Nov 21 13:45:01`, as syslog writes it. */
const WITHOUT_YEAR = /^(\p{L}{3})\p{L}* +(\d{1,2}),? (\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?$/u;
/** `202611211345`, with or without seconds and milliseconds. */
export const DIGITS_OF_TIME =
  /^20\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\d{3})?)?$/;
const CLOCK_ALONE = pattern(CLOCK);
/** Beside a date in another column. */
const CLOCK_WITH_OFFSET = /^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)? ?(?:Z|UTC|GMT|[+-]\d{2}:\d{2})$/i;
const EPOCH = /^\d{9,20}(?:\.\d+)?$/;
/** The beginnings of the months in the languages that statuses are known in. */
const MONTHS = [
  'jan ene gen sty oca янв',
  'feb fev fév lut şub фев',
  'mar mär mrz mrt мар',
  'apr abr avr kwi nis апр',
  'may mai mei mag maj май мая',
  'jun juin giu cze haz июн',
  'jul juil lug lip tem июл',
  'aug ago aoû aou sie ağu авг',
  'sep set wrz eyl сен',
  'oct out okt ott paź eki окт',
  'nov lis kas ноя',
  'dec dez dic déc gru ara дек',
].map((names) => names.split(' '));

/** The day that spreadsheets and databases write before a time of day that has none. */
export const DAY_ZERO = /^(?:1899-12-3[01]|1900-01-0[01])[T ]/;

/** At the end of a cell: of a date that a program writes as a time. */
export const MIDNIGHT = /[T ](?:0?0:00(?::00)?(?:\.0+)?|12:00(?::00)? ?a\.?m\.?)$/i;

/** The shape of a cell, whatever it means. It tells which column holds the times. */
export type TimeShape = 'full' | 'date' | 'clock' | 'none';

export function timeShape(cell: string): TimeShape {
  const text = plainTime(cell).replace(PLACE, '$1');
  const dated = DATED.map((date) => date.exec(text)).find((match) => match !== null);
  if (dated) return /\d\s?[h:.]\s?\d{2}|[T _]\d{4}/i.test(text.slice(8)) || /^\d{12,17}$/.test(text) ? 'full' : 'date';
  if (EPOCH.test(text)) return 'full';
  return CLOCK_ALONE.test(text) || CLOCK_WITH_OFFSET.test(text) ? 'clock' : 'none';
}

const DATED = [YEAR_FIRST, YEAR_LAST, COMPACT, DAY_MONTH_NAME, MONTH_NAME_DAY, YEAR_AT_END];

/**
 * Reads one cell.
 * @returns the time, what is wrong with the cell, or `UNDECIDED` while the order of day and month
 *   is not known
 */
export function readTime(text: string, options: TimeOptions): ReadTime | string | typeof UNDECIDED {
  const yearFirst = YEAR_FIRST.exec(text);
  if (yearFirst !== null) {
    const [, year, , month, day, ...clock] = yearFirst;
    if (Number(year) <= 1900 && DAY_ZERO.test(text)) return readTime(text.replace(DAY_ZERO, ''), options);
    return compose([year, month, day], clock, options);
  }
  if (DIGITS.test(text) && !isEpoch(text, options) && !isDay(text, options)) return readDigits(text, options);
  if (EPOCH.test(text)) {
    const isCompact = /^(?:\d{12}|\d{14}|20\d{15})$/.test(text) && options.epoch === undefined;
    const compact = isCompact ? COMPACT.exec(text) : null;
    return compact === null ? readEpoch(text, options.epoch) : compactTime(compact, options);
  }
  const clock = CLOCK_ALONE.exec(text);
  if (clock !== null) return onDay(clock.slice(1), options);
  const yearLast = YEAR_LAST.exec(text);
  if (yearLast !== null) return readYearLast(yearLast, options);
  return readRare(text, options);
}

const DIGITS = /^(?:\d{4}|\d{6}|\d{8}|\d{10})$/;
const YEARLESS = /^(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)([0-5]\d)?$/;
const CLOCK_DIGITS = /^([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d)(?:\d\d)?)?$/;
const isEpoch = (text: string, { epoch }: TimeOptions): boolean =>
  text.length === 10 && (epoch !== undefined || !YEARLESS.test(text));
const isDay = (text: string, { digits }: TimeOptions): boolean =>
  text.length === 8 && digits === undefined && /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(text);

/** Reads digits that lack a day, or a year alone, which `--date` gives. */
function readDigits(text: string, options: TimeOptions): ReadTime | string {
  const { day, digits } = options;
  const yearless = digits === 'clock' ? null : YEARLESS.exec(text);
  const clock = digits === 'yearless' ? null : CLOCK_DIGITS.exec(text);
  if (yearless !== null && clock !== null)
    return 'may be MMDDhhmm or hhmmssff; say which with --date-format, and with --date the day, or one near it';
  if (clock !== null) return onDay(clock.slice(1), options);
  if (yearless === null) return EXPECTED;
  const [, month, date, hour, minute, second] = yearless;
  if (day !== undefined) return compose([yearNear(day, month, date), month, date], [hour, minute, second], options);
  const epoch = text.length === 10 ? ' (MMDDhhmmss), or epoch seconds before 2011: say --date-format s, or' : '; say';
  return `is a time without a year${epoch} with --date a day near it`;
}

/** The year in which a day of a month is nearest to another day. */
function yearNear(day: number, month = '', date = ''): string {
  const year = new Date(day * 60_000).getUTCFullYear();
  const distance = (one: number) => Math.abs((dayOf(one, Number(month), Number(date)) ?? Number.NaN) - day);
  return String([year - 1, year + 1].find((one) => distance(one) < distance(year)) ?? year);
}

const ANY_DATE = String.raw`\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}`;
/** Names of a day before a date in numbers: `sáb, 13/07/2025`. */
const DAY_BEFORE = new RegExp(String.raw`^(?!total\b)\p{L}{2,9}\.?,?\s+(?=(?:${ANY_DATE})(?:\D|$))`, 'iu');
/** `2026-11-21 13`, `21/11/2026 13h`, `2026-11-21T13Z`. */
const HOUR_AFTER_DATE = new RegExp(
  String.raw`^(${ANY_DATE})[T ]\s?(\d{1,2})(?:\s?h(?:rs?|s)?)?(Z|\s?UTC|[+-]\d{2}(?::?\d{2})?)?$`,
  'i',
);

/** The end of an interval: `12:00 - 12:01`, `2026-11-21T12:00Z/2026-11-21T12:01Z`. */
const UNTIL = /^(.*\d:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z| UTC|[+-]\d{2}:?\d{2})?)(?:\/| (?:-|–|to|até|bis|a) )\S*\d.*$/;

/** A time without what programs and languages write around it and between its date and clock. */
const plainTime = (text: string): string =>
  text
    .replaceAll(/[\u200b-\u200f\u202a-\u202e\ufeff]/g, '')
    .replace(/^=?"(.*)"$|^(?:ISODate|Timestamp|datetime)\(["'](.*)["']\)$/, '$1$2')
    .replace(/^\d{1,3}(?:[,.' \u00a0\u202f]\d{3}){3,5}$/, (digits) => digits.replaceAll(/\D/g, ''))
    .replace(DAY_BEFORE, '')
    .replace(UNTIL, '$1')
    .replace(/^\{"?start"?:\s?"?([^",]+)"?,.*\}$/, '$1')
    .replace(/^(\d{1,2})\. (\d{1,2})\. (?=\d{4})/, '$1.$2.')
    .replace(/^(\d{4})\. (\d{1,2})\. (\d{1,2})\.? /, '$1.$2.$3 ')
    .replace(
      /[ 日](?:(?:오전|上午|午前)|(오후|下午|午後)) ?(\d{1,2}[:時时]\d{2}.*)$/,
      (part, pm: string | undefined, clock: string) =>
        `${part.startsWith('日') ? '日' : ' '}${clock} ${pm === undefined ? 'am' : 'pm'}`,
    )
    .replace(/^\/Date\((\d+)\)\/$/, '$1')
    .replace(/^(\d{1,2}:\d{2}(?::\d{2})?),? (\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})$/, '$2 $1')
    .replace(/^0 days (?=\d)/, '')
    .replace(HOUR_AFTER_DATE, '$1 $2:00$3')
    .replace(/^(\d{1,2})\s?h(?:rs?|s)?$/i, '$1:00')
    .replace(/^(\d{1,2})\s?([ap])\.?\s?m\.?$/i, '$1:00 $2m')
    .replace(/^[[({](.+\d), .+[\])}]$/, '$1')
    .replace(/ ?\[([A-Z]\w+\/[\w/+-]+)\]$/, ' $1')
    .replace(/^['[]|\]$/g, '')
    .replace(/((?:Z|UTC|GMT|[+-]\d{2}:?\d{2})) ?\([\p{L} .]+\)$/u, '$1')
    .replace(/ ?\((\S+)\)$/, ' $1')
    .replace(/([+-]\d{2}:?\d{2}) (?:[A-Z]{3,5}|[+-]\d{2})$/, '$1')
    .replace(/(\d) ?(?:uhr|hrs?)$|([:.]\d{2}) ?h$/i, '$1$2')
    .replace(/(\d),? (?:um|às|as|à|a las|a la|alle ore|alle|om|kl\.?) (?=\d)/i, '$1 ')
    .replace(/^(\d{4}-\d{2}-\d{2})[-_](?=\d{2}[:.])/, '$1 ')
    .replace(/^(\d{4})年(\d{1,2})月(\d{1,2})日/, '$1-$2-$3')
    .replace(/(\d{1,2})[時时](\d{1,2})分$/, '$1:$2');

function readRare(text: string, options: TimeOptions): ReadTime | string | typeof UNDECIDED {
  const plain = plainTime(text);
  if (plain !== text) return readTime(plain, options);
  if (text === '')
    return 'is empty; where it stands for the time above it, as in a pivot table, export with its labels repeated in each row';
  const compact = COMPACT.exec(text);
  if (compact !== null) return compactTime(compact, options);
  const named = DAY_MONTH_NAME.exec(text);
  if (named !== null) {
    const [, day, month, year, ...clock] = named;
    return compose([longYear(year), monthOf(month), day], clock, options);
  }
  const american = MONTH_NAME_DAY.exec(text);
  if (american !== null) {
    const [, month, day, year, ...clock] = american;
    return compose([year, monthOf(month), day], clock, options);
  }
  const atEnd = YEAR_AT_END.exec(text);
  if (atEnd !== null) {
    const [, month, day, hour, minute, second, zone, year] = atEnd;
    return compose([year, monthOf(month), day], [hour, minute, second, undefined, zone], options);
  }
  const [, ofMonth, date, time] = WITHOUT_YEAR.exec(text) ?? [];
  if (time !== undefined && Number(monthOf(ofMonth)) > 0) {
    const digits = [monthOf(ofMonth), date, ...time.split(':')].map((part = '') => part.padStart(2, '0'));
    return readDigits(digits.join(''), { ...options, digits: 'yearless' });
  }
  if (/^(?:\d{5}|0)(?:[.,]\d+)?$/.test(text))
    return "is no time; if it is a spreadsheet's own number of a date, give the column a date format and export again";
  const power = /^\d\.(\d+)e\+?(\d{1,2})$/i.exec(text);
  if (power !== null && (power[1] ?? '').length + 1 >= Number(power[2]))
    return readEpoch(Number(text).toFixed(0), options.epoch);
  if (/^\d+[.,]?\d*e\+?\d+$/i.test(text))
    return 'is a time that a spreadsheet has rounded: give the column a number format without exponent, and export again';
  const [, local, place] = PLACE.exec(text) ?? [];
  const zone = place === undefined ? undefined : zoneNamed(place);
  if (local !== undefined && zone !== undefined) {
    const time = readTime(local, { ...options, zone });
    return typeof time === 'object' ? { ...time, offset: zone.offsetAt(time.minute) } : time;
  }
  const abbreviation = /^.*\d\s?([A-Z]{2,5})$/.exec(text)?.[1];
  if (abbreviation !== undefined) return ofAbbreviation(text, abbreviation, options);
  if (/^\d{2}([-/.])\d{1,2}\1\d{1,2}(?!\d)/.test(text)) return SHORT_YEAR;
  return EXPECTED;
}

/** `2026-11-21 13:45:00.000 America/Sao_Paulo`. */
const PLACE = /^(.*(?:\d|[ap]\.?m\.?)) ([A-Z]\w+\/[\w/+-]+)$/i;

const zones = new Map<string, Zone | undefined>();
/** A zone by its name, as Trino and Athena write it after each time. */
function zoneNamed(name: string): Zone | undefined {
  if (!zones.has(name)) zones.set(name, openZone(name));
  return zones.get(name);
}

/** `EST` or `BRT` is the user's own zone, if they have named one. */
function ofAbbreviation(
  text: string,
  abbreviation: string,
  options: TimeOptions,
): ReadTime | string | typeof UNDECIDED {
  const time = readTime(text.slice(0, -abbreviation.length).trim(), options);
  if (typeof time === 'string' || options.zone !== undefined) return time;
  return `has the zone ${abbreviation}, which may mean several; say which with --timezone, such as America/Sao_Paulo`;
}

const SHORT_YEAR =
  'has a year of two digits, which may be any of its numbers: say how it is written, such as --date-format DD/MM/YY';

const EXPECTED =
  'is no time; expected 2026-11-21 13:45:00, with an offset or in UTC, 21/11/2026 13:45, epoch seconds or, with --date, 13h 05';

const compactTime = ([, year, month, day, hour, minute, second, zone]: RegExpExecArray, options: TimeOptions) =>
  compose([year, month, day], [hour, minute, second, undefined, zone], options);

const longYear = (year = ''): string => (year.length === 2 ? `20${year}` : year);
const NO_MONTH = '0';
/** The month that a name means, as a number; `0` for none. */
export const monthOf = (name = ''): string => {
  const start = name.toLowerCase();
  return String(MONTHS.findIndex((names) => names.some((one) => start.startsWith(one))) + 1);
};

function readYearLast(match: RegExpExecArray, options: TimeOptions): ReadTime | string | typeof UNDECIDED {
  const [, first = '', , second = '', year = '', ...clock] = match;
  if (year.length === 2 && options.shortYear !== true) return SHORT_YEAR;
  const order = options.order ?? orderOf(Number(first), Number(second));
  if (order === undefined) return UNDECIDED;
  const date = order === 'day-first' ? [longYear(year), second, first] : [longYear(year), first, second];
  return compose(date, clock, options, order);
}

/** The order as far as the two numbers alone decide it; equal ones need no decision. */
function orderOf(first: number, second: number): DateOrder | undefined {
  if (first > 12) return 'day-first';
  if (second > 12) return 'month-first';
  return first === second ? 'day-first' : undefined;
}

/** The order that a cell shows, if it is such a date and shows one. */
export function orderShownBy(text: string): DateOrder | undefined {
  if (YEAR_FIRST.test(text)) return undefined;
  const [, first, , second] = YEAR_LAST.exec(plainTime(text)) ?? [];
  return first === second ? undefined : orderOf(Number(first), Number(second));
}

type Cells = (string | undefined)[];

function compose(date: Cells, [hour, minute, second, half, offset]: Cells, options: TimeOptions, order?: DateOrder) {
  if (date[1] === NO_MONTH) return 'has a month of a name that is not known; write times as 2026-11-21 13:45';
  const day = dayOf(Number(date[0]), Number(date[1]), Number(date[2]));
  if (day === undefined)
    return order === undefined
      ? 'is no day of the calendar'
      : `is no day of the calendar, read ${order.replace('-', ' ')}`;
  if (hour === undefined) return placed(day, 0, undefined, options, true);
  const clock = clockOf(hour, minute, half);
  if (clock === undefined || Number(second ?? 0) > 60) return 'is no time of day';
  return placed(day + clock, Number(second ?? 0), offset, options, false);
}

/** Minutes since the epoch of a day's midnight, in its own time; undefined for 30 February. */
export function dayOf(year: number, month: number, day: number): number | undefined {
  const time = Date.UTC(year, month - 1, day);
  if (month < 1 || month > 12 || day < 1 || new Date(time).getUTCDate() !== day) return undefined;
  return time / 60_000;
}

function clockOf(hour = '', minute = '', half: string | undefined): number | undefined {
  const hours = Number(hour);
  if (half !== undefined && (hours < 1 || hours > 12)) return undefined;
  const ofDay = half === undefined ? hours : (hours % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
  return ofDay > 23 || Number(minute) > 59 ? undefined : ofDay * 60 + Number(minute);
}

/** @throws what `refuseLocal` says */
function placed(
  local: number,
  seconds: number,
  offset: string | undefined,
  { zone, refuseLocal }: TimeOptions,
  dateOnly: boolean,
) {
  if (offset === undefined && zone === undefined && refuseLocal !== undefined) throw new Error(refuseLocal);
  const own = offset === undefined ? undefined : offsetMinutes(offset);
  if (offset !== undefined && (own === undefined || !isRealOffset(own)))
    return 'has an offset that no place on earth has; if it is an interval, put a space on each side of its dash';
  const { minute, odd } =
    own !== undefined
      ? { minute: local - own, odd: undefined }
      : zone === undefined
        ? { minute: local, odd: undefined }
        : zone.toUtc(local);
  if (minute < MIN_MINUTE)
    return 'is before 2000; programs write 1970 or 1900 where there is no time, as in rows of totals';
  if (minute > MAX_MINUTE) return 'is a time after the year 2200; write years as 2026';
  return { minute, seconds: seconds > 0, dateOnly, ...(odd && { odd }), ...(own !== undefined && { offset: own }) };
}

/** Offsets of places that are no whole hours. */
const PARTS_OF_HOURS = [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];
const isRealOffset = (minutes: number): boolean =>
  minutes % 60 === 0 ? minutes >= -720 : PARTS_OF_HOURS.includes(minutes);

function onDay([hour, minute, second, half]: Cells, options: TimeOptions): ReadTime | string {
  const clock = clockOf(hour, minute, half);
  if (clock === undefined || Number(second ?? 0) > 59) return 'is no time of day; expected 00:00 to 23:59';
  if (options.day === undefined) return 'is a time without a day; say which day with --date YYYY-MM-DD';
  const time = placed(options.day + clock, Number(second ?? 0), undefined, options, false);
  return typeof time === 'string' ? time : { ...time, clock };
}

/**
 * Nine to eleven digits are seconds, twelve to fourteen milliseconds, up to seventeen microseconds,
 * more nanoseconds.
 */
function readEpoch(text: string, unit: EpochUnit | undefined): ReadTime | string {
  const digits = text.split('.')[0]?.length ?? 0;
  const per = PER_SECOND[unit ?? (digits <= 11 ? 's' : digits <= 14 ? 'ms' : digits <= 17 ? 'us' : 'ns')];
  if (unit === undefined && digits === 10 && Number(text) >= 2e9)
    return 'is epoch seconds after 2033, or YYYYMMDDhh or YYMMDDhhmm: say --date-format s, or write it as 2026-11-21 13:45';
  const seconds = Number(text) / per;
  const minute = Math.floor(seconds / 60);
  if (minute < MIN_MINUTE) return 'is before 2000 as an epoch number';
  if (minute > MAX_MINUTE) return `is a time after the year 2200${unit === undefined ? '' : ` in ${unit}`}`;
  return { minute, seconds: seconds % 60 >= 0.001, dateOnly: false, offset: 0 };
}

const MIN_MINUTE = Date.UTC(2000, 0) / 60_000;
const MAX_MINUTE = Date.UTC(2200, 0) / 60_000;

/** The two readings of a date that may be either, for the message that asks which. */
export function bothReadings(text: string): string {
  const spell = (order: DateOrder) => {
    const time = readTime(text, { order });
    return typeof time === 'object' ? new Date(time.minute * 60_000).toISOString().slice(0, 10) : 'no day';
  };
  return `${spell('day-first')} (day first) or ${spell('month-first')} (month first)`;
}

/**
 * Reads a format such as `DD/MM/YYYY HH:mm`, `%m/%d/%y`, `day-first`, `MDY`, `ms` or `hhmmssff`.
 * @returns undefined when it says neither an order of day and month, nor a unit, nor digits
 */
export function readDateFormat(
  format: string,
): Pick<TimeOptions, 'order' | 'shortYear' | 'epoch' | 'digits'> | undefined {
  if (/^MMDDhhmm(?:ss)?$/i.test(format)) return { digits: 'yearless' };
  if (/^hhmmss(?:ff|cc)$/i.test(format)) return { digits: 'clock' };
  const unit = /^(?:epoch|unix)?[ _-]?(s|ms|us|µs|ns)$/i.exec(format.replace(/seconds?$/i, 's'))?.[1]?.toLowerCase();
  if (unit !== undefined) return { epoch: (unit === 'µs' ? 'us' : unit) as EpochUnit };
  if (/^(?:day|dia|d)[- _]?(?:first|primeiro)$/i.test(format)) return { order: 'day-first', shortYear: true };
  if (/^(?:month|m)[- _]?first$/i.test(format)) return { order: 'month-first', shortYear: true };
  if (/^iso/i.test(format)) return {};
  const date =
    format
      .replaceAll('%', '')
      .split(/[ T,]|HH?|hh?/)[0]
      ?.toLowerCase() ?? '';
  const places = ['d', 'm', 'y'].map((letter) => date.indexOf(letter));
  const [day = -1, month = -1, year = -1] = places;
  if (places.includes(-1)) return undefined;
  if (year < day && year < month) return day > month ? {} : undefined;
  if (year < Math.max(day, month)) return undefined;
  return { order: day < month ? 'day-first' : 'month-first', shortYear: true };
}
