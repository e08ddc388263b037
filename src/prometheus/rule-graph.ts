import { METRIC } from '../domain/names.ts';
import { metricsRead } from './promql.ts';
import type { AlertRule, RecordingRule } from './rule-files.ts';

/** Metrics that come from outside the rules. */
const INPUTS: ReadonlySet<string> = new Set([
  ...Object.values(METRIC),
  'up',
  'tillwatch_build_info',
  'tillwatch_ledger_info',
  'process_start_time_seconds',
  // From the other one of two Prometheus (prometheus-ha.yml).
  'replica:transactions:held',
]);

interface Node {
  rule: RecordingRule;
  /** Recorded names that it reads. */
  recorded: string[];
  /** Input metrics that it reads. */
  inputs: string[];
}

/**
 * Puts recording rules in layers: each rule reads only inputs and what the layers before it record.
 * @throws when a rule reads a name that nothing records and that is no input, and when rules read
 *   each other in a circle
 */
export function layerRules(rules: readonly RecordingRule[], inputs: ReadonlySet<string> = INPUTS): RecordingRule[][] {
  const nodes = readNames(rules, inputs);
  const recorders = (name: string) => nodes.filter((node) => node.rule.record === name);
  const depths = new Map<string, number>();
  const depthOf = (name: string, path: string[]): number => {
    if (path.includes(name)) throw new Error(describeCycle([...path.slice(path.indexOf(name)), name], rules));
    const known = depths.get(name);
    if (known !== undefined) return known;
    const below = recorders(name).flatMap((node) => node.recorded);
    const depth = Math.max(-1, ...below.map((lower) => depthOf(lower, [...path, name]))) + 1;
    depths.set(name, depth);
    return depth;
  };
  const layers: RecordingRule[][] = [];
  for (const { rule, recorded } of nodes) {
    depthOf(rule.record, []);
    const depth = Math.max(-1, ...recorded.map((name) => depths.get(name) ?? 0)) + 1;
    const layer = layers[depth] ?? [];
    layer.push(rule);
    layers[depth] = layer;
  }
  return layers;
}

/**
 * The rules whose results change when an input does: those that read it, and those that read these.
 * Constants belong to every set.
 */
export function affectedRules(
  rules: readonly RecordingRule[],
  changed: ReadonlySet<string>,
  inputs: ReadonlySet<string> = INPUTS,
): RecordingRule[] {
  const nodes = readNames(rules, inputs);
  const names = new Set(changed);
  const isAffected = ({ inputs, recorded }: Node) =>
    inputs.length + recorded.length === 0 || [...inputs, ...recorded].some((name) => names.has(name));
  for (let before = -1; before !== names.size; ) {
    before = names.size;
    for (const node of nodes.filter(isAffected)) {
      if (node.inputs.length + node.recorded.length > 0) names.add(node.rule.record);
    }
  }
  return nodes.filter(isAffected).map((node) => node.rule);
}

/**
 * The metrics that come from outside: those that are known, and what rules read and none of them
 * records.
 */
export function inputsOf(rules: readonly RecordingRule[]): Set<string> {
  const needsOf = createNeeds(rules, INPUTS);
  return new Set([...INPUTS, ...rules.flatMap((rule) => needsOf(rule.expr).inputs)]);
}

/**
 * The rules and input series that an expression needs, directly and through the rules that it
 * reads.
 */
export interface Needs {
  rules: RecordingRule[];
  /** Names that no rule records. */
  inputs: string[];
}

/**
 * Makes a function that lists what an expression needs of these rules. A pattern of names may
 * select `inputs` as well.
 */
export function createNeeds(rules: readonly RecordingRule[], inputs: ReadonlySet<string>): (expr: string) => Needs {
  const recorded = new Set(rules.map((rule) => rule.record));
  const read = new Map(rules.map((rule) => [rule, namesRead(rule.expr, recorded, inputs)]));
  return (expr) => {
    const needed = new Set<RecordingRule>();
    const names = new Set(namesRead(expr, recorded, inputs));
    // A set hands out what is added to it while it is walked through.
    for (const name of names) {
      for (const rule of rules.filter(({ record }) => record === name)) {
        needed.add(rule);
        for (const below of read.get(rule) ?? []) names.add(below);
      }
    }
    return {
      rules: rules.filter((rule) => needed.has(rule)),
      inputs: [...names].filter((name) => !recorded.has(name)),
    };
  };
}

function namesRead(expr: string, recorded: ReadonlySet<string>, inputs: ReadonlySet<string>): string[] {
  return metricsRead(expr).flatMap((name) =>
    typeof name === 'string' ? [name] : [...recorded, ...inputs].filter((known) => name.test(known)),
  );
}

function readNames(rules: readonly RecordingRule[], inputs: ReadonlySet<string>): Node[] {
  const recorded = new Set(rules.map((rule) => rule.record));
  return rules.map((rule) => {
    const read = namesRead(rule.expr, recorded, inputs);
    const unknown = read.find((name) => !recorded.has(name) && !inputs.has(name));
    if (unknown !== undefined)
      throw new Error(
        `${where(rule)} reads ${unknown}, which no rule records and which is none of the inputs ${[...inputs].join(', ')}`,
      );
    return {
      rule,
      recorded: read.filter((name) => recorded.has(name)),
      inputs: read.filter((name) => !recorded.has(name)),
    };
  });
}

/** `FILE, group NAME, NAME`: where to look. */
export const where = (rule: RecordingRule | AlertRule): string =>
  `${rule.file}: group ${rule.group}: ${'record' in rule ? rule.record : rule.alert}`;

function describeCycle(path: string[], rules: readonly RecordingRule[]): string {
  const places = path.slice(1).flatMap((name) => rules.filter((rule) => rule.record === name).map(where));
  return [
    `recording rules read each other in a circle: ${path.join(' reads ')}`,
    ...places.map((place) => `  ${place}`),
    'History cannot be computed for such rules: let one of them read something that does not depend on its own past.',
  ].join('\n');
}
