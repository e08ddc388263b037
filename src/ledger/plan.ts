import { METRIC, STATUSES, type Status } from '../names.ts';
import type { Entry, Report } from '../report.ts';
import { hasAny, type Labels, seriesKey, slotsKey, statusKeysOf } from './keys.ts';

/** A counter. */
export interface Series {
  metric: string;
  labels: Labels;
  value: number;
}

/** The numbers of one minute from one source with one set of labels, by the slot of the entry that brought them. */
export type Slots = Readonly<Record<string, number>>;

/** What a report is planned upon: all that is on disk or on its way there. */
export interface View {
  series(key: string): Series | undefined;
  slots(key: string): Slots | undefined;
  /** How many series of transactions_total with extra labels there are, and how many auth codes. */
  known: { labelled: number; codes: number };
}

export interface Limits {
  latenessSeconds: number;
  maxSeries: number;
}

/** What became of one report. */
export interface Outcome {
  duplicate: boolean;
  late: boolean;
  /** Of the report's minute, source and labels. */
  key: string;
  /** Counts of those, this report included. */
  counts: Partial<Record<Status, number>>;
}

export interface Plan {
  series: Map<string, Series>;
  slots: Map<string, Slots>;
  outcomes: Outcome[];
  /** What the reports add to their minutes, for the gauge of the last minute. */
  added: { minute: number; counts: Partial<Record<Status, number>> }[];
  /** Reports of which a label value became "other". */
  folded: number;
  newLabelled: number;
  newCodes: number;
  /** Series that were not there before. */
  newSeries: number;
}

/** A report that contradicts what was taken before. */
export class Conflict extends Error {
  override name = 'Conflict';
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** The first sight of a set of labels: all statuses at 0, so that the first increase of each is seen. */
export function newLabelSet(metric: string, labels: Labels): Series[] {
  return STATUSES.map((status) => ({ metric, labels: { status, ...labels }, value: 0 }));
}

const KNOWN: ReadonlySet<string> = new Set(STATUSES);

export function countsOf(slots: Slots): Partial<Record<Status, number>> {
  const counts: Partial<Record<Status, number>> = {};
  for (const slot in slots) {
    const end = slot.indexOf('/');
    const status = (end === -1 ? slot : slot.slice(0, end)) as Status;
    if (KNOWN.has(status)) counts[status] = (counts[status] ?? 0) + (slots[slot] ?? 0);
  }
  return counts;
}

/** Extra labels as they are counted, and the keys of their series. */
interface Admitted {
  labels: Labels;
  keys: Record<Status, string>;
}

class Planner {
  readonly plan: Plan = {
    series: new Map(),
    slots: new Map(),
    outcomes: [],
    added: [],
    folded: 0,
    newLabelled: 0,
    newCodes: 0,
    newSeries: 0,
  };
  private readonly view: View;
  private readonly limits: Limits;
  private readonly now: number;

  constructor(view: View, limits: Limits, now: number) {
    this.view = view;
    this.limits = limits;
    this.now = now;
  }

  private find(key: string): Series | undefined {
    return this.plan.series.get(key) ?? this.view.series(key);
  }

  /** Adds to a series; `labels` are those of a series that is not known yet. */
  private add(key: string, count: number, path: string, fresh: () => Omit<Series, 'value'>): void {
    const found = this.find(key);
    if (found === undefined) this.plan.newSeries++;
    const { metric, labels, value } = found ?? { ...fresh(), value: 0 };
    const total = value + count;
    if (!Number.isSafeInteger(total))
      throw new Conflict(path, `would take the total past ${Number.MAX_SAFE_INTEGER}, which no counter can hold`);
    this.plan.series.set(key, { metric, labels, value: total });
  }

  private addStatus(metric: string, { status, slot }: Entry, delta: number, { labels, keys }: Admitted): void {
    if (status === undefined) return;
    this.add(keys[status], delta, slot, () => ({ metric, labels: { status, ...labels } }));
  }

  /** Labels as they are counted: `other` for a new set of values past the cap. */
  private admit(labels: Labels): Admitted {
    const keys = statusKeysOf(METRIC.transactions, labels);
    if (!hasAny(labels) || this.knows(keys)) return { labels, keys };
    const others = Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));
    const full = this.view.known.labelled + this.plan.newLabelled + STATUSES.length > this.limits.maxSeries;
    const admitted = full ? { labels: others, keys: statusKeysOf(METRIC.transactions, others) } : { labels, keys };
    if (full) this.plan.folded++;
    if (!this.knows(admitted.keys)) {
      for (const series of newLabelSet(METRIC.transactions, admitted.labels))
        this.plan.series.set(seriesKey(series.metric, series.labels), series);
      this.plan.newLabelled += STATUSES.length;
      this.plan.newSeries += STATUSES.length;
    }
    return admitted;
  }

  private knows(keys: Record<Status, string>): boolean {
    return this.find(keys[STATUSES[0]]) !== undefined;
  }

  private admitCode(code: string): string {
    if (this.find(seriesKey(METRIC.authCodes, { auth_code: code })) !== undefined) return code;
    if (this.view.known.codes + this.plan.newCodes < this.limits.maxSeries) {
      this.plan.newCodes++;
      return code;
    }
    this.plan.folded++;
    return 'other';
  }

  private addCode({ code, slot }: Entry, delta: number): void {
    if (code === undefined) return;
    const labels = { auth_code: this.admitCode(code) };
    this.add(seriesKey(METRIC.authCodes, labels), delta, slot, () => ({ metric: METRIC.authCodes, labels }));
  }

  /** Counts what a report brought that was not counted before. @returns it, by status */
  private count(report: Report, late: boolean, news: readonly { entry: Entry; delta: number }[]): Outcome['counts'] {
    const named = news.some(({ entry }) => entry.status !== undefined);
    const metric = late ? METRIC.late : METRIC.transactions;
    const admitted = !late && named ? this.admit(report.labels) : { labels: {}, keys: statusKeysOf(metric, {}) };
    const counts: Partial<Record<Status, number>> = {};
    for (const { entry, delta } of news) {
      if (entry.status !== undefined) counts[entry.status] = (counts[entry.status] ?? 0) + delta;
      this.addStatus(metric, entry, delta, admitted);
      if (!late) this.addCode(entry, delta);
    }
    if (named) this.plan.added.push({ minute: report.minute, counts });
    return counts;
  }

  take(report: Report): void {
    const key = slotsKey(report);
    const known = this.plan.slots.get(key) ?? this.view.slots(key);
    const slots: Record<string, number> = { ...known };
    const late = report.time < this.now - this.limits.latenessSeconds * 1000;
    const foldedBefore = this.plan.folded;
    const news: { entry: Entry; delta: number }[] = [];
    for (const entry of report.entries) {
      const before = slots[entry.slot];
      const delta = report.identified ? entry.count - (before ?? 0) : entry.count;
      if (delta < 0) throw lowered(report, entry, before ?? 0);
      if (before !== undefined && delta === 0 && report.identified) continue;
      slots[entry.slot] = (before ?? 0) + delta;
      news.push({ entry, delta });
    }
    const duplicate = news.length === 0;
    let added: Outcome['counts'] = {};
    if (!duplicate) {
      added = this.count(report, late, news);
      this.plan.slots.set(key, slots);
    }
    const counts = known === undefined ? added : countsOf(slots);
    // A report counts once, however many of its values became "other".
    this.plan.folded = Math.min(this.plan.folded, foldedBefore + 1);
    this.plan.outcomes.push({ duplicate, late: late && !duplicate, key, counts });
  }
}

function lowered(report: Report, { slot, count }: Entry, before: number): Conflict {
  const when = new Date(report.minute * 1000).toISOString();
  return new Conflict(
    slot,
    `${slot} of source "${report.source}" at ${when} was ${before} and is now ${count}: a correction can raise a count, never lower it`,
  );
}

/**
 * What a submission would change, without changing it: all of its reports or, when one conflicts, none.
 * @param now milliseconds since the epoch
 * @throws Conflict when a report lowers a count that its source gave before, or a counter would overflow
 */
export function planReports(reports: readonly Report[], view: View, limits: Limits, now: number): Plan {
  const planner = new Planner(view, limits, now);
  for (const report of reports) planner.take(report);
  return planner.plan;
}
