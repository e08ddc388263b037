import type { ColumnsAsked } from './asked-columns.ts';
import { columnNamed } from './header-names.ts';
import type { WideColumn } from './wide-columns.ts';

/** A column whose cells become a label. */
export interface Dimension {
  label: string;
  column: number;
}

/** Labels that Prometheus, the rules or the counters themselves use. */
const RESERVED = [
  'status',
  'auth_code',
  'job',
  'instance',
  'window',
  'level',
  'service',
  'severity',
  'alertname',
  'signal',
  'le',
  'quantile',
  'source',
];

export function dimensionsOf(
  header: readonly string[],
  others: readonly number[],
  isIndex: (column: number) => boolean,
  { dimensions: asked = [], mayLack = false }: ColumnsAsked,
  wide: readonly WideColumn[],
): readonly Dimension[] | string {
  if (asked === 'all')
    return others
      .filter((column) => !isIndex(column))
      .map((column) => ({ label: labelFor(header[column] ?? ''), column }));
  const dimensions: Dimension[] = [];
  for (const name of asked) {
    const column = columnNamed(header, name);
    const label = mayLack ? name : labelFor(name);
    if (RESERVED.includes(label)) return `--dimensions ${name}: ${label} is a label that the rules need themselves`;
    if (column === undefined && wide.some(({ labels }) => Object.hasOwn(labels, label))) continue;
    const isThere = column !== undefined && others.includes(column);
    if (!isThere && mayLack) continue;
    if (!isThere) return `--dimensions ${name}: there is no ${column === undefined ? '' : 'other '}column ${name}`;
    dimensions.push({ label, column });
  }
  return dimensions;
}

/** The columns with those of their labels alone that were asked for. */
export const withAsked = (wide: readonly WideColumn[], asked: readonly string[] | 'all'): WideColumn[] =>
  wide.map((one) => ({
    ...one,
    labels: Object.fromEntries(
      Object.entries(one.labels).filter(([label]) =>
        asked === 'all' ? !RESERVED.includes(label) : asked.some((name) => labelFor(name) === label),
      ),
    ),
  }));

/** A header as a label of Prometheus: `Card brand` is `card_brand`. */
function labelFor(name: string): string {
  const label = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .trim()
    .replaceAll(/[^a-zA-Z0-9_]+/g, '_')
    .toLowerCase();
  return /^[a-z_]/.test(label) ? label : `_${label}`;
}
