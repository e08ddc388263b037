import { Worker } from 'node:worker_threads';
import { messageOf } from '../log.ts';

export type Table = 'meta' | 'totals' | 'minutes' | 'keys' | 'expiry' | 'reports' | 'journal' | 'marks';

/** The ledger could not write; nothing of what was asked for has been counted. */
export class LedgerUnavailable extends Error {
  override name = 'LedgerUnavailable';
}

export interface Put {
  table: Table;
  key: string;
  value: unknown;
}

/** What goes to disk together. */
interface Batch {
  /** By table, then by key. */
  puts: Map<Table, Map<string, unknown>>;
  /** For the list of the latest reports. */
  reports: object[];
  /** Run once the batch is on disk, in the order in which they were staged. */
  applied: (() => void)[];
  done: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

export interface Commits {
  /** A value that is on its way to disk, else undefined; null where it is being removed. */
  pending(table: Table, key: string): unknown;
  /**
   * Adds changes to the next commit, and `reports` to the list of the latest.
   * @returns when they are on disk; rejects with LedgerUnavailable when they are not, and `applied` is not run
   */
  stage(puts: Put[], applied: () => void, reports?: object[]): Promise<void>;
  /** Of all that is staged, or nothing when there is nothing. */
  settled(): Promise<void>;
  /** Requests that wait for a commit. */
  waiting(): number;
  /** False once nothing can be written any more before a restart. */
  open(): boolean;
  close(): Promise<void>;
}

/** Records before these keys are removed. */
export interface Prune {
  minutes: string;
  keys: string;
  reports: string;
}

export interface CommitHooks {
  /** Ends a batch with these reports: its number, the puts that go with it, such as the state record, and what is too old to keep. */
  seal: (reports: object[]) => { commit: number; puts: Put[]; prune: Prune };
  committed: (seconds: number) => void;
  /** Says whether a batch whose commit failed is on disk all the same. */
  failed: (reason: string) => boolean;
}

function newBatch(): Batch {
  const batch = { puts: new Map(), reports: [], applied: [] } as unknown as Batch;
  batch.done = new Promise((resolve, reject) => Object.assign(batch, { resolve, reject }));
  // Every waiter gets the rejection from its own await; a batch that nobody waits for is no crash.
  batch.done.catch(() => {});
  return batch;
}

function add({ puts }: Batch, { table, key, value }: Put): void {
  const there = puts.get(table);
  if (there === undefined) puts.set(table, new Map([[key, value]]));
  else there.set(key, value);
}

/**
 * Table, key and text of each put, line by line, as one string: that crosses to the writer's thread at a fraction of the
 * cost of many. Neither JSON nor a key (`recordKey`) holds the end of a line; a removal has an empty text.
 */
function lines({ puts }: Batch): string {
  const list: string[] = [];
  for (const [table, records] of puts)
    for (const [key, value] of records) list.push(table, key, value === null ? '' : JSON.stringify(value));
  return list.join('\n');
}

function start(file: string): Promise<Worker> {
  const worker = new Worker(new URL('./writer.mjs', import.meta.url), { workerData: { file } });
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve(worker));
    worker.once('error', reject);
  });
}

/**
 * Group commit: while one batch is being written, what arrives gathers in the next, which then shares one fsync.
 * A failed batch fails what had gathered behind it too, since that was planned upon it.
 */
export async function openCommits(file: string, hooks: CommitHooks): Promise<Commits> {
  const worker = await start(file);
  let gathering = newBatch();
  let writing: Batch | undefined;
  let closed = false;

  function flush(): void {
    if (writing !== undefined || gathering.applied.length === 0 || closed) return;
    writing = gathering;
    gathering = newBatch();
    const { commit, puts, prune } = hooks.seal(writing.reports);
    for (const put of puts) add(writing, put);
    worker.postMessage({ commit, puts: lines(writing), prune });
  }

  function succeed(batch: Batch, seconds: number): void {
    writing = undefined;
    hooks.committed(seconds);
    for (const apply of batch.applied) apply();
    batch.resolve();
  }

  function fail(reason: string): void {
    const batches = [writing, gathering].filter((batch) => batch !== undefined);
    writing = undefined;
    gathering = newBatch();
    const error = new LedgerUnavailable(`the ledger cannot be written: ${reason}`);
    for (const batch of batches) batch.reject(error);
  }

  worker.on('message', ({ seconds, error }: { seconds?: number; error?: string }) => {
    const batch = writing;
    if (batch === undefined) return;
    if (error === undefined || hooks.failed(error)) succeed(batch, seconds ?? 0);
    else fail(error);
    flush();
  });
  worker.on('error', (error) => {
    closed = true;
    hooks.failed(messageOf(error));
    fail(`its writer stopped: ${messageOf(error)}. Restart tillwatch`);
  });

  return {
    pending(table, key) {
      const staged = gathering.puts.get(table)?.get(key);
      return staged === undefined ? writing?.puts.get(table)?.get(key) : staged;
    },
    stage(puts, applied, reports = []) {
      if (closed) return Promise.reject(new LedgerUnavailable('the ledger is closed'));
      const batch = gathering;
      for (const put of puts) add(batch, put);
      batch.reports.push(...reports);
      batch.applied.push(applied);
      // The next turn of the loop lets all requests that have arrived join.
      if (batch.applied.length === 1) setImmediate(flush);
      return batch.done;
    },
    settled: () => (gathering.applied.length > 0 ? gathering.done : (writing?.done ?? Promise.resolve())),
    open: () => !closed,
    waiting: () => gathering.applied.length + (writing?.applied.length ?? 0),
    async close() {
      while (writing !== undefined || gathering.applied.length > 0) {
        flush();
        await (writing ?? gathering).done.catch(() => {});
      }
      closed = true;
      await worker.terminate();
    },
  };
}
