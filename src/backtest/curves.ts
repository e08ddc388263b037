import { JUDGED_STATUSES, METRIC, RECORDED, TOTAL } from '../domain/names.ts';
import type { Replay } from '../history/player.ts';
import type { AlertSignal } from '../judge/alert-signal.ts';
import { queried, splitRange } from '../prometheus/record-rule.ts';
import type { RecordingRule } from '../prometheus/rule-files.ts';

/**
 * The curve of one status over the whole history, as the charts draw it: counts of five minutes,
 * one value a minute.
 */
export interface Curve {
  status: string;
  signal: AlertSignal;
  /**
   * Seconds since the epoch of the first value; the others follow minute by minute. NaN where there
   * is none.
   */
  from: number;
  observed: Float64Array;
  /** Undefined where the rules record no expected counts. */
  expected: Float64Array | undefined;
  lower: Float64Array | undefined;
  upper: Float64Array | undefined;
}

const WINDOW = '5m';
const STEP = 60;
const SUBJECTS: [status: string, signal: AlertSignal][] = [
  ...JUDGED_STATUSES.map((status): [string, AlertSignal] => [
    status,
    status.endsWith('reversed') ? 'reversed' : status,
  ]),
  ['approved', 'volume'],
];

/**
 * Reads the curves of the judged statuses and of sales from what was played, `shift` seconds later.
 * Statuses that never occurred are left out.
 */
export async function readCurves(
  replay: Replay,
  rules: readonly RecordingRule[],
  shift: number,
  signal: AbortSignal | undefined,
): Promise<Curve[]> {
  const recorded = new Set(rules.map(({ record }) => record));
  const curves: Curve[] = [];
  for (const [status, about] of SUBJECTS) {
    const read = (query: string) => readValues(replay, query, signal);
    // Rules that know no levels record series without the label.
    const selector = `{status="${status}",window="${WINDOW}",level=~"|${TOTAL}"}`;
    const ofRule = async (name: string, query = `sum(${name}${selector})`) =>
      recorded.has(name) ? await read(query) : undefined;
    const observed = await read(
      `sum(${METRIC.transactions}{status="${status}"} - ${METRIC.transactions}{status="${status}"} offset 5m)`,
    );
    if (!observed.some((count) => count > 0)) continue;
    curves.push({
      status,
      signal: about,
      from: replay.from + shift,
      observed,
      expected: await ofRule(RECORDED.expected),
      lower: await ofRule(RECORDED.lower),
      upper: await ofRule(RECORDED.upper, upperQuery(recorded, selector)),
    });
  }
  return curves;
}

/**
 * The edge is that of the whole window, as people count. The rules compare the window without its
 * busiest minute.
 */
const upperQuery = (recorded: ReadonlySet<string>, selector: string): string =>
  recorded.has(RECORDED.evidenceShare)
    ? `sum(${RECORDED.upper}${selector} / on (window) group_left () ${RECORDED.evidenceShare})`
    : `sum(${RECORDED.upper}${selector})`;

async function readValues({ url, from, to }: Replay, query: string, signal: AbortSignal | undefined) {
  const values = new Float64Array(Math.floor((to - from) / STEP) + 1).fill(Number.NaN);
  for await (const answer of queried(url, query, splitRange(from, to, STEP), signal)) {
    for (const series of answer) {
      series.times.forEach((time, index) => {
        values[(time - from) / STEP] = series.values[index] ?? Number.NaN;
      });
    }
  }
  return values;
}
