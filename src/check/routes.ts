import type { Problem } from '../runtime/file-problem.ts';
import { itemsAt, lineOf, parseYaml, readYaml, type YamlFile } from '../runtime/yaml-file.ts';
import { runTool } from './tool.ts';

interface Row {
  name?: unknown;
  labels?: unknown;
  receivers?: unknown;
}

interface Route {
  receiver?: string;
  routes?: Route[];
}

/**
 * Holds the routes of a configuration to the table of label sets and receivers (routes.test.yml).
 */
export async function checkRoutes(amtool: string, table: string, config: YamlFile): Promise<Problem[]> {
  const file = await readYaml(table);
  if (file.problems.length > 0) return file.problems;
  const routed = routedReceivers(config.text);
  const problems: Problem[] = [];
  for (const [index, row] of (itemsAt(file, []) as Row[]).entries()) {
    const malformed = shapeProblem(row);
    if (malformed) problems.push(at(file, index, malformed));
    else problems.push(...(await checkRow({ amtool, file, index, row, config: config.path, routed })));
  }
  if (itemsAt(file, []).length === 0)
    problems.push({ file: table, message: 'no rows: a list of name, labels, receivers' });
  return problems;
}

interface RowCheck {
  amtool: string;
  file: YamlFile;
  index: number;
  row: Row;
  /** Path of the configuration. */
  config: string;
  routed: ReadonlySet<string>;
}

async function checkRow({ amtool, file, index, row, config, routed }: RowCheck): Promise<Problem[]> {
  const labels = Object.entries(row.labels as Record<string, unknown>);
  const args = labels.map(([name, value]) => `${name}=${JSON.stringify(String(value))}`);
  const test = await runTool(amtool, ['config', 'routes', 'test', `--config.file=${config}`, ...args]);
  if (!test.ok) return [at(file, index, `amtool: ${test.stderr.trim()}`)];
  const actual = test.stdout.trim().split('\n').at(-1) ?? '';
  const listed = (row.receivers as string[]).flat();
  const expected = listed.filter((receiver) => routed.has(receiver)).join(',');
  if (actual === expected) return [];
  return [at(file, index, `"${row.name}" goes to ${actual || 'nobody'}; the table says ${expected || 'nobody'}`)];
}

/** Names of the receivers that any route leads to. */
export function routedReceivers(config: string): Set<string> {
  const { doc } = parseYaml('', config);
  const collect = (route: Route): string[] => [route.receiver ?? '', ...(route.routes ?? []).flatMap(collect)];
  const { route } = (doc.toJS() ?? {}) as { route?: Route };
  return new Set(route ? collect(route) : []);
}

function shapeProblem(row: Row): string | undefined {
  const isMap = typeof row?.labels === 'object' && row.labels !== null && !Array.isArray(row.labels);
  if (typeof row?.name !== 'string') return 'a row needs a name that says what is expected';
  if (!isMap) return `"${row.name}" needs labels, a map`;
  if (!Array.isArray(row.receivers)) return `"${row.name}" needs receivers, a list in the order of the routes`;
  return undefined;
}

function at(file: YamlFile, index: number, message: string): Problem {
  return { file: file.path, line: lineOf(file, [index]), message };
}
