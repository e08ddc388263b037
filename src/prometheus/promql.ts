import { parser } from '@prometheus-io/lezer-promql';
import { durationSeconds } from '../domain/durations.ts';

type Tree = ReturnType<typeof parser.parse>;
type Node = Tree['topNode'];

/** A part of an expression's text. */
export interface Span {
  from: number;
  to: number;
}

/** One of `{label="value", ...}`; the value without its quotes. */
export interface Matcher {
  label: string;
  operator: string;
  value: string;
}

/** A vector selector in an expression, with what is written behind it. */
export interface Selector extends Span {
  /**
   * The names that it selects: one, or those that match; undefined where it selects by other labels
   * alone.
   */
  name: string | RegExp | undefined;
  /** Its matchers, `__name__` aside. */
  matchers: Matcher[];
  /** Seconds of `[5m]`; undefined without it. */
  range: number | undefined;
  rangeText: Span | undefined;
  /** Seconds of its own `offset`. */
  offset: number;
  /** The place of `offset 5m`, with the space before it. */
  offsetText: Span | undefined;
  /**
   * Seconds by which the newest sample that it may read is old: its own offset and those of
   * subqueries around it.
   */
  age: number;
  /** Selector, range and offset. */
  whole: Span;
  /** The function whose one argument it is, range and offset included. */
  call: (Span & { name: string }) | undefined;
  inSubquery: boolean;
}

/** A call such as `time()` or `clamp(a, 1, 2)`. */
export interface Call extends Span {
  name: string;
  arguments: Span[];
}

/**
 * Binds to the operand before it only, although the grammar hands it the whole binary expression:
 * `a - b offset 1m`.
 */
const POSTFIX = new Set(['MatrixSelector', 'SubqueryExpr', 'OffsetExpr', 'StepInvariantExpr']);

function operandOf(postfix: Node): Node {
  let operand = postfix.firstChild;
  while (operand?.name === 'BinaryExpr' || operand?.name === 'UnaryExpr') operand = operand.lastChild;
  return operand ?? postfix;
}

const startOf = (node: Node): number => (POSTFIX.has(node.name) ? startOf(operandOf(node)) : node.from);
const innermost = (node: Node): Node => (POSTFIX.has(node.name) ? innermost(operandOf(node)) : node);

/** Every vector selector of an expression, from left to right. */
export function selectorsIn(expression: string): Selector[] {
  const found: Node[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, node }) => {
      if (name === 'VectorSelector') found.push(node);
    },
  });
  return found.map((node) => readSelector(expression, node));
}

function readSelector(text: string, node: Node): Selector {
  const own: Node[] = [];
  const around: Node[] = [];
  for (let above = node.parent; above !== null; above = above.parent) {
    if (!POSTFIX.has(above.name)) continue;
    const covered = innermost(above);
    if (covered.from === node.from && covered.to === node.to) own.push(above);
    else if (startOf(above) <= node.from && operandOf(above).to >= node.to) around.push(above);
  }
  const matrix = own.find(({ name }) => name === 'MatrixSelector');
  const shift = own.find(({ name }) => name === 'OffsetExpr');
  const matchers = matchersIn(text, node);
  const whole = { from: node.from, to: Math.max(node.to, ...own.map(({ to }) => to)) };
  const rangeText = matrix && spanOf(matrix.getChild('DurationExpr'));
  const offset = secondsOf(text, shift);
  return {
    from: node.from,
    to: node.to,
    name: nameOf(text, node, matchers),
    matchers: matchers.filter(({ label }) => label !== '__name__'),
    range: rangeText && durationSeconds(text.slice(rangeText.from, rangeText.to)),
    rangeText,
    offset,
    offsetText: shift && { from: operandOf(shift).to, to: shift.to },
    age: around.reduce((sum, above) => sum + secondsOf(text, above), offset),
    whole,
    call: callAround(text, node, whole),
    inSubquery: around.some(({ name }) => name === 'SubqueryExpr'),
  };
}

const spanOf = (node: Node | null): Span | undefined => (node === null ? undefined : { from: node.from, to: node.to });

/** Seconds of an `offset`; 0 for what is none. */
function secondsOf(text: string, postfix: Node | undefined): number {
  const duration = postfix?.getChild('OffsetDurationExpr');
  if (!duration) return 0;
  const written = text.slice(duration.from, duration.to).replaceAll(/\s/g, '');
  return written.startsWith('-') ? -durationSeconds(written.slice(1)) : durationSeconds(written);
}

function callAround(text: string, node: Node, whole: Span): Selector['call'] {
  for (let above = node.parent; above !== null; above = above.parent) {
    if (above.name !== 'FunctionCall') continue;
    const body = above.getChild('FunctionCallBody');
    const name = above.getChild('FunctionIdentifier');
    if (!body || !name || text.slice(body.from + 1, body.to - 1).trim() !== text.slice(whole.from, whole.to)) return;
    return { from: above.from, to: above.to, name: text.slice(name.from, name.to) };
  }
  return undefined;
}

function matchersIn(text: string, selector: Node): Matcher[] {
  const found = selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
  return found.flatMap((matcher) => {
    const [label, operator, value] = [matcher.firstChild, matcher.getChild('MatchOp'), matcher.lastChild];
    if (!label || !operator || !value) return [];
    const [name, operation] = [label, operator].map(({ from, to }) => text.slice(from, to)) as [string, string];
    return [{ label: name, operator: operation, value: unquoted(text.slice(value.from, value.to)) }];
  });
}

/** `a`, `{"a"}`, `{__name__="a"}` or `{__name__=~"a|b"}`. */
function nameOf(text: string, node: Node, matchers: readonly Matcher[]): string | RegExp | undefined {
  const written = node.getChild('Identifier') ?? node.getChild('LabelMatchers')?.getChild('QuotedLabelName');
  if (written) return text.slice(written.from, written.to).replace(/^(["'`])(.*)\1$/, '$2');
  const byName = matchers.filter(({ label }) => label === '__name__');
  const one = byName.find(({ operator }) => operator === '=');
  const several = byName.find(({ operator }) => operator === '=~');
  return one?.value ?? (several && new RegExp(`^(?:${several.value})$`));
}

const unquoted = (literal: string): string => literal.slice(1, -1).replaceAll(/\\(.)/g, '$1');

/** Every call of a function, from left to right. */
export function callsIn(expression: string): Call[] {
  const found: Call[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, node }) => {
      const body = name === 'FunctionCall' ? node.getChild('FunctionCallBody') : null;
      const called = node.getChild('FunctionIdentifier');
      if (body === null || called === null) return;
      const given: Span[] = [];
      for (let one = body.firstChild; one !== null; one = one.nextSibling) given.push({ from: one.from, to: one.to });
      const { from, to } = node;
      found.push({ from, to, name: expression.slice(called.from, called.to), arguments: given });
    },
  });
  return found;
}

/** The text with some parts replaced; parts may not overlap. */
export function replaceSpans(text: string, edits: readonly (Span & { by: string })[]): string {
  return [...edits]
    .sort((a, b) => b.from - a.from)
    .reduce((edited, { from, to, by }) => edited.slice(0, from) + by + edited.slice(to), text);
}

/**
 * The metrics that an expression reads, without evaluating it: each as a name, or as a test of
 * names where it selects by `__name__=~`.
 */
export const metricsRead = (expression: string): (string | RegExp)[] =>
  selectorsIn(expression).flatMap(({ name }) => name ?? []);
