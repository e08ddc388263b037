import type { Prune, Put, Table } from './commits.ts';
import type { State, Store } from './file.ts';
import { prune, readable, reportPuts, sequence } from './records.ts';
import { unseal } from './store.mjs';

export type Read = (table: Table, key: string) => unknown;

/** Reads records that are on disk. */
export const reader =
  ({ tables }: Store): Read =>
  (table, key) => {
    const sealed = tables[table].get(key);
    return sealed === undefined ? undefined : JSON.parse(unseal(table, key, sealed));
  };

/** Newest first. */
export function newestNotes({ tables }: Store, limit: number): unknown[] {
  const range = tables.journal.getRange({ reverse: true, limit });
  return [...range].map(({ key, value }) => JSON.parse(unseal('journal', key, value)));
}

/** Newest first. */
export function newestReports({ tables }: Store, limit: number): object[] {
  const found: object[] = [];
  for (const { key, value } of tables.reports.getRange({ reverse: true, limit })) {
    const record = JSON.parse(unseal('reports', key, value));
    // Each report was a record of its own before they were kept by commit.
    const reports = Array.isArray(record) ? record : [record];
    found.push(...reports.reverse().map(readable));
    if (found.length >= limit) break;
  }
  return found.slice(0, limit);
}

/** Notifications from one on, oldest first, each with its number. */
export function notesFrom({ tables }: Store, first: number): { number: number; note: unknown }[] {
  const range = tables.journal.getRange({ start: sequence(first) });
  return [...range].map(({ key, value }) => ({ number: Number(key), note: JSON.parse(unseal('journal', key, value)) }));
}

/** Everything in the table of marks. */
export function allMarks({ tables }: Store): unknown[] {
  return [...tables.marks.getRange({})].map(({ key, value }) => JSON.parse(unseal('marks', key, value)));
}

/** The state record through its life: planned, on its way, on disk. */
export function stateKeeper(read: Read) {
  const load = () => read('meta', 'state') as State;
  const keeper = {
    planned: load(),
    stored: load(),
    sealed: load(),
    seal(reports: object[]): { commit: number; puts: Put[]; prune: Prune } {
      const { planned } = keeper;
      const [commits, nextReport] = [planned.commits + 1, planned.nextReport + reports.length];
      keeper.planned = { ...planned, commits, nextReport };
      keeper.sealed = keeper.planned;
      const puts: Put[] = [{ table: 'meta', key: 'state', value: keeper.sealed }, ...reportPuts(reports, nextReport)];
      return { commit: commits, puts, prune: prune(nextReport) };
    },
    committed: () => {
      keeper.stored = keeper.sealed;
    },
    /** After a failed commit: is it on disk all the same? If not, forget what was planned upon it. */
    recheck(): boolean {
      const onDisk = load();
      if (onDisk.commits === keeper.sealed.commits) return true;
      keeper.planned = onDisk;
      return false;
    },
  };
  return keeper;
}
