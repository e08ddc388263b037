import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from './client.ts';
import { type Program, serve } from './program.ts';
import { checkNotLower, retryAll, type Sent, sendUntilGone, submit, sumOf } from './reports.ts';
import { number, part, type Run, type Torture } from './row.ts';

const SENDERS = 12;
const STATUSES = ['approved', 'denied'] as const;
/** A stop by SIGTERM may take so long; seconds. */
const LONGEST_STOP = 10;

const loadOf = (client: Client, sent: Sent[]) =>
  Promise.all(Array.from({ length: SENDERS }, () => sendUntilGone(client, sent)));

/** Checks that every acknowledged report is counted, and not more than was sent. */
function checkTotals(series: Map<string, number>, sent: Sent[], { violations }: Run): void {
  for (const status of STATUSES) {
    const total = series.get(`transactions_total{status="${status}"}`) ?? -1;
    const acknowledged = sumOf(
      sent.filter((report) => report.acknowledged),
      status,
    );
    const all = sumOf(sent, status);
    violations.check(total >= acknowledged, `${status}: ${total} recovered of ${acknowledged} acknowledged`);
    violations.check(total <= all, `${status}: ${total} recovered of ${all} sent`);
  }
}

/** Starts on what the last one left, looks, retries, and puts it under load. */
async function round(folder: string, sent: Sent[], before: Map<string, number>, run: Run) {
  const start = performance.now();
  const program = await serve(folder);
  const startSeconds = (performance.now() - start) / 1000;
  const client = createClient(program.url);
  const recovered = await client.scrape();
  checkNotLower(before, recovered, run.violations);
  checkTotals(recovered, sent, run);
  await retryAll(client, sent, run.violations);
  return { program, client, startSeconds };
}

/**
 * After the last round every report has been acknowledged: the totals are their sums, and a retry
 * changes nothing.
 */
async function checkEnd(folder: string, sent: Sent[], before: Map<string, number>, run: Run): Promise<void> {
  const { program, client } = await round(folder, sent, before, run);
  checkTotals(await client.scrape(), sent, run);
  for (const report of sent.slice(-200)) {
    const { headers } = await submit(client, report);
    run.violations.check(headers['idempotency-replayed'] === 'true', `the key ${report.key} was not known any more`);
  }
  checkTotals(await client.scrape(), sent, run);
  client.close();
  await program.stop();
}

async function kill(run: Run) {
  const kills = part(run, 200);
  const folder = await run.folder();
  const sent: Sent[] = [];
  let [before, slowest] = [new Map<string, number>(), 0];
  for (let i = 0; i < kills; i++) {
    const { program, client, startSeconds } = await round(folder, sent, before, run);
    slowest = Math.max(slowest, startSeconds);
    const load = loadOf(client, sent);
    await sleep(20 + Math.random() * 250);
    before = await client.scrape();
    await sleep(Math.random() * 20);
    await program.stop('SIGKILL');
    await load;
    client.close();
    if (i % 20 === 19) run.log(`${i + 1} of ${kills}`);
  }
  await checkEnd(folder, sent, before, run);
  return {
    done: `${kills} kills, ${number(sent.length)} reports`,
    seen: `slowest start ${slowest.toFixed(1)} s`,
  };
}

/** A request that was counted was answered, and none that the service had taken was cut. */
function checkAnswered(sent: Sent[], { violations }: Run): void {
  for (const { failure = 'ECONNREFUSED' } of sent)
    violations.check(failure === 'ECONNREFUSED', `a request under way at SIGTERM: ${failure}`);
}

async function terminateOnce(program: Program, client: Client, run: Run) {
  const sent: Sent[] = [];
  const load = loadOf(client, sent);
  await sleep(20 + Math.random() * 250);
  const before = await client.scrape();
  const exit = await program.stop('SIGTERM');
  await load;
  client.close();
  const { violations } = run;
  violations.check(exit.code === 0, `it ended with ${exit.code ?? exit.signal}: ${program.log().slice(-300)}`);
  violations.check(exit.seconds < LONGEST_STOP, `it took ${exit.seconds.toFixed(1)} s to stop`);
  checkAnswered(sent, run);
  return { sent, before, seconds: exit.seconds };
}

async function terminate(run: Run) {
  const stops = part(run, 100);
  const folder = await run.folder();
  const sent: Sent[] = [];
  let [before, slowest] = [new Map<string, number>(), 0];
  for (let i = 0; i < stops; i++) {
    const { program, client } = await round(folder, sent, before, run);
    const stopped = await terminateOnce(program, client, run);
    before = stopped.before;
    slowest = Math.max(slowest, stopped.seconds);
    for (const report of stopped.sent) sent.push(report);
    if (i % 20 === 19) run.log(`${i + 1} of ${stops}`);
  }
  await checkEnd(folder, sent, before, run);
  return { done: `${stops} stops, ${number(sent.length)} reports`, seen: `slowest stop ${slowest.toFixed(1)} s` };
}

export const killed: Torture = {
  name: 'kill',
  what: 'kill -9 under load, restart',
  goal: 'acknowledged <= recovered <= sent, exactly once by key',
  run: kill,
};

export const terminated: Torture = {
  name: 'sigterm',
  what: 'SIGTERM under load',
  goal: `no acknowledged count lost, no connection cut without an answer, under ${LONGEST_STOP} s`,
  run: terminate,
};
