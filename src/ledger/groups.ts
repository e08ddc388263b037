import { isoTime } from '../domain/times.ts';
import type { Entry, Report } from '../intake/report.ts';
import { Conflict } from './ledger.ts';
import type { Submission } from './submission.ts';

/** The numbers of a report, by the slot of the entry that brought them. */
export type Slots = Readonly<Record<string, number>>;

export function slotsOf(entries: readonly Entry[]): Slots {
  const slots: Record<string, number> = {};
  for (const { slot, count } of entries) slots[slot] = count;
  return slots;
}

/** Reports of a body that are one: rows that name the same numbers are added up. */
export interface Group {
  identity: string | undefined;
  report: Report;
  entries: readonly Entry[];
  /** The numbers that were recorded before. */
  before: Slots | undefined;
}

const countOf = (entries: readonly Entry[], slot: string) => entries.find((entry) => entry.slot === slot)?.count;

function merged(entries: readonly Entry[], more: readonly Entry[]): Entry[] {
  const sums = new Map(entries.map((entry) => [entry.slot, { ...entry }]));
  for (const entry of more) {
    const sum = sums.get(entry.slot);
    if (sum === undefined) sums.set(entry.slot, { ...entry });
    else sum.count += entry.count;
  }
  return [...sums.values()];
}

/** @throws Conflict where a count is lower than it was, or an event has another content */
function compare({ report, entries, before }: Group): void {
  if (before === undefined) return;
  for (const { slot, count } of entries) {
    const was = before[slot] ?? 0;
    if (report.id !== undefined && was !== count) throw reusedId(report);
    if (count < was) throw lowered(report, slot, was, count);
  }
}

/**
 * True where a row adds nothing because its numbers were recorded before, and not because another
 * row of its body has them.
 */
export const isDuplicate = (row: Report, { report, entries, before }: Group): boolean =>
  (row.id !== undefined && row !== report) ||
  (before !== undefined && row.entries.every(({ slot }) => before[slot] === countOf(entries, slot)));

/**
 * Joins the reports of a body that are one, and compares them with what was recorded before.
 * @param recorded the numbers that were recorded under an identity
 * @returns the groups, and the group of each report
 * @throws Conflict
 */
export function groupsOf(
  { reports, identities }: Submission,
  recorded: (identity: string) => Slots | undefined,
): { groups: Group[]; of: Group[] } {
  const byIdentity = new Map<string, Group>();
  const groups: Group[] = [];
  const of = reports.map((report, i) => {
    const identity = identities[i];
    const found = identity === undefined ? undefined : byIdentity.get(identity);
    if (found === undefined) {
      const before = identity === undefined ? undefined : recorded(identity);
      const made = { identity, report, entries: report.entries, before };
      groups.push(made);
      if (identity !== undefined) byIdentity.set(identity, made);
      return made;
    }
    if (report.id === undefined) found.entries = merged(found.entries, report.entries);
    else if (report.entries.some(({ slot, count }) => countOf(found.entries, slot) !== count)) throw reusedId(report);
    return found;
  });
  for (const group of groups) compare(group);
  return { groups, of };
}

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
