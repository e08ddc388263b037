import { between } from './drawn.ts';
import type { ModelOptions } from './model.ts';
import { type Context, DAY } from './run.ts';

const weekdayOf = (minute: number): number => (Math.floor(minute / DAY) + 4) % 7;
/** Days from the first that is scored to the next Sunday. */
export const daysToSunday = ({ scoreFrom }: Context): number => (7 - weekdayOf(scoreFrom)) % 7;

/**
 * A change of daylight saving on the first Sunday that is scored: what people do comes so many
 * minutes earlier from then on.
 */
export const clockChange =
  (earlier: number) =>
  (context: Context): Partial<ModelOptions> => {
    const change = context.scoreFrom + daysToSunday(context) * DAY + 60;
    return { earlier: (minute) => (minute >= change ? earlier : 0) };
  };

export const HOLIDAYS = [1, 3];

export function holidayVolume({ scoreFrom, random }: Context): Partial<ModelOptions> {
  const shares = [between(random, 0.35, 0.45), between(random, 1.5, 1.7)];
  return { volumeFactor: (minute) => shares[HOLIDAYS.indexOf(Math.floor((minute - scoreFrom) / DAY))] ?? 1 };
}

export const isPayDay = (minute: number): boolean => [5, 20].includes(new Date(minute * 60_000).getUTCDate());

export function payDays({ random }: Context): Partial<ModelOptions> {
  const more = between(random, 1.4, 1.9);
  const dayAfter = 1 + (more - 1) / 3;
  return { volumeFactor: (minute) => (isPayDay(minute) ? more : isPayDay(minute - DAY) ? dayAfter : 1) };
}

export function firstWeekend({ random }: Context): Partial<ModelOptions> {
  const [sunday, saturday, more] = [between(random, 0.3, 0.6), between(random, 0.5, 0.8), between(random, 1.1, 1.3)];
  const isWeekend = (minute: number) => [0, 6].includes(weekdayOf(minute));
  return { weekdays: [sunday, 1, 1, 1, 1, 1.05, saturday], deniedFactor: (minute) => (isWeekend(minute) ? more : 1) };
}
