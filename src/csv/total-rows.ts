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
      let address = '';
      for (let at = 0; at < columns.length; at++) address += `${known(cells[columns[at] as number] ?? '', at)}\0`;
      let group = groups.get(address);
      if (group === undefined) {
        if (groups.size > MAX_GROUPS) return;
        group = { cells: cellsOf(cells), rows: 0, filled: 0, counts: new Set(), sums: new Map() };
        groups.set(address, group);
      }
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
      const said: { column: number; cell: string }[] = [];
      for (;;) {
        const total = nextTotal(left, columns.length, new Set(said.map(({ column }) => columns.indexOf(column))));
        if (total === undefined) break;
        said.push({ column: columns[total.at] ?? 0, cell: total.cell });
        for (const group of total.groups) left.delete(group);
      }
      if (said.length === 0) return undefined;
      const kept = new Set([...left].map(({ cells }) => cells.join('\0')));
      return { cells: said, isTotal: (cells) => !kept.has(cellsOf(cells).join('\0')) };
    },
    twins: () => {
      for (const [at, column] of columns.entries()) {
        const cells = groups.size > MAX_GROUPS ? undefined : twinsOf(new Set(groups.values()), columns.length, at);
        if (cells !== undefined) return { column, cells };
      }
      return undefined;
    },
  };
}

function twinsOf(groups: ReadonlySet<Group>, columns: number, at: number): [string, string] | undefined {
  const scopes = scopesOf(groups, at, partsOf(columns, at)[0] ?? []);
  const cells = [...new Set([...groups].map((group) => group.cells[at] ?? ''))].slice(0, MAX_SUMMED);
  for (const one of cells)
    for (const other of cells.slice(cells.indexOf(one) + 1)) {
      const isSame = scopes.every((scope) => scope.get(one)?.sum === scope.get(other)?.sum);
      const own = scopes.flatMap((scope) => scope.get(one)?.groups ?? []);
      if (isSame && isEnough(own, false)) return [one, other];
    }
  return undefined;
}

interface Total {
  at: number;
  cell: string;
  groups: Group[];
}

/**
 * A value of a column whose rows are sums of others. Those that are named so come first.
 * @param sure columns that have some for sure, so that others need no more rows than those with names
 */
function nextTotal(groups: ReadonlySet<Group>, columns: number, sure: ReadonlySet<number>): Total | undefined {
  for (const isNamed of [true, false])
    for (let at = 0; at < columns; at++)
      for (const beside of partsOf(columns, at)) {
        const scopes = scopesOf(groups, at, beside);
        const cells = [...new Set([...groups].map((group) => group.cells[at] ?? ''))].filter((cell) => cell !== OTHER);
        for (const cell of cells) {
          if (mayBeTotal(cell) !== isNamed) continue;
          const found = sumsOfOthers(scopes, cell, isNamed, isNamed || sure.has(at));
          if (found !== undefined) return { at, cell, groups: found };
        }
      }
  return undefined;
}

/** The other columns, all of them first, then some, then none: a total may have nothing in several. */
function partsOf(columns: number, at: number): number[][] {
  const others = Array.from({ length: columns }, (_, column) => column).filter((column) => column !== at);
  if (others.length > 3) return [others, []];
  const parts = others.reduce<number[][]>((all, column) => all.flatMap((part) => [[...part, column], part]), [[]]);
  return parts.sort((a, b) => b.length - a.length);
}

/** What rows with the same cells beside a column count, by the cell in it. */
type Scope = Map<string, { sum: number; groups: Group[] }>;

function scopesOf(groups: ReadonlySet<Group>, at: number, beside: readonly number[]): Scope[] {
  const scopes = new Map<string, Scope>();
  for (const group of groups)
    for (const [key, sum] of group.sums) {
      const address = `${key}\0${beside.map((column) => group.cells[column]).join('\0')}`;
      const scope = scopes.get(address) ?? new Map();
      scopes.set(address, scope);
      const cell = group.cells[at] ?? '';
      const own = scope.get(cell) ?? { sum: 0, groups: [] };
      scope.set(cell, own);
      own.sum += sum;
      own.groups.push(group);
    }
  return [...scopes.values()];
}

/** The groups of a cell that are the sum of others wherever there are others. */
function sumsOfOthers(scopes: readonly Scope[], cell: string, isNamed: boolean, isSure: boolean): Group[] | undefined {
  const own = scopes.filter((scope) => scope.has(cell));
  const others = [...new Set(own.flatMap((scope) => [...scope.keys()]))].filter(
    (other) => other !== cell && own.some((scope) => (scope.get(other)?.sum ?? 0) > 0),
  );
  const least = isNamed ? 1 : 2;
  if (others.length < least) return undefined;
  for (const parts of setsOf(others)) {
    if (parts.length < least) continue;
    const summed = own.filter((scope) => parts.some((part) => scope.has(part)));
    const isSum = summed.every(
      (scope) => scope.get(cell)?.sum === parts.reduce((sum, part) => sum + (scope.get(part)?.sum ?? 0), 0),
    );
    if (!isSum) continue;
    const groups = [...new Set(summed.flatMap((scope) => scope.get(cell)?.groups ?? []))];
    if (isEnough(groups, isSure)) return groups;
  }
  return undefined;
}

const isEnough = (groups: readonly Group[], isSure: boolean): boolean =>
  isSure
    ? groups.reduce((sum, { rows }) => sum + rows, 0) >= MIN_SURE && groups.some(({ filled }) => filled > 0)
    : groups.reduce((sum, { filled }) => sum + filled, 0) >= MIN_ROWS &&
      new Set(groups.flatMap(({ counts }) => [...counts])).size >= MIN_COUNTS;

/** All of them, and where they are few each part of them. */
function* setsOf(others: readonly string[]): Generator<readonly string[]> {
  yield others;
  if (others.length > MAX_SUMMED) return;
  for (let set = 1; set < 2 ** others.length - 1; set++) yield others.filter((_, at) => (set >> at) % 2 === 1);
}

/** Words that begin the name of all: `All acquirers`, `(all)`. */
const ALL = /^\W?(?:all|any|overall|total|todos|todas|tous|toutes|alle|tutt[ie])\b/i;

const mayBeTotal = (cell: string): boolean =>
  cell.length <= 20 && (cell === '*' || NOTHING.test(cell) || TOTALS.test(cell) || ALL.test(cell));
