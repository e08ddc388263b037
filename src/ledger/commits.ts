import { messageOf } from '../log.ts';
import { type LogLimits, openLogFiles } from './log-files.ts';
import { createOverlay, type Overlay } from './overlay.ts';
import type { Plan, Series } from './plan.ts';
import { createTakeOvers, type TakeOverOptions } from './take-overs.ts';
import { openWitness } from './witness.mjs';

export type Table = 'meta' | 'totals' | 'minutes' | 'keys' | 'expiry' | 'reports' | 'journal' | 'marks';

/** The ledger could not write; nothing of what was asked for has been counted. */
export class LedgerUnavailable extends Error {
  override name = 'LedgerUnavailable';
}

/** Values by their keys, of one table. */
export type Change = readonly [table: Table, records: Iterable<readonly [key: string, value: unknown]>];

/** What a commit brings beside its records. */
export interface News {
  /** For the list of the latest reports, each as it is kept there. */
  reports: string[];
  /** For the gauge of the last minute. */
  added: Plan['added'];
}

/** What goes to disk together. */
interface Batch {
  /** By table, then by key. */
  puts: Map<Table, Map<string, unknown>>;
  news: News;
  /** What is done while the disk works. */
  meanwhile: (() => void)[];
  /** Requests that wait for it. */
  waiting: number;
  done: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

export interface Commits {
  /** What is on disk in the log alone. */
  logged: Pick<Overlay, 'get' | 'entries'>;
  /** A value that is on its way to disk, else undefined; null where it is being removed. */
  pending(table: Table, key: string): unknown;
  /**
   * Adds changes to the next commit.
   * @param meanwhile done while the disk works, where this thread would have little else to do; must not throw
   * @returns when they are on disk; rejects with LedgerUnavailable when they are not
   */
  stage(changes: readonly Change[], news?: News, meanwhile?: () => void): Promise<void>;
  /** Of all that is staged, or nothing when there is nothing. */
  settled(): Promise<void>;
  /** Requests that wait for a commit. */
  waiting(): number;
  /** False once it is closed. */
  open(): boolean;
  close(): Promise<void>;
}

export interface CommitHooks extends Pick<TakeOverOptions, 'prune' | 'takenOver'> {
  /** Ends a batch with these reports: its number, and the changes that go with it, such as the state record. */
  seal: (reports: string[]) => { commit: number; changes: Change[] };
  /** A value as the log keeps it, in one line. */
  textOf: (table: Table, key: string, value: unknown) => string;
  /** A batch is on disk, with these values of counters; nobody who waited for it has been told yet. */
  committed: (seconds: number, totals: ReadonlyMap<string, Series>, news: News) => void;
  /** The newest batch is not on disk, nor is what was planned upon it. */
  failed: (reason: string) => void;
}

const NONE: ReadonlyMap<string, unknown> = new Map();

function newBatch(): Batch {
  const batch = { puts: new Map(), news: { reports: [], added: [] }, meanwhile: [], waiting: 0 } as unknown as Batch;
  batch.done = new Promise((resolve, reject) => Object.assign(batch, { resolve, reject }));
  // Every waiter gets the rejection from its own await; a batch that nobody waits for is no crash.
  batch.done.catch(() => {});
  return batch;
}

function add({ puts }: Batch, [table, records]: Change): void {
  const there = puts.get(table) ?? new Map<string, unknown>();
  puts.set(table, there);
  for (const [key, value] of records) there.set(key, value);
}

/**
 * Table, key and text of each put, line by line, as the log keeps them. Neither JSON nor a key (`recordKey`) holds the end
 * of a line; a removal has an empty text.
 */
function linesOf({ puts }: Batch, textOf: CommitHooks['textOf']): string[] {
  const lines: string[] = [];
  for (const [table, records] of puts)
    for (const [key, value] of records) lines.push(table, key, value === null ? '' : textOf(table, key, value));
  return lines;
}

export interface CommitOptions extends CommitHooks {
  /** Of the ledger, whose log has been taken over. */
  id: string;
  /** Its newest commit. */
  newest: number;
  limits?: LogLimits | undefined;
}

/**
 * Group commit: while one batch is being written, what arrives gathers in the next, which then shares one fsync.
 * A failed batch fails what had gathered behind it too, since that was planned upon it.
 */
export function openCommits(file: string, { id, newest, limits, ...hooks }: CommitOptions): Commits {
  const log = openLogFiles(file, id, limits);
  const witness = openWitness(file);
  const overlay = createOverlay();
  let gathering = newBatch();
  let writing: Batch | undefined;
  let closed = false;
  const takeOvers = createTakeOvers(file, {
    log,
    overlay,
    newest: () => newest,
    writing: () => writing !== undefined,
    prune: hooks.prune,
    takenOver: hooks.takenOver,
  });

  async function commit(batch: Batch): Promise<void> {
    const began = performance.now();
    const sealed = hooks.seal(batch.news.reports);
    for (const change of sealed.changes) add(batch, change);
    const lines = linesOf(batch, hooks.textOf);
    try {
      if (log.full()) await takeOvers.makeRoom();
      const appended = log.append(sealed.commit, lines.join('\n'));
      for (const work of batch.meanwhile) work();
      await appended;
    } catch (error) {
      fail(messageOf(error));
      return;
    }
    newest = sealed.commit;
    witness.write(newest);
    for (let at = 0; at < lines.length; at += 3)
      overlay.add(lines[at] as Table, lines[at + 1] ?? '', lines[at + 2] ?? '');
    succeed(batch, (performance.now() - began) / 1000);
  }

  function flush(): void {
    if (writing !== undefined || gathering.waiting === 0 || closed) return;
    writing = gathering;
    gathering = newBatch();
    void commit(writing).then(flush);
  }

  function succeed(batch: Batch, seconds: number): void {
    writing = undefined;
    hooks.committed(seconds, (batch.puts.get('totals') ?? NONE) as ReadonlyMap<string, Series>, batch.news);
    batch.resolve();
    takeOvers.committed();
  }

  function fail(reason: string): void {
    const batches = [writing, gathering].filter((batch) => batch !== undefined);
    writing = undefined;
    gathering = newBatch();
    hooks.failed(reason);
    const error = new LedgerUnavailable(`the ledger cannot be written: ${reason}`);
    for (const batch of batches) batch.reject(error);
  }

  return {
    pending(table, key) {
      const staged = gathering.puts.get(table)?.get(key);
      return staged === undefined ? writing?.puts.get(table)?.get(key) : staged;
    },
    logged: overlay,
    stage(changes, news, meanwhile) {
      if (closed) return Promise.reject(new LedgerUnavailable('the ledger is closed'));
      const batch = gathering;
      for (const change of changes) add(batch, change);
      for (const report of news?.reports ?? []) batch.news.reports.push(report);
      for (const more of news?.added ?? []) batch.news.added.push(more);
      if (meanwhile !== undefined) batch.meanwhile.push(meanwhile);
      // The next turn of the loop lets all requests that have arrived join.
      if (++batch.waiting === 1) setImmediate(flush);
      return batch.done;
    },
    settled: () => (gathering.waiting > 0 ? gathering.done : (writing?.done ?? Promise.resolve())),
    open: () => !closed,
    waiting: () => gathering.waiting + (writing?.waiting ?? 0),
    async close() {
      while (writing !== undefined || gathering.waiting > 0) {
        flush();
        await (writing ?? gathering).done.catch(() => {});
      }
      if (closed) return;
      await takeOvers.close();
      closed = true;
      log.close();
      witness.close();
    },
  };
}
