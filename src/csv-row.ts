import { STATUSES } from './names.ts';
import { parseTime } from './parse-time.ts';

/** What a file counts by. */
export type CsvKind = 'status' | 'auth_code';

export interface CsvProblem {
  line: number;
  column: string;
  value: string;
  message: string;
}

/** A row, or what is wrong with it. `minute` is in minutes since the epoch. */
export type Row = { minute: number; key: string; count: number } | Omit<CsvProblem, 'line'>;

export interface Header {
  ok: true;
  kind: CsvKind;
  /** The columns' names as the file spells them. */
  columns: string[];
  time: number;
  key: number;
  count: number;
  /** Minutes since the epoch of a cell of the time column, or why it is none. Remembers the last, as rows repeat it. */
  minuteOf: (text: string) => number | string;
}

const WANTED =
  'expected the columns timestamp,status,count or timestamp,auth_code,count or time,status,F1 (with --date), in any order';

/** Finds the columns by their names. */
export function openHeader(cells: string[], date: string | undefined): Header | { ok: false; message: string } {
  const names = cells.map((cell) => cell.toLowerCase());
  const find = (...wanted: string[]) => names.findIndex((name) => wanted.includes(name));
  const [time, status, code, count] = [
    find('timestamp', 'time'),
    find('status'),
    find('auth_code'),
    find('count', 'f1'),
  ];
  const key = Math.max(status, code);
  if (cells.length !== 3 || time < 0 || count < 0 || status < 0 === code < 0)
    return { ok: false, message: `the header is ${JSON.stringify(cells.join(','))}; ${WANTED}` };
  const day = date === undefined ? undefined : parseTime(`${date}T00:00Z`);
  if (Number.isNaN(day)) return { ok: false, message: `--date ${date} is no date; write it as 2025-07-12` };
  const kind = status < 0 ? 'auth_code' : 'status';
  return { ok: true, kind, columns: cells, time, key, count, minuteOf: remembering((text) => minuteOf(text, day)) };
}

function remembering<T>(compute: (text: string) => T): (text: string) => T {
  let last: { text: string; value: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, value: compute(text) };
    return last.value;
  };
}

function minuteOf(text: string, day: number | undefined): number | string {
  const clock = /^(\d{1,2})h ?(\d{2})$/.exec(text);
  if (clock === null) {
    const time = parseTime(text);
    if (Number.isNaN(time))
      return 'is no time; write 2025-07-12 13:45:00, 2025-07-12T13:45:00Z or, with --date, 13h 05';
    return time < 0 ? 'is before 1970' : Math.floor(time / 60_000);
  }
  const [hours, minutes] = [Number(clock[1]), Number(clock[2])];
  if (hours > 23 || minutes > 59) return 'is no time of day';
  if (day === undefined) return 'is a time without a day; say which day with --date 2025-07-12';
  return day / 60_000 + hours * 60 + minutes;
}

/** Checks the cells of one row, from left to right; the first problem is the one reported. */
export function readRow(cells: string[], header: Header): Row {
  if (cells.length !== header.columns.length)
    return {
      column: 'row',
      value: cells.join(','),
      message: `has ${cells.length} fields, not ${header.columns.length}`,
    };
  const [time, key, count] = [cells[header.time] ?? '', cells[header.key] ?? '', cells[header.count] ?? ''];
  const minute = header.minuteOf(time);
  const problem = (column: number, value: string, message: string): Row => ({
    column: header.columns[column] ?? '',
    value,
    message,
  });
  if (typeof minute === 'string') return problem(header.time, time, minute);
  const wrongKey = header.kind === 'status' ? statusProblem(key) : codeProblem(key);
  if (wrongKey !== undefined) return problem(header.key, key, wrongKey);
  const wrongCount = countProblem(count);
  if (wrongCount !== undefined) return problem(header.count, count, wrongCount);
  return { minute, key, count: Number(count) };
}

function statusProblem(status: string): string | undefined {
  return (STATUSES as readonly string[]).includes(status)
    ? undefined
    : `is not one of the statuses ${STATUSES.join(', ')}`;
}

function codeProblem(code: string): string | undefined {
  return /^[A-Za-z0-9_-]{1,16}$/.test(code) ? undefined : 'is no auth code; a code is 1 to 16 letters, digits, _ or -';
}

function countProblem(count: string): string | undefined {
  if (/^\d{1,15}$/.test(count)) return undefined;
  if (count === '') return 'is missing';
  if (/^-\d/.test(count)) return 'is negative';
  if (/^\d+[.,]\d+$/.test(count)) return 'is not a whole number';
  if (/^\d+$/.test(count))
    return Number.isSafeInteger(Number(count)) ? undefined : 'is too large to be counted exactly';
  return 'is not a number; a count is a whole number of 0 or more';
}
