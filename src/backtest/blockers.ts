import { METRIC } from '../domain/names.ts';
import { parseTree, type SyntaxNode } from '../prometheus/ephemeral-queries.ts';
import type { RecordingRule } from '../prometheus/rule-files.ts';

/** Functions that have a result even where their argument has none. */
const ALWAYS = new Set(['absent', 'absent_over_time', 'scalar', 'time', 'vector']);

/** Labels that only one of the counters has: what asks for one needs that counter. */
const COUNTER_OF: Readonly<Record<string, string>> = { status: METRIC.transactions, auth_code: METRIC.authCodes };

/**
 * Makes a function that names the metrics for want of which an expression can never have a result
 * on a history. It names none where the expression may have a result.
 * @param url a Prometheus, which parses the expressions
 * @param history the metrics that the history has
 */
export function createBlockers(
  url: string,
  rules: readonly RecordingRule[],
  history: ReadonlySet<string>,
  signal?: AbortSignal,
): (expr: string) => Promise<string[]> {
  const known = new Map<string, Promise<string[]>>();

  const blockersOf = async (expr: string): Promise<string[]> => blockers(await parseTree(url, expr, signal));

  /** A series that several rules record is there if one of them records it. */
  async function ofName(name: string): Promise<string[]> {
    const recorders = rules.filter(({ record }) => record === name);
    if (recorders.length === 0) return history.has(name) ? [] : [name];
    return either(await Promise.all(recorders.map(({ expr }) => blockersOf(expr))));
  }

  async function selected({ name, matchers = [] }: SyntaxNode): Promise<string[]> {
    const needed = matchers.filter(
      ({ type, value }) => (type === '!=' && value === '') || (type === '=' && value !== ''),
    );
    const lacking = needed.flatMap(({ name }) => COUNTER_OF[name] ?? []).filter((counter) => !history.has(counter));
    if (lacking.length > 0) return lacking;
    // A pattern of names may select anything.
    if (name === undefined || name === '') return [];
    const found = known.get(name) ?? ofName(name);
    known.set(name, found);
    return found;
  }

  async function blockers(node: SyntaxNode): Promise<string[]> {
    const both = async (...nodes: SyntaxNode[]) => [...new Set((await Promise.all(nodes.map(blockers))).flat())];
    switch (node.type) {
      case 'vectorSelector':
      case 'matrixSelector':
        return selected(node);
      case 'call':
        return ALWAYS.has(node.func?.name ?? '') ? [] : both(...(node.args ?? []));
      case 'binaryExpr': {
        const { lhs, rhs } = node as { lhs: SyntaxNode; rhs: SyntaxNode };
        if (node.op === 'or') return either(await Promise.all([blockers(lhs), blockers(rhs)]));
        return node.op === 'unless' ? blockers(lhs) : both(lhs, rhs);
      }
      default:
        return node.expr === undefined ? [] : blockers(node.expr);
    }
  }

  return blockersOf;
}

const either = (sides: string[][]): string[] =>
  sides.some((blocking) => blocking.length === 0) ? [] : [...new Set(sides.flat())];
