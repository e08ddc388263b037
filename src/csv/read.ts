import { nearStatus, wordKey } from '../domain/status-words.ts';
import { utcMinute } from '../domain/times.ts';
import type { Columns } from './columns.ts';
import { bothNumbers, createNumberEvidence } from './counts.ts';
import { describe } from './describe.ts';
import { headerText } from './header-names.ts';
import { TOTALS } from './no-rows.ts';
import { createPass, type Pass, Synonyms, Undecided } from './pass.ts';
import { MAX_PROBLEMS, type Problem, refusal } from './problems.ts';
import type { Formats, ReadOptions } from './read-options.ts';
import { eachRecord, firstRecords, linesOf } from './records.ts';
import type { Repeats } from './repeats.ts';
import type { Source } from './source.ts';
import { recognise, type Table } from './table.ts';
import { type Tally, toDifferences } from './tally.ts';
import { isOffsetName, timeText, zoneAbove, zoneIn } from './time-columns.ts';
import { bothReadings, type DateOrder, orderShownBy, readTime, type TimeOptions } from './times.ts';
import type { Totals } from './total-rows.ts';

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
  /** Two words of a column whose rows count the same in each minute. */
  twins?: { column: string; cells: [string, string] };
  /** Each count is 1: rows of transactions, of which two may look alike. */
  ones: boolean;
  dateOnly: boolean;
  /** Rows of totals, the line of the last one, and what tells that they are sums of others. */
  totals: { rows: number; line: number; cells: string[] };
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

/**
 * The zone of times without an offset, if nobody said it: the one that the header names, or a line
 * above it.
 */
function inZoneOf({ name, head }: Source, { columns, before, delimiter }: Table, { times }: ReadOptions): TimeOptions {
  if (times?.zone !== undefined) return times;
  const named = [
    ...columns.time.map((column) => ({ text: headerText(columns.header, column), zone: zoneIn, line: before + 1 })),
    ...firstRecords(head, delimiter, Math.max(0, before)).map((cells, at) => ({
      text: cells.filter((cell) => cell !== '').join(' '),
      zone: zoneAbove,
      line: at + 1,
    })),
    ...columns.telling
      .map((column) => headerText(columns.header, column))
      .filter(isOffsetName)
      .map((text) => ({
        text,
        zone: () => 'holds offsets that are not understood; say the zone with --timezone',
        line: before + 1,
      })),
  ];
  for (const { text, zone: zoneOf, line } of named) {
    const zone = zoneOf(text);
    if (typeof zone === 'string')
      return { ...times, refuseLocal: `${name}: line ${line}: ${JSON.stringify(text)} ${zone}` };
    if (zone !== undefined) return { ...times, zone };
  }
  return times ?? {};
}

/** The zone that a note under the header or the table names. */
function zoneOfNote({ name }: Source, note: string): TimeOptions {
  const zone = zoneAbove(note);
  return typeof zone === 'object' ? { zone } : { refuseLocal: `${name}: the note ${JSON.stringify(note)} ${zone}` };
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
    } catch (stop) {
      if (stop instanceof Synonyms) formats.several = true;
      else if (stop instanceof Undecided) Object.assign(formats, await decide(source, table, stop));
      else throw stop;
      continue;
    }
    const nights = formats.nights ?? pass.nights.verdict();
    if (typeof nights === 'object') throw new Error(await nightsHelp(source, table, nights.number));
    if (nights === 'one-day' && formats.nights === undefined) {
      formats.nights = nights;
      continue;
    }
    const { zone: note } = pass.noRows;
    if (note !== undefined && options.times?.zone === undefined && options.times?.refuseLocal === undefined) {
      options.times = { ...options.times, ...zoneOfNote(source, note) };
      continue;
    }
    const { local, offset } = pass.state;
    if (options.times?.zone === undefined && local !== undefined && offset !== undefined)
      throw new Error(await offsetHelp(source, table, local, offset));
    const totals = formats.totals === undefined ? pass.totalRows.found() : undefined;
    if (totals === undefined) return finish(source, table, pass, options, formats.totals);
    formats.totals = totals;
  }
}

type Numbered = { number: number; text: string };

/** Says how a time without an offset may be read, where others have one. */
async function offsetHelp(source: Source, { delimiter }: Table, local: Numbered, other: Numbered): Promise<string> {
  const lines = await linesOf(source, delimiter, new Set([local.number, other.number]));
  const known = readTime(other.text, {});
  const minutes = typeof known === 'object' ? (known.offset ?? 0) : 0;
  const offset = `${minutes < 0 ? '-' : '+'}${hoursAndMinutes(Math.abs(minutes))}`;
  const read = readTime(local.text, {});
  const readings =
    typeof read === 'object'
      ? ` may be ${utcMinute(read.minute * 60)} UTC or, as at ${offset}, ${utcMinute((read.minute - minutes) * 60)} UTC`
      : ' may be UTC or not';
  return (
    `${source.name}: line ${lines.get(local.number)}: ${JSON.stringify(local.text)} has no offset, and${readings}; line ${lines.get(other.number)} has one: ` +
    `${JSON.stringify(other.text)}. Export all times with their offset, or say the zone of those without by --timezone UTC or --timezone ${offset}`
  );
}

const hoursAndMinutes = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

async function nightsHelp({ name, ...source }: Source, { delimiter }: Table, number: number): Promise<string> {
  const line = (await linesOf({ name, ...source }, delimiter, new Set([number]))).get(number);
  return (
    `${name}: line ${line}: the time of day falls, so the rows may go past midnight to the day after --date, or all be of that day in no order: ` +
    'export times with their day, or give a file for each day, sorted by time'
  );
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

async function finish(
  source: Source,
  table: Table,
  pass: Pass,
  options: ReadOptions,
  summed?: Totals,
): Promise<ReadFile> {
  const { state, noRows, words, statuses, codes } = pass;
  const { columns } = table;
  const stages = pass.stages.found();
  if (stages !== undefined && !stages.every((word) => options.statusWords?.has(wordKey(word))))
    throw new Error(stagesHelp(source, table, stages));
  const unknown = [...words].filter(([word, { status }]) => status === undefined && !TOTALS.test(word));
  const problems = await located(
    source,
    table,
    state.problems,
    unknown.map(([word, { rows }]) => ({ word, rows })),
  );
  if (state.skipped > 0 && options.skipBadRows !== true) throw new Error(refusal(source.name, problems, state.skipped));
  if (state.rows === 0)
    throw new Error(`${source.name}: has no ${state.skipped > 0 ? 'good row' : 'rows under its header'}`);
  if (pass.sameTotals.rows > 0) throw new Error(sameTotalsHelp(source, columns, pass.sameTotals));
  if (options.cumulative) for (const tally of [statuses, codes]) toDifferences(tally);
  const numbers = [
    ...state.twice.numbers,
    ...state.never.numbers,
    ...(noRows.totals.rows > 0 ? [noRows.totals.number] : []),
  ];
  const lines =
    numbers.length === 0 ? new Map<number, number>() : await linesOf(source, table.delimiter, new Set(numbers));
  const twins = pass.totalRows.twins();
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
      telling: pass.several,
      ones: state.ones,
      again: pass.repeats,
      ...(twins && { twins: { column: headerText(columns.header, twins.column), cells: twins.cells } }),
      dateOnly: state.dateOnly === true,
      totals: {
        rows: noRows.totals.rows,
        line: lines.get(noRows.totals.number) ?? 0,
        cells: (summed?.cells ?? []).map(
          ({ column, cell }) => `${JSON.stringify(cell)} in ${JSON.stringify(headerText(columns.header, column))}`,
        ),
      },
      twice: withLines(state.twice),
      never: withLines(state.never),
    },
  };
}

const stagesHelp = ({ name }: Source, { before }: Table, stages: readonly string[]): string =>
  `${name}: line ${before + 1}: a transaction has several rows of one status (${stages.map((word) => JSON.stringify(word)).join(', ')}), ` +
  `and each would be counted: leave out all but one by a file given by --status-map, with lines such as "${stages[1]}: ignore"`;

/** Several counters in one file: each grows, and begins anew, by itself. */
function sameTotalsHelp({ name }: Source, { header, telling }: Columns, { minutes }: Repeats): string {
  const [apart] = telling.map((column) => headerText(header, column));
  return (
    `${name}: several totals are of one time and status (or code), first at ${utcMinute((minutes[0] ?? 0) * 60)}: export what each minute added to ` +
    `them together, as sum by (status) (increase(...[1m])) gives${apart === undefined ? '' : `, or pass --dimensions ${apart} if it tells them apart`}`
  );
}

const rowsOf = (rows: number): string => `${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'}`;
const unknownStatus = (word: string, rows: number): string =>
  `is no status that is known (${rowsOf(rows)}); say what it means in a file given by --status-map, as in "${word}: ${nearStatus(word) ?? 'denied'}" or "${word}: ignore"`;
const emptyStatus = (rows: number): string =>
  `is empty (${rowsOf(rows)}); give each row a status. If these are subtotals, as ROLLUP writes them, leave them out by a file given by --status-map with the line "": ignore`;

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
      const message = word === '' ? emptyStatus(rows) : unknownStatus(word, rows);
      all.push({ number, line: 0, column: headerText(columns.header, column), value: word, message, rows });
    });
  all.sort((a, b) => a.number - b.number);
  const lines = await linesOf(source, delimiter, new Set(all.map(({ number }) => number)));
  return all.slice(0, MAX_PROBLEMS).map(({ number, ...problem }) => ({ ...problem, line: lines.get(number) ?? 0 }));
}
