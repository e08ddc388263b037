import { join } from 'node:path';
import { METRIC } from '../domain/names.ts';
import { type Log, messageOf } from '../runtime/log.ts';
import {
  changing,
  knownOf,
  LONGEST_STEP,
  loading,
  notInFuture,
  pruning,
  seriesAfter,
  seriesChanged,
  turn,
} from './batch.ts';
import { Overtaken, type Row, type Statement } from './engine.ts';
import { createJournal } from './journal.ts';
import { type Counts, type Ledger, LedgerUnavailable, type Recorded } from './ledger.ts';
import { createPlanner, type Limits, prepare, type Submission } from './plan.ts';
import { openPostgres } from './postgres/postgres.ts';
import { migrate } from './schema.ts';
import { createKnownTotals, seriesKey } from './series.ts';
import { FILE, openSqlite } from './sqlite/sqlite.ts';

/** A commit or a question to the database that takes longer has failed; milliseconds. */
const DEADLINE_MS = 10_000;
/** An idle ledger commits its time this often, to find out whether it can; milliseconds. */
const TICK_MS = 10_000;
const RETRY_MS = 2000;
/** A commit waits as long as the last took, at most so long, for others; milliseconds. */
const MOST_GATHERING_MS = 5;
/** Reports of one commit: those beyond wait for the next. */
const MOST_REPORTS = 10_000;
/** After so many new rows, expired ones are removed, twice as many at a time. */
const PRUNE_AFTER = 500;
const MOST_TIMES = 10_000;
/** Series that one question reads: a million at once would take longer than the deadline. */
const PAGE = 20_000;
const UNLIMITED = Number.MAX_SAFE_INTEGER;
const HEAD: Statement = ['SELECT id, commits, time FROM ledger'];
/** Other services may be first so often with what a batch writes. */
const MOST_TRIES = 20;
const LAST_MINUTE = `SELECT status, count FROM minute_totals
  WHERE minute = (SELECT MAX(minute) FROM minute_totals WHERE minute <= $1)`;

export interface LedgerOptions extends Limits {
  /** Empty: SQLite in `data`. Else the URL of a PostgreSQL. */
  ledger: string;
  /** The folder. */
  data: string;
  /** Counts by minute are kept for this time. */
  keepSeconds: number;
  log: Log;
}

/** Something that waits for a commit: a body, and statements of the journal. */
interface Waiting {
  submission: Submission;
  statements: readonly Statement[];
  resolve(recorded: Recorded): void;
  reject(error: unknown): void;
}

const NOTHING_SAID = () => ({ text: '', recommendation: '' });
const NO_REPORTS: Submission = { reports: [], key: undefined, identities: [], now: 0, answer: NOTHING_SAID };
const NOT_COUNTED = '. Nothing was counted: send it again';
const PERHAPS =
  '. Whether it was counted is not known: send it again, with the same Idempotency-Key or source and timestamp it counts once';

/** Rejects where the work takes too long; what has arrived meanwhile counts as in time. */
function withDeadline<T>(work: Promise<T>, late = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    let isDone = false;
    function give(): void {
      if (isDone) return;
      late();
      reject(new Error(`it did not answer within ${DEADLINE_MS / 1000} s`));
    }
    const timer = setTimeout(() => setImmediate(give), DEADLINE_MS);
    function done(): void {
      isDone = true;
      clearTimeout(timer);
    }
    work.finally(done).then(resolve, reject);
  });
}

/**
 * Opens the ledger, making its tables where there are none.
 * @throws Error that says what is wrong with it, and what to do
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { log, keepSeconds } = options;
  const engine = options.ledger === '' ? openSqlite(join(options.data, FILE)) : openPostgres(options.ledger);
  const totals = createKnownTotals();
  const gathering: Waiting[] = [];
  let committing = false;
  /** The number of those who wait at which the next batch begins early. */
  let enough = { size: 0, begin: () => {} };
  let closed = false;
  let failure: string | undefined;
  let lost = false;
  let grown = PRUNE_AFTER;
  /** Whether the batch that is being written may be committed although its end is not known. */
  let unsure = false;
  let commitTimes: number[] = [];
  let lastTry = performance.now();
  /** Since when the clock has been far from the ledger's time, by performance.now(). */
  let apartSince: number | undefined;

  const unavailable = (error: unknown, advice = ''): LedgerUnavailable =>
    new LedgerUnavailable(`the ledger ${engine.name} cannot be used: ${messageOf(error)}${advice}`);

  function succeeded(seconds: number): void {
    if (commitTimes.length < MOST_TIMES) commitTimes.push(seconds);
    if (failure !== undefined) log('info', `the ledger ${engine.name} commits again`);
    failure = undefined;
  }

  function failed(error: unknown): void {
    if (failure === undefined)
      log('error', `the ledger ${engine.name} cannot commit (${messageOf(error)}): reports get 503 until it can`);
    failure = messageOf(error);
  }

  /** True once the clock has been far from the ledger's time for so long that it is right. */
  function believed(now: number, time: number): boolean {
    if (Math.abs(now - time) <= LONGEST_STEP) apartSince = undefined;
    else apartSince ??= performance.now();
    return apartSince !== undefined && performance.now() - apartSince > LONGEST_STEP;
  }
  let believe = false;
  /** The time of the last commit, by which a clock that has gone back is found. */
  let newestClock = Number.POSITIVE_INFINITY;
  /** The newest commit of this service: what is found later cannot be older. */
  let last: { id: string; commits: number } | undefined;

  /** Commits a batch. @returns what to tell each of those that wait */
  async function commit(batch: readonly Waiting[]): Promise<(() => void)[]> {
    const now = Date.now();
    const submissions = batch.map(({ submission }) => submission);
    unsure = false;
    const load = async () => {
      const loaded = loading(submissions, totals, options);
      const [[head] = [], made = [], ...rows] = await engine.read([HEAD, seriesAfter(totals.newest()), ...loaded]);
      if (last !== undefined && (head?.id !== last.id || Number(head?.commits) < last.commits))
        throw new Error('it holds less than was committed. Bring back its files or a backup, and start again');
      totals.take(made, false);
      return { time: Number(head?.time), isNew: made.length > 0, rows };
    };
    let found = await load();
    // The counts of series that were not known yet were not asked for.
    if (found.isNew) found = await load();
    const known = knownOf(found.rows.flat());
    const planner = createPlanner(totals, known, options);
    const tell = batch.map(({ submission, resolve, reject }) => {
      try {
        const recorded = planner.take(submission);
        return () => resolve(recorded);
      } catch (error) {
        return () => reject(error);
      }
    });
    const planned = planner.changes();
    const rows = grown + planned.keys.size + planned.slots.size;
    const isTime = rows >= PRUNE_AFTER;
    const statements = [turn(now, believe), ...changing(planned, known), ...batch.flatMap((one) => one.statements)];
    const isBack = now < newestClock;
    if (isBack) statements.push(notInFuture(now));
    if (isTime) statements.push(...pruning(found.time, keepSeconds, 2 * rows));
    unsure = true;
    const [[head] = []] = await engine.write(statements);
    last = { id: String(head?.id), commits: Number(head?.commits) };
    believe = believed(now, Number(head?.time));
    newestClock = now;
    totals.raise(planned.largest);
    if (!isBack) totals.add(planned, last.commits, Number(head?.time));
    grown = isTime ? 0 : rows;
    return tell;
  }

  async function commitOrTryAgain(batch: readonly Waiting[]): Promise<(() => void)[]> {
    for (let tries = 1; ; tries++)
      try {
        return await commit(batch);
      } catch (error) {
        if (!(error instanceof Overtaken) || tries === MOST_TRIES) throw error;
      }
  }

  function nextBatch(): Waiting[] {
    let reports = 0;
    let size = 0;
    for (const one of gathering) {
      if (size > 0 && reports >= MOST_REPORTS) break;
      reports += one.submission.reports.length;
      size++;
    }
    return gathering.splice(0, size);
  }

  /** Resolves when so many wait, or after so many milliseconds. */
  function gather(size: number, most: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, most);
      enough = { size, begin: () => resolve(clearTimeout(timer)) };
    });
  }

  async function flush(): Promise<void> {
    if (committing) return;
    committing = true;
    while (gathering.length > 0) {
      const batch = nextBatch();
      const seconds = await attempt(batch);
      // Clients that were answered just now may join the next batch, which costs nearly as much
      // with few reports as with many. One that is alone would only wait.
      const most = Math.min(MOST_GATHERING_MS, 1000 * seconds);
      if (batch.length > 1) await gather(batch.length + gathering.length, most);
    }
    committing = false;
  }

  /** @returns how long it took, in seconds */
  async function attempt(batch: readonly Waiting[]): Promise<number> {
    const began = performance.now();
    lastTry = began;
    try {
      const tell = await withDeadline(commitOrTryAgain(batch));
      succeeded((performance.now() - began) / 1000);
      for (const one of tell) one();
    } catch (error) {
      engine.abandon();
      failed(error);
      if (batch.length > 0) lost = true;
      for (const { reject } of batch) reject(unavailable(error, unsure ? PERHAPS : NOT_COUNTED));
      // Requests that wait behind a database that hangs must not wait for another deadline.
      for (const { reject } of gathering.splice(0)) reject(unavailable(error, NOT_COUNTED));
    }
    return (performance.now() - began) / 1000;
  }

  function enqueue(submission: Submission, statements: readonly Statement[] = []): Promise<Recorded> {
    if (closed) return Promise.reject(unavailable('it is closed'));
    return new Promise((resolve, reject) => {
      gathering.push({ submission, statements, resolve, reject });
      // The next turn of the loop lets all requests that have arrived join.
      if (gathering.length === 1 && !committing) setImmediate(() => void flush());
      if (gathering.length >= enough.size) enough.begin();
    });
  }

  async function write(statements: readonly Statement[]): Promise<void> {
    await enqueue(NO_REPORTS, statements);
  }

  async function read(...statements: Statement[]): Promise<Row[][]> {
    // The engine would open its file once more, and nobody would close it.
    if (closed) throw unavailable('it is closed');
    try {
      return await withDeadline(engine.read(statements), engine.abandon);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /**
   * Reads the series that have changed since a commit, in pages; where they are many, then all that
   * has changed meanwhile at once: the totals are those of one moment.
   * @returns the rows of HEAD, of that moment's changes and of the statements, which are read with them
   */
  async function catchUp(statements: readonly Statement[], since = totals.changed(), limit = PAGE): Promise<Row[][]> {
    const answers = await read(HEAD, seriesChanged(since, 0, limit), ...statements);
    const [[head] = [], first = []] = answers;
    const commit = Number((first[0] ?? head)?.commits);
    totals.take(first, true);
    if (first.length < limit) {
      totals.caughtUp(commit);
      return answers;
    }
    for (let page = first; page.length === limit; totals.take(page, true))
      [page = []] = await read(seriesChanged(since, Number(page.at(-1)?.id), limit));
    return catchUp(statements, commit, UNLIMITED);
  }

  /** An idle ledger commits nothing but its time. */
  const tick = setInterval(() => {
    const idle = performance.now() - lastTry;
    if (idle >= (failure === undefined ? TICK_MS : RETRY_MS)) write([]).catch(() => {});
  }, RETRY_MS / 2).unref();

  try {
    await withDeadline(migrate(engine, Date.now()), engine.abandon);
    await catchUp([]);
    await write([]);
    // What that commit changed is known too, so that what the next ones change need not be read.
    await catchUp([]);
  } catch (error) {
    clearInterval(tick);
    engine.abandon();
    throw new Error(`cannot open the ledger ${engine.name}: ${messageOf(error)}`);
  }

  return {
    record: async (reports, recordOptions) => enqueue(prepare(reports, recordOptions)),
    async totals(now) {
      const minute = Math.floor(now / 1000) - 60;
      const [[head] = [], , counts = []] = await catchUp([[LAST_MINUTE, minute]]);
      return {
        chunks: totals.chunks,
        size: totals.size(),
        ledger: String(head?.id),
        lastMinute: Object.fromEntries(counts.map(({ status, count }) => [status, Number(count)])) as Counts,
        lastReport: totals.value(seriesKey(METRIC.lastReport, {})) / 1000,
      };
    },
    ...createJournal(write, async (statement) => (await read(statement))[0] ?? []),
    failure: () => failure,
    waiting: () => gathering.length,
    takeCommitTimes() {
      const taken = commitTimes;
      commitTimes = [];
      return taken;
    },
    async close() {
      if (closed) return;
      clearInterval(tick);
      lost = false;
      await write([]).catch(() => {});
      closed = true;
      await withDeadline(engine.close(), engine.abandon).catch((error: unknown) => failed(error));
      if (lost) throw unavailable(`it was stopped before everything was committed (${failure})`);
    },
  };
}
