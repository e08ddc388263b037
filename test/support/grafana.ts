import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AnyPanel, CheckedDashboard, PromQuery } from '../../grafana/source/schema.ts';

export const DASHBOARDS = fileURLToPath(new URL('../../grafana/dashboards', import.meta.url));

/** The dashboards as they are checked in, by file. */
export async function committedDashboards(): Promise<Map<string, CheckedDashboard>> {
  const read = async (file: string) => [file, JSON.parse(await readFile(join(DASHBOARDS, file), 'utf8'))] as const;
  return new Map(await Promise.all((await readdir(DASHBOARDS)).map(read)));
}

export const panelsOf = (dashboard: CheckedDashboard): AnyPanel[] =>
  dashboard.panels.filter((panel): panel is AnyPanel => panel.type !== 'row');

export const variablesOf = (dashboard: CheckedDashboard) => dashboard.templating.list;

/** The queries of a dashboard's panels and annotations. */
export const queriesOf = (dashboard: CheckedDashboard): { where: string; query: PromQuery }[] => [
  ...panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    targets.map((query) => ({ where: `${title} ${query.refId}`, query })),
  ),
  ...dashboard.annotations.list.flatMap(({ name, target }) =>
    target === undefined ? [] : [{ where: `annotation ${name}`, query: target }],
  ),
];

/** The values that Grafana puts into a query before it sends it to Prometheus. */
export interface Interpolation {
  /** A variable's chosen values; a string is sent as it is, as is a custom "all" value. */
  values: Readonly<Record<string, string | readonly string[]>>;
  /** Seconds. */
  range: number;
  step: number;
  /** Seconds between samples, as the data source or the query says. */
  scrape: number;
}

const MATCHING = /[\\$^*{}[\]'+?.()|]/g;

/**
 * The text for a variable with several values, or All. Each value is escaped for a regular
 * expression in a PromQL string; several are joined.
 */
function asRegex(values: readonly string[]): string {
  const escaped = values.map((value) => value.replace(MATCHING, '\\\\$&'));
  return escaped.length === 1 ? (escaped[0] ?? '') : `(${escaped.join('|')})`;
}

/** @throws when the query names a variable that is not there */
export function interpolate(query: string, { values, range, step, scrape }: Interpolation): string {
  const builtIn: Record<string, string> = {
    __range: `${range}s`,
    __interval: `${step}s`,
    __rate_interval: `${Math.max(step + scrape, 4 * scrape)}s`,
  };
  return query.replaceAll(/\$\{(\w+)\}|\$([a-z_]\w*)/g, (_, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? '';
    const value = builtIn[name] ?? values[name];
    if (value === undefined) throw new Error(`$${name} is no variable of this dashboard: ${query}`);
    return typeof value === 'string' ? value : asRegex(value);
  });
}

export const seconds = (duration: string): number => {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  return Number(count) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? Number.NaN);
};
