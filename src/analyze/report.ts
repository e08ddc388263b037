/** A section of a report, from which both the text and the page are made. */
export interface ReportSection {
  /** The page puts its charts after the section of a given id. */
  id: string;
  title: string;
  /** Says what the section shows, and how it is defined. */
  lead?: string;
  tables: ReportTable[];
  /** Sentences under the tables. */
  notes?: string[];
}

export interface ReportTable {
  caption?: string;
  columns: { title: string; number?: boolean }[];
  rows: ReportCell[][];
  /** The text in place of a table without rows. */
  empty?: string;
}

/** `heat` (0 to 1) shades the cell in the page; `tone` gives it a sign. */
export type ReportCell = string | { text: string; heat?: number; tone?: 'bad' | 'low' | 'good' };

export const textOf = (cell: ReportCell): string => (typeof cell === 'string' ? cell : cell.text);

/** The report as a terminal shows it. */
export function renderText(title: string, sections: readonly ReportSection[]): string {
  return [title, ...sections.map(renderSection)].join('\n\n').concat('\n');
}

function renderSection({ title, lead, tables, notes = [] }: ReportSection): string {
  const parts = [
    [title.toUpperCase(), ...(lead === undefined ? [] : [wrap(lead)])].join('\n'),
    ...tables.map(renderTable),
    ...(notes.length > 0 ? [notes.map(wrap).join('\n')] : []),
  ];
  return parts.join('\n\n');
}

function renderTable({ caption, columns, rows, empty = 'None.' }: ReportTable): string {
  const head = caption === undefined ? [] : [`${caption}:`];
  if (rows.length === 0) return [...head, `  ${empty}`].join('\n');
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => textOf(row[index] ?? '').length)),
  );
  const line = (cells: string[]) =>
    `  ${cells.map((cell, index) => (columns[index]?.number ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0))).join('  ')}`.trimEnd();
  return [...head, line(columns.map(({ title }) => title)), ...rows.map((row) => line(row.map(textOf)))].join('\n');
}

const LINE = 110;

/** Breaks a text between words. */
function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > LINE) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}
