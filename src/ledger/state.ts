import type { Change, Commits, Table } from './commits.ts';
import type { State, Store } from './file.ts';
import { type ListedReport, prune, readable, reportsChange, sequence } from './records.ts';
import { unseal } from './store.mjs';
import type { Prune } from './take-overs.ts';

export type Read = (table: Table, key: string) => unknown;

/** Records of the ledger's file. */
export const reader =
  ({ tables }: Store): Read =>
  (table, key) => {
    const sealed = tables[table].get(key);
    return sealed === undefined ? undefined : JSON.parse(unseal(table, key, sealed));
  };

/** Whether the ledger's file holds a record whose key begins so. */
export function hasPrefix({ tables }: Store, table: Table, prefix: string): boolean {
  const [first] = tables[table].getKeys({ start: prefix, limit: 1 });
  return first?.startsWith(prefix) ?? false;
}

interface Found {
  key: string;
  value: unknown;
}

/** What is on disk: in the log, else in the ledger's file. */
export interface OnDisk {
  read: Read;
  /** Of a table from a key on, in the order of the keys. */
  all(table: Table, start?: string): Found[];
  /** Of a table whose keys count up, the newest first; read as they are asked for. */
  newest(table: Table): Iterable<Found>;
}

export function onDisk(store: Store, { logged }: Pick<Commits, 'logged'>): OnDisk {
  const inFile = reader(store);
  function* range(table: Table, options: { start?: string; reverse?: boolean }): Iterable<Found> {
    for (const { key, value } of store.tables[table].getRange(options))
      yield { key, value: JSON.parse(unseal(table, key, value)) };
  }
  return {
    read(table, key) {
      const text = logged.get(table, key);
      if (text === undefined) return inFile(table, key);
      return text === '' ? undefined : JSON.parse(text);
    },
    all(table, start = '') {
      const found = new Map([...range(table, { start })].map(({ key, value }) => [key, value]));
      for (const [key, text] of logged.entries(table)) {
        if (text === '') found.delete(key);
        else if (key >= start) found.set(key, JSON.parse(text));
      }
      const left = [...found].map(([key, value]) => ({ key, value }));
      return left.sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    *newest(table) {
      // What the log removes is older than any that is asked for.
      const newer = logged.entries(table).filter(([, text]) => text !== '');
      for (const [key, text] of newer.toReversed()) yield { key, value: JSON.parse(text) };
      const first = newer[0]?.[0];
      for (const found of range(table, { reverse: true })) if (first === undefined || found.key < first) yield found;
    },
  };
}

/** Newest first. */
export function newestNotes(disk: OnDisk, limit: number): unknown[] {
  const found: unknown[] = [];
  for (const { value } of disk.newest('journal')) {
    if (found.length >= limit) break;
    found.push(value);
  }
  return found;
}

/** Newest first. */
export function newestReports(disk: OnDisk, limit: number): object[] {
  const found: object[] = [];
  for (const { value } of disk.newest('reports')) {
    if (found.length >= limit) break;
    // Each report was a record of its own before they were kept by commit.
    const reports = (Array.isArray(value) ? value : [value]) as ListedReport[];
    found.push(...reports.toReversed().map(readable));
  }
  return found.slice(0, limit);
}

/** Notifications from one on, oldest first, each with its number. */
export const notesFrom = (disk: OnDisk, first: number): { number: number; note: unknown }[] =>
  disk.all('journal', sequence(first)).map(({ key, value }) => ({ number: Number(key), note: value }));

/** The state record through its life: planned, on its way, on disk. */
export function stateKeeper(read: Read) {
  const loaded = read('meta', 'state') as State;
  const keeper = {
    planned: { ...loaded },
    stored: loaded,
    sealed: loaded,
    seal(reports: string[]): { commit: number; changes: Change[] } {
      const { planned } = keeper;
      const [commits, nextReport] = [planned.commits + 1, planned.nextReport + reports.length];
      keeper.sealed = { ...planned, commits, nextReport };
      keeper.planned = { ...keeper.sealed };
      const changes: Change[] = [['meta', [['state', keeper.sealed]]], reportsChange(reports, nextReport)];
      return { commit: commits, changes };
    },
    committed: () => {
      keeper.stored = keeper.sealed;
    },
    /** Forgets what was planned upon a commit that is not on disk. */
    failed: () => {
      keeper.planned = { ...keeper.stored };
    },
    prune: (): Prune => prune(keeper.stored.nextReport),
  };
  return keeper;
}
