import type { ColumnsAsked } from './asked-columns.ts';

/** A header and the first rows under it. */
export interface Sampled {
  header: readonly string[];
  sample: readonly string[][];
  /** True for a column that may still be taken. */
  free: (column: number) => boolean;
  asked: ColumnsAsked;
}

export const cellsOf = ({ sample }: Pick<Sampled, 'sample'>, column: number): string[] =>
  sample.map((cells) => cells[column] ?? '').filter((cell) => cell !== '');

export const shareOf = (cells: readonly string[], is: (cell: string) => boolean): number =>
  cells.length === 0 ? 1 : cells.filter(is).length / cells.length;

/** The column of which something is true, if it is true of one alone. */
export function onlyOne(header: readonly string[], is: (column: number) => boolean): number | undefined {
  const columns = header.map((_, column) => column).filter(is);
  return columns.length === 1 ? columns[0] : undefined;
}

/** The first of those that score best. */
export function bestBy(columns: readonly number[], score: (column: number) => number): number | undefined {
  const scores = columns.map(score);
  return columns[scores.indexOf(Math.max(...scores))];
}
