import { mkdirSync } from 'node:fs';
import { type Change, type Commits, openCommits } from './ledger/commits.ts';
import { DiskRefuses, prepareFile } from './ledger/file.ts';
import { recordKey, slotsKey } from './ledger/keys.ts';
import type { LogLimits } from './ledger/log-files.ts';
import { type Chunk, loadMirror, type Mirror } from './ledger/mirror.ts';
import {
  countsOf,
  type Limits,
  type Outcome,
  type Plan,
  planReports,
  type Series,
  type Slots,
  type View,
} from './ledger/plan.ts';
import { createRecentMinutes, type RecentMinutes } from './ledger/recent-minutes.ts';
import { expired, type KeptAnswer, keyChanges, logged, noteChange, startingSeries } from './ledger/records.ts';
import {
  hasPrefix,
  newestNotes,
  newestReports,
  notesFrom,
  onDisk,
  type Read,
  reader,
  stateKeeper,
} from './ledger/state.ts';
import { openStore } from './ledger/store.mjs';
import { holdFolder } from './lock.ts';
import { type Log, messageOf } from './log.ts';
import type { Status } from './names.ts';
import type { Report } from './report.ts';

export interface Submission {
  reports: Report[];
  /** Idempotency key, and a fingerprint of the body that came with it. */
  key?: string | undefined;
  fingerprint?: string | undefined;
  /** Milliseconds since the epoch. */
  now: number;
  /** Builds the answer, which is kept under the key. Runs before the commit and must not wait. */
  answer: (outcomes: Outcome[]) => unknown;
}

export interface Receipt {
  /** The answer as JSON. */
  text: string;
  /** The answer is that of an earlier request with the same key and body. */
  replayed: boolean;
}

/** A key that came before with another body. */
export class KeyReused extends Error {
  override name = 'KeyReused';
}

type Address = Pick<Report, 'minute' | 'source' | 'labels' | 'identified'>;

/** The durable counters. One process writes them; what a reader sees is on disk. */
export interface Ledger {
  /**
   * Takes a submission whole or not at all; returns once it is on disk.
   * @throws Conflict, KeyReused or LedgerUnavailable; then nothing has changed
   */
  record(submission: Submission): Promise<Receipt>;
  /** Keeps a notification; returns once it is on disk. @throws LedgerUnavailable */
  note(notification: object): Promise<void>;
  /** Keeps what people said of something under its id, in place of what they said before; returns once it is on disk. @throws LedgerUnavailable */
  mark(id: string, said: object): Promise<void>;
  /** What was said, of everything. */
  marks(): unknown[];
  /** The series of a metric, to be exposed. */
  chunks(metric: string): readonly Chunk[];
  /** How many series there are. */
  size(): number;
  /** Sums of the newest minute that has ended and was reported. `now` in milliseconds since the epoch. */
  lastMinute(now: number): { minute: number; counts: Partial<Record<Status, number>> } | undefined;
  /** When the newest current report was counted, in seconds since the epoch; 0 before the first. */
  lastReport(): number;
  /** Counts of a minute from one source, on disk or on their way there. */
  minuteCounts(address: Address): Partial<Record<Status, number>>;
  /** Newest first. */
  reports(limit: number): unknown[];
  /** Newest first. */
  notes(limit: number): unknown[];
  /** From the one with this number on, oldest first; the first ever is number 0, the oldest are not kept. */
  notesFrom(number: number): { number: number; note: unknown }[];
  /** Submissions that wait for a commit. */
  waiting(): number;
  /** False once it is closed. */
  open(): boolean;
  close(): Promise<void>;
}

export interface LedgerOptions extends Limits {
  log: Log;
  /** Other than the usual ones. */
  logLimits?: LogLimits;
  /** Told of every commit: how many seconds it took. */
  onCommit?: (seconds: number) => void;
  /** Told of how many reports a label value became "other". */
  onFolded?: (reports: number) => void;
}

/** What plans are made upon: on its way to disk, else on disk. */
function viewOf(commits: Commits, mirror: Mirror, recent: RecentMinutes, read: Read, known: View['known']): View {
  return {
    series: (key) => (commits.pending('totals', key) as Series | undefined) ?? mirror.get(key),
    slots(key) {
      if (!recent.mayHold(key)) return undefined;
      return (commits.pending('minutes', key) ?? read('minutes', key)) as Slots | undefined;
    },
    known,
  };
}

/** Makes the folder where there is none, holds it, and makes sure of its file. @throws Error that names it */
async function takeFolder(dir: string, log: Log): Promise<{ file: string; release: () => Promise<void> }> {
  let release: (() => Promise<void>) | undefined;
  try {
    mkdirSync(dir, { recursive: true });
    release = await holdFolder(dir);
    return { file: await prepareFile(dir, log), release };
  } catch (error) {
    await release?.();
    if ((error as NodeJS.ErrnoException).code === undefined && !(error instanceof DiskRefuses)) throw error;
    throw new Error(
      `cannot keep data in ${dir} (${messageOf(error)}). Make room, or give another folder by --data DIR`,
    );
  }
}

/**
 * Opens the ledger in `dir`, making a new one only where there is none.
 * @throws DamagedLedger, or an Error when another process has it open
 */
export async function openLedger(dir: string, options: LedgerOptions): Promise<Ledger> {
  const { file, release } = await takeFolder(dir, options.log);
  const store = openStore(file);
  const mirror = loadMirror(store);
  const state = stateKeeper(reader(store));
  const known = mirror.tally();
  let behind = false;
  const commits = openCommits(file, {
    id: state.stored.id ?? '',
    newest: state.stored.commits,
    limits: options.logLimits,
    seal: state.seal,
    textOf(table, key, value) {
      if (table === 'reports') return value as string;
      // Of a counter that is on disk only the value is news.
      const brief = table === 'totals' && mirror.get(key) !== undefined;
      return brief ? String((value as Series).value) : JSON.stringify(value);
    },
    committed(seconds, series, { added }) {
      state.committed();
      mirror.apply({ series, added });
      options.onCommit?.(seconds);
    },
    failed(reason) {
      state.failed();
      Object.assign(known, mirror.tally());
      options.log('error', `the ledger ${file} cannot be written (${reason}); reports get 503 until it can`);
    },
    prune: state.prune,
    takenOver(error) {
      store.env.resetReadTxn();
      if (error !== undefined && !behind)
        options.log(
          'error',
          `the ledger ${file} cannot be written (${error}); its log keeps what is reported until it is full`,
        );
      if (error === undefined && behind)
        options.log('info', `the ledger ${file} is written again, and holds what its log kept`);
      behind = error !== undefined;
    },
  });
  const disk = onDisk(store, commits);
  const { read } = disk;
  const recent = createRecentMinutes((minute) => hasPrefix(store, 'minutes', minute));
  const view = viewOf(commits, mirror, recent, read, known);

  function planned(plan: Plan, { now }: Submission): void {
    const current = plan.outcomes.some((outcome) => !outcome.duplicate && !outcome.late);
    // Changed in place: a copy for each report is one of the dearest things about it.
    const next = state.planned;
    next.series += plan.newSeries;
    if (current) next.lastReport = Math.max(next.lastReport, now / 1000);
    known.labelled += plan.newLabelled;
    known.codes += plan.newCodes;
  }

  function earlier({ key, fingerprint }: Submission): { answer: unknown; onItsWay: boolean } | undefined {
    if (key === undefined) return undefined;
    const pending = commits.pending('keys', recordKey(key));
    const found = (pending ?? read('keys', recordKey(key))) as KeptAnswer | undefined;
    if (found === undefined || expired(found)) return undefined;
    if (found.fingerprint !== fingerprint)
      throw new KeyReused('this Idempotency-Key came before with another body; give each new body a new key');
    return { answer: found.answer, onItsWay: pending !== undefined };
  }

  if (mirror.size() === 0) {
    const series = startingSeries();
    state.planned = { ...state.planned, series: series.size };
    await commits.stage([['totals', series]]);
    Object.assign(known, mirror.tally());
  }

  return {
    // From the look at the key to the staging there must be no await: nothing else may plan in between.
    async record(submission) {
      const before = earlier(submission);
      if (before !== undefined) {
        // The first request's counts must be on disk before its answer is given again.
        if (before.onItsWay) await commits.settled();
        return { text: JSON.stringify(before.answer), replayed: true };
      }
      const plan = planReports(submission.reports, view, options, submission.now);
      const answer = submission.answer(plan.outcomes);
      planned(plan, submission);
      const { reports, now } = submission;
      const news = reports.flatMap((report, i) => {
        const { duplicate = true, late = false } = plan.outcomes[i] ?? {};
        return duplicate ? [] : [logged(report, late, now)];
      });
      for (const key of plan.slots.keys()) recent.add(key);
      const changes: Change[] = [['totals', plan.series], ['minutes', plan.slots], ...keyChanges(submission, answer)];
      let text = '';
      await commits.stage(changes, { reports: news, added: plan.added }, () => {
        text = JSON.stringify(answer);
      });
      if (plan.folded > 0) options.onFolded?.(plan.folded);
      return { text, replayed: false };
    },
    async note(notification) {
      const { nextNote } = state.planned;
      state.planned = { ...state.planned, nextNote: nextNote + 1 };
      await commits.stage([noteChange(nextNote, notification)]);
    },
    async mark(id, said) {
      const key = recordKey(id);
      const { marks = 0 } = state.planned;
      const known = (commits.pending('marks', key) ?? read('marks', key)) !== undefined;
      state.planned = { ...state.planned, marks: known ? marks : marks + 1 };
      await commits.stage([['marks', [[key, said]]]]);
    },
    marks: () => disk.all('marks').map(({ value }) => value),
    chunks: mirror.chunks,
    size: mirror.size,
    lastMinute: mirror.lastMinute,
    lastReport: () => state.stored.lastReport,
    minuteCounts: (address) => countsOf(view.slots(slotsKey(address)) ?? {}),
    reports: (limit) => newestReports(disk, limit),
    notes: (limit) => newestNotes(disk, limit),
    notesFrom: (number) => notesFrom(disk, number),
    waiting: commits.waiting,
    open: commits.open,
    async close() {
      await commits.close();
      await store.env.close();
      await release();
    },
  };
}
