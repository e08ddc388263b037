import { RECORDED } from '../domain/names.ts';
import type { Prometheus } from '../prometheus/client.ts';
import type { Calendar } from './calendar.ts';

const DAY = 1440;
const STEP = 5;
/** Minutes before midnight from which tomorrow's is asked for. */
const AHEAD = 10;

/**
 * The hour around each time: approved transactions divided by those that the rules of that day
 * took for usual.
 */
const SELECTOR = '{status="approved",level="total"}[59m59s]';
const TIMES_USUAL =
  `scalar(avg_over_time(${RECORDED.perMinute}${SELECTOR})) / scalar(avg_over_time(${RECORDED.usualDay}${SELECTOR}))` +
  ` * scalar(avg_over_time(${RECORDED.volumeFactor}[59m59s]) or vector(1))`;

/** The volume of the day that today is like, as times the usual volume of then. */
export type LikeDate = (minute: number) => number | undefined;

/**
 * Reads days that the calendar compares others with, as Prometheus has them. Undefined while it is
 * not known, or where Prometheus no longer has that day.
 */
export function watchLikeDates(prometheus: Pick<Prometheus, 'range'>, { at, zone }: Calendar): LikeDate {
  const known = new Map<number, Map<number, number>>();
  let askedAt = Number.NEGATIVE_INFINITY;

  /** Reads the volume of a local day, by the local minute of the day. */
  async function read(date: number): Promise<void> {
    const from = zone.toUtc(date * DAY).minute + 30;
    const [times] = await prometheus.range(TIMES_USUAL, from * 60, (from + DAY) * 60, STEP * 60);
    const points = (times?.points ?? []).filter(([, value]) => Number.isFinite(value) && value > 0);
    if (points.length > 0) known.set(date, new Map(points.map(([time, value]) => [time / 60 - from, value])));
  }
  const dateAt = (minute: number) => at(minute).day?.likeDate;

  return (minute) => {
    const missing = [minute, minute + AHEAD].map(dateAt).find((date) => date !== undefined && !known.has(date));
    if (missing !== undefined && minute >= askedAt + 1) {
      askedAt = minute;
      // A failure is no loss: the next minute asks again.
      read(missing).catch(() => {});
    }
    const local = (((minute + zone.offsetAt(minute)) % DAY) + DAY) % DAY;
    return known.get(dateAt(minute) ?? Number.NaN)?.get(local - (local % STEP));
  };
}
