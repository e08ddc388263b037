import { messageOf } from '../../src/runtime/log.ts';
import { type Client, createClient, minuteBefore, seriesOf, totalOf } from './client.ts';
import { damageLedgers } from './damage.ts';
import { type Fault, fullDisk, ownDisk, straceFault } from './faults.ts';
import { type Program, serve } from './program.ts';
import { checkNotLower } from './reports.ts';
import { part, type Run, type Torture } from './row.ts';

type Faults = Awaited<ReturnType<typeof straceFault>>;

const TIMES = 50;
/**
 * Reports in a body; so many bodies are more than fits into what a ledger's file and its log have
 * free.
 */
const BATCH = 400;
const MOST_BODIES = 120;

const bodyOf = (name: string) =>
  Array.from({ length: BATCH }, (_, i) => ({
    timestamp: minuteBefore(1),
    source: `${name} ${i} ${'x'.repeat(120)}`,
    counts: { failed: 1 },
  }));

/** The total, where the service says it: a ledger that cannot be read has no total, and no 0. */
async function failed(client: Client, { violations }: Run): Promise<number | undefined> {
  const { status, text } = await client.send({ path: '/metrics' });
  violations.check(status === 200 || status === 503, `/metrics answered ${status} ${text}`);
  return status === 200 ? totalOf(seriesOf(text), 'failed') : undefined;
}

/** Posts until the disk has refused a body. @returns it, and the total without it */
async function postUntilRefused(client: Client, total: number, name: string, run: Run) {
  const { violations } = run;
  for (let i = 0; i < MOST_BODIES; i++) {
    const before = total + i * BATCH;
    const body = bodyOf(`${name} ${i}`);
    const { status, text, headers } = await client.post(body);
    if (status === 200) continue;
    violations.check(status === 503 && headers['retry-after'] !== undefined, `${name}: ${status} ${text}`);
    violations.check(
      /Nothing was counted|Whether it was counted is not known/.test(text),
      `${name}: the answer does not say whether it was counted: ${text}`,
    );
    const after = (await failed(client, run)) ?? before;
    violations.check(after === before, `${name}: a refused body changed the total from ${before} to ${after}`);
    return { body, before };
  }
  throw new Error(`${name}: the disk took ${MOST_BODIES} bodies, none was refused`);
}

/** Breaks the disk, mends it, and posts again what was refused. */
async function breakOnce(program: Program, folder: string, fault: Fault, name: string, run: Run): Promise<void> {
  const client = createClient(program.url, 1);
  const earlier = await client.scrape();
  const mend = await fault(program, folder);
  const { body, before } = await postUntilRefused(client, totalOf(earlier, 'failed'), name, run)
    .finally(mend)
    .catch((error: unknown) => {
      if (!program.ended()) throw error;
      throw new Error(`${name}: the service ended (${program.how()}): ${program.log().slice(-300)}`);
    });
  const { violations } = run;
  const mended = await failed(client, run);
  violations.check(mended === before, `${name}: once mended, the total is ${mended}, not ${before}`);
  const reply = await client.post(body);
  violations.check(
    reply.json?.accepted === BATCH,
    `${name}: once mended, the body was answered ${reply.status} ${reply.text}`,
  );
  const now = await failed(client, run);
  violations.check(now === before + BATCH, `${name}: the total went from ${before} to ${now}, not by ${BATCH}`);
  checkNotLower(earlier, await client.scrape(), violations);
  client.close();
}

/** After all of it, a restart by kill -9 finds the same. */
async function checkRestart(program: Program, folder: string, name: string, run: Run): Promise<void> {
  const client = createClient(program.url, 1);
  const before = await client.scrape();
  client.close();
  await program.stop('SIGKILL');
  const again = await serve(folder);
  const fresh = createClient(again.url, 1);
  const after = await fresh.scrape();
  checkNotLower(before, after, run.violations);
  run.violations.check(
    totalOf(after) === totalOf(before),
    `${name}: ${totalOf(before)} before a restart, ${totalOf(after)} after`,
  );
  fresh.close();
  await again.stop();
}

async function full(times: number, run: Run): Promise<void> {
  const folder = await run.folder();
  const program = await serve(folder, { wrapper: ownDisk(folder, 64) });
  for (let i = 0; i < times; i++) await breakOnce(program, folder, fullDisk, `full disk, ${i + 1}`, run);
  await program.stop();
}

/** Every file that an answer waits for. */
const ALL = /^ledger\.sqlite/;

async function failing(errno: string, name: string, { faults, times }: { faults: Faults; times: number }, run: Run) {
  const folder = await run.folder();
  const program = await serve(folder);
  for (let i = 0; i < times; i++) {
    await breakOnce(program, folder, faults(errno, ALL), `${name}, ${i + 1}`, run);
    if (i % 10 === 9) run.log(`${name}: ${i + 1} of ${times}`);
  }
  await checkRestart(program, folder, name, run);
}

async function run(run: Run) {
  const times = part(run, TIMES, 2);
  const attempt = (name: string, work: Promise<unknown>) =>
    work.then(
      () => run.log(`${name}: ${times} times`),
      (error: unknown) => {
        run.log(`${name}: ${messageOf(error)}`);
        run.violations.add(`${name}: ${messageOf(error)}`);
      },
    );
  await attempt('disk full', full(times, run));
  const faults = await straceFault(run);
  await attempt('read-only', failing('EROFS', 'read-only', { faults, times }, run));
  await attempt('I/O error', failing('EIO', 'I/O error', { faults, times }, run));
  const { refused, whole, earlier, found } = await damageLedgers(times, run);
  return {
    done: `disk full, read-only, I/O error, truncated, bit-flipped: ${times} times each`,
    seen: `of the damaged ledgers ${refused} refused to start, ${whole} lost nothing, ${earlier} were read up to an earlier commit, of ${found} ledger verify says what is wrong`,
  };
}

export const disk: Torture = {
  name: 'disk',
  what: 'disk full, read-only, I/O error, truncated and bit-flipped ledger',
  goal: 'a failing disk: 503, no lower total, no silent zero, recovers; a damaged ledger: a reason not to start, or found by ledger verify; a cut log: an earlier commit',
  run,
};
