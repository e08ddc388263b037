import { NOTHING, TOTALS } from './no-rows.ts';

/** A cell of a column that stands for all other values of it. */
export interface TotalCell {
  column: number;
  cell: string;
}

/** Finds rows that ROLLUP or CUBE added: `ALL`, or nothing, in place of an acquirer. */
export interface TotalRows {
  /** @param key what is counted, such as a status */
  take: (cells: readonly string[], minute: number, key: string, count: number) => void;
  found: () => TotalCell[];
}

/** Fewer rows may add up to the others by chance. */
const MIN_ROWS = 10;
/** A total is as much as all other rows. With subtotals it is half or twice as much as they are. */
const RATIOS = [1, 2, 0.5];

/** @param columns that tell apart rows of one minute */
export function createTotalRows(columns: readonly number[]): TotalRows {
  const all = new Map<string, number>();
  const seen = new Map<string, TotalCell & { rows: number; sums: Map<string, number> }>();
  let rows = 0;
  // Two sums may be equal by chance. Weights for minutes leave only totals that are equal in each.
  const weightOf = (minute: number): number => ((minute * 40_503) % 997) + 1;
  return {
    take: (cells, minute, key, count) => {
      if (columns.length === 0) return;
      const weighted = count * weightOf(minute);
      rows++;
      all.set(key, (all.get(key) ?? 0) + weighted);
      for (const column of columns) {
        const cell = cells[column] ?? '';
        if (cell.length > 20 || !mayBeTotal(cell)) continue;
        const address = `${column} ${cell}`;
        const one = seen.get(address) ?? { column, cell, rows: 0, sums: new Map() };
        seen.set(address, one);
        one.rows++;
        one.sums.set(key, (one.sums.get(key) ?? 0) + weighted);
      }
    },
    found: () =>
      [...seen.values()].filter(({ rows: own, sums }) => {
        const counted = [...sums].filter(([, sum]) => sum > 0);
        const ratios = counted.map(([key, sum]) => sum / ((all.get(key) ?? 0) - sum));
        const [first = Number.NaN] = ratios;
        return (
          own >= MIN_ROWS && rows - own >= own && RATIOS.includes(first) && ratios.every((ratio) => ratio === first)
        );
      }),
  };
}

/** Words that begin the name of all: `All acquirers`, `(all)`. */
const ALL = /^\W?(?:all|any|overall|total|todos|todas|tous|toutes|alle|tutt[ie])\b/i;

const mayBeTotal = (cell: string): boolean =>
  cell === '' || cell === '*' || NOTHING.test(cell) || TOTALS.test(cell) || ALL.test(cell);
