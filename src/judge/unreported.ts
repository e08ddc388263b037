import { RECORDED, TOTAL, TUNABLE } from '../domain/names.ts';
import type { Prometheus } from '../prometheus/client.ts';

/** The counters stand still while nobody reports: a minute without a report is recorded as zero. */
const ZERO = `sum(${RECORDED.perMinute}{level="${TOTAL}"}) == 0`;

/** How many minutes a report covers, where it is more than one. */
export const SLOW = `${RECORDED.reportMinutes} > 1`;
/** What was approved in each of them. What is expected of sales is by minute as well. */
export const SPREAD = (selector: string): string => `${RECORDED.reported}${selector} and on () ${SLOW}`;

const ALLOWED = `last_over_time(${RECORDED.allowedSilence}{feed="all"}[15m])`;
/**
 * Seconds since the last report, while they are more than usual. Single events at night come
 * minutes apart, and the zeros between them are counts. So are those of a counter of one's own,
 * which is read also while it stands still.
 */
const SILENT = `time() - ${RECORDED.lastReport}{feed="all"} > on () (${ALLOWED} or on () ${TUNABLE.silence})`;

/** Reads the times, of those of a range query, whose zero is no count: nobody reported it. */
export async function readUnreported(
  prometheus: Prometheus,
  from: number,
  to: number,
  step: number,
): Promise<ReadonlySet<number>> {
  const read = async (query: string) => (await prometheus.range(query, from, to, step))[0]?.points ?? [];
  const [zeros, silent, slow] = await Promise.all([read(ZERO), read(SILENT), read(SLOW)]);
  // A silence is known to be one only after a while, and began with the last report. The minute in
  // which it ends may be recorded before the first report is seen.
  const silences = new Map(silent.map(([at, seconds]) => [Math.round(at - seconds), at]));
  const isSlow = new Set(slow.map(([at]) => at));
  const isSilent = (at: number) => [...silences].some(([start, end]) => start < at && at <= end + 60);
  return new Set(zeros.flatMap(([at]) => (isSlow.has(at) || isSilent(at) ? [at] : [])));
}
