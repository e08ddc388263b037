import { RECORDED, STATUSES, type Status, TOTAL } from '../domain/names.ts';
import type { Prometheus } from '../prometheus/client.ts';

export const HOUR = 3600;
export const DAY = 24 * HOUR;
/** Recorded minutes without which an hour is left out. */
export const FEWEST_MINUTES = 54;

/**
 * Counts of whole hours by status, each by its end in seconds since the epoch; hours that are not
 * known are missing.
 */
export type Hours = ReadonlyMap<Status, ReadonlyMap<number, number>>;

/** The whole hours that end between two times, of everything together. @throws PrometheusError */
export async function readHours(prometheus: Prometheus, from: number, to: number): Promise<Hours> {
  const span = '[59m59s]';
  const counts = `sum by (status) (sum_over_time(${RECORDED.levels}{status!="", level="${TOTAL}"}${span}))`;
  const minutes = `max(count_over_time(${RECORDED.levels}{status="approved", level="${TOTAL}"}${span}))`;
  const last = Math.floor(to / HOUR) * HOUR;
  const first = Math.ceil(from / HOUR) * HOUR;
  const ranges = last < first ? [] : await prometheus.range(`${counts} or ${minutes}`, first, last, HOUR);
  const recorded = new Map(ranges.find(({ labels }) => labels.status === undefined)?.points ?? []);
  const of = (status: Status) => {
    const points = ranges.find(({ labels }) => labels.status === status)?.points ?? [];
    const whole = points.filter(([end]) => (recorded.get(end) ?? 0) >= FEWEST_MINUTES);
    // The count of 60 minutes where some are missing.
    return new Map(whole.map(([end, count]) => [end, Math.round((count * 60) / (recorded.get(end) ?? 60))]));
  };
  return new Map(STATUSES.map((status) => [status, of(status)]));
}
