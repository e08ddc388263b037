import { AUTH_CODE_RECORDED, RECORDED, ROUGH_RECORDED } from '../domain/names.ts';
import type { Labels } from '../domain/series-text.ts';
import { seriesText } from '../domain/series-text.ts';
import { type AlertSignal, signalOf } from '../judge/alert-signal.ts';
import { rangeQuery } from '../prometheus/ephemeral-queries.ts';
import type { Columns } from '../prometheus/range-columns.ts';
import { splitRange } from '../prometheus/record-rule.ts';
import type { AlertRule } from '../prometheus/rule-files.ts';
import type { Firing } from './rules.ts';

/**
 * The numbers of an alert where it was furthest from normal, as the rules recorded them; null where
 * they record none.
 */
export interface AlertEvidence {
  signal: AlertSignal;
  observed: number | null;
  expected: number | null;
  /** Standard deviations from expected. */
  score: number | null;
  /** The window over which `observed` was counted, which is the one that the alert began with. */
  window: string | null;
}

/** The windows as an alert's value names them: in minutes. */
const WINDOW_OF: Record<number, string> = { 2: '2m', 5: '5m', 15: '15m', 60: '1h' };

interface Source {
  observed?: string;
  expected: string;
  score?: string;
  matchers: Labels;
  window: string;
}

/**
 * Looks up what an alert was about in the series that the rules record. Rules that record no such
 * series, of another detector for instance, give the alert's value as observed.
 * @param firing with the labels of the series and of the rule
 */
export async function evidenceOf(
  url: string,
  rule: AlertRule,
  firing: Firing,
  signal: AbortSignal | undefined,
): Promise<AlertEvidence> {
  const about = signalOf(firing.alertname, firing.labels);
  const source = sourceOf(about, rule, firing);
  const found = source === undefined ? undefined : await lookUp(url, source, firing, signal);
  return { signal: about, ...(found ?? { observed: firing.value, expected: null, score: null, window: null }) };
}

function sourceOf(about: AlertSignal, rule: AlertRule, { labels, value }: Firing): Source | undefined {
  const own = Object.entries(labels).filter(([name]) => rule.labels[name] === undefined && name !== 'direction');
  const matchers = Object.fromEntries(own);
  if (about === 'auth_code')
    return { observed: AUTH_CODE_RECORDED.observed, expected: AUTH_CODE_RECORDED.expected, matchers, window: '5m' };
  if (about === 'processing') return { expected: ROUGH_RECORDED.expected, matchers, window: '5m' };
  if (labels.status === undefined) return undefined;
  const window = WINDOW_OF[value] ?? '5m';
  const { observed, expected, score } = RECORDED;
  return { observed, expected, score, matchers: { ...matchers, window }, window };
}

async function lookUp(url: string, source: Source, firing: Firing, signal: AbortSignal | undefined) {
  const names = [source.observed, source.expected, source.score].filter((name) => name !== undefined);
  const selector = seriesText('', source.matchers).slice(1, -1);
  const query = `{__name__=~"${names.join('|')}"${selector === '' ? '' : `,${selector}`}}`;
  const series: Columns[] = [];
  for (const range of splitRange(firing.startsAt, firing.lastTrue, 60)) {
    series.push(...(await rangeQuery(url, query, range, signal)));
  }
  const valuesOf = (name: string | undefined) =>
    series.filter(({ metric }) => metric.__name__ === name).flatMap(({ values }) => [...values]);
  const [expected, score] = [valuesOf(source.expected), valuesOf(source.score)];
  const observed = source.observed === undefined ? [firing.value] : valuesOf(source.observed);
  if (observed.length === 0 || expected.length === 0) return undefined;
  const distances = score.length > 0 ? score : observed.map((count, at) => count - (expected[at] ?? 0));
  const peak = indexOfLargest(distances.map(Math.abs));
  return {
    observed: observed[peak] ?? null,
    expected: expected[peak] ?? null,
    score: score[peak] ?? null,
    window: source.window,
  };
}

const indexOfLargest = (values: readonly number[]): number =>
  values.reduce((best, value, at) => (value > (values[best] ?? Number.NEGATIVE_INFINITY) ? at : best), 0);
