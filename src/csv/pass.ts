import type { Status } from '../domain/names.ts';
import { statusOfCell, wordKey } from '../domain/status-words.ts';
import type { Columns } from './columns.ts';
import { isIdName, isOwnIdName } from './count-column.ts';
import { decimalShownBy, OPEN, PLAIN_COUNT, readCount } from './counts.ts';
import { headerText, type Role, rankOf } from './header-names.ts';
import { createNights } from './nights.ts';
import { createNoRows, NOTHING, TOTALS } from './no-rows.ts';
import { MAX_PROBLEMS, type Problem } from './problems.ts';
import type { Formats, ReadOptions } from './read-options.ts';
import { createRepeats } from './repeats.ts';
import { createStages, TRIED_AGAIN } from './stages.ts';
import type { Table } from './table.ts';
import { createTally, DAY, type Labels, type Tally, type TallySeries } from './tally.ts';
import { timeText } from './time-columns.ts';
import { orderShownBy, type ReadTime, readTime, type TimeOptions, UNDECIDED } from './times.ts';
import { createTotalRows } from './total-rows.ts';
import { codeOf, seriesLabels, statusOfMeasure } from './wide-columns.ts';

/** Thrown by a pass that meets a cell which only the whole file can decide. */
export class Undecided {
  constructor(
    readonly what: 'order' | 'decimal',
    readonly number: number,
    readonly column: number,
    readonly text: string,
  ) {}
}

/** Thrown by a pass that meets a second word for a status: a minute has a row for each of them. */
export class Synonyms {}

export type Pass = ReturnType<typeof createPass>;

/** One way through the rows of a file. */
export function createPass({ columns, before }: Table, formats: Formats, options: ReadOptions) {
  const { header, time, wide, count: countColumn } = columns;
  const [statuses, codes] = [createTally(options.cumulative), createTally(options.cumulative)];
  const words = new Map<string, { status: Status | 'ignore' | undefined; rows: number }>();
  const state = {
    rows: 0,
    ignored: 0,
    empty: 0,
    skipped: 0,
    problems: [] as (Problem & { number: number })[],
    seconds: false,
    dateOnly: undefined as boolean | undefined,
    ones: true,
    twice: { rows: 0, numbers: [] as number[], time: '' },
    never: { rows: 0, numbers: [] as number[], time: '' },
    /** The first time without an offset, and the first with one other than UTC. */
    local: undefined as { number: number; text: string } | undefined,
    offset: undefined as { number: number; text: string } | undefined,
  };
  const noRows = createNoRows(columns, before);
  const times: TimeOptions = { ...options.times, ...(formats.order && { order: formats.order }) };
  const zoned = options.times?.zone === undefined;
  const isPlainTime = time.length === 1 && (columns.zone === undefined || !zoned);
  let decimal = formats.decimal;
  let last: { text: string; time: ReadTime | string | typeof UNDECIDED } = { text: '\0', time: '' };

  const refuse = (number: number, column: number | undefined, value: string, message: string) => {
    state.skipped++;
    const name = column === undefined ? 'row' : headerText(header, column);
    if (state.problems.length < MAX_PROBLEMS) state.problems.push({ number, line: 0, column: name, value, message });
  };

  const timeOf = (text: string, number: number): ReadTime | string => {
    if (last.text !== text) {
      times.order ??= orderShownBy(text);
      last = { text, time: readTime(text, times) };
    }
    if (last.time === UNDECIDED) throw new Undecided('order', number, time[0] ?? 0, text);
    return last.time as ReadTime | string;
  };

  const countOf = (text: string, number: number, column: number): number | string => {
    if (PLAIN_COUNT.test(text)) return Number(text);
    const read = readCount(text, decimal);
    if (read === OPEN) throw new Undecided('decimal', number, column, text);
    if (typeof read === 'number') decimal ??= decimalShownBy(text);
    return read as number | string;
  };

  const [statusSeries, codeSeries] = [createSeries(columns, statuses), createSeries(columns, codes)];
  const repeats = createRepeats();
  const stages = createStages(columns);
  const isEvents = countColumn === undefined && wide.length === 0;
  // Two transactions of a second may look alike, unless they have a number of their own.
  const mayRepeat = isEvents && !columns.telling.some((column) => isIdName(header[column] ?? ''));
  const identifying = isEvents
    ? header.map((_, column) => column)
    : [...time, columns.status, columns.code, ...columns.dimensions.map(({ column }) => column), ...columns.telling];

  const sameTotals = createRepeats();
  const ofTotal = [columns.status, columns.code, ...columns.dimensions.map(({ column }) => column)];

  const nights = createNights();
  const keyed = isEvents ? [] : identifying.filter((column) => column !== undefined && !time.includes(column));
  /** The time of a row on the day that it has reached. */
  const onItsDay = (time: ReadTime, cells: string[], text: string, number: number): ReadTime => {
    if (time.clock === undefined || formats.nights === 'one-day') return time;
    const key = keyed.map((column) => cells[column ?? 0]).join('\0');
    if (!nights.take(time.clock, key, number)) return time;
    times.day = (times.day ?? 0) + DAY;
    last.text = '\0';
    return timeOf(text, number) as ReadTime;
  };

  const several = formats.several === true || isSeveral(columns);
  // Rows of one minute and status may be told apart by what some of them sum up.
  const isToldApart = (several || columns.dimensions.length > 0) && !isEvents;
  const totalRows = createTotalRows(columnsBesideTime(columns));
  const ownId = isEvents ? header.findIndex(isOwnIdName) : -1;
  const noteRepeat = (cells: string[], minute: number) => {
    let identity = '';
    for (const column of identifying) if (column !== undefined) identity += `\0${cells[column]}`;
    const word = ownId < 0 || columns.status === undefined ? undefined : cells[columns.status];
    // A transaction may be refused several times, but not approved.
    const isOnce = word !== undefined && !TRIED_AGAIN.includes(words.get(word)?.status);
    repeats.take(isOnce ? `${cells[ownId]}\0${word}` : identity, minute);
  };

  const isSecondWord = (status: Status | 'ignore' | undefined) =>
    status !== undefined && status !== 'ignore' && [...words.values()].some((known) => known.status === status);

  const statusFor = (word: string) => {
    let known = words.get(word);
    if (known === undefined) {
      const own = options.statusWords?.get(wordKey(word));
      known = { status: own ?? statusOfCell(seriesLabels(word).status ?? word) ?? statusOfMeasure(word), rows: 0 };
      if (!several && isSecondWord(known.status)) throw new Synonyms();
      words.set(word, known);
    }
    known.rows++;
    return known.status;
  };

  const takeLong = (cells: string[], number: number, minute: number): boolean => {
    const statusText = columns.status === undefined ? undefined : (cells[columns.status] ?? '');
    const codeText = columns.code === undefined ? undefined : (cells[columns.code] ?? '');
    const status = statusText === undefined ? undefined : statusFor(statusText);
    if (status === 'ignore') {
      state.ignored++;
      return false;
    }
    if (statusText !== undefined && status === undefined) {
      if (TOTALS.test(statusText)) noRows.takeTotals(number);
      else state.skipped++;
      return false;
    }
    if (status !== undefined) stages.take(cells, status, statusText ?? '');
    const code = codeText === undefined ? undefined : readCode(codeText);
    if (code === undefined && statusText === undefined) {
      refuse(number, columns.code, codeText ?? '', 'is no auth code; expected 1 to 16 letters, digits, _ or -');
      return false;
    }
    const count = countColumn === undefined ? 1 : countOf(cells[countColumn] ?? '', number, countColumn);
    if (typeof count === 'string') {
      refuse(number, countColumn, cells[countColumn ?? 0] ?? '', count);
      return false;
    }
    if (count !== 1) state.ones = false;
    if (isToldApart) totalRows.take(cells, minute, status ?? '', count);
    const problem =
      (status === undefined ? undefined : statuses.add(statusSeries(cells, status), minute, count)) ??
      (code === undefined ? undefined : codes.add(codeSeries(cells, code), minute, count));
    if (problem !== undefined) refuse(number, countColumn, cells[countColumn ?? 0] ?? '', problem);
    return problem === undefined;
  };

  const takeWide = (cells: string[], number: number, minute: number): boolean => {
    state.ones = false;
    const counts: number[] = [];
    for (const { column } of wide) {
      const text = cells[column] ?? '';
      const count = NOTHING.test(text) ? Number.NaN : countOf(text, number, column);
      if (typeof count === 'string') {
        refuse(number, column, text, count);
        return false;
      }
      counts.push(count);
    }
    for (const [at, one] of isToldApart ? wide.entries() : [])
      totalRows.take(cells, minute, one.status ?? one.code ?? '', counts[at] || 0);
    for (const [at, one] of wide.entries()) {
      const count = counts[at] as number;
      if (Number.isNaN(count)) {
        state.empty++;
        continue;
      }
      const problem =
        one.status === undefined
          ? codes.add(codeSeries(cells, one.code ?? '', one.labels), minute, count)
          : statuses.add(statusSeries(cells, one.status, one.labels), minute, count);
      if (problem === undefined) continue;
      refuse(number, one.column, cells[one.column] ?? '', problem);
      return false;
    }
    return true;
  };

  let isOtherTable = false;
  const take = (cells: string[], number: number): void => {
    // Its columns may stand in another order.
    if (isOtherTable) {
      refuse(number, undefined, cells.join(','), 'is a row of another table');
      return;
    }
    if (cells.length !== header.length && !isShortEnd(cells, header)) {
      if (!noRows.take(cells, number))
        refuse(
          number,
          undefined,
          cells.join(','),
          `has ${cells.length} fields, not ${header.length}${hint(cells, header.length)}`,
        );
      return;
    }
    if (formats.totals?.isTotal(cells)) {
      noRows.takeTotals(number);
      return;
    }
    const text = isPlainTime ? (cells[time[0] as number] as string) : timeText(cells, columns, zoned);
    const read = timeOf(text, number);
    const at = typeof read === 'string' ? read : onItsDay(read, cells, text, number);
    if (typeof at === 'string') {
      const help =
        isPlainTime || columns.zone === undefined || at.includes('--timezone') ? '' : '; say the zone with --timezone';
      if (noRows.take(cells, number)) return;
      isOtherTable = rankOf(text, 'time') !== undefined && !/\d/.test(text);
      refuse(number, time[0], text, isOtherTable ? ANOTHER_TABLE : at + help);
      return;
    }
    if (at.dateOnly || state.dateOnly === undefined) {
      state.dateOnly ??= at.dateOnly;
      if (at.dateOnly && !state.dateOnly) {
        refuse(number, time[0], text, 'is a date without a time of day; expected 2026-11-21 13:45:00');
        return;
      }
    }
    const good = wide.length > 0 ? takeWide(cells, number, at.minute) : takeLong(cells, number, at.minute);
    if (!good) return;
    state.rows++;
    if (options.cumulative)
      sameTotals.take(`${text}\0${ofTotal.map((column) => cells[column ?? -1]).join('\0')}`, at.minute);
    if (!mayRepeat && (several || at.seconds)) noteRepeat(cells, at.minute);
    if (at.seconds) state.seconds = true;
    if (at.offset === undefined) state.local ??= { number, text };
    else if (at.offset !== 0) state.offset ??= { number, text };
    if (at.odd !== undefined) noteOdd(state[at.odd], number, text);
  };

  return {
    take,
    state,
    several,
    noRows,
    totalRows,
    statuses,
    codes,
    words,
    repeats,
    sameTotals,
    stages,
    nights,
    times,
    decimal: () => decimal,
  };
}

/** A row may lack the empty cell that a delimiter at the end of the header stands for. */
const isShortEnd = (cells: readonly string[], header: readonly string[]): boolean =>
  cells.length === header.length - 1 && header.at(-1) === '';

const ANOTHER_TABLE = 'begins another table; save each table as a file of its own';
const ROLES: readonly Role[] = ['time', 'status', 'code', 'count'];

function hint(cells: readonly string[], expected: number): string {
  const names = cells.filter((cell) => cell !== '' && ROLES.some((role) => rankOf(cell, role) !== undefined));
  if (names.length > 1) return `; perhaps it ${ANOTHER_TABLE}`;
  const isCut = cells.length > expected && cells.some((cell) => /^\d{3}$/.test(cell));
  return isCut ? '; a number with a comma in it must be in quotes' : '';
}

function readCode(text: string): string | undefined {
  const code = NOTHING.test(text) ? '' : codeOf(text);
  return /^[A-Za-z0-9_-]{1,16}$/.test(code) ? code : undefined;
}

function noteOdd(odd: { rows: number; numbers: number[]; time: string }, number: number, text: string): void {
  odd.rows++;
  if (odd.numbers.length < 5) odd.numbers.push(number);
  if (odd.time === '') odd.time = text;
}

/**
 * True where rows of one minute and status are told apart: by another column, by their code, or by
 * labels in the header.
 */
const isSeveral = ({ count, wide, telling, status, code }: Columns): boolean =>
  (count === undefined && wide.length === 0) ||
  telling.length > 0 ||
  (status !== undefined && code !== undefined) ||
  new Set(wide.map((one) => JSON.stringify([one.status, one.code, one.labels]))).size < wide.length;

const columnsBesideTime = ({ status, code, dimensions, telling }: Columns): number[] => [
  ...[status, code].filter((column) => column !== undefined),
  ...dimensions.map(({ column }) => column),
  ...telling,
];

const NO_LABELS: Labels = {};

/** Finds the series of a row, by its key and by its cells in the columns that are dimensions. */
function createSeries({ dimensions, wide }: Columns, tally: Tally) {
  const known = new Map<string, TallySeries>();
  const inHeader = wide.some(({ labels }) => Object.keys(labels).length > 0);
  return (cells: readonly string[], key: string, own: Labels = NO_LABELS): TallySeries => {
    let address = key;
    for (const { column } of dimensions) address += `\0${cells[column]}`;
    if (inHeader) for (const label of Object.keys(own)) address += `\0${own[label]}`;
    const before = known.get(address);
    if (before !== undefined) return before;
    const labels = Object.fromEntries([
      ...Object.entries(own),
      ...dimensions.map(({ label, column }) => [label, cells[column] ?? '']),
    ]);
    const series = tally.series(labels, key);
    known.set(address, series);
    return series;
  };
}
