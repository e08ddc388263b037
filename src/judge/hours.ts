import { RECORDED, STATUSES, type Status, TOTAL } from '../domain/names.ts';
import type { Zone } from '../domain/zone.ts';
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

/** Days, hours of the day and dates by a zone's clock. Times are seconds since the epoch. */
export interface LocalHours {
  /** Days since 1970 of the zone's date. */
  dayOf: (at: number) => number;
  /** 0 to 23. */
  hourOf: (at: number) => number;
  /** The end of the last whole hour. */
  lastEnd: (at: number) => number;
  /**
   * Undefined for an hour that a change of clocks skips. If an hour is there twice, the end of the
   * first.
   */
  endOf: (day: number, hour: number) => number | undefined;
  /** `2026-11-28`, of a day since 1970. */
  dateOf: (day: number) => string;
}

export function localHours(zone: Zone): LocalHours {
  const local = (at: number) => at + zone.offsetAt(Math.floor(at / 60)) * 60;
  return {
    dayOf: (at) => Math.floor(local(at) / DAY),
    hourOf: (at) => Math.floor((((local(at) % DAY) + DAY) % DAY) / HOUR),
    lastEnd: (at) => at - (((local(at) % HOUR) + HOUR) % HOUR),
    endOf: (day, hour) => {
      const { minute, odd } = zone.toUtc((day * DAY + hour * HOUR) / 60);
      return odd === 'never' ? undefined : minute * 60 + HOUR;
    },
    dateOf: (day) => new Date(day * DAY * 1000).toISOString().slice(0, 10),
  };
}

/**
 * Counts of everything together.
 * @param first and `last`: ends of whole hours of one clock
 * @throws PrometheusError
 */
export async function readHours(prometheus: Prometheus, first: number, last: number): Promise<Hours> {
  const span = '[59m59s]';
  const counts = `sum by (status) (sum_over_time(${RECORDED.levels}{status!="", level="${TOTAL}"}${span}))`;
  const minutes = `max(count_over_time(${RECORDED.levels}{status="approved", level="${TOTAL}"}${span}))`;
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
