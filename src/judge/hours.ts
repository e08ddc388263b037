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

/** Counts by the end of their whole hour. */
interface Hourly {
  labels: Readonly<Record<string, string>>;
  hours: ReadonlyMap<number, number>;
}

/**
 * Asks for the sums of whole hours, each as if all of its 60 minutes had been recorded. An hour with
 * fewer than FEWEST_MINUTES is left out. Sums need no sample at the hour itself, when Prometheus may
 * have been down.
 * @param sums PromQL over `[59m59s]`; its series may have no label `is`
 * @param first and `last`: ends of whole hours of one clock
 * @throws PrometheusError
 */
export async function hourlySums(prometheus: Prometheus, sums: string, first: number, last: number): Promise<Hourly[]> {
  const minutes = `max(count_over_time(${RECORDED.levels}{status="approved", level="${TOTAL}"}[59m59s]))`;
  const query = `${sums} or label_replace(${minutes}, "is", "minutes", "", "")`;
  const ranges = last < first ? [] : await prometheus.range(query, first, last, HOUR);
  const recorded = new Map(ranges.find(({ labels }) => labels.is === 'minutes')?.points ?? []);
  return ranges
    .filter(({ labels }) => labels.is === undefined)
    .map(({ labels, points }) => {
      const hours = points.flatMap(([end, count]): [number, number][] => {
        const known = recorded.get(end) ?? 0;
        return known < FEWEST_MINUTES ? [] : [[end, Math.round((count * 60) / known)]];
      });
      return { labels, hours: new Map(hours) };
    });
}

/** Counts of everything together, as `hourlySums` asks for them. @throws PrometheusError */
export async function readHours(prometheus: Prometheus, first: number, last: number): Promise<Hours> {
  const sums = `sum by (status) (sum_over_time(${RECORDED.levels}{status!="", level="${TOTAL}"}[59m59s]))`;
  const found = await hourlySums(prometheus, sums, first, last);
  return new Map(
    STATUSES.map((status) => [status, found.find(({ labels }) => labels.status === status)?.hours ?? new Map()]),
  );
}
