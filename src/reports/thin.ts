/** Seconds since the epoch, and the value; null where there is none. */
export type Point = readonly [time: number, value: number | null];
/** Seconds since the epoch, and the edges of what is normal then. */
export type BandPoint = readonly [time: number, lower: number, upper: number];

/** A chart keeps points for so many places across its width. */
const PLACES = 700;

/**
 * At most two points for each of 700 equal parts of [from, to]: the lowest and the highest, in
 * order of time, so that no spike and no drop is lost however long the range. A null is put in
 * where nothing is known for longer than `gap` seconds. Reads the points once, in order of time,
 * and keeps no more than it returns.
 */
export function thin(points: Iterable<Point>, from: number, to: number, gap: number): Point[] {
  const width = (to - from) / PLACES;
  const all: Point[] = [];
  const kept: Point[] = [];
  let place: Extremes | undefined;
  for (const point of points) {
    if (point[0] < from || point[0] > to) continue;
    if (all.length <= 2 * PLACES) all.push(point);
    const at = Math.floor((point[0] - from) / width);
    if (place?.at !== at) {
      if (place) kept.push(...inOrder(place));
      place = { at, low: point, high: point };
    }
    widen(place, point);
  }
  if (all.length <= 2 * PLACES) return withGaps(all, gap);
  return withGaps([...kept, ...(place ? inOrder(place) : [])], Math.max(gap, 2 * width));
}

/** The lowest and the highest point of one part of the range. */
interface Extremes {
  at: number;
  low: Point;
  high: Point;
}

function widen(place: Extremes, point: Point): void {
  if (point[1] === null) return;
  if (place.low[1] === null || point[1] < place.low[1]) place.low = point;
  if (place.high[1] === null || point[1] > place.high[1]) place.high = point;
}

function inOrder({ low, high }: Extremes): Point[] {
  if (low === high) return [low];
  return low[0] < high[0] ? [low, high] : [high, low];
}

function withGaps(points: Point[], gap: number): Point[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    return before !== undefined && point[0] - before[0] > gap ? [[before[0] + 1, null] as Point, point] : [point];
  });
}

/**
 * The band's mean in each part: its edges change slowly, and their extremes would make it look
 * wider than it is.
 */
export function thinBand(points: Iterable<BandPoint>, from: number, to: number): BandPoint[] {
  const width = (to - from) / PLACES;
  const sums = new Map<number, [count: number, time: number, lower: number, upper: number]>();
  for (const [time, lower, upper] of points) {
    if (time < from || time > to) continue;
    const at = Math.floor((time - from) / width);
    const sum = sums.get(at) ?? [0, 0, 0, 0];
    sums.set(at, [sum[0] + 1, sum[1] + time, sum[2] + lower, sum[3] + upper]);
  }
  return [...sums.values()].map(([count, time, lower, upper]) => [
    Math.round(time / count),
    lower / count,
    upper / count,
  ]);
}
