import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { METRIC } from '../domain/names.ts';
import { type Log, messageOf } from '../runtime/log.ts';
import {
  changing,
  LONGEST_STEP,
  labelledCounts,
  loading,
  notInFuture,
  pruning,
  seriesAfter,
  seriesChanged,
  turn,
  viewOf,
} from './batch.ts';
import type { Row, Statement } from './engine.ts';
import { changes, incidents, latestReports, notifications, setMark } from './journal.ts';
import { type Counts, type Ledger, type LedgerStatus, LedgerUnavailable, type Recorded } from './ledger.ts';
import { migrate } from './migrate.ts';
import { createPlanner, seriesKey } from './plan.ts';
import { openPostgres } from './postgres/postgres.ts';
import { createKnownTotals } from './series.ts';
import { FILE, openSqlite } from './sqlite/sqlite.ts';
import { type Limits, prepare, type Submission } from './submission.ts';

/** A commit or a question to the database that takes longer has failed; milliseconds. */
const DEADLINE_MS = 10_000;
/**
 * Without requests the ledger commits nothing but its time this often, and so finds out whether it
 * can; milliseconds.
 */
const TICK_MS = 10_000;
const RETRY_MS = 2000;
/**
 * The next commit waits for a fifth of the time that the last one took, at most so long;
 * milliseconds.
 */
const MOST_GATHERING_MS = 5;
/** Reports of one commit: those beyond wait for the next. */
const MOST_REPORTS = 10_000;
/** After so many new rows, expired ones are removed, twice as many at a time. */
const PRUNE_AFTER = 500;
const MOST_TIMES = 10_000;
/** Series that one question reads: a million at once would take longer than the deadline. */
const PAGE = 20_000;
const UNLIMITED = Number.MAX_SAFE_INTEGER;
const HEAD: Statement = ['SELECT id, commits FROM ledger'];

export interface LedgerOptions extends Limits {
  /** Empty: SQLite in `data`. Else the URL of a PostgreSQL. */
  ledger: string;
  /** The folder. */
  data: string;
  /** Counts by minute are kept for this time. */
  keepSeconds: number;
  log: Log;
}

/** Something that waits for a commit. */
type Waiting = { resolve: (recorded: Recorded) => void; reject: (error: unknown) => void } & (
  | { submission: Submission }
  | { statements: readonly Statement[] }
);

const NOT_COUNTED = '. Nothing was counted: send it again';
const PERHAPS =
  '. Whether it was counted is not known: send it again, with the same Idempotency-Key or source and timestamp it counts once';
const NOTHING: Recorded = { outcomes: [], minutes: [], replayed: false, overflowed: 0 };

/** Rejects where the work takes too long; what has arrived meanwhile counts as in time. */
async function withDeadline<T>(work: Promise<T>, late?: () => void): Promise<T> {
  let [timer, isDone] = [undefined as NodeJS.Timeout | undefined, false];
  const over = new Promise<never>((_, reject) => {
    const give = () => {
      if (isDone) return;
      late?.();
      reject(new Error(`it did not answer within ${DEADLINE_MS / 1000} s`));
    };
    timer = setTimeout(() => setImmediate(give), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    isDone = true;
    clearTimeout(timer);
    work.catch(() => {});
  }
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
  let closed = false;
  let failure: string | undefined;
  let lost = false;
  let grown = PRUNE_AFTER;
  /** New series since the totals were read last. */
  let unread = 0;
  let commitTimes: number[] = [];
  let lastTry = performance.now();
  /**
   * The moment since which the clock has been far from the ledger's time, in milliseconds since
   * the process began.
   */
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

  /**
   * True once the clock has been far from the ledger's time for so long that it is to be believed.
   */
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
  async function commit(batch: readonly Waiting[], state: { unsure: boolean }): Promise<(() => void)[]> {
    const now = Date.now();
    const submissions = batch.flatMap((one) => ('submission' in one ? [one.submission] : []));
    const [[head] = [], fresh = [], ...loaded] = await engine.begin([
      turn(now, believe),
      seriesAfter(totals.newest()),
      ...loading(submissions, options),
    ]);
    const found = { id: String(head?.id), commits: Number(head?.commits) };
    if (found.id !== (last?.id ?? found.id) || found.commits <= (last?.commits ?? 0))
      throw new Error('it holds less than was committed. Bring back its files or a backup, and start again');
    totals.take(fresh, false);
    const asked = labelledCounts(submissions, options, totals);
    const [labelled = []] = asked.length > 0 ? await engine.run(asked) : [];
    const planner = createPlanner(viewOf(loaded, labelled, totals), options);
    const statements: Statement[] = [];
    const tell = batch.map((one) => {
      if ('statements' in one) {
        statements.push(...one.statements);
        return () => one.resolve(NOTHING);
      }
      try {
        const recorded = planner.take(one.submission);
        return () => one.resolve(recorded);
      } catch (error) {
        return () => one.reject(error);
      }
    });
    const time = Number(head?.time);
    believe = believed(now, time);
    const planned = planner.changes();
    grown += planned.keys.size + planned.slots.size;
    statements.unshift(...changing(planned, found.commits, time));
    if (now < newestClock) statements.push(notInFuture(found.commits, now));
    newestClock = now;
    if (grown >= PRUNE_AFTER) statements.push(...pruning(time, keepSeconds, 2 * grown));
    state.unsure = true;
    await engine.commit(statements);
    last = found;
    totals.add(planned.sum);
    unread += planned.series.length;
    if (unread >= PAGE) void fill().catch(() => {});
    if (grown >= PRUNE_AFTER) grown = 0;
    return tell;
  }

  function nextBatch(): Waiting[] {
    let reports = 0;
    let size = 0;
    for (const one of gathering) {
      if (size > 0 && reports >= MOST_REPORTS) break;
      if ('submission' in one) reports += one.submission.reports.length;
      size++;
    }
    return gathering.splice(0, size);
  }

  async function flush(): Promise<void> {
    if (committing) return;
    committing = true;
    while (gathering.length > 0) {
      const seconds = await attempt(nextBatch());
      // Clients that were answered just now may join the next batch, which costs nearly as much
      // with few reports as with many.
      await sleep(Math.min(MOST_GATHERING_MS, 200 * seconds));
    }
    committing = false;
  }

  /** @returns how long it took, in seconds */
  async function attempt(batch: readonly Waiting[]): Promise<number> {
    const began = performance.now();
    lastTry = began;
    const state = { unsure: false };
    try {
      const tell = await withDeadline(commit(batch, state));
      succeeded((performance.now() - began) / 1000);
      for (const one of tell) one();
    } catch (error) {
      engine.abandon();
      failed(error);
      if (batch.length > 0) lost = true;
      for (const { reject } of batch) reject(unavailable(error, state.unsure ? PERHAPS : NOT_COUNTED));
      // Requests that wait behind a database that hangs must not wait for another deadline.
      for (const { reject } of gathering.splice(0)) reject(unavailable(error, NOT_COUNTED));
    }
    return (performance.now() - began) / 1000;
  }

  function enqueue(work: { submission: Submission } | { statements: readonly Statement[] }): Promise<Recorded> {
    if (closed) return Promise.reject(unavailable('it is closed'));
    return new Promise((resolve, reject) => {
      gathering.push({ ...work, resolve, reject });
      // The next turn of the loop lets all requests that have arrived join.
      if (gathering.length === 1) setImmediate(() => void flush());
    });
  }

  async function write(statements: readonly Statement[]): Promise<void> {
    await enqueue({ statements });
  }

  async function read(...statements: Statement[]): Promise<Row[][]> {
    try {
      return await withDeadline(engine.read(statements), engine.abandon);
    } catch (error) {
      throw unavailable(error);
    }
  }

  let filling: Promise<void> | undefined;
  /**
   * Reads in pages the series that have changed since the last read. Changes that come meanwhile
   * are for the next one.
   */
  function fill(): Promise<void> {
    filling ??= fillOnce().finally(() => {
      filling = undefined;
    });
    return filling;
  }

  async function fillOnce(): Promise<void> {
    unread = 0;
    const [from, added] = [totals.changed(), totals.added()];
    const [[head] = []] = await read(HEAD);
    for (let [after, size] = [0, PAGE]; size === PAGE; ) {
      const [page = []] = await read(seriesChanged(from, after, PAGE));
      totals.take(page, true);
      size = page.length;
      after = Number(page.at(-1)?.id);
    }
    totals.caughtUp(Number(head?.commits), added);
  }

  /** An idle ledger commits nothing but its time. */
  const tick = setInterval(() => {
    const idle = performance.now() - lastTry;
    if (idle >= (failure === undefined ? TICK_MS : RETRY_MS)) write([]).catch(() => {});
  }, RETRY_MS / 2).unref();

  async function rows<T>(statement: Statement, of: (row: Row) => T): Promise<T[]> {
    const [found = []] = await read(statement);
    return found.map(of);
  }

  try {
    await withDeadline(migrate(engine, Date.now()), engine.abandon);
    await fill();
    await write([]);
  } catch (error) {
    clearInterval(tick);
    engine.abandon();
    throw new Error(`cannot open the ledger ${engine.name}: ${messageOf(error)}`);
  }

  return {
    async record(reports, recordOptions) {
      return enqueue({ submission: prepare(reports, recordOptions) });
    },
    async totals(now) {
      const lastMinute = `SELECT status, count FROM minute_totals
        WHERE minute = (SELECT MAX(minute) FROM minute_totals WHERE minute <= $1)`;
      async function ask(limit: number): Promise<Row[][]> {
        const added = totals.added();
        const minute = Math.floor(now / 1000) - 60;
        const answers = await read(HEAD, seriesChanged(totals.changed(), 0, limit), [lastMinute, minute]);
        const [[head] = [], changed = []] = answers;
        totals.take(changed, true);
        if (changed.length < limit) totals.caughtUp(Number(head?.commits), added);
        return answers;
      }
      let answers = await ask(PAGE);
      if (answers[1]?.length === PAGE) {
        await fill();
        // One question for all that has changed meanwhile: the totals are those of one moment.
        answers = await ask(UNLIMITED);
      }
      const [[head] = [], , minute = []] = answers;
      const counts = minute.map(({ status, count }) => [status, Number(count)]);
      return {
        chunks: totals.chunks,
        size: totals.size(),
        ledger: String(head?.id),
        lastMinute: Object.fromEntries(counts) as Counts,
        lastReport: (totals.get(seriesKey(METRIC.lastReport, {}))?.value ?? 0) / 1000,
      };
    },
    latestReports: async (limit) => (await rows(latestReports.list(limit), latestReports.of)).flat().slice(0, limit),
    addNotification: (body, told = []) => write([...notifications.add(body, Date.now()), ...incidents.tell(told)]),
    notifications: (page) => rows(notifications.newest(page), notifications.of),
    endIncidents: (ends) => write(incidents.end(ends)),
    incidents: (query) => rows(incidents.list(query), incidents.of),
    incident: async (id) => (await rows(incidents.one(id), incidents.of))[0],
    setMark: (mark) => write(setMark(mark, Date.now())),
    acknowledge: (mark) => write(incidents.acknowledge(mark)),
    addChange: (change) => write(changes.add(change)),
    changes: (query) => rows(changes.list(query), changes.of),
    status: (): LedgerStatus => (failure === undefined ? { failing: false } : { failing: true, reason: failure }),
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
