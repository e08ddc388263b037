import { esc, type Html } from './escape.ts';

/** The meaning of a cell or badge; a sign stands beside the colour. */
export type Tone = 'bad' | 'low' | 'good' | 'plain';

export interface Column {
  title: string;
  /** Right-aligned, in figures of equal width. */
  number?: boolean;
}

/** Text, which is escaped, or what `cell` and `badge` made. */
export type Cell = string | number | { html: Html; heat?: number };

export interface TableOptions {
  /** Said above the table, and by screen readers. */
  caption?: string;
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  /** Shown instead of a table without rows. */
  empty?: string;
}

/**
 * A table that scrolls sideways by itself on a narrow screen. The first column is the rows'
 * heading.
 */
export function table({ caption, columns, rows, empty = 'None.' }: TableOptions): Html {
  if (rows.length === 0)
    return `${caption === undefined ? '' : `<h3>${esc(caption)}</h3>`}<p class="none">${esc(empty)}</p>`;
  const head = columns.map(({ title, number }) => `<th scope="col"${number ? ' class="n"' : ''}>${esc(title)}</th>`);
  const body = rows.map(
    (cells) => `<tr>${cells.map((cell, index) => renderCell(cell, index, columns[index])).join('')}</tr>`,
  );
  return [
    `<div class="scroll" tabindex="0" role="region" aria-label="${esc(caption ?? 'table')}"><table>`,
    caption === undefined ? '' : `<caption>${esc(caption)}</caption>`,
    `<thead><tr>${head.join('')}</tr></thead><tbody>`,
    body.join('\n'),
    '</tbody></table></div>',
  ].join('\n');
}

/** Longer text is broken into lines; what is shorter stays in one, and the table scrolls. */
const LONG = 32;

function renderCell(cell: Cell, index: number, column: Column | undefined): Html {
  const { html, heat }: { html: Html; heat?: number } = typeof cell === 'object' ? cell : { html: esc(cell) };
  const long = html.replace(/<[^>]*>/g, '').length > LONG;
  const classes = [column?.number ? 'n' : '', heat === undefined ? '' : 'heat', long ? 'long' : ''].filter(Boolean);
  const shade = heat === undefined ? '' : ` style="--heat:${heat.toFixed(2)}"`;
  const attributes = `${classes.length === 0 ? '' : ` class="${classes.join(' ')}"`}${shade}`;
  return index === 0 ? `<th scope="row"${attributes}>${html}</th>` : `<td${attributes}>${html}</td>`;
}

/** A cell shaded by how much it has of something. @param heat 0 to 1 */
export const heatCell = (text: string, heat: number): Cell => ({
  html: esc(text),
  heat: Math.min(1, Math.max(0, heat)),
});

const SIGNS: Record<Tone, string> = { bad: '▲', low: '▼', good: '✓', plain: '' };

/** A word with its sign and colour. */
export const badge = (text: string, tone: Tone): { html: Html } => ({
  html: `<span class="badge ${tone}">${SIGNS[tone] === '' ? '' : `<span aria-hidden="true">${SIGNS[tone]}</span> `}${esc(text)}</span>`,
});

export interface Fact {
  label: string;
  value: string;
  note?: string;
  tone?: Tone;
}

/** The figures to know first, as a row of tiles. */
export const facts = (list: readonly Fact[]): Html =>
  `<dl class="facts">${list
    .map(
      ({ label, value, note, tone = 'plain' }) =>
        `<div class="${tone}"><dt>${esc(label)}</dt><dd><strong>${esc(value)}</strong>${note === undefined ? '' : `<span>${esc(note)}</span>`}</dd></div>`,
    )
    .join('')}</dl>`;

export const paragraph = (text: string): Html => `<p>${esc(text)}</p>`;

/** Lines of plain text, as a terminal shows them, or a file to copy. */
export const code = (text: string): Html =>
  `<div class="scroll" tabindex="0" role="region" aria-label="text to copy"><pre>${esc(text)}</pre></div>`;
