import { createHash } from 'node:crypto';
import { METRIC, STATUSES, type Status } from '../domain/names.ts';
import { isoTime } from '../domain/times.ts';
import type { Entry, Report } from '../intake/report.ts';
import {
  type Answer,
  Conflict,
  type Counts,
  KeyReused,
  type Labels,
  type MinuteCounts,
  type Outcome,
  type Recorded,
  type RecordOptions,
} from './ledger.ts';
import { firstKey, type KnownTotals, type NewSeries, seriesKey } from './series.ts';

export interface Limits {
  latenessSeconds: number;
  maxSeries: number;
  maxSources: number;
}

/** True for a report that is too old to be current. */
export const isLate = (report: Report, now: number, { latenessSeconds }: Limits): boolean =>
  report.time < now - latenessSeconds * 1000;

/** Labels under which those are counted that would be too many. */
export const OTHER = (labels: Labels): Labels => Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));

/** A body of reports, with the texts that identify it and each of them. */
export interface Submission {
  reports: readonly Report[];
  key: { hash: string; body: string } | undefined;
  /** The text that identifies each report; undefined for one that always adds up. */
  identities: readonly (string | undefined)[];
  now: number;
  answer: RecordOptions['answer'];
}

/** 132 bits: nobody can bring about that two things have the same hash. */
export const hashOf = (...parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);

const LONGEST_IDENTITY = 100;
/** A key with another body is a mistake of its sender's: 66 bits tell it. */
const BODY_HASH = 11;

/** Identifies a report, the minute first: reports of one time stand together in an index. */
function identityOf(report: Report, token: string): string | undefined {
  if (report.id !== undefined) return hashOf('event', token, report.id);
  if (!report.identified) return undefined;
  const text = JSON.stringify([report.source, report.labels]);
  return `${report.minute} ${text.length <= LONGEST_IDENTITY ? text : hashOf(text)}`;
}

/** Finds out what identifies a body and its reports. A key decides alone. */
export function prepare(reports: readonly Report[], { key, token = '', now, answer }: RecordOptions): Submission {
  if (key === undefined)
    return { reports, key, identities: reports.map((report) => identityOf(report, token)), now, answer };
  const hashes = { hash: hashOf('key', token, key.key), body: hashOf(key.fingerprint).slice(0, BODY_HASH) };
  return { reports, key: hashes, identities: [], now, answer };
}

/** The numbers of a report, by the slot of the entry that brought them. */
export type Slots = Readonly<Record<string, number>>;

export function slotsOf(entries: readonly Entry[]): Record<string, number> {
  const slots: Record<string, number> = {};
  for (const { slot, count } of entries) slots[slot] = count;
  return slots;
}

/** Reports of a body that are one: rows that name the same numbers are added up. */
interface Group {
  identity: string | undefined;
  /** The first of them. */
  report: Report;
  /** One for each slot; the sums are in `slots`. */
  entries: Entry[];
  slots: Record<string, number>;
  /** The numbers that were recorded before. */
  before: Slots | undefined;
}

/** Adds a row to its group. @throws Conflict where it is the same event with another content */
function join({ report, entries, slots }: Group, row: Report): void {
  for (const entry of row.entries) {
    const sum = slots[entry.slot];
    if (report.id === undefined) {
      if (sum === undefined) entries.push(entry);
      slots[entry.slot] = (sum ?? 0) + entry.count;
    } else if (sum !== entry.count) throw reusedId(report);
  }
}

/** @throws Conflict where a count is lower than it was, or an event has another content */
function compare({ report, slots, before }: Group): void {
  if (before === undefined) return;
  for (const [slot, count] of Object.entries(slots)) {
    const was = before[slot] ?? 0;
    if (report.id !== undefined && was !== count) throw reusedId(report);
    if (count < was) throw lowered(report, slot, was, count);
  }
}

/** True where the sums of these entries of a group were recorded before. */
const isKnown = ({ before, slots }: Group, entries: readonly Entry[]): boolean =>
  before !== undefined && entries.every(({ slot }) => before[slot] === slots[slot]);

/** A set of labels, as it is counted. */
interface LabelSet {
  labels: Labels;
  overflowed: boolean;
  /** The id of the series of its first status; those of the others follow. */
  first: number;
}

/** By status, how far the id of its series is from the first of its set. */
const PLACE = Object.fromEntries(STATUSES.map((status, place) => [status, place])) as Record<Status, number>;

/** Stands in until the whole batch is planned, of whose counts answers speak. */
const NO_ANSWER: Answer = { text: '', recommendation: '' };

export interface KeptAnswer {
  /** The hash of the body. */
  body: string;
  answer: string;
}

/** What is recorded that the bodies of a batch may repeat, or of which their answers speak. */
export interface View {
  slots: ReadonlyMap<string, Slots>;
  keys: ReadonlyMap<string, KeptAnswer>;
  /** Counts of minutes, by `countsKey`. */
  counts: ReadonlyMap<string, Counts>;
}

/** Names a minute in total, or under the labels whose series begin at `first`. */
export const countsKey = (minute: unknown, first: unknown = 0): string => `${minute} ${first}`;
/** Answers speak of a minute and of the two before it; seconds. */
export const AGO = [0, 60, 120] as const;

/** A report that changed something, as it is kept to be looked at. */
export interface Listed {
  report: Report;
  outcome: Outcome;
  now: number;
  recommendation: string;
}

/** What a batch changes. */
export interface Changes {
  series: readonly NewSeries[];
  /** By id of the series: the amounts added to counters, and the new values of gauges. */
  counters: ReadonlyMap<number, number>;
  gauges: ReadonlyMap<number, number>;
  /** The amounts added to minutes: by id of the series, and by status over all labels. */
  minutes: ReadonlyMap<number, ReadonlyMap<number, number>>;
  sums: ReadonlyMap<number, Counts>;
  slots: ReadonlyMap<string, Slots>;
  reports: readonly Listed[];
  keys: ReadonlyMap<string, KeptAnswer>;
  /** No counter is above this afterwards. */
  largest: number;
}

export interface Planner {
  /**
   * Plans one body upon those before it: all of its reports or, where it throws, none.
   * @returns what to tell its sender, whole once `changes` is called @throws Conflict or KeyReused
   */
  take(submission: Submission): Recorded;
  changes(): Changes;
}

function raise<K>(sums: Map<K, number>, key: K, by: number): void {
  sums.set(key, (sums.get(key) ?? 0) + by);
}

/** The value of a key, made where there is none. */
export function within<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** Plans what the bodies of one batch change, one after another. */
export function createPlanner(totals: KnownTotals, recorded: View, limits: Limits): Planner {
  const known = { ...totals.known };
  const fresh = new Map<string, NewSeries>();
  const [counters, gauges] = [new Map<number, number>(), new Map<number, number>()];
  const [minutes, sums] = [new Map<number, Map<number, number>>(), new Map<number, Counts>()];
  const slots = new Map<string, Slots>();
  const keys = new Map<string, KeptAnswer>();
  const answers: (() => void)[] = [];
  const reports: Listed[] = [];
  const sets = new Map<string, LabelSet>();
  const sources = new Map<string, { minute: number; late: boolean; now: number }>();
  const asked = new Map<LabelSet | undefined, Map<number, MinuteCounts>>();
  let largest = totals.largest();

  const idOf = (key: string): number | undefined => fresh.get(key)?.id ?? totals.id(key);

  function seriesOf(metric: string, labels: Labels): number {
    const key = seriesKey(metric, labels);
    const found = idOf(key);
    if (found !== undefined) return found;
    const made = { id: totals.newest() + 1 + fresh.size, metric, labels };
    fresh.set(key, made);
    return made.id;
  }

  /**
   * Makes the series of all statuses at the first sight of a set of labels, so that the first
   * increase of each is seen.
   * @returns the id of the first
   */
  function firstOf(metric: string, labels: Labels): number {
    const found = idOf(firstKey(metric, labels));
    if (found !== undefined) return found;
    const [first = 0] = STATUSES.map((status) => seriesOf(metric, { status, ...labels }));
    return first;
  }
  const isCounted = (labels: Labels) => idOf(firstKey(METRIC.transactions, labels)) !== undefined;

  /** Labels as they are counted: `other` for a new set of values past the cardinality limit. */
  function admit(labels: Labels): Labels {
    if (isCounted(labels)) return labels;
    const isFull = known.labelled + STATUSES.length > limits.maxSeries;
    const admitted = isFull ? OTHER(labels) : labels;
    if (!isCounted(admitted)) known.labelled += STATUSES.length;
    return admitted;
  }

  const setOf = (labels: Labels): LabelSet =>
    within(sets, JSON.stringify(labels), () => {
      const admitted = admit(labels);
      return { labels: admitted, overflowed: admitted !== labels, first: firstOf(METRIC.transactions, admitted) };
    });

  /** The series of an auth code: that of `other` for a new one past the limit. */
  function codeOf(code: string): { id: number; overflowed: boolean } {
    const isNew = idOf(seriesKey(METRIC.authCodes, { auth_code: code })) === undefined;
    const overflowed = isNew && known.codes >= limits.maxSeries;
    if (isNew && !overflowed) known.codes++;
    return { id: seriesOf(METRIC.authCodes, { auth_code: overflowed ? 'other' : code }), overflowed };
  }

  if (totals.newest() === 0) {
    firstOf(METRIC.transactions, {});
    firstOf(METRIC.late, {});
    seriesOf(METRIC.authCodes, { auth_code: '00' });
    seriesOf(METRIC.lastReport, {});
  }
  const lateSeries = firstOf(METRIC.late, {});

  /** Counts what a group brings. @returns whether a label value of it became "other" */
  function count({ report, entries, slots, before }: Group, late: boolean): boolean {
    const set = setOf(report.labels);
    const minute = within(minutes, report.minute, () => new Map<number, number>());
    const sum = within(sums, report.minute, () => ({}) as Counts);
    let { overflowed } = set;
    for (const { slot, status, code } of entries) {
      const [was, is = 0] = [before?.[slot], slots[slot]];
      if (was === is) continue;
      const by = is - (was ?? 0);
      largest += by;
      if (status !== undefined) {
        raise(minute, set.first + PLACE[status], by);
        sum[status] = (sum[status] ?? 0) + by;
        raise(counters, (late ? lateSeries : set.first) + PLACE[status], by);
      }
      if (code === undefined) continue;
      const series = codeOf(code);
      raise(minute, series.id, by);
      if (!late) raise(counters, series.id, by);
      overflowed ||= series.overflowed;
    }
    return overflowed;
  }

  /** Sets the gauges of each source. Sources past the limit share the name "other". */
  function tellSources(): void {
    const told = new Map<string, { minute: number; late: boolean; now: number }>();
    for (const [source, said] of sources) {
      const isKnown = source === '' || idOf(seriesKey(METRIC.reportDelay, { source })) !== undefined;
      if (!isKnown) known.sources++;
      told.set(isKnown || known.sources <= limits.maxSources ? source : 'other', said);
    }
    for (const [source, { minute, late, now }] of told) {
      const labels: Labels = source === '' ? {} : { source };
      gauges.set(seriesOf(METRIC.reportDelay, labels), late ? Math.max(0, Math.round(now / 1000 - minute - 60)) : 0);
      if (late) gauges.set(seriesOf(METRIC.lastLateReport, labels), now);
      else for (const one of [{}, labels]) gauges.set(seriesOf(METRIC.lastReport, one), now);
    }
  }

  /**
   * Refuses a body that would make a counter larger than a number can be. The sums of all counters
   * are compared, so that none of them can get there.
   */
  function refuseTooMuch(groups: Iterable<Group>): void {
    let [more, most] = [0, ['', 0] as [slot: string, count: number]];
    for (const { slots } of groups)
      for (const [slot, count] of Object.entries(slots)) {
        more += count;
        if (count > most[1]) most = [slot, count];
      }
    if (!Number.isSafeInteger(largest + more)) throw pastAll(most[0]);
  }

  /**
   * Joins the reports of a body that are one, and compares them with what was recorded before.
   * @returns the group of each report @throws Conflict
   */
  function groupsOf({ reports, identities }: Submission): Group[] {
    const groups = new Map<unknown, Group>();
    const of = reports.map((report, i) => {
      const identity = identities[i];
      const found = groups.get(identity ?? report);
      if (found !== undefined) {
        join(found, report);
        return found;
      }
      const before = identity === undefined ? undefined : (slots.get(identity) ?? recorded.slots.get(identity));
      const made = { identity, report, entries: [...report.entries], slots: slotsOf(report.entries), before };
      groups.set(identity ?? report, made);
      return made;
    });
    for (const group of groups.values()) compare(group);
    return of;
  }

  const answerOf = (minute: number, set?: LabelSet): MinuteCounts => {
    const ofSet = within(asked, set, () => new Map<number, MinuteCounts>());
    return within(ofSet, minute, () => {
      return { minute, labels: set?.labels ?? {}, counts: {}, previous: {}, earlier: {} };
    });
  };

  /** The counts of a minute: those that were recorded, with what the batch adds. */
  function countsOf(minute: number, set: LabelSet | undefined): Counts {
    const counts = { ...recorded.counts.get(countsKey(minute, set?.first)) };
    for (const status of STATUSES) {
      const by = set === undefined ? sums.get(minute)?.[status] : minutes.get(minute)?.get(set.first + PLACE[status]);
      if (by !== undefined) counts[status] = (counts[status] ?? 0) + by;
    }
    return counts;
  }

  function fillAnswers(): void {
    for (const [set, ofSet] of asked)
      for (const [minute, answer] of ofSet) {
        const [counts, previous, earlier] = AGO.map((ago) => countsOf(minute - ago, set));
        Object.assign(answer, { counts, previous, earlier });
      }
    for (const answer of answers) answer();
  }

  /**
   * Records a body whose key is new, or which has none.
   * @param kept what is kept with its key
   * @throws Conflict
   */
  function record(submission: Submission, kept?: KeptAnswer): Recorded {
    const { now } = submission;
    const of = groupsOf(submission);
    const groups = new Set(of);
    refuseTooMuch(groups);
    let overflowed = 0;
    for (const group of groups) {
      const { identity, report, before } = group;
      if (isKnown(group, group.entries)) continue;
      const late = isLate(report, now, limits);
      if (count(group, late)) overflowed++;
      if (identity !== undefined) slots.set(identity, { ...before, ...group.slots });
      sources.set(report.source, { minute: report.minute, late, now });
    }
    const told = new Set<MinuteCounts>();
    const listed: Listed[] = [];
    const outcomes = submission.reports.map((row, i): Outcome => {
      const group = of[i] as Group;
      const isSameEvent = row.id !== undefined && row !== group.report;
      const [duplicate, late] = [isSameEvent || isKnown(group, row.entries), isLate(group.report, now, limits)];
      if (!late) {
        told.add(answerOf(row.minute));
        if (Object.keys(row.labels).length > 0) told.add(answerOf(row.minute, setOf(row.labels)));
      }
      const result = duplicate ? 'duplicate' : group.before === undefined ? 'accepted' : 'correction';
      const outcome = { result, late: late && !duplicate } as const;
      if (!duplicate) listed.push({ report: row, outcome, now, recommendation: '' });
      return outcome;
    });
    const done: Recorded = { outcomes, minutes: [...told], replayed: false, overflowed, answer: NO_ANSWER };
    reports.push(...listed);
    answers.push(() => {
      done.answer = submission.answer(done);
      for (const one of listed) one.recommendation = done.answer.recommendation;
      if (kept !== undefined) kept.answer = done.answer.text;
    });
    return done;
  }

  return {
    take(submission) {
      const { key } = submission;
      if (key === undefined) return record(submission);
      const before = keys.get(key.hash) ?? recorded.keys.get(key.hash);
      if (before === undefined) {
        const kept = { body: key.body, answer: '' };
        const done = record(submission, kept);
        keys.set(key.hash, kept);
        return done;
      }
      if (before.body !== key.body)
        throw new KeyReused('this Idempotency-Key came before with another body; give each new body a new key');
      const replayed: Recorded = { outcomes: [], minutes: [], replayed: true, answer: NO_ANSWER, overflowed: 0 };
      answers.push(() => {
        replayed.answer = { ...NO_ANSWER, text: before.answer };
      });
      return replayed;
    },
    changes() {
      tellSources();
      fillAnswers();
      return { series: [...fresh.values()], counters, gauges, minutes, sums, slots, reports, largest, keys };
    },
  };
}

const pastAll = (slot: string): Conflict =>
  new Conflict(slot, `${slot} would take a total past ${Number.MAX_SAFE_INTEGER}, which no counter can hold`);

function lowered(report: Report, slot: string, was: number, count: number): Conflict {
  const when = isoTime(report.minute);
  return new Conflict(
    slot,
    `${slot} of source "${report.source}" at ${when} was ${was} and is now ${count}: a correction can raise a count, never lower it`,
  );
}

const reusedId = ({ id }: Report): Conflict =>
  new Conflict(
    'id',
    `the event with the id "${id}" came before with another content; give each event an id of its own`,
  );
