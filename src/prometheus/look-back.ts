/** A node of `/api/v1/parse_query`, as far as it is read here. Durations are milliseconds. */
interface Node {
  type?: string;
  name?: string;
  matchers?: readonly { name: string; type: string; value: string }[];
  offset?: number;
  range?: number;
}

/** An expression reads the metrics for which `reads` is true up to so many seconds back. */
export interface LookBack {
  reads: (metric: string) => boolean;
  seconds: number;
}

/**
 * An instant selector takes a sample that is up to five minutes old: Prometheus's default of
 * `--query.lookback-delta`.
 */
const STALE_AFTER = 300;

/** @param tree the answer of Prometheus's `/api/v1/parse_query` */
export function lookBacks(tree: unknown, further = 0): LookBack[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const { type, name, matchers = [], offset = 0, range = 0 } = tree as Node;
  const seconds = further + (offset + range) / 1000;
  if (type === 'vectorSelector' || type === 'matrixSelector')
    return [{ reads: namedBy(name, matchers), seconds: seconds + (type === 'vectorSelector' ? STALE_AFTER : 0) }];
  return Object.values(tree).flatMap((child) => lookBacks(child, type === 'subquery' ? seconds : further));
}

function namedBy(name: string | undefined, matchers: NonNullable<Node['matchers']>): LookBack['reads'] {
  const tests = matchers
    .filter((matcher) => matcher.name === '__name__')
    .map(({ type, value }) => {
      if (type === '=' || type === '!=') return (metric: string) => (metric === value) === (type === '=');
      const pattern = new RegExp(`^(?:${value})$`);
      return (metric: string) => pattern.test(metric) === (type === '=~');
    });
  return (metric) => (name === undefined || name === '' || name === metric) && tests.every((test) => test(metric));
}
