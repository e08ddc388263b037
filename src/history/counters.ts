import type { CalendarAt } from '../calendar/series.ts';
import type { MinuteCounts } from '../domain/minutes.ts';
import { METRIC, STATUSES } from '../domain/names.ts';
import { type Labels, seriesText } from '../domain/series-text.ts';
import { isoTime } from '../domain/times.ts';

/** Labels of the imported series; the rules drop both, so that they join with what is scraped. */
export const IMPORT_LABELS = { job: 'tillwatch', instance: 'import' } as const;

/**
 * Minutes without a report up to which the counters stand still, as they do live while a feed is
 * silent; over a longer gap there are no samples: the file does not cover that time, and a day of
 * zeros would be taken for a quiet day.
 */
export const LONGEST_SILENCE = 1440;

export interface CounterOptions {
  /** Minutes are in order of time, and none comes twice. */
  minutes: AsyncIterable<MinuteCounts> | Iterable<MinuteCounts>;
  /** True to write the transactions by status. */
  statuses: boolean;
  /** Codes whose counters start with the first minute; others start with theirs. */
  authCodes: readonly string[];
  /**
   * Values to continue from, by series; asked once, with the start of the first minute in seconds
   * since the epoch.
   */
  base: (from: number) => Promise<ReadonlyMap<string, number>>;
  /**
   * True where the reports count as live ones, whose silence is alerted on. Imported reports only
   * teach how often reports come.
   */
  live?: boolean;
  /** Absent where there is no calendar. */
  calendar?: CalendarAt | undefined;
  onMinute?: ((minute: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface CountersWritten {
  /** Seconds since the epoch: start of the first minute and end of the last. */
  from: number;
  to: number;
  minutes: number;
  samples: number;
  series: number;
}

const NO_LABELS: Labels = {};

/** Names of series by their labels and by status or code: a name takes longer than its count. */
function createNames() {
  const named = (metric: string, label: string) => {
    const all = new WeakMap<Labels, Map<string, string>>();
    return (value: string, labels = NO_LABELS): string => {
      const names = all.get(labels) ?? new Map<string, string>();
      all.set(labels, names);
      const name = names.get(value) ?? seriesText(metric, { ...labels, ...IMPORT_LABELS, [label]: value });
      names.set(value, name);
      return name;
    };
  };
  return { ofStatus: named(METRIC.transactions, 'status'), ofCode: named(METRIC.authCodes, 'auth_code') };
}
type Names = ReturnType<typeof createNames>;

const lastReportSeries = (live = false) =>
  seriesText(METRIC.lastReport, live ? { ...IMPORT_LABELS, instance: 'played' } : IMPORT_LABELS);

/**
 * Hands on the counters that a running Tillwatch would have exposed, in order of time: series as
 * text, their values, seconds since the epoch. Each minute's counts are in the sample at its end,
 * and one sample at the start of the first minute lets `increase` see that minute too.
 * @throws when there are no minutes, or they are out of order
 */
export async function exposeCounters(
  options: CounterOptions,
  take: (totals: ReadonlyMap<string, number>, time: number) => Promise<void>,
): Promise<CountersWritten> {
  const written = { from: Number.NaN, to: Number.NaN, minutes: 0, samples: 0, series: 0 };
  const names = createNames();
  const totals = new Map<string, number>();
  const gauges = new Set<string>();
  const give = async (minute: number, series: ReadonlyMap<string, number>) => {
    written.samples += series.size;
    await take(series, minute * 60);
  };
  const expose = async (minute: number) => {
    await give(minute, totals);
    const said = calendarSeries(options, minute);
    for (const series of said.keys()) gauges.add(series);
    if (said.size > 0) await give(minute, said);
  };
  let base: ReadonlyMap<string, number> = new Map();
  for await (const counted of options.minutes) {
    options.signal?.throwIfAborted();
    const { minute } = counted;
    if (written.minutes === 0) {
      written.from = minute * 60;
      base = await options.base(written.from);
      for (const series of firstSeries(options, names)) totals.set(series, base.get(series) ?? 0);
      await expose(minute);
    } else {
      await bridge(written.to / 60, minute, expose);
    }
    if (counted.restarted === true) for (const series of totals.keys()) totals.set(series, 0);
    await give(minute, addCounts(totals, base, counted, options, names));
    await expose(minute + 1);
    written.to = (minute + 1) * 60;
    written.minutes++;
    options.onMinute?.(minute);
  }
  if (written.minutes === 0) throw new Error('there is no minute to import');
  return { ...written, series: totals.size + gauges.size };
}

const calendarSeries = ({ calendar }: CounterOptions, minute: number): Map<string, number> =>
  new Map(
    calendar?.(minute).map(({ metric, labels, value }) => [seriesText(metric, { ...labels, ...IMPORT_LABELS }), value]),
  );

const firstSeries = ({ statuses, authCodes }: CounterOptions, names: Names): string[] => [
  ...(statuses ? STATUSES.map((status) => names.ofStatus(status)) : []),
  ...authCodes.map((code) => names.ofCode(code)),
];

/** Samples between the end of the last minute reported and the start of this one. */
async function bridge(last: number, minute: number, expose: (minute: number) => Promise<void>): Promise<void> {
  if (minute < last) throw new Error(`minutes are out of order: ${at(minute)} after ${at(last - 1)}`);
  if (minute === last) return;
  for (let quiet = minute - last > LONGEST_SILENCE ? minute : last + 1; quiet <= minute; quiet++) await expose(quiet);
}

const at = (minute: number): string => isoTime(minute * 60);

/** Adds a minute. @returns the series that this minute brings, at the values they had before it */
function addCounts(
  totals: Map<string, number>,
  base: ReadonlyMap<string, number>,
  counted: MinuteCounts,
  { statuses, live }: CounterOptions,
  names: Names,
): Map<string, number> {
  const fresh = new Map<string, number>();
  const add = (series: string, count: number) => {
    const before = totals.get(series) ?? base.get(series) ?? 0;
    if (!totals.has(series)) fresh.set(series, before);
    totals.set(series, before + count);
  };
  for (const { labels, counts = {}, authCodes = {} } of [
    { ...counted, labels: NO_LABELS },
    ...(counted.labelled ?? []),
  ]) {
    if (statuses) for (const [status, count] of Object.entries(counts)) add(names.ofStatus(status, labels), count);
    for (const [code, count] of Object.entries(authCodes)) add(names.ofCode(code, labels), count);
  }
  if (statuses) totals.set(lastReportSeries(live), counted.minute * 60);
  return fresh;
}
