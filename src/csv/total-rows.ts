import { NOTHING, TOTALS } from './no-rows.ts';

/** Rows that are sums of other rows of their minute. */
export interface Totals {
  /** Their cells, as a message names them: the column and the word in it. */
  cells: readonly { column: number; cell: string }[];
  isTotal: (cells: readonly string[]) => boolean;
}

/**
 * Finds rows that are sums of others: those of `ALL` or of nothing that ROLLUP and CUBE add, those of
 * a group beside its members, and those of a status beside its reasons.
 */
export interface TotalRows {
  /** @param key what is counted, such as a status */
  take: (cells: readonly string[], minute: number, key: string, count: number) => void;
  found: () => Totals | undefined;
  /** Two values of a column whose rows count the same in each minute, as those of replicas do. */
  twins: () => { column: number; cells: [string, string] } | undefined;
}

/** Rows that have the same cells beside their time. Sums are weighted. */
interface Group {
  cells: readonly string[];
  rows: number;
  filled: number;
  counts: Set<number>;
  sums: Map<string, number>;
}

/** Fewer rows may add up to others by chance: those that a name or others tell for totals, and all others. */
const MIN_SURE = 10;
const MIN_ROWS = 20;
const MIN_COUNTS = 4;
/** A column with more values tells nothing of groups. */
const MAX_VALUES = 100;
const MAX_GROUPS = 20_000;
/** Among so many values any sum of others is sought; among more, the sum of all others. */
const MAX_SUMMED = 12;
const OTHER = '\x01';

/** @param columns that tell apart rows of one minute, that of statuses among them */
export function createTotalRows(columns: readonly number[]): TotalRows {
  const groups = new Map<string, Group>();
  const values = columns.map(() => new Set<string>());
  // Two sums may be equal by chance. Weights for minutes leave only totals that are equal in each.
  const weightOf = (minute: number): number => ((minute * 40_503) % 997) + 1;
  /** A cell, or what stands for all cells of a column that has too many. */
  const known = (cell: string, at: number): string => {
    const own = values[at] as Set<string>;
    if (own.has(cell) || mayBeTotal(cell)) return cell;
    if (own.size > MAX_VALUES) return OTHER;
    own.add(cell);
    return cell;
  };
  const cellsOf = (cells: readonly string[]) => columns.map((column, at) => known(cells[column] ?? '', at));

  return {
    take: (cells, minute, key, count) => {
      const own = cellsOf(cells);
      const address = own.join('\0');
      const group = groups.get(address) ?? { cells: own, rows: 0, filled: 0, counts: new Set(), sums: new Map() };
      if (groups.size > MAX_GROUPS) return;
      groups.set(address, group);
      group.rows++;
      if (count > 0) {
        group.filled++;
        if (group.counts.size < MIN_COUNTS) group.counts.add(count);
      }
      group.sums.set(key, (group.sums.get(key) ?? 0) + count * weightOf(minute));
    },
    found: () => {
      if (groups.size > MAX_GROUPS) return undefined;
      const left = new Set(groups.values());
      const said: { at: number; cell: string }[] = [];
      for (let total = nextTotal(left, columns.length, []); total; total = nextTotal(left, columns.length, said)) {
        said.push(total);
        for (const group of total.groups) left.delete(group);
      }
      if (said.length === 0) return undefined;
      const kept = new Set([...left].map(({ cells }) => cells.join('\0')));
      return {
        cells: said.map(({ at, cell }) => ({ column: columns[at] ?? 0, cell })),
        isTotal: (cells) => !kept.has(cellsOf(cells).join('\0')),
      };
    },
    twins: () => {
      const all = groups.size > MAX_GROUPS ? [] : [...groups.values()];
      // Two breakdowns of the same counts, by acquirer and by brand, are twins whatever is beside them.
      const twinsOf = (at: number) =>
        [othersThan(at, columns.length), []].flatMap((beside) => twinsIn(all, at, beside));
      return columns.flatMap((column, at) => twinsOf(at).map((cells) => ({ column, cells })))[0];
    },
  };
}

function twinsIn(groups: readonly Group[], at: number, beside: readonly number[]): [string, string][] {
  const sums = sumsOf(groups, at, beside);
  const cells = [...sums.keys()].slice(0, MAX_SUMMED);
  const isSame = (one: string, other: string) => {
    const [ofOne = NO_SUMS, ofOther = NO_SUMS] = [sums.get(one), sums.get(other)];
    return ofOne.size === ofOther.size && [...ofOne].every(([key, sum]) => ofOther.get(key) === sum);
  };
  return cells
    .flatMap((one, place) => cells.slice(place + 1).map((other): [string, string] => [one, other]))
    .filter(
      ([one, other]) =>
        isSame(one, other) &&
        isEnough(
          groups.filter((group) => group.cells[at] === one),
          false,
        ),
    );
}

/**
 * A value of a column whose rows are sums of others. Those that are named so come first.
 * @param said those that are known: where a column has some for sure, others need no more rows than
 *   those with names
 */
function nextTotal(groups: ReadonlySet<Group>, columns: number, said: readonly { at: number }[]) {
  for (const isNamed of [true, false])
    for (let at = 0; at < columns; at++)
      for (const beside of setsBeside(at, columns)) {
        const sums = sumsOf(groups, at, beside);
        for (const cell of sums.keys()) {
          if (cell === OTHER || mayBeTotal(cell) !== isNamed) continue;
          const isSure = isNamed || said.some((known) => known.at === at);
          for (const keys of keysSummed(sums, cell, isNamed ? 1 : 2)) {
            const total = [...groups].filter(
              (group) => group.cells[at] === cell && keysOf(group, beside).some(([key]) => keys.includes(key)),
            );
            if (isEnough(total, isSure)) return { at, cell, groups: total };
          }
        }
      }
  return undefined;
}

const othersThan = (at: number, columns: number): number[] =>
  Array.from({ length: columns }, (_, column) => column).filter((column) => column !== at);

/** The other columns, all of them first, then some, then none: a total may have nothing in several. */
function setsBeside(at: number, columns: number): number[][] {
  const others = othersThan(at, columns);
  if (others.length > 3) return [others, []];
  return [...setsOf(others)].concat(others.length > 0 ? [[]] : []).sort((a, b) => b.length - a.length);
}

/** What the rows of each value of a column count, by what stands beside it: `denied, acme` is 12. */
type Sums = Map<string, ReadonlyMap<string, number>>;
const NO_SUMS: ReadonlyMap<string, number> = new Map();

function sumsOf(groups: Iterable<Group>, at: number, beside: readonly number[]): Sums {
  const sums = new Map<string, Map<string, number>>();
  for (const group of groups) {
    const cell = group.cells[at] ?? '';
    const own = sums.get(cell) ?? new Map<string, number>();
    sums.set(cell, own);
    for (const [key, sum] of keysOf(group, beside)) own.set(key, (own.get(key) ?? 0) + sum);
  }
  return sums;
}

const keysOf = (group: Group, beside: readonly number[]): [key: string, sum: number][] => {
  const cells = beside.map((column) => group.cells[column]).join('\0');
  return [...group.sums].map(([key, sum]) => [`${key}\0${cells}`, sum]);
};

/** Where a value is the sum of others: for each set of them the keys, if it is so at each of these. */
function* keysSummed(sums: Sums, cell: string, least: number): Generator<string[]> {
  const own = sums.get(cell) ?? NO_SUMS;
  const others = [...sums].flatMap(([other, counted]) =>
    other !== cell && [...own.keys()].some((key) => (counted.get(key) ?? 0) > 0) ? [counted] : [],
  );
  for (const parts of setsOf(others)) {
    if (parts.length < least) continue;
    const keys = [...own.keys()].filter((key) => parts.some((part) => part.has(key)));
    const sumAt = (key: string) => parts.reduce((sum, part) => sum + (part.get(key) ?? 0), 0);
    if (keys.every((key) => own.get(key) === sumAt(key))) yield keys;
  }
}

const isEnough = (groups: readonly Group[], isSure: boolean): boolean =>
  isSure
    ? groups.reduce((sum, { rows }) => sum + rows, 0) >= MIN_SURE && groups.some(({ filled }) => filled > 0)
    : groups.reduce((sum, { filled }) => sum + filled, 0) >= MIN_ROWS &&
      new Set(groups.flatMap(({ counts }) => [...counts])).size >= MIN_COUNTS;

/** All of them, and where they are few each set of some. */
function* setsOf<T>(all: readonly T[]): Generator<T[]> {
  yield [...all];
  if (all.length > MAX_SUMMED) return;
  for (let set = 1; set < 2 ** all.length - 1; set++) yield all.filter((_, at) => (set >> at) % 2 === 1);
}

/** Words that begin the name of all: `All acquirers`, `(all)`. */
const ALL = /^\W?(?:all|any|overall|total|todos|todas|tous|toutes|alle|tutt[ie])\b/i;

const mayBeTotal = (cell: string): boolean =>
  cell.length <= 20 && (cell === '*' || NOTHING.test(cell) || TOTALS.test(cell) || ALL.test(cell));
