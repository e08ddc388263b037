import { seriesText } from '../domain/series-text.ts';

export type Labels = Readonly<Record<string, string>>;

/** The counts of one status (or auth code) of one slice. */
export interface TallySeries {
  key: string;
  labels: Labels;
  total: number;
  /** A day's minutes by day since the epoch, `ABSENT` where there is no count. */
  pages: Map<number, Float64Array>;
  day: number;
  page: Float64Array | undefined;
}

/**
 * Adds up counts by minute and series, in any order of arrival. Minutes are counted since the
 * epoch.
 */
export interface Tally {
  series: (labels: Labels, key: string) => TallySeries;
  /** Says why a count cannot be taken, and then has not taken it. */
  add: (series: TallySeries, minute: number, count: number) => string | undefined;
  all: () => TallySeries[];
  /**
   * Counts that came for a minute and series that had one, and the first of those minutes, in order
   * of arrival.
   */
  repeated: { rows: number; minutes: number[] };
}

export const DAY = 1440;
/** A page is a series' day, 11.5 kB: at most 350 MB, or eleven years of seven statuses. */
const MAX_PAGES = 30_000;
const MAX_SLICES = 2000;
export const ABSENT = -1;
const MAX_REPEATED = 20;

/** @param areTotals true for totals that only grow: the largest of a minute is its last one */
export function createTally(areTotals = false): Tally {
  const all = new Map<string, TallySeries>();
  const slices = new Set<string>();
  const repeated: Tally['repeated'] = { rows: 0, minutes: [] };
  let pages = 0;

  const series = (labels: Labels, key: string): TallySeries => {
    const slice = seriesText('', labels);
    const name = `${key}${slice}`;
    const known = all.get(name);
    if (known !== undefined) return known;
    slices.add(slice);
    const fresh = { key, labels, total: 0, pages: new Map(), day: Number.NaN, page: undefined };
    all.set(name, fresh);
    return fresh;
  };

  const openPage = (one: TallySeries, day: number): Float64Array | undefined => {
    const known = one.pages.get(day);
    if (known !== undefined || pages >= MAX_PAGES || slices.size > MAX_SLICES) return known;
    pages++;
    const fresh = new Float64Array(DAY).fill(ABSENT);
    one.pages.set(day, fresh);
    return fresh;
  };

  const add: Tally['add'] = (one, minute, count) => {
    const total = one.total + count;
    if (total > Number.MAX_SAFE_INTEGER) return `brings the sum of ${one.key} past what can be counted exactly`;
    const day = Math.floor(minute / DAY);
    if (one.day !== day || one.page === undefined) {
      one.page = openPage(one, day);
      one.day = day;
    }
    const { page } = one;
    if (page === undefined) return tooMany(slices.size);
    const at = minute - day * DAY;
    const before = page[at] as number;
    if (before === ABSENT) page[at] = count;
    else if (areTotals) page[at] = Math.max(before, count);
    else {
      page[at] = before + count;
      repeated.rows++;
      if (repeated.minutes.length < MAX_REPEATED && !repeated.minutes.includes(minute)) repeated.minutes.push(minute);
    }
    one.total = total;
    return undefined;
  };
  return { series, add, all: () => [...all.values()], repeated };
}

const tooMany = (slices: number): string =>
  slices > MAX_SLICES
    ? `is one too many: --dimensions may make ${MAX_SLICES.toLocaleString('en-US')} slices, so leave out columns with a value of their own in each row`
    : `is one too many: a file may have ${MAX_PAGES.toLocaleString('en-US')} series and days`;

/** Adds another file's counts to a tally. @returns what both have. @throws where they are too many */
export function addTally(tally: Tally, other: Tally): Tally['repeated'] {
  const shared: Tally['repeated'] = { rows: 0, minutes: [] };
  for (const { key, labels, pages } of other.all()) {
    const one = tally.series(labels, key);
    for (const [day, page] of pages)
      for (let at = 0; at < DAY; at++) {
        const count = page[at] as number;
        if (count === ABSENT) continue;
        const minute = day * DAY + at;
        const before = tally.repeated.rows;
        const problem = tally.add(one, minute, count);
        if (problem !== undefined) throw new Error(`${key} ${problem}`);
        if (tally.repeated.rows === before) continue;
        shared.rows++;
        if (shared.minutes.length < MAX_REPEATED && !shared.minutes.includes(minute)) shared.minutes.push(minute);
      }
  }
  tally.repeated.rows += other.repeated.rows;
  tally.repeated.minutes.push(...other.repeated.minutes);
  return shared;
}

/** The days that any of these series has, in order. */
export const daysOf = (series: readonly TallySeries[]): number[] =>
  [...new Set(series.flatMap(({ pages }) => [...pages.keys()]))].sort((a, b) => a - b);

/** The minutes that any of these series has a count in, in order. */
export function* minutesOf(series: readonly TallySeries[]): Generator<number> {
  for (const day of daysOf(series)) {
    const pages = series.flatMap(({ pages: own }) => own.get(day) ?? []);
    for (let at = 0; at < DAY; at++) if (pages.some((page) => page[at] !== ABSENT)) yield day * DAY + at;
  }
}

/**
 * Turns totals that only grow into what each minute added to them; a total that fell began anew at
 * 0. The first minute of a series has nothing before it, and is left out.
 */
export function toDifferences(tally: Tally): void {
  for (const one of tally.all()) {
    let before: number | undefined;
    one.total = 0;
    for (const day of [...one.pages.keys()].sort((a, b) => a - b)) {
      const page = one.pages.get(day) ?? new Float64Array();
      for (let at = 0; at < DAY; at++) {
        const total = page[at] as number;
        if (total === ABSENT) continue;
        page[at] = before === undefined ? ABSENT : total >= before ? total - before : total;
        one.total += before === undefined ? 0 : (page[at] as number);
        before = total;
      }
    }
  }
}
