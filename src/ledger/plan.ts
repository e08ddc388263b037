import { createHash } from 'node:crypto';
import { METRIC, STATUSES, type Status } from '../domain/names.ts';
import type { Entry, Report } from '../intake/report.ts';
import {
  Conflict,
  type Counts,
  type Key,
  KeyReused,
  type Labels,
  type MinuteCounts,
  type Outcome,
  type Recorded,
  type RecordOptions,
} from './ledger.ts';

/** The numbers of an identified report, by the slot of the entry that brought them. */
export type Slots = Readonly<Record<string, number>>;

export interface KnownSeries {
  id: number;
  metric: string;
  labels: Labels;
  value: number;
}

/** What a batch is planned upon: all that is committed. */
export interface View {
  series(key: string): KnownSeries | undefined;
  /** How many series of transactions_total with extra labels there are, and how many auth codes. */
  known: { labelled: number; codes: number };
  /** The id of the next series. */
  nextSeries: number;
  /** No counter is above this. */
  largest: number;
  slots(hash: string): Slots | undefined;
  key(hash: string): { body: string; recorded: string; answer: string | null } | undefined;
  /** The count of a minute under a series. */
  count(minute: number, series: number): number | undefined;
  /** The sums of a minute over all labels. */
  total(minute: number): Counts;
}

export interface Limits {
  latenessSeconds: number;
  maxSeries: number;
}

/** A body of reports with what identifies it and them. */
export interface Submission {
  reports: readonly Report[];
  key: { hash: string; body: string } | undefined;
  /** By report: what identifies it; undefined for one that always adds up. */
  hashes: readonly (string | undefined)[];
  now: number;
}

/** What a batch changes, by the table that it changes. */
export interface Changes {
  series: Map<string, KnownSeries>;
  /** By id of the series. */
  added: Map<number, number>;
  minutes: Map<number, Map<number, number>>;
  totals: Map<number, Counts>;
  slots: Map<string, Slots>;
  keys: Map<string, { body: string; recorded: Recorded | undefined }>;
  reports: { report: Report; late: boolean; now: number }[];
  /** When the newest report in time was counted; milliseconds since the epoch. */
  lastReport: number | undefined;
  /** Of all that is added. */
  sum: number;
}

/** 132 bits: that two things have the same hash is not to be expected, nor can it be brought about. */
export const hashOf = (...parts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);

export const keyHash = ({ key, token }: Key): string => hashOf('key', token, key);
export const seriesKey = (metric: string, labels: Labels): string => `${metric} ${JSON.stringify(labels)}`;

function hashOfReport(report: Report, token: string): string | undefined {
  if (report.id !== undefined) return hashOf('event', token, report.id);
  return report.identified ? hashOf(report.minute, report.source, report.labels) : undefined;
}

/** Finds out what identifies a body and its reports. A key decides alone. */
export function prepare(reports: readonly Report[], { key, token = '', now }: RecordOptions): Submission {
  const hashes =
    key === undefined ? reports.map((report) => hashOfReport(report, token)) : reports.map(() => undefined);
  return { reports, key: key && { hash: keyHash(key), body: hashOf(key.fingerprint) }, hashes, now };
}

/** Whether a report is too old to be current. */
export const isLate = (report: Report, now: number, { latenessSeconds }: Limits): boolean =>
  report.time < now - latenessSeconds * 1000;

/** All statuses at 0 for the first sight of a set of labels, so that the first increase of each is seen. */
const labelSet = (metric: string, labels: Labels) =>
  STATUSES.map((status) => ({ metric, labels: { status, ...labels } }));

const otherValues = (labels: Labels): Labels => Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));

/** What one report adds. */
interface News {
  report: Report;
  outcome: Outcome;
  deltas: { entry: Entry; delta: number }[];
}

/** One number of the identified reports of a body, added up. */
interface Claim {
  entry: Entry;
  count: number;
  report: Report;
}

export interface Planner {
  /** Plans one body upon those before it: all of its reports or, where it throws, none. @throws Conflict or KeyReused */
  take(submission: Submission): Recorded;
  changes: Changes;
}

/** Plans what the bodies of one batch change, one after another. */
export function createPlanner(view: View, limits: Limits): Planner {
  const changes: Changes = {
    series: new Map(),
    added: new Map(),
    minutes: new Map(),
    totals: new Map(),
    slots: new Map(),
    keys: new Map(),
    reports: [],
    lastReport: undefined,
    sum: 0,
  };
  const known = { ...view.known };

  const find = (key: string) => changes.series.get(key) ?? view.series(key);

  function seriesOf(metric: string, labels: Labels): KnownSeries {
    const key = seriesKey(metric, labels);
    const found = find(key);
    if (found !== undefined) return found;
    const fresh = { id: view.nextSeries + changes.series.size, metric, labels, value: 0 };
    changes.series.set(key, fresh);
    return fresh;
  }

  const isKnown = (labels: Labels) =>
    find(seriesKey(METRIC.transactions, { status: STATUSES[0], ...labels })) !== undefined;

  /** Labels as they are counted: `other` for a new set of values past the cardinality limit. */
  function admit(labels: Labels): Labels {
    if (isKnown(labels)) return labels;
    const full = known.labelled + STATUSES.length > limits.maxSeries;
    const admitted = full ? otherValues(labels) : labels;
    if (isKnown(admitted)) return admitted;
    for (const { metric, labels: all } of labelSet(METRIC.transactions, admitted)) seriesOf(metric, all);
    known.labelled += STATUSES.length;
    return admitted;
  }

  /** The labels under which a report was counted. */
  function counted(labels: Labels): Labels {
    return isKnown(labels) ? labels : otherValues(labels);
  }

  function admitCode(code: string): string {
    if (find(seriesKey(METRIC.authCodes, { auth_code: code })) !== undefined) return code;
    if (known.codes >= limits.maxSeries) return 'other';
    known.codes++;
    return code;
  }

  function add(series: KnownSeries, delta: number): void {
    changes.added.set(series.id, (changes.added.get(series.id) ?? 0) + delta);
  }

  function addToMinute(minute: number, series: KnownSeries, delta: number): void {
    const counts = changes.minutes.get(minute) ?? new Map<number, number>();
    changes.minutes.set(minute, counts);
    counts.set(series.id, (counts.get(series.id) ?? 0) + delta);
  }

  function addToTotal(minute: number, status: Status, delta: number): void {
    const counts = changes.totals.get(minute) ?? {};
    changes.totals.set(minute, counts);
    counts[status] = (counts[status] ?? 0) + delta;
  }

  /** The numbers of the identified reports of a body, by report and slot: rows that name the same one are added up. */
  function claimsOf({ reports, hashes }: Submission): Map<string, Map<string, Claim>> {
    const claims = new Map<string, Map<string, Claim>>();
    for (const [i, report] of reports.entries()) {
      const hash = hashes[i];
      if (hash === undefined) continue;
      const known = claims.get(hash);
      if (report.id !== undefined && known !== undefined) {
        if (!sameEntries(report, known)) throw reusedId(report);
        continue;
      }
      const slots = known ?? new Map<string, Claim>();
      claims.set(hash, slots);
      for (const entry of report.entries) {
        const claim = slots.get(entry.slot);
        if (claim === undefined) slots.set(entry.slot, { entry, count: entry.count, report });
        else claim.count += entry.count;
      }
    }
    return claims;
  }

  const slotsOf = (hash: string) => changes.slots.get(hash) ?? view.slots(hash);

  /** What an entry that identifies itself adds: undefined where nothing. Takes the claim, so that its other rows add nothing. */
  function claimed(claims: Map<string, Claim>, entry: Entry, before: Slots | undefined) {
    const claim = claims.get(entry.slot);
    if (claim?.entry !== entry) return undefined;
    const delta = claim.count - (before?.[entry.slot] ?? 0);
    return delta === 0 && before?.[entry.slot] !== undefined ? undefined : { entry, delta };
  }

  function refuseLowered(hash: string, claims: Map<string, Claim>): void {
    const before = slotsOf(hash);
    if (before === undefined) return;
    for (const { entry, count, report } of claims.values()) {
      const was = before[entry.slot] ?? 0;
      if (report.id !== undefined && was !== count) throw reusedId(report);
      if (count < was) throw lowered(report, entry.slot, was, count);
    }
  }

  /** Compares a body with what was recorded, and changes nothing. @throws Conflict */
  function compare(submission: Submission): { news: News[]; claims: Map<string, Map<string, Claim>> } {
    const claims = claimsOf(submission);
    for (const [hash, slots] of claims) refuseLowered(hash, slots);
    let sum = 0;
    const news = submission.reports.map((report, i): News => {
      const hash = submission.hashes[i];
      const before = hash === undefined ? undefined : slotsOf(hash);
      const own = hash === undefined ? undefined : claims.get(hash);
      const deltas =
        own === undefined
          ? report.entries.map((entry) => ({ entry, delta: entry.count }))
          : report.entries.flatMap((entry) => claimed(own, entry, before) ?? []);
      for (const { delta } of deltas) sum += delta;
      const repeated = own !== undefined && deltas.length === 0 && isRepeat(report, own, before);
      const result = repeated ? 'duplicate' : before === undefined ? 'accepted' : 'correction';
      return { report, outcome: { result, late: !repeated && isLate(report, submission.now, limits) }, deltas };
    });
    if (!Number.isSafeInteger(view.largest + changes.sum + sum)) throw pastAll(submission);
    changes.sum += sum;
    return { news, claims };
  }

  /** Counts what a report brings. @returns whether a label value of it became "other" */
  function count({ report, outcome: { late }, deltas }: News): boolean {
    const named = deltas.some(({ entry }) => entry.status !== undefined);
    const labels = named ? admit(report.labels) : report.labels;
    let overflowed = labels !== report.labels;
    for (const { entry, delta } of deltas) {
      const { status, code } = entry;
      if (status !== undefined) {
        const series = seriesOf(METRIC.transactions, { status, ...labels });
        add(late ? seriesOf(METRIC.late, { status }) : series, delta);
        addToMinute(report.minute, series, delta);
        addToTotal(report.minute, status, delta);
      }
      if (code !== undefined) {
        const admitted = admitCode(code);
        if (admitted !== code) overflowed = true;
        const series = seriesOf(METRIC.authCodes, { auth_code: admitted });
        if (!late) add(series, delta);
        addToMinute(report.minute, series, delta);
      }
    }
    return overflowed;
  }

  const total = (minute: number) => sumOf(view.total(minute), changes.totals.get(minute) ?? {});

  function under(minute: number, labels: Labels): Counts {
    const counts: Counts = {};
    for (const status of STATUSES) {
      const series = find(seriesKey(METRIC.transactions, { status, ...labels }));
      if (series === undefined) continue;
      const before = view.count(minute, series.id);
      const added = changes.minutes.get(minute)?.get(series.id);
      if (before !== undefined || added !== undefined) counts[status] = (before ?? 0) + (added ?? 0);
    }
    return counts;
  }

  /** The minutes that reports in time name, with the counts of all bodies so far. */
  function minutesOf({ reports, now }: Submission): MinuteCounts[] {
    const minutes = new Map<string, MinuteCounts>();
    const note = (minute: number, labels: Labels, counts: (minute: number) => Counts) => {
      const key = `${minute} ${JSON.stringify(labels)}`;
      if (minutes.has(key)) return;
      const [previous, earlier] = [counts(minute - 60), counts(minute - 120)];
      minutes.set(key, { minute, labels, counts: counts(minute), previous, earlier });
    };
    for (const report of reports) {
      if (isLate(report, now, limits)) continue;
      note(report.minute, {}, total);
      const labels = counted(report.labels);
      if (Object.keys(labels).length > 0) note(report.minute, labels, (minute) => under(minute, labels));
    }
    return [...minutes.values()];
  }

  function earlier({ hash, body }: NonNullable<Submission['key']>): Recorded | undefined {
    const inBatch = changes.keys.get(hash);
    const before = inBatch ?? view.key(hash);
    if (before === undefined) return undefined;
    if (before.body !== body)
      throw new KeyReused('this Idempotency-Key came before with another body; give each new body a new key');
    if (inBatch?.recorded !== undefined) return { ...inBatch.recorded, replayed: true };
    const { recorded, answer } = before as NonNullable<ReturnType<View['key']>>;
    return { ...unpack(recorded), replayed: true, ...(answer !== null && { answer }) };
  }

  for (const { metric, labels } of [...labelSet(METRIC.transactions, {}), ...labelSet(METRIC.late, {})])
    seriesOf(metric, labels);
  seriesOf(METRIC.authCodes, { auth_code: '00' });

  return {
    changes,
    take(submission) {
      const before = submission.key && earlier(submission.key);
      if (before !== undefined) return before;
      const { news, claims } = compare(submission);
      let overflowed = 0;
      for (const one of news) {
        if (one.outcome.result === 'duplicate') continue;
        if (count(one)) overflowed++;
        changes.reports.push({ report: one.report, late: one.outcome.late, now: submission.now });
        if (!one.outcome.late) changes.lastReport = submission.now;
      }
      for (const [hash, claimed] of claims) {
        const before = slotsOf(hash);
        const slots = Object.fromEntries([...claimed].map(([slot, { count }]) => [slot, count]));
        if (Object.entries(slots).some(([slot, count]) => before?.[slot] !== count))
          changes.slots.set(hash, { ...before, ...slots });
      }
      const outcomes = news.map(({ outcome }) => outcome);
      const recorded = { outcomes, minutes: minutesOf(submission), replayed: false, overflowed };
      if (submission.key) changes.keys.set(submission.key.hash, { body: submission.key.body, recorded });
      return recorded;
    },
  };
}

/** Whether a row adds nothing because its numbers were recorded before, and not because another row of its body has them. */
function isRepeat(report: Report, claims: Map<string, Claim>, before: Slots | undefined): boolean {
  if (report.id !== undefined) return true;
  return report.entries.every(({ slot }) => before?.[slot] !== undefined && claims.get(slot)?.count === before[slot]);
}

const sameEntries = ({ entries }: Report, claims: Map<string, Claim>): boolean =>
  entries.length === claims.size && entries.every(({ slot, count }) => claims.get(slot)?.count === count);

function sumOf(a: Counts, b: Counts): Counts {
  const sums = { ...a };
  for (const status of STATUSES) if (b[status] !== undefined) sums[status] = (sums[status] ?? 0) + b[status];
  return sums;
}

function lowered(report: Report, slot: string, was: number, count: number): Conflict {
  const when = new Date(report.minute * 1000).toISOString();
  return new Conflict(
    slot,
    `${slot} of source "${report.source}" at ${when} was ${was} and is now ${count}: a correction can raise a count, never lower it`,
  );
}

/** The sums of all counters are compared, so that none of them can get there. */
function pastAll({ reports }: Submission): Conflict {
  const [largest] = reports.flatMap(({ entries }) => entries).sort((a, b) => b.count - a.count);
  const slot = largest?.slot ?? '';
  return new Conflict(slot, `${slot} would take a total past ${Number.MAX_SAFE_INTEGER}, which no counter can hold`);
}

const reusedId = ({ id }: Report): Conflict =>
  new Conflict(
    'id',
    `the event with the id "${id}" came before with another content; give each event an id of its own`,
  );

/** What a key keeps of what was recorded, as JSON. */
export const pack = ({ outcomes, minutes }: Recorded): string =>
  JSON.stringify([
    outcomes.map(({ result, late }) => (late ? result.charAt(0).toUpperCase() : result.charAt(0))).join(''),
    minutes.map(({ minute, labels, counts, previous, earlier }) => [minute, counts, previous, earlier, labels]),
  ]);

const RESULTS = { a: 'accepted', c: 'correction', d: 'duplicate' } as const;

function unpack(text: string): Recorded {
  if (text === '') return { outcomes: [], minutes: [], replayed: true, overflowed: 0 };
  const [letters, packed] = JSON.parse(text) as [string, [number, Counts, Counts, Counts, Labels][]];
  const outcomes = [...letters].map((letter) => ({
    result: RESULTS[letter.toLowerCase() as keyof typeof RESULTS],
    late: letter !== letter.toLowerCase(),
  }));
  const minutes = packed.map(([minute, counts, previous, earlier, labels]) => ({
    minute,
    labels,
    counts,
    previous,
    earlier,
  }));
  return { outcomes, minutes, replayed: true, overflowed: 0 };
}
