import type { Status } from '../domain/names.ts';
import { statusOf } from '../domain/status-words.ts';
import type { Zone } from '../domain/zone.ts';
import { columnNamed, headerKey, type Role, SYNONYMS } from './header-names.ts';
import type { WideColumn } from './wide-columns.ts';

export interface ColumnsAsked {
  /**
   * `{time: "when", count: "n"}`: role or its synonym -> header, or number of the column from 1 on;
   * `count: ''` for none.
   */
  columns?: Readonly<Record<string, string>>;
  /** Names of columns that become labels, or `all`. */
  dimensions?: readonly string[] | 'all';
  /** True where a file need not have all of them. */
  mayLack?: boolean;
  statusWords?: ReadonlyMap<string, Status | 'ignore'>;
  times?: { zone?: Zone };
}

export interface Chosen {
  time?: number[];
  status?: number;
  code?: number;
  count?: number | 'none';
  wide: WideColumn[];
  taken: Set<number>;
}

/** The columns that the user named with `--columns`. */
export function chosenColumns(header: readonly string[], columns: Readonly<Record<string, string>>): Chosen | string {
  const chosen: Chosen = { wide: [], taken: new Set() };
  for (const [left, right] of Object.entries(columns)) {
    const placed = placeOf(header, left, right);
    if (typeof placed === 'string') return placed;
    const { role, column } = placed;
    if (column === undefined) chosen.count = 'none';
    else if (role === 'time') chosen.time = [...(chosen.time ?? []), column];
    else if (role === 'status' || role === 'code' || role === 'count') chosen[role] = column;
    else chosen.wide.push({ column, ...role, labels: {} });
    if (column !== undefined) chosen.taken.add(column);
  }
  return chosen;
}

type AskedRole = Role | { status: Status } | { code: string };

function placeOf(
  header: readonly string[],
  left: string,
  right: string,
): { role: AskedRole; column?: number } | string {
  const role = roleNamed(left);
  if (role === undefined) {
    // The other way round.
    const swapped = roleNamed(right);
    if (swapped !== undefined && columnNamed(header, left) !== undefined)
      return { role: swapped, column: columnNamed(header, left) ?? 0 };
    return `--columns ${left}=${right}: ${left} is none of time, status, auth_code, count or a status`;
  }
  if (right === '' && role === 'count') return { role };
  const column = columnNamed(header, right);
  return column === undefined ? `--columns ${left}=${right}: there is no column ${right}` : { role, column };
}

function roleNamed(name: string): AskedRole | undefined {
  const key = headerKey(name);
  const role = (Object.keys(SYNONYMS) as Role[]).find((one) => one === key || SYNONYMS[one].includes(key));
  if (role !== undefined) return role;
  const status = statusOf(name);
  return status === undefined ? undefined : { status };
}
