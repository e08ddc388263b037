import { median } from '../domain/median.ts';

/** Day by day, yesterday first: the count of an hour, null where it is not known. */
export type DaysBefore = readonly (number | null)[];

/** Standard deviations. */
const FAR = 3;
/** Days that must be known, of all or of the weekday. */
export const FEWEST_DAYS = 3;
/** Smaller hours say nothing about how much more than chance counts vary. */
const COUNTS_THAT_TELL = 5;
/** For a standard normal distribution: the median of its absolute value, and of its square. */
const MEDIAN_ABS = 0.6745;
const MEDIAN_SQUARE = MEDIAN_ABS ** 2;

/**
 * The measure that an hour is compared with. On the square-root scale chance alone (Poisson) has
 * the standard deviation 1, whatever the count.
 */
interface Normal {
  center: number;
  /** Distance of each of the days from the median of the others. */
  misses: number[];
  days: number;
  /** The median of the same weekday, where too few weeks are known to go by it alone. */
  sameDay: number | undefined;
}

/** Anscombe's transform, and back. */
const toRoot = (count: number): number => 2 * Math.sqrt(count + 3 / 8);
const toCount = (root: number): number => Math.max(0, (root / 2) ** 2 - 3 / 8);

const missesOf = (group: readonly number[]): number[] =>
  group.map((value, at) => value - median(group.filter((_, other) => other !== at)));

/**
 * Compares with the same weekday where three weeks are known, else with all days. Undefined before
 * three days are known.
 */
function normalOf(before: DaysBefore): Normal | undefined {
  const weekdays: number[][] = Array.from({ length: 7 }, () => []);
  for (const [ago, count] of before.entries()) if (count !== null) weekdays[(ago + 1) % 7]?.push(toRoot(count));
  const [same = []] = weekdays;
  const days = weekdays.flat();
  if (same.length >= FEWEST_DAYS) {
    const misses = weekdays.filter((each) => each.length >= FEWEST_DAYS).flatMap(missesOf);
    return { center: median(same), misses, days: misses.length, sameDay: undefined };
  }
  if (days.length < FEWEST_DAYS) return undefined;
  const sameDay = same.length === 0 ? undefined : median(same);
  return { center: median(days), misses: missesOf(days), days: days.length, sameDay };
}

/**
 * The relative variance beyond chance that all hours have in common. With it, the median of the
 * squared misses is that of a standard normal distribution.
 */
function overDispersion(normals: readonly Normal[]): number {
  const telling = normals.filter(({ center }) => toCount(center) >= COUNTS_THAT_TELL);
  const excess = (c2: number) =>
    median(telling.flatMap(({ center, misses }) => misses.map((miss) => miss ** 2 / (1 + c2 * toCount(center)))));
  if (telling.length === 0 || excess(0) <= MEDIAN_SQUARE) return 0;
  let [low, high] = [0, 100];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (excess(middle) > MEDIAN_SQUARE) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The greatest distance from the center that is still normal. An hour that varies more than the
 * others (a nightly batch) has its own measure.
 */
function widthOf({ center, misses, days }: Normal, c2: number): number {
  const ofAll = Math.sqrt(1 + c2 * toCount(center));
  const own = median(misses.map(Math.abs)) / MEDIAN_ABS;
  return FAR * Math.max(ofAll, own) * (1 + 4 / days);
}

/**
 * Tells for each hour of a day that it is far above or below the days before; null where it is
 * not, or cannot be said.
 */
export function farFromNormal(
  hours: readonly { today: number | null; before: DaysBefore }[],
): ('above' | 'below' | null)[] {
  const normals = hours.map(({ before }) => normalOf(before));
  const c2 = overDispersion(normals.filter((normal) => normal !== undefined));
  return hours.map(({ today }, at) => {
    const normal = normals[at];
    if (normal === undefined || today === null) return null;
    const width = widthOf(normal, c2);
    const off = [normal.center, normal.sameDay ?? normal.center].map((usual) => toRoot(today) - usual);
    if (off.every((by) => by > width)) return 'above';
    return off.every((by) => by < -width) ? 'below' : null;
  });
}

export const DEFINITION =
  `Far from normal: more than ${FAR} robust standard deviations from the median of the same hour on the same weekday of the last four ` +
  `weeks or, while fewer than three of them are known, both from that of all days before and from the same weekday's. The deviation is what chance makes of such a ` +
  'count (Poisson, on the square-root scale), and what these hours have varied by beyond it on the days before; it is widened while ' +
  `few days are known, by four divided by their number. Nothing is marked before ${FEWEST_DAYS} days are known.`;
