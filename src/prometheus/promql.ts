/** Words of PromQL that are no metric names where a metric name may stand. */
const KEYWORDS = new Set(
  'and or unless atan2 by without on ignoring group_left group_right offset bool inf nan'.split(' '),
);
/** Keywords whose parentheses hold label names. */
const BEFORE_LABELS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

const TOKEN =
  /#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\[[^\]]*\]|\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^}"'])*\}|[a-zA-Z_:][\w:]*|[0-9.][\w.]*|\S/g;

const QUOTED = /(["'])((?:\\.|(?!\1).)*)\1/g;
const LABEL_MATCHER = /(?:^|,)\s*\w+\s*(?:=~|!=|!~|=)\s*(["'])(?:\\.|(?!\1).)*\1/g;

/**
 * The metrics that an expression reads, without evaluating it: each as a name, or as a test of names where it selects
 * by `__name__=~`.
 */
export function metricsRead(expression: string): (string | RegExp)[] {
  const tokens = expression.match(TOKEN)?.filter((token) => !token.startsWith('#')) ?? [];
  const read: (string | RegExp)[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    const next = tokens[at + 1];
    if (BEFORE_LABELS.has(token.toLowerCase()) && next === '(') at = Math.max(at, tokens.indexOf(')', at));
    else if (token.startsWith('{')) read.push(...namesInBraces(token.slice(1, -1)));
    else if (/^[a-zA-Z_:]/.test(token) && next !== '(' && !isKeyword(token, next)) read.push(token);
  }
  return read;
}

/** `sum by (x) (...)`: an aggregation's name is followed by its grouping instead of a parenthesis. */
const isKeyword = (token: string, next: string | undefined): boolean =>
  KEYWORDS.has(token.toLowerCase()) || /^(by|without)$/i.test(next ?? '');

/** `{__name__="a"}`, `{__name__=~"a|b"}` and the quoted name of `{"a"}`. */
function namesInBraces(matchers: string): (string | RegExp)[] {
  const byName = [...matchers.matchAll(/__name__\s*(=~|=)\s*(["'])((?:\\.|(?!\2).)*)\2/g)].map((match) =>
    match[1] === '=' ? (match[3] ?? '') : new RegExp(`^(?:${match[3]})$`),
  );
  const bare = matchers.replaceAll(LABEL_MATCHER, '');
  const quoted = [...bare.matchAll(QUOTED)].map((match) => match[2] ?? '');
  return [...byName, ...quoted];
}
