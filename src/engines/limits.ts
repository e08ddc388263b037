import { callsIn, selectorsIn } from '../prometheus/promql.ts';
import type { Problem } from '../runtime/file-problem.ts';
import { itemsAt, lineOf, readYaml, type YamlFile } from '../runtime/yaml-file.ts';
import type { Engine } from './engine-names.ts';
import { MIMIR_GROUP } from './engines.ts';
import type { RuleGroup } from './rule-source.ts';

/**
 * Groups that Mimir takes of one tenant (ruler_max_rule_groups_per_tenant), unless its operator
 * allows more.
 */
const MIMIR_GROUPS = 70;
/** Bytes of a query that VictoriaMetrics takes (-search.maxQueryLen). */
const VICTORIA_QUERY = 16 * 1024;
/** Bytes of an object that `kubectl apply` keeps a copy of in an annotation. */
const KUBERNETES_OBJECT = 262_144;
/** Keys of a group that only vmalert knows. */
const VMALERT_KEYS = ['eval_offset', 'eval_delay', 'eval_alignment', 'concurrency', 'params', 'headers'];

type Path = (string | number)[];

/** A group, and where it stands. */
interface Placed {
  file: YamlFile;
  path: Path;
  group: RuleGroup;
}

/**
 * Finds what an engine would refuse in rule files, or silently not do. Each problem names group,
 * rule and limit.
 */
export async function checkLimits(engine: Engine, files: readonly string[]): Promise<Problem[]> {
  const read = await Promise.all(files.map(readYaml));
  const groups = read.flatMap(groupsOf);
  const problems = read.flatMap((file) => file.problems);
  if (engine !== 'vmalert') problems.push(...groups.flatMap(vmalertKeys));
  if (engine === 'vmalert') problems.push(...groups.flatMap(vmalertLimits));
  if (engine === 'mimir') problems.push(...groups.flatMap(mimirGroup), ...mimirTenant(groups));
  if (engine === 'operator') problems.push(...read.flatMap(objectSize));
  return problems;
}

/** Groups of a rule file, or of a PrometheusRule object. */
function groupsOf(file: YamlFile): Placed[] {
  const path = file.doc.has('spec') ? ['spec', 'groups'] : ['groups'];
  return itemsAt(file, path).map((group, index) => ({ file, path: [...path, index], group: group as RuleGroup }));
}

const problemAt = ({ file, path, group }: Placed, rule: number | undefined, message: string): Problem => {
  const named = group.rules?.[rule ?? -1];
  const at = rule === undefined ? path : [...path, 'rules', rule];
  const name = named === undefined ? '' : `, rule ${named.record ?? named.alert}`;
  return { file: file.path, line: lineOf(file, at), message: `group ${group.name}${name}: ${message}` };
};

const mimirGroup = (placed: Placed): Problem[] => {
  const { length } = placed.group.rules ?? [];
  if (length <= MIMIR_GROUP) return [];
  return [
    problemAt(
      placed,
      MIMIR_GROUP,
      `is the first of ${length - MIMIR_GROUP} too many: Mimir and Cortex take ${MIMIR_GROUP} rules a group (ruler_max_rules_per_rule_group)`,
    ),
  ];
};

const mimirTenant = (groups: readonly Placed[]): Problem[] =>
  groups
    .slice(MIMIR_GROUPS, MIMIR_GROUPS + 1)
    .map((placed) =>
      problemAt(
        placed,
        undefined,
        `there are ${groups.length} groups; Mimir takes ${MIMIR_GROUPS} of a tenant (ruler_max_rule_groups_per_tenant)`,
      ),
    );

function vmalertKeys(placed: Placed): Problem[] {
  return VMALERT_KEYS.filter((key) => key in placed.group).map((key) =>
    problemAt(placed, undefined, `has ${key}, which only vmalert knows`),
  );
}

function vmalertLimits(placed: Placed): Problem[] {
  const rules = placed.group.rules ?? [];
  const recorded = new Set(rules.map(({ record }) => record));
  return rules.flatMap((rule, index) => {
    const expr = String(rule.expr);
    const problems: string[] = [];
    const own = selectorsIn(expr).find(({ name, age }) => age < 60 && recorded.has(String(name)));
    if (own)
      problems.push(
        `reads ${own.name}, which its own group records; vmalert sees that only seconds after the group has run. \`tillwatch rules --for vmalert\` writes groups that run one after the other`,
      );
    if (clampsBySeries(expr))
      problems.push('clamp() has a bound that is read from a series; VictoriaMetrics fails while there is none');
    const bytes = Buffer.byteLength(expr);
    if (bytes > VICTORIA_QUERY)
      problems.push(`the expression has ${bytes} bytes; VictoriaMetrics takes ${VICTORIA_QUERY} (-search.maxQueryLen)`);
    return problems.map((message) => problemAt(placed, index, message));
  });
}

function clampsBySeries(expr: string): boolean {
  const bounds = callsIn(expr).flatMap((call) => (call.name === 'clamp' ? call.arguments.slice(1) : []));
  return selectorsIn(expr).some(({ from }) => bounds.some((bound) => from >= bound.from && from < bound.to));
}

function objectSize(file: YamlFile): Problem[] {
  const bytes = Buffer.byteLength(file.text);
  if (bytes <= KUBERNETES_OBJECT) return [];
  return [
    {
      file: file.path,
      line: 1,
      message: `the object has ${bytes} bytes; \`kubectl apply\` takes ${KUBERNETES_OBJECT}. Spread its groups over several files`,
    },
  ];
}
