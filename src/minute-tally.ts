import type { CsvProblem } from './csv-row.ts';

/** Adds up counts by minute and key, in any order of arrival. */
export interface Tally {
  /** Says why a count cannot be taken, and then has not taken it. */
  add: (minute: number, key: string, count: number) => Omit<CsvProblem, 'line'> | undefined;
  /** Sorted. */
  keys: () => string[];
  /** First minute, and the one after the last. */
  range: () => { from: number; to: number };
  /** How many counts came for a minute and key that had one, and the first of those minutes, in order of arrival. */
  repeated: () => { rows: number; minutes: number[] };
  /** Minutes that have any count (0 is one), in order, each with the keys counted in it. */
  minutes: () => Generator<{ minute: number; values: Record<string, number> }>;
}

const DAY = 1440;
/** A page is one key's day, 11.5 kB: at most 350 MB, or eleven years of seven statuses. */
const MAX_PAGES = 30_000;
const ABSENT = -1;
const MAX_REPEATED = 20;

export function createTally(maxPages = MAX_PAGES): Tally {
  /** Day -> key -> the day's minutes. */
  const days = new Map<number, Map<string, Float64Array>>();
  const totals = new Map<string, number>();
  const repeated = { rows: 0, minutes: new Set<number>() };
  let pages = 0;

  const openPage = (day: number, key: string): Float64Array | undefined => {
    const keys = days.get(day) ?? new Map<string, Float64Array>();
    const page = keys.get(key);
    if (page !== undefined || pages >= maxPages) return page;
    pages++;
    days.set(day, keys);
    const fresh = new Float64Array(DAY).fill(ABSENT);
    keys.set(key, fresh);
    return fresh;
  };

  const add: Tally['add'] = (minute, key, count) => {
    const total = (totals.get(key) ?? 0) + count;
    if (!Number.isSafeInteger(total))
      return {
        column: 'count',
        value: String(count),
        message: `brings the sum of ${key} past what can be counted exactly`,
      };
    const page = openPage(Math.floor(minute / DAY), key);
    if (page === undefined)
      return {
        column: 'row',
        value: key,
        message: `is one too many: a file may have ${maxPages} pairs of day and key`,
      };
    const at = minute % DAY;
    if (page[at] !== ABSENT) {
      repeated.rows++;
      if (repeated.minutes.size < MAX_REPEATED) repeated.minutes.add(minute);
    }
    page[at] = Math.max(page[at] ?? 0, 0) + count;
    totals.set(key, total);
    return undefined;
  };

  return {
    add,
    keys: () => [...totals.keys()].sort(),
    range: () => rangeOf(days),
    repeated: () => ({ rows: repeated.rows, minutes: [...repeated.minutes] }),
    minutes: () => minutesOf(days),
  };
}

function* minutesOf(days: Map<number, Map<string, Float64Array>>) {
  for (const day of [...days.keys()].sort((a, b) => a - b)) {
    const pages = [...(days.get(day) ?? [])];
    for (let at = 0; at < DAY; at++) {
      const present = pages.filter(([, page]) => page[at] !== ABSENT);
      if (present.length === 0) continue;
      yield { minute: day * DAY + at, values: Object.fromEntries(present.map(([key, page]) => [key, page[at] ?? 0])) };
    }
  }
}

function rangeOf(days: Map<number, Map<string, Float64Array>>): { from: number; to: number } {
  const ordered = [...days.keys()].sort((a, b) => a - b);
  const [first = 0, last = 0] = [ordered[0], ordered.at(-1)];
  const firsts = [...(days.get(first)?.values() ?? [])].map((page) => page.findIndex((value) => value !== ABSENT));
  const lasts = [...(days.get(last)?.values() ?? [])].map((page) => page.findLastIndex((value) => value !== ABSENT));
  return { from: first * DAY + Math.min(...firsts), to: last * DAY + Math.max(...lasts) + 1 };
}
