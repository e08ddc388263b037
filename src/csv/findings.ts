import { plural } from '../domain/plural.ts';
import { utcMinute } from '../domain/times.ts';
import type { ReadFile } from './read.ts';
import { ABSENT, DAY, daysOf, minutesOf, type Tally, type TallySeries } from './tally.ts';

/** Signs that a file cannot be right, as far as one can tell from outside. */
export const FINDINGS = ['coarse', 'repeated', 'growing', 'totals-row', 'local-hour', 'future', 'gaps'] as const;
export type FindingKind = (typeof FINDINGS)[number];

export interface Finding {
  kind: FindingKind;
  /** The finding, its place, and the remedy. */
  what: string;
  /** The meaning of the file if it is accepted all the same. */
  accepted: string;
}

/**
 * So many equal distances between rows show that a file is by five minutes, say; three are enough
 * for hours.
 */
const ENOUGH_TIMES = 12;
const ENOUGH_HOURS = 3;
/** Steps that never fall: chance does not do that with counts. */
const ENOUGH_STEPS = 10;
/**
 * Minutes of a gap that is worth a word; where rows are single transactions, quiet hours are none.
 */
const LONG_GAP = 60;
const LONG_QUIET = DAY;

const iso = (minute: number): string => utcMinute(minute * 60);

/** @param now minutes since the epoch */
export function findingsOf(file: ReadFile, now: number): Finding[] {
  const series = [file.statuses, file.codes].flatMap((tally) => tally?.all() ?? []);
  const coarse = coarseness(file, series);
  return [
    coarse,
    coarse === undefined ? repetition(file) : undefined,
    growth(file),
    totalsRow(file),
    localHour(file),
    future(series, now),
    coarse === undefined ? gaps(file, series) : undefined,
  ].filter((finding) => finding !== undefined);
}

function coarseness({ seen }: ReadFile, series: TallySeries[]): Finding | undefined {
  const { step, times } = stepOf(series);
  const certain = seen.dateOnly || (step >= 60 && times >= ENOUGH_HOURS) || (step > 1 && times >= ENOUGH_TIMES);
  if (!certain) return undefined;
  const every = seen.dateOnly || step % DAY === 0 ? 'day' : step % 60 === 0 ? 'hour' : `${step} minutes`;
  const by =
    step > 60 && step % 60 === 0 && step % DAY !== 0
      ? `every ${step / 60} hours`
      : every === 'day' || every === 'hour'
        ? `by the ${every}`
        : `every ${every}`;
  return {
    kind: 'coarse',
    what:
      `the rows are ${by}, not by minute: the rules judge minutes, and would see a silent feed in between. Export counts by minute ` +
      '(GROUP BY the minute), or one row for each transaction',
    accepted: `each row's whole count would be that of its first minute, with silence until the next row`,
  };
}

/**
 * The distance of which nearly all distances between minutes are multiples, and how many minutes
 * there are. A few rows that are off, of a late job or a change of clocks, do not hide it.
 */
function stepOf(series: TallySeries[]): { step: number; times: number } {
  const distances = new Map<number, number>();
  let [times, before] = [0, Number.NaN];
  for (const minute of minutesOf(series)) {
    if (times++ > 0) distances.set(minute - before, (distances.get(minute - before) ?? 0) + 1);
    before = minute;
  }
  const [commonest] = [...distances].sort(([, a], [, b]) => b - a);
  const all = [...distances.keys()].reduce(divisor, 0);
  if (all > 1 || commonest === undefined) return { step: all, times };
  const fits = [...distances].filter(([distance]) => distance % commonest[0] === 0);
  const share = fits.reduce((sum, [, count]) => sum + count, 0) / (times - 1);
  return { step: share >= 0.9 ? commonest[0] : 1, times };
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));

function repetition({ statuses, codes, seen }: ReadFile): Finding | undefined {
  if (seen.ones && !seen.events) return undefined;
  if (seen.twins !== undefined) return twinsFound(seen.twins);
  const severalAreRight = seen.events || seen.seconds || seen.telling;
  const found = severalAreRight ? [seen.again] : [statuses, codes].flatMap((tally) => tally?.repeated ?? []);
  const rows = found.reduce((sum, one) => sum + one.rows, 0);
  if (rows === 0) return undefined;
  return {
    kind: 'repeated',
    ...repeatedWords(
      rows,
      found.flatMap(({ minutes }) => minutes),
      seen.events,
    ),
  };
}

const twinsFound = ({ column, cells }: NonNullable<ReadFile['seen']['twins']>): Finding => ({
  kind: 'repeated',
  what:
    `rows with ${cells.map((cell) => JSON.stringify(cell)).join(' and ')} in ${JSON.stringify(column)} count the same in each minute: ` +
    'the same counts given twice, as replicas give them, would be counted double. Leave one of them out',
  accepted: 'the counts of such rows would be added up',
});

/** For rows of one file, and for minutes that two files have. */
export function repeatedWords(
  rows: number,
  minutes: readonly number[],
  events = false,
): Pick<Finding, 'what' | 'accepted'> {
  const of = events ? 'row' : 'count';
  const what = events ? 'a transaction and its status' : 'a minute and status (or code)';
  const updates = events ? ', or a row for each update of a transaction' : '';
  return {
    what:
      `${plural(rows, of)} of ${what} that another row has too, first at ${minutes.slice(0, 3).map(iso).join(', ')}: ` +
      `a file given twice, or exports that overlap${updates}, would be counted double. Leave one of them out`,
    accepted: 'the counts of such rows would be added up',
  };
}

function growth(file: ReadFile): Finding | undefined {
  const tallies = [file.statuses, file.codes].filter((tally) => tally !== undefined);
  if (file.seen.events || !tallies.some(onlyGrows)) return undefined;
  return {
    kind: 'growing',
    what:
      'the numbers only grow from minute to minute: they look like the totals of a counter, not like counts. Pass --cumulative, ' +
      'which takes what each minute added',
    accepted: 'each total would be taken for the count of its minute',
  };
}

/** True where no series ever falls but to begin anew, and one has grown often. */
function onlyGrows(tally: Tally): boolean {
  let most = 0;
  for (const { pages } of tally.all()) {
    let [grown, before] = [0, Number.NaN];
    for (const day of [...pages.keys()].sort((a, b) => a - b))
      for (const total of pages.get(day) ?? []) {
        if (total === ABSENT) continue;
        if (total < before && (total > before / 2 || grown < ENOUGH_STEPS)) return false;
        if (total > before) grown++;
        before = total;
      }
    most = Math.max(most, grown);
  }
  return most >= ENOUGH_STEPS;
}

function totalsRow({ seen: { totals } }: ReadFile): Finding | undefined {
  const { rows, line, cells } = totals;
  if (rows === 0) return undefined;
  const told = cells.length === 0 ? '' : ` (those with ${cells.slice(0, 5).join(', ')} are sums of others)`;
  return {
    kind: 'totals-row',
    what: `line ${line}: ${rows === 1 ? 'a row of totals is no count of its own. Delete it' : `the last of ${plural(rows, 'row')} of totals, which are no counts of their own${told}. Delete them`} from the file`,
    accepted: `${rows === 1 ? 'it' : 'they'} would be left out`,
  };
}

function localHour({ seen: { twice, never } }: ReadFile): Finding | undefined {
  if (twice.rows + never.rows === 0) return undefined;
  const lines = (odd: typeof twice) =>
    `(${plural(odd.rows, 'row')}, first at line ${odd.lines.join(', ')}, such as ${odd.time})`;
  const parts = [
    ...(twice.rows > 0 ? [`are in an hour that the time zone has twice, when clocks go back ${lines(twice)}`] : []),
    ...(never.rows > 0 ? [`are in an hour that the time zone skips, when clocks go forward ${lines(never)}`] : []),
  ];
  return {
    kind: 'local-hour',
    what: `times ${parts.join(', and times ')}. Export times with their offset or in UTC, or correct --timezone`,
    accepted: 'an hour that is there twice would be its first time, and one that is skipped the hour after',
  };
}

function future(series: TallySeries[], now: number): Finding | undefined {
  const last = daysOf(series).at(-1) ?? 0;
  if ((last + 1) * DAY <= now) return undefined;
  let [minutes, first] = [0, Number.NaN];
  for (const minute of minutesOf(series)) {
    if (minute <= now) continue;
    if (minutes++ === 0) first = minute;
  }
  if (minutes === 0) return undefined;
  return {
    kind: 'future',
    what: `${plural(minutes, 'minute')} from ${iso(first)} UTC on ${minutes === 1 ? 'lies' : 'lie'} in the future. Are the times local? Then give --timezone`,
    accepted: 'minutes in the future would be left out, for Prometheus takes none',
  };
}

function gaps({ seen }: ReadFile, series: TallySeries[]): Finding | undefined {
  const least = seen.events ? LONG_QUIET : LONG_GAP;
  const long: { from: number; minutes: number }[] = [];
  let before = Number.NaN;
  for (const minute of minutesOf(series)) {
    if (minute - before > least) long.push({ from: before + 1, minutes: minute - before - 1 });
    before = minute;
  }
  if (long.length === 0) return undefined;
  const hoursOfDay = new Set([...minutesOf(series)].map((minute) => Math.floor(minute / 60) % 24));
  const isHalfDay = hoursOfDay.size === 12 && [...hoursOfDay].every((hour) => hour >= 1 && hour <= 12);
  const half = isHalfDay
    ? '. All hours are from 1 to 12: does the export lack AM and PM? Then export 24 hours, as HH24 does in Oracle and %H in MySQL'
    : '';
  const [longest] = [...long].sort((a, b) => b.minutes - a.minutes);
  const hours = plural(Math.round((longest?.minutes ?? 0) / 6) / 10, 'hour');
  return {
    kind: 'gaps',
    what: `${plural(long.length, 'gap')} of an hour or more without any row, the longest ${hours} from ${iso(longest?.from ?? 0)} UTC. Fill in what is missing${half}`,
    accepted: 'a gap of up to a day would be a silent feed, a longer one no data at all',
  };
}
