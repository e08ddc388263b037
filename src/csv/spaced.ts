import { statusOf } from '../domain/status-words.ts';
import { rankOf } from './header-names.ts';
import { timeShape } from './times.ts';

/** Turns each line of a text whose cells are parted by spaces into one with a delimiter. */
export interface Spaced {
  /** Who wrote it, for the line that says what was recognised. */
  written?: string;
  /** What stands between the cells of the text, where it is no delimiter. */
  between?: string;
  line: (line: string) => string;
}

const LINES = 100;
/** Lines that must look alike; a title or a footer may be among them. */
const ENOUGH = 0.8;

/** `    116 2026-11-21 13:45,approved`, as `uniq -c` counts lines. */
const COUNTED = /^\s*(\d{1,7}) (\S.*)$/;
/** A time with a space within it, a text in quotes, or a word. */
const CELLS =
  /(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{1,2}[-/ ][a-z]{3}[-/ ]\d{4}|[a-z]{3} {1,2}\d{1,2},? \d{4}) {1,2}\d{1,2}[:h.]\d{2}\S*(?: (?:[ap]\.?m\.?|UTC|GMT|Z|[+-]\d{2}:?\d{2})(?!\S))*|"[^"]*"|\S+/gi;

/**
 * Recognises tables of programs that write no delimiter: `uniq -c`, awk, `sqlite3 -column`, sqlcmd,
 * sqlplus, a printed data frame.
 * @param head the beginning of the text, perhaps cut off
 */
export function spacedBy(head: string): Spaced | undefined {
  const lines = head
    .replace(/^\ufeff/, '')
    .split(/\r?\n|\r/)
    .filter((line) => line.trim() !== '')
    .slice(0, LINES);
  const spans = lines
    .slice(0, MAX_ABOVE)
    .map(spansOf)
    .find((found) => found.length > 0);
  if (spans !== undefined && areMost(lines, (line) => isAligned(line, spans)))
    return { between: 'spaces', line: (line) => cutAt(line, spans) };
  if (lines.some((line) => DRAWN.test(line))) return { line: plainlyDrawn };
  if (areMost(lines, (line) => IN_QUOTES.test(line))) return { line: outOfQuotes };
  const delimiter = [',', ';', '\t', '|', '│'].find((one) => areMost(lines, (line) => line.includes(one)));
  if (areMost(lines, (line) => isCounted(line, delimiter ?? ' '))) return countedLines(lines[0] ?? '', delimiter);
  if (delimiter !== undefined) return undefined;
  const rows = lines.filter((line) => !isRule(line.trim().split(/\s+/)));
  if (!areMost(rows, isSpacedRow)) return undefined;
  return { between: 'spaces', line: spacedCells(rows) };
}

/** Titles and pages that may stand above the line under the header. */
const MAX_ABOVE = 10;

/** The columns where cells begin, by the line under the header: `------- ----- ---`. */
const spansOf = (line: string): number[] =>
  /^\s*-{2,}(?: +-+)+\s*$/.test(line) ? [...line.matchAll(/-+/g)].map(({ index }) => index) : [];

/** False where text runs across the columns, as titles and footers do. */
const isAligned = (line: string, spans: readonly number[]): boolean =>
  spans.every((start) => start === 0 || !/\S/.test(line[start - 1] ?? ' '));

const cutAt = (line: string, spans: readonly number[]): string =>
  isAligned(line, spans) ? spans.map((start, at) => line.slice(start, spans[at + 1]).trim()).join('\t') : line;

/** Other lines between cells than `│`, and names in the upper edge, as ClickHouse draws them. */
const DRAWN = /^(?:\s*┌─.*\p{L}.*┐|│.*┆.*│|┃.*┃)\s*$/u;
const plainlyDrawn = (line: string): string =>
  (/^\s*┌─.*\p{L}/u.test(line) ? line.trimStart().replaceAll(/[┌┬┐]/g, '│').replaceAll('─', '') : line)
    // ClickHouse numbers its rows.
    .replace(/^\s*\d+\. (?=│)/, '')
    .replaceAll(/[┆┃]/g, '│');

/** A whole row as one cell, as spreadsheets save what they did not part: `"time,status,count"`. */
const IN_QUOTES = /^"((?:[^"]|"")*[,;\t|](?:[^"]|"")*)"[,;\t]*\r?$/;
const outOfQuotes = (line: string): string => IN_QUOTES.exec(line)?.[1]?.replaceAll('""', '"') ?? line;

const areMost = (lines: readonly string[], is: (line: string) => boolean): boolean =>
  lines.length > 0 && lines.filter(is).length >= lines.length * ENOUGH;

const isTime = (cell: string): boolean => timeShape(cell.replace(/^"(.*)"$/, '$1')) !== 'none';

function isCounted(line: string, delimiter: string): boolean {
  const rest = COUNTED.exec(line)?.[2];
  if (rest === undefined) return false;
  const cells = delimiter === ' ' ? cellsOf(rest) : rest.split(delimiter);
  const first = cells[0] ?? '';
  // A date such as `12 Jul 2026` begins with a number and a space too.
  return isTime(first) || (statusOf(first) !== undefined && cells.slice(1).some(isTime));
}

const cellsOf = (line: string): string[] => (line.match(CELLS) ?? []).map((cell) => cell.replace(/(?<=\S)[:,]$/, ''));
const isSpacedRow = (line: string): boolean => cellsOf(line).length > 1 && cellsOf(line).some(isTime);

function countedLines(first: string, delimiter: string | undefined): Spaced {
  const header = COUNTED.exec(first)?.[2] ?? '';
  const names = delimiter === undefined ? header.split(' ') : header.split(delimiter);
  const hasHeader = names.some((name) => rankOf(name, 'time') !== undefined);
  return {
    written: 'counted by uniq -c',
    ...(delimiter === undefined && { between: 'spaces' }),
    line: (line) => {
      const [, count, counted] = COUNTED.exec(line) ?? [];
      if (count === undefined || counted === undefined) return line;
      const cells = delimiter === undefined ? cellsOf(counted) : [counted];
      return [hasHeader && counted === header ? 'count' : count, ...cells].join(delimiter ?? '\t');
    },
  };
}

/** Date and clock make one cell, unless the header has a name for each. */
function spacedCells(rows: readonly string[]): Spaced['line'] {
  const [header = '', row = ''] = rows;
  const apart = (line: string) => line.match(/"[^"]*"|\S+/g) ?? [];
  const areApart = !isSpacedRow(header) && apart(header).length === apart(row).length;
  return (line) => (areApart ? apart(line) : cellsOf(line)).join('\t');
}

/** A line that only draws: `----+-----`, `+---+---+`, `|---|:--:|`. */
export const isRule = (cells: readonly string[]): boolean =>
  cells.some((cell) => /^(?:[-+=:]|[─-╿]){3,}$/.test(cell)) && cells.every((cell) => /^[-+=:| ─-╿]*$/.test(cell));

/** Rewrites a text line by line. */
export async function* eachLine(
  bytes: AsyncIterable<Buffer>,
  rewrite: (line: string) => string,
): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield Buffer.from(`${lines.map(rewrite).join('\n')}\n`);
  }
  rest += decoder.decode();
  if (rest !== '') yield Buffer.from(rewrite(rest));
}
