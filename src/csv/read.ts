import type { Status } from '../domain/names.ts';
import { statusOf, wordKey, wordsIn } from '../domain/status-words.ts';
import type { ColumnsAsked } from './asked-columns.ts';
import type { Columns } from './columns.ts';
import { isWhole } from './count-column.ts';
import {
  bothNumbers,
  createNumberEvidence,
  type Decimal,
  decimalShownBy,
  OPEN,
  PLAIN_COUNT,
  readCount,
} from './counts.ts';
import { headerKey, headerText, rankOf } from './header-names.ts';
import { MAX_PROBLEMS, type Problem, refusal } from './problems.ts';
import { eachRecord, linesOf } from './records.ts';
import { createRepeats } from './repeats.ts';
import type { Source } from './source.ts';
import { isRule } from './spaced.ts';
import { recognise, type Table, writtenAs } from './table.ts';
import { createTally, type Labels, type Tally, type TallySeries, toDifferences } from './tally.ts';
import { timeText, zoneIn } from './time-columns.ts';
import {
  bothReadings,
  type DateOrder,
  orderShownBy,
  type ReadTime,
  readTime,
  type TimeOptions,
  UNDECIDED,
} from './times.ts';
import { codeOf, seriesLabels } from './wide-columns.ts';

/** Options that overrule or help the recognition. */
export interface ReadOptions extends ColumnsAsked {
  delimiter?: string;
  decimal?: Decimal;
  /** Day, order, unit and zone of times. */
  times?: TimeOptions;
  /** Leaves out rows with problems and counts them, instead of refusing the file. */
  skipBadRows?: boolean;
  /** Takes counts for totals that only grow. */
  cumulative?: boolean;
}

/** A file's counts, and what is to be known of how they were read. */
export interface ReadFile {
  name: string;
  /** Good rows. */
  rows: number;
  skipped: number;
  /** The first problems of the skipped rows. */
  problems: Problem[];
  /** The recognised form of the file, in one line. */
  recognised: string;
  /** Undefined where the file has no status, or no auth code. */
  statuses?: Tally;
  codes?: Tally;
  /** The observations that `findings` judges. */
  seen: Seen;
}

/**
 * Rows that are no counts, or whose times are odd. Numbers are those of records, lines where they
 * are shown.
 */
export interface Seen {
  /** Each row is one transaction. */
  events: boolean;
  /** Some times have seconds, so that several rows of a minute are no surprise. */
  seconds: boolean;
  /** Some columns tell apart rows of one minute and status. */
  telling: boolean;
  /** Rows that are there already, where minutes may have several rows. */
  again: { rows: number; minutes: number[] };
  /** Each count is 1: rows of transactions, of which two may look alike. */
  ones: boolean;
  dateOnly: boolean;
  totals: { rows: number; line: number };
  twice: { rows: number; lines: number[]; time: string };
  never: { rows: number; lines: number[]; time: string };
}

/**
 * Reads a file of counts by minute as a stream. Rows may come in any order; memory grows with the
 * days and series that the file covers, not with its rows.
 * @throws with a message that names the bad rows by line, column and value, unless `skipBadRows`;
 *   what cannot be recognised, what may be read in two ways, and a file without rows is refused
 *   always
 */
export async function readCounts(source: Source, options: ReadOptions = {}): Promise<ReadFile> {
  const table = recognise(source, options.delimiter, options);
  return await readTable(source, table, { ...options, times: inZoneOf(source, table, options) });
}

/** The zone of times without an offset, if nobody said it: the one that the header names. */
function inZoneOf({ name }: Source, { columns, before }: Table, { times }: ReadOptions): TimeOptions {
  if (times?.zone !== undefined) return times;
  for (const header of columns.time.map((column) => headerText(columns.header, column))) {
    const zone = zoneIn(header);
    if (typeof zone === 'string')
      return { ...times, refuseLocal: `${name}: line ${before + 1}: ${JSON.stringify(header)} ${zone}` };
    if (zone !== undefined) return { ...times, zone };
  }
  return times ?? {};
}

/** The file's way to write numbers and dates, as far as it is known. */
interface Formats {
  order?: DateOrder;
  decimal?: Decimal;
}

/** Thrown by a pass that meets a cell which only the whole file can decide. */
class Undecided {
  constructor(
    readonly what: 'order' | 'decimal',
    readonly number: number,
    readonly column: number,
    readonly text: string,
  ) {}
}

async function readTable(source: Source, table: Table, options: ReadOptions): Promise<ReadFile> {
  const formats: Formats = {
    ...(options.times?.order && { order: options.times.order }),
    ...(options.decimal && { decimal: options.decimal }),
  };
  for (;;) {
    const pass = createPass(table, formats, options);
    try {
      await eachRecord(source, table.delimiter, (cells, number) => {
        if (number > table.before) pass.take(cells, number);
      });
    } catch (undecided) {
      if (!(undecided instanceof Undecided)) throw undecided;
      Object.assign(formats, await decide(source, table, undecided));
      continue;
    }
    return finish(source, table, pass, options);
  }
}

/**
 * Reads the whole file for what one of its cells leaves open. @throws with both readings where the
 * file does not tell
 */
async function decide(source: Source, table: Table, { what, number, column, text }: Undecided): Promise<Formats> {
  const { columns, delimiter, before } = table;
  const numbers = createNumberEvidence();
  const counted = [columns.count, ...columns.wide.map((one) => one.column)].filter((one) => one !== undefined);
  let order: DateOrder | undefined;
  await eachRecord(source, delimiter, (cells, at) => {
    if (at <= before) return;
    if (what === 'order') order ??= orderShownBy(timeText(cells, columns));
    else for (const one of counted) numbers.take(cells[one] ?? '');
  });
  const line = (await linesOf(source, delimiter, new Set([number]))).get(number);
  const where = `${source.name}: line ${line}: ${headerText(columns.header, column)} ${JSON.stringify(text)}`;
  if (what === 'order') {
    if (order !== undefined) return { order };
    throw new Error(
      `${where}: may be ${bothReadings(text)}, and no date in the file tells which; say it with --date-format DD/MM/YYYY or --date-format MM/DD/YYYY`,
    );
  }
  const decided = numbers.decide(delimiter);
  if ('decimal' in decided) return decided;
  throw new Error(
    `${where}: may be ${bothNumbers(decided.open)}, and no number in the file tells which; say with --decimal . or --decimal , ` +
      'which sign begins the decimals',
  );
}

type Pass = ReturnType<typeof createPass>;

/** One way through the rows of a file. */
function createPass({ columns, before }: Table, formats: Formats, options: ReadOptions) {
  const { header, time, wide, count: countColumn } = columns;
  const [statuses, codes] = [createTally(), createTally()];
  const words = new Map<string, { status: Status | 'ignore' | undefined; rows: number }>();
  const state = {
    rows: 0,
    ignored: 0,
    empty: 0,
    skipped: 0,
    problems: [] as (Problem & { number: number })[],
    headersAgain: 0,
    notes: 0,
    seconds: false,
    dateOnly: undefined as boolean | undefined,
    ones: true,
    totals: { rows: 0, number: 0 },
    twice: { rows: 0, numbers: [] as number[], time: '' },
    never: { rows: 0, numbers: [] as number[], time: '' },
  };
  const times: TimeOptions = { ...options.times, ...(formats.order && { order: formats.order }) };
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
  const isEvents = countColumn === undefined && wide.length === 0;
  // Two transactions of a second may look alike, unless they have a number of their own.
  const mayRepeat = isEvents && !columns.telling.some((column) => wordsIn(header[column] ?? '').some(isId));
  const identifying = isEvents
    ? header.map((_, column) => column)
    : [...time, columns.status, columns.code, ...columns.dimensions.map(({ column }) => column), ...columns.telling];

  const severalAreRight = isSeveral(columns);
  const noteRepeat = (cells: string[], minute: number) => {
    let identity = '';
    for (const column of identifying) if (column !== undefined) identity += `\0${cells[column]}`;
    repeats.take(identity, minute);
  };

  const statusFor = (word: string) => {
    let known = words.get(word);
    if (known === undefined) {
      const own = options.statusWords?.get(wordKey(word));
      known = { status: own ?? statusOf(seriesLabels(word).status ?? word), rows: 0 };
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
      state.skipped++;
      return false;
    }
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

  const take = (cells: string[], number: number): void => {
    if (cells.length !== header.length && !isShortEnd(cells, header)) {
      if (!noCounts(cells, number))
        refuse(number, undefined, cells.join(','), `has ${cells.length} fields, not ${header.length}${hint(cells)}`);
      return;
    }
    const text = time.length === 1 ? (cells[time[0] as number] as string) : timeText(cells, columns);
    const at = timeOf(text, number);
    if (typeof at === 'string') {
      if (!noCounts(cells, number)) refuse(number, time[0], text, at);
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
    if (!mayRepeat && (severalAreRight || at.seconds)) noteRepeat(cells, at.minute);
    if (at.seconds) state.seconds = true;
    if (at.odd !== undefined) noteOdd(state[at.odd], number, text);
  };

  /** Lines that hold no row, and totals under the table. */
  const noCounts = (cells: string[], number: number): boolean => {
    const said = cells.filter((cell) => cell !== '').join(' ');
    if (NOTHING_SAID.test(said) || isRule(cells) || FOOTER.test(said)) return true;
    if (isNote(cells, number)) {
      state.notes++;
      return true;
    }
    if (isHeaderAgain(cells)) {
      state.headersAgain++;
      return true;
    }
    if (!cells.some((cell) => TOTALS.test(cell)) && !isSumAlone(cells)) return false;
    state.totals.rows++;
    state.totals.number = number;
    return true;
  };

  /** Also the header that sorting has put among the rows. */
  const isHeaderAgain = (cells: readonly string[]): boolean =>
    cells.length === header.length &&
    (cells.every((cell, at) => headerKey(cell) === headerKey(header[at] ?? '')) ||
      (time.every((column) => rankOf(cells[column] ?? '', 'time') !== undefined) &&
        [columns.status, columns.code].some(
          (column, at) =>
            column !== undefined && rankOf(cells[column] ?? '', at === 0 ? 'status' : 'code') !== undefined,
        )));

  const isNote = (cells: readonly string[], number: number): boolean => {
    if (COMMENT.test(cells[0] ?? '')) return true;
    const alone = cells.filter((cell) => cell !== '');
    const isSentence =
      alone.length === 1 && cells[0] === alone[0] && SENTENCE.test(alone[0] ?? '') && !TOTALS.test(alone[0] ?? '');
    // Units or types under the header: `(UTC),,(n)`.
    const isUnderHeader = number === before + 1 && cells.every((cell) => UNIT.test(cell));
    return (isSentence || isUnderHeader) && state.notes < MAX_NOTES;
  };

  const counted = countColumn === undefined ? wide.map(({ column }) => column) : [countColumn];
  /** Numbers under the counts, with nothing beside them that says of what. */
  const isSumAlone = (cells: readonly string[]): boolean =>
    counted.length > 0 &&
    [...time, columns.status, columns.code].every((column) => column === undefined || cells[column] === '') &&
    counted.every((column) => isWhole(cells[column] ?? ''));

  return { take, state, statuses, codes, words, repeats, times, decimal: () => decimal };
}

export const NOTHING = /^(?:|null|nan|n\/?a|none|undefined|-|\\n)$/i;
/** Control characters at the end of a file, such as the Ctrl-Z of CP/M. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOTHING_SAID = /^[\x00-\x1f\s]*$/;
export const TOTALS =
  /^(?:grand |sub|overall |soma |suma |resultado |valor )?total(?:s|es|is|e)?(?: [\p{L} ]+)?:?$|^(?:all|sum|suma|soma|somma|somme|summe|gesamt\p{L}*|insgesamt|totaal|average|avg|mean|m[eé]dia|promedio|durchschnitt|moyenne|gemiddelde):?$/iu;
const FOOTER =
  /^\(?\d+ (?:rows?|records?|linhas?|filas?|zeilen?)(?: (?:affected|in set|selected|returned).*)?\)?\.?$|^time: [\d.,]+ ms/i;
/** Lines of prose under a table; more of them are no notes, but a file of another kind. */
const MAX_NOTES = 20;
const COMMENT = /^(?:#|--|\/\/)/;
/** Under a header: `(UTC)`, `bigint`, or nothing. */
const UNIT =
  /^(?:[([].*[)\]]|(?:big|small|tiny|u)?int(?:eger)?\d{0,3}|long|double|(?:float|decimal|numeric|number|string|varchar|char|text|date|datetime|time|timestamp|lowcardinality|nullable)\d{0,2}(?:\(.*\)| with.*)?)?$/i;
/** A sentence alone in its row, and no row in another dialect. */
const SENTENCE = /^\p{L}[^;|\t]*$/u;

/** A row may lack the empty cell that a delimiter at the end of the header stands for. */
const isShortEnd = (cells: readonly string[], header: readonly string[]): boolean =>
  cells.length === header.length - 1 && header.at(-1) === '';

const hint = (cells: readonly string[]): string =>
  cells.some((cell) => /^\d{3}$/.test(cell)) ? '; a number with a comma in it must be in quotes' : '';

function readCode(text: string): string | undefined {
  const code = codeOf(text);
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

const isId = (word: string): boolean => /^(?:id|ids|uuid|guid|nsu|rrn|tid|reference|referencia)$/.test(word);

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

async function finish(source: Source, table: Table, pass: Pass, options: ReadOptions): Promise<ReadFile> {
  const { state, words, statuses, codes } = pass;
  const { columns } = table;
  const unknown = [...words].filter(([, { status }]) => status === undefined);
  const problems = await located(
    source,
    table,
    state.problems,
    unknown.map(([word, { rows }]) => ({ word, rows })),
  );
  if (state.skipped > 0 && options.skipBadRows !== true) throw new Error(refusal(source.name, problems, state.skipped));
  if (state.rows === 0)
    throw new Error(`${source.name}: has no ${state.skipped > 0 ? 'good row' : 'rows under its header'}`);
  if (options.cumulative) for (const tally of [statuses, codes]) toDifferences(tally);
  const numbers = [
    ...state.twice.numbers,
    ...state.never.numbers,
    ...(state.totals.rows > 0 ? [state.totals.number] : []),
  ];
  const lines =
    numbers.length === 0 ? new Map<number, number>() : await linesOf(source, table.delimiter, new Set(numbers));
  const withLines = ({ rows, numbers: own, time }: (typeof state)['twice']) => ({
    rows,
    time,
    lines: own.map((number) => lines.get(number) ?? 0),
  });
  return {
    name: source.name,
    rows: state.rows,
    skipped: state.skipped,
    problems,
    recognised: describe(source, table, pass, options),
    ...(statuses.all().length > 0 && { statuses }),
    ...(codes.all().length > 0 && { codes }),
    seen: {
      events: columns.count === undefined && columns.wide.length === 0,
      seconds: state.seconds,
      telling: isSeveral(columns),
      ones: state.ones,
      again: pass.repeats,
      dateOnly: state.dateOnly === true,
      totals: { rows: state.totals.rows, line: lines.get(state.totals.number) ?? 0 },
      twice: withLines(state.twice),
      never: withLines(state.never),
    },
  };
}

/** The problems with their lines; of each unknown status its first row. */
async function located(
  source: Source,
  { columns, delimiter, before }: Table,
  problems: (Problem & { number: number })[],
  unknown: { word: string; rows: number }[],
): Promise<Problem[]> {
  if (problems.length === 0 && unknown.length === 0) return [];
  const all = [...problems];
  const missing = new Map(unknown.map(({ word, rows }) => [word, rows]));
  const { status: column } = columns;
  if (column !== undefined && missing.size > 0)
    await eachRecord(source, delimiter, (cells, number) => {
      const word = cells[column] ?? '';
      const rows = missing.get(word);
      if (rows === undefined || number <= before || cells.length < columns.header.length - 1) return;
      missing.delete(word);
      const message = `is no status that is known (${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'}); say what it means in a file given by --status-map, as in "${word}: denied" or "${word}: ignore"`;
      all.push({ number, line: 0, column: headerText(columns.header, column), value: word, message, rows });
    });
  all.sort((a, b) => a.number - b.number);
  const lines = await linesOf(source, delimiter, new Set(all.map(({ number }) => number)));
  return all.slice(0, MAX_PROBLEMS).map(({ number, ...problem }) => ({ ...problem, line: lines.get(number) ?? 0 }));
}

/** The recognised form of the file, in one line. */
function describe(source: Source, { columns, delimiter, before }: Table, pass: Pass, options: ReadOptions): string {
  const { header, time, status, code, count, wide, dimensions, ignored } = columns;
  const name = (column: number) => JSON.stringify(headerText(header, column));
  const { times, state, words } = pass;
  const zone = options.times?.zone?.name ?? 'UTC';
  const order = times.order === undefined ? '' : `${times.order.replace('-', ' ')}, `;
  const translated = [...words].filter(([word, { status: meant }]) => meant !== undefined && meant !== word);
  const wideNames = wide.map((one) => {
    const meant = one.status ?? one.code ?? '';
    const own = headerText(header, one.column);
    return own === meant ? meant : `${JSON.stringify(own)} as ${meant}`;
  });
  return [
    `${source.name}: ${writtenAs(source, delimiter)}`,
    `time in ${time.map(name).join(' and ')} (${order}${zone} unless it has an offset)`,
    ...(status === undefined ? [] : [`status in ${name(status)}`]),
    ...(code === undefined ? [] : [`auth code in ${name(code)}`]),
    ...(wide.length === 0
      ? []
      : [`a column each: ${wideNames.slice(0, 12).join(', ')}${wide.length > 12 ? ', ...' : ''}`]),
    ...(wide.length > 0
      ? []
      : [count === undefined ? 'no count, each row is one transaction' : `count in ${name(count)}`]),
    ...(pass.decimal() === undefined ? [] : [`decimals after "${pass.decimal()}"`]),
    ...(dimensions.length === 0 ? [] : [`dimensions ${dimensions.map(({ label }) => label).join(', ')}`]),
    ...(translated.length === 0
      ? []
      : [
          `statuses: ${translated
            .slice(0, 12)
            .map(([word, { status: meant }]) => `${JSON.stringify(word)} as ${meant}`)
            .join(', ')}`,
        ]),
    ...(ignored.length === 0 ? [] : [`left aside: ${ignored.map((one) => JSON.stringify(one)).join(', ')}`]),
    ...(before === 0
      ? []
      : before < 0
        ? ['no header']
        : [`${before} ${before === 1 ? 'line' : 'lines'} before the header left out`]),
    ...(state.headersAgain > 0
      ? [`the header is there again ${state.headersAgain} ${state.headersAgain === 1 ? 'time' : 'times'}`]
      : []),
    ...(state.notes > 0 ? [`${state.notes} ${state.notes === 1 ? 'line' : 'lines'} of notes left out`] : []),
    ...(state.empty > 0 ? [`${state.empty.toLocaleString('en-US')} empty cells taken for nothing reported`] : []),
    ...(state.ignored > 0 ? [`${state.ignored.toLocaleString('en-US')} rows of ignored statuses left out`] : []),
  ].join('; ');
}
