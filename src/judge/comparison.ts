import { RECORDED, type Status, TOTAL } from '../domain/names.ts';
import type { Zone } from '../domain/zone.ts';
import type { Prometheus } from '../prometheus/client.ts';
import { type DaysBefore, DEFINITION, FEWEST_DAYS, farFromNormal } from './far-from-normal.ts';
import { DAY, FEWEST_MINUTES, hourlySums, localHours } from './hours.ts';

const DAYS_BEFORE = 28;

export interface ComparedHour {
  hour: number;
  /** Null until the hour is over. */
  today: number | null;
  yesterday: number | null;
  sameDayLastWeek: number | null;
  average7d: number | null;
  average28d: number | null;
  far: 'above' | 'below' | null;
}

export interface Comparison {
  /** YYYY-MM-DD, by the clock of `timezone`. */
  day: string;
  timezone: string;
  definition: string;
  hours: ComparedHour[];
}

export interface Compared {
  status: Status | 'total';
  /** Extra labels that must be equal; what they leave open is summed. */
  labels: Readonly<Record<string, string>>;
  /** Seconds since the epoch; its day is the one that is compared. */
  at: number;
}

/** PromQL for the sums of an hour. */
function sumsOf({ status, labels }: Compared): string {
  const names = Object.keys(labels);
  // A level has the sums of one dimension. For several dimensions, the slices are summed here.
  const [metric, level] = names.length > 1 ? [RECORDED.slices, {}] : [RECORDED.levels, { level: names[0] ?? TOTAL }];
  const equal = Object.entries({ ...level, ...labels }).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const matchers = [status === 'total' ? 'status!=""' : `status="${status}"`, ...equal];
  return `sum(sum_over_time(${metric}{${matchers.join(',')}}[59m59s]))`;
}

function average(counts: DaysBefore): number | null {
  const known = counts.filter((count) => count !== null);
  return known.length < FEWEST_DAYS ? null : known.reduce((sum, count) => sum + count, 0) / known.length;
}

/** A day by hour beside the days before it, by a zone's clock. @throws PrometheusError */
export async function compare(prometheus: Prometheus, compared: Compared, zone: Zone): Promise<Comparison> {
  const clock = localHours(zone);
  const day = clock.dayOf(compared.at);
  const lastEnd = clock.lastEnd(compared.at);
  const first = lastEnd - (DAYS_BEFORE + 1) * DAY;
  const [counted] = await hourlySums(prometheus, sumsOf(compared), first, lastEnd);
  const hours = Array.from({ length: 24 }, (_, hour) => {
    const on = (daysAgo: number) => counted?.hours.get(clock.endOf(day - daysAgo, hour) ?? Number.NaN) ?? null;
    return { hour, today: on(0), before: Array.from({ length: DAYS_BEFORE }, (_, i) => on(i + 1)) };
  });
  const far = farFromNormal(hours);
  return {
    day: clock.dateOf(day),
    timezone: zone.name,
    definition:
      `${DEFINITION} Averages need ${FEWEST_DAYS} days. Hours are by the clock of ${zone.name}; one of which fewer than ${FEWEST_MINUTES} minutes were ` +
      'recorded is left out, and from there on the count is that of 60 minutes.',
    hours: hours.map(({ hour, today, before }) => ({
      hour,
      today,
      yesterday: before[0] ?? null,
      sameDayLastWeek: before[6] ?? null,
      average7d: average(before.slice(0, 7)),
      average28d: average(before),
      far: far[hour] ?? null,
    })),
  };
}
