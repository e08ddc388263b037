/** Seconds since the epoch, and the value; null where there is none. */
export type Point = readonly [time: number, value: number | null];
/** Seconds since the epoch, and the edges of what is normal then. */
export type BandPoint = readonly [time: number, lower: number, upper: number];

/** How many places across a chart points are kept for. */
const PLACES = 700;

/**
 * At most two points for each of 700 equal parts of [from, to]: the lowest and the highest, in order of time, so that no spike
 * and no drop is lost however long the range. A null is put in where nothing is known for longer than `gap` seconds.
 */
export function thin(points: readonly Point[], from: number, to: number, gap: number): Point[] {
  const inside = points.filter(([time]) => time >= from && time <= to);
  const width = (to - from) / PLACES;
  const kept = inside.length <= 2 * PLACES ? inside : [...byPlace(inside, from, width)].flatMap(extremes);
  return withGaps(kept, inside.length <= 2 * PLACES ? gap : Math.max(gap, 2 * width));
}

function* byPlace<P extends readonly [number, ...unknown[]]>(points: readonly P[], from: number, width: number) {
  let group: P[] = [];
  let place = -1;
  for (const point of points) {
    const here = Math.floor((point[0] - from) / width);
    if (here !== place && group.length > 0) {
      yield group;
      group = [];
    }
    place = here;
    group.push(point);
  }
  if (group.length > 0) yield group;
}

function extremes(group: readonly Point[]): Point[] {
  let [low, high]: (Point | undefined)[] = [];
  for (const point of group) {
    if (point[1] === null) continue;
    if (low === undefined || point[1] < (low[1] ?? 0)) low = point;
    if (high === undefined || point[1] > (high[1] ?? 0)) high = point;
  }
  if (low === undefined || high === undefined) return group.slice(0, 1);
  if (low === high) return [low];
  return low[0] < high[0] ? [low, high] : [high, low];
}

function withGaps(points: Point[], gap: number): Point[] {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    return before !== undefined && point[0] - before[0] > gap ? [[before[0] + 1, null] as Point, point] : [point];
  });
}

/** The band's mean in each part: its edges change slowly, and their extremes would make it look wider than it is. */
export function thinBand(points: readonly BandPoint[], from: number, to: number): BandPoint[] {
  const inside = points.filter(([time]) => time >= from && time <= to);
  if (inside.length <= PLACES) return inside;
  const mean = (group: readonly BandPoint[], column: 0 | 1 | 2) =>
    group.reduce((sum, point) => sum + point[column], 0) / group.length;
  return [...byPlace(inside, from, (to - from) / PLACES)].map((group) => [
    Math.round(mean(group, 0)),
    mean(group, 1),
    mean(group, 2),
  ]);
}
