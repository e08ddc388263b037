import { METRIC, STATUSES, type Status } from '../domain/names.ts';
import type { Report } from '../intake/report.ts';
import { type Group, groupsOf, isDuplicate, type Slots, slotsOf } from './groups.ts';
import {
  Conflict,
  type Counts,
  KeyReused,
  type Labels,
  type MinuteCounts,
  type Outcome,
  type Recorded,
} from './ledger.ts';
import { isLate, type Limits, type Submission } from './submission.ts';

export interface KnownSeries {
  id: number;
  metric: string;
  labels: Labels;
  value: number;
  /** Milliseconds since the epoch; undefined where it is not known. */
  created?: number | undefined;
}

/** Everything that is committed, as far as planning a batch needs it. */
export interface View {
  series(key: string): KnownSeries | undefined;
  /**
   * The number of series of transactions_total with extra labels, of auth codes and of sources.
   */
  known: { labelled: number; codes: number; sources: number };
  nextSeries: number;
  /** No counter is above this. */
  largest: number;
  slots(identity: string): Slots | undefined;
  key(hash: string): { body: string; answer: string } | undefined;
  /** The count of a minute under a series. */
  count(minute: number, series: number): number | undefined;
  /** The sums of a minute over all labels. */
  total(minute: number): Counts;
}

/** The series of a set of labels, as it is counted. */
interface LabelSet {
  labels: Labels;
  overflowed: boolean;
  series: Readonly<Record<Status, KnownSeries>>;
}

/** Counts of a minute under one set of labels, or over all labels. */
interface Cell {
  minute: number;
  /** None over all labels. */
  set: LabelSet | undefined;
  /** The counts before this batch, and those with it. */
  before: Counts;
  counts: Counts;
  /** The part that reports in time added. */
  current: Counts;
  answer: MinuteCounts | undefined;
}

/** The changes of a batch, as rows of the tables. */
export interface Changes {
  series: readonly KnownSeries[];
  /** By id of the series: the amounts added to counters, and the new values of gauges. */
  added: ReadonlyMap<number, number>;
  gauges: ReadonlyMap<number, number>;
  minutes: readonly (readonly [minute: number, series: number, delta: number])[];
  totals: readonly (readonly [minute: number, status: string, delta: number])[];
  slots: ReadonlyMap<string, Slots>;
  keys: ReadonlyMap<string, { body: string; answer: string }>;
  reports: readonly { report: Report; late: boolean; now: number }[];
  /** The sum of everything that is added. */
  sum: number;
}

export const seriesKey = (metric: string, labels: Labels): string => metric + JSON.stringify(labels);

export const otherValues = (labels: Labels): Labels =>
  Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));

export interface Planner {
  /**
   * Plans one body upon those before it: all of its reports or, where it throws, none. @throws
   * Conflict or KeyReused
   */
  take(submission: Submission): Recorded;
  changes(): Changes;
}

/** Plans what the bodies of one batch change, one after another. */
export function createPlanner(view: View, limits: Limits): Planner {
  const known = { ...view.known };
  const fresh = new Map<string, KnownSeries>();
  const [added, gauges] = [new Map<number, number>(), new Map<number, number>()];
  const cells = new Map<LabelSet | undefined, Map<number, Cell>>();
  const codes = new Map<string, [minute: number, series: number, delta: number]>();
  const [slots, keys] = [new Map<string, Slots>(), new Map<string, { body: string; answer: string }>()];
  const reports: { report: Report; late: boolean; now: number }[] = [];
  const sets = new Map<string, LabelSet>();
  const sources = new Map<string, { minute: number; late: boolean; now: number }>();
  let sum = 0;

  const find = (metric: string, labels: Labels) => {
    const key = seriesKey(metric, labels);
    return fresh.get(key) ?? view.series(key);
  };

  function seriesOf(metric: string, labels: Labels): KnownSeries {
    const found = find(metric, labels);
    if (found !== undefined) return found;
    const made = { id: view.nextSeries + fresh.size, metric, labels, value: 0 };
    fresh.set(seriesKey(metric, labels), made);
    return made;
  }

  /**
   * Makes the series of all statuses at the first sight of a set of labels, so that the first
   * increase of each is seen. Their ids follow each other.
   */
  const seriesBy = (metric: string, labels: Labels) =>
    Object.fromEntries(STATUSES.map((status) => [status, seriesOf(metric, { status, ...labels })])) as Record<
      Status,
      KnownSeries
    >;
  const isKnown = (labels: Labels) => find(METRIC.transactions, { status: STATUSES[0], ...labels }) !== undefined;

  /** Labels as they are counted: `other` for a new set of values past the cardinality limit. */
  function admit(labels: Labels): Labels {
    if (isKnown(labels)) return labels;
    const admitted = known.labelled + STATUSES.length > limits.maxSeries ? otherValues(labels) : labels;
    if (!isKnown(admitted)) known.labelled += STATUSES.length;
    return admitted;
  }

  function setOf(labels: Labels): LabelSet {
    const text = JSON.stringify(labels);
    const found = sets.get(text);
    if (found !== undefined) return found;
    const admitted = admit(labels);
    const made = { labels: admitted, overflowed: admitted !== labels, series: seriesBy(METRIC.transactions, admitted) };
    sets.set(text, made);
    return made;
  }

  /** The counts of a minute under labels; over all labels where there is no set. */
  function cellOf(minute: number, set?: LabelSet): Cell {
    const found = cells.get(set)?.get(minute);
    if (found !== undefined) return found;
    const before: Counts = set === undefined ? view.total(minute) : {};
    if (set !== undefined)
      for (const status of STATUSES) {
        const count = view.count(minute, set.series[status].id);
        if (count !== undefined) before[status] = count;
      }
    const made = { minute, set, before, counts: { ...before }, current: {}, answer: undefined };
    const ofSet = cells.get(set) ?? new Map<number, Cell>();
    cells.set(set, ofSet.set(minute, made));
    return made;
  }

  /** A minute and the two before it, with the counts of all bodies of the batch. */
  function answerOf(cell: Cell): MinuteCounts {
    const { minute, set, counts } = cell;
    cell.answer ??= {
      minute,
      labels: set?.labels ?? {},
      counts,
      previous: cellOf(minute - 60, set).counts,
      earlier: cellOf(minute - 120, set).counts,
    };
    return cell.answer;
  }

  const add = (series: KnownSeries, delta: number) => added.set(series.id, (added.get(series.id) ?? 0) + delta);

  function countCode(minute: number, code: string, delta: number, late: boolean): boolean {
    const labels = { auth_code: code };
    const admitted = find(METRIC.authCodes, labels) !== undefined || known.codes < limits.maxSeries;
    if (admitted && find(METRIC.authCodes, labels) === undefined) known.codes++;
    const series = seriesOf(METRIC.authCodes, admitted ? labels : { auth_code: 'other' });
    if (!late) add(series, delta);
    const key = `${minute} ${series.id}`;
    const row = codes.get(key);
    if (row === undefined) codes.set(key, [minute, series.id, delta]);
    else row[2] += delta;
    return !admitted;
  }

  /** Counts what a group brings. @returns whether a label value of it became "other" */
  function count({ report, entries, before }: Group, late: boolean): boolean {
    const { minute } = report;
    const set = setOf(report.labels);
    const [total, cell] = [cellOf(minute), cellOf(minute, set)];
    let { overflowed } = set;
    for (const { slot, status, code, count } of entries) {
      const was = before?.[slot];
      if (was === count) continue;
      const delta = count - (was ?? 0);
      sum += delta;
      if (status !== undefined) {
        total.counts[status] = (total.counts[status] ?? 0) + delta;
        cell.counts[status] = (cell.counts[status] ?? 0) + delta;
        if (!late) cell.current[status] = (cell.current[status] ?? 0) + delta;
      }
      if (code !== undefined && countCode(minute, code, delta, late)) overflowed = true;
    }
    return overflowed;
  }

  /** Sets the gauges of each source. Sources past the limit share the name "other". */
  function tellSources(): void {
    const told = new Map<string, { minute: number; late: boolean; now: number }>();
    for (const [source, said] of sources) {
      const isKnown = source === '' || find(METRIC.reportDelay, { source }) !== undefined;
      if (!isKnown) known.sources++;
      told.set(isKnown || known.sources <= limits.maxSources ? source : 'other', said);
    }
    for (const [source, { minute, late, now }] of told) {
      const labels: Labels = source === '' ? {} : { source };
      gauges.set(seriesOf(METRIC.reportDelay, labels).id, late ? Math.max(0, Math.round(now / 1000 - minute - 60)) : 0);
      if (late) gauges.set(seriesOf(METRIC.lastLateReport, labels).id, now);
      else for (const one of [{}, labels]) gauges.set(seriesOf(METRIC.lastReport, one).id, now);
    }
  }

  /**
   * Refuses a body that would make a counter larger than a number can be. The sums of all counters
   * are compared, so that none of them can get there.
   */
  function refuseTooMuch(groups: readonly Group[]): void {
    let more = 0;
    for (const { entries } of groups) for (const { count } of entries) more += count;
    if (!Number.isSafeInteger(view.largest + sum + more)) throw pastAll(groups);
  }

  function earlier({ hash, body }: NonNullable<Submission['key']>): Recorded | undefined {
    const before = keys.get(hash) ?? view.key(hash);
    if (before === undefined) return undefined;
    if (before.body !== body)
      throw new KeyReused('this Idempotency-Key came before with another body; give each new body a new key');
    return { outcomes: [], minutes: [], replayed: true, answer: before.answer, overflowed: 0 };
  }

  /** Records a body whose key is new, or which has none. @throws Conflict */
  function record(submission: Submission): Recorded {
    const { now } = submission;
    const { groups, of } = groupsOf(submission, (identity) => slots.get(identity) ?? view.slots(identity));
    refuseTooMuch(groups);
    let overflowed = 0;
    for (const group of groups) {
      const { identity, report, entries, before } = group;
      if (before !== undefined && entries.every(({ slot, count }) => before[slot] === count)) continue;
      const late = isLate(report, now, limits);
      if (count(group, late)) overflowed++;
      if (identity !== undefined) slots.set(identity, { ...before, ...slotsOf(entries) });
      sources.set(report.source, { minute: report.minute, late, now });
    }
    const minutes = new Set<MinuteCounts>();
    const outcomes = submission.reports.map((row, i): Outcome => {
      const group = of[i] as Group;
      const [duplicate, late] = [isDuplicate(row, group), isLate(group.report, now, limits)];
      if (!duplicate) reports.push({ report: row, late, now });
      if (!late) {
        minutes.add(answerOf(cellOf(row.minute)));
        if (Object.keys(row.labels).length > 0) minutes.add(answerOf(cellOf(row.minute, setOf(row.labels))));
      }
      const result = duplicate ? 'duplicate' : group.before === undefined ? 'accepted' : 'correction';
      return { result, late: late && !duplicate };
    });
    return { outcomes, minutes: [...minutes], replayed: false, overflowed };
  }

  if (view.nextSeries === 1) {
    for (const metric of [METRIC.transactions, METRIC.late]) seriesBy(metric, {});
    seriesOf(METRIC.authCodes, { auth_code: '00' });
    seriesOf(METRIC.lastReport, {});
  }

  return {
    take(submission) {
      const { key } = submission;
      if (key === undefined) return record(submission);
      const before = earlier(key);
      if (before !== undefined) return before;
      const recorded = record(submission);
      const answer = key.answer(recorded);
      keys.set(key.hash, { body: key.body, answer });
      return { ...recorded, answer };
    },
    changes() {
      const late = seriesBy(METRIC.late, {});
      const minutes: [number, number, number][] = [...codes.values()];
      const totals: [number, string, number][] = [];
      tellSources();
      for (const { minute, set, before, counts, current } of [...cells.values()].flatMap((some) => [...some.values()]))
        for (const status of STATUSES) {
          const count = counts[status];
          if (count === undefined || count === before[status]) continue;
          const delta = count - (before[status] ?? 0);
          if (set === undefined) totals.push([minute, status, delta]);
          else {
            minutes.push([minute, set.series[status].id, delta]);
            const inTime = current[status] ?? 0;
            if (inTime > 0) add(set.series[status], inTime);
            if (delta > inTime) add(late[status], delta - inTime);
          }
        }
      return { series: [...fresh.values()], added, gauges, minutes, totals, slots, keys, reports, sum };
    },
  };
}

function pastAll(groups: readonly Group[]): Conflict {
  const [largest] = groups.flatMap(({ entries }) => entries).sort((a, b) => b.count - a.count);
  const slot = largest?.slot ?? '';
  return new Conflict(slot, `${slot} would take a total past ${Number.MAX_SAFE_INTEGER}, which no counter can hold`);
}
