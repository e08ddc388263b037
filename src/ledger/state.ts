import type { Put, Table } from './commits.ts';
import type { State, Store } from './file.ts';
import { sequence } from './records.ts';
import { unseal } from './store.mjs';

export type Read = (table: Table, key: string) => unknown;

/** Reads records that are on disk. */
export const reader =
  ({ tables }: Store): Read =>
  (table, key) => {
    const sealed = tables[table].get(key);
    return sealed === undefined ? undefined : JSON.parse(unseal(table, key, sealed));
  };

/** The newest records of a table that grows, newest first. */
export function newest({ tables }: Store, table: 'reports' | 'journal', limit: number): unknown[] {
  const range = tables[table].getRange({ reverse: true, limit });
  return [...range].map(({ key, value }) => JSON.parse(unseal(table, key, value)));
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
    seal(): { commit: number; puts: Put[] } {
      keeper.planned = { ...keeper.planned, commits: keeper.planned.commits + 1 };
      keeper.sealed = keeper.planned;
      return { commit: keeper.sealed.commits, puts: [{ table: 'meta', key: 'state', value: keeper.sealed }] };
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
