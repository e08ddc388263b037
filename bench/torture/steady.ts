import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, minuteBefore } from './client.ts';
import { type MachineMinute, watchMachine } from './machine.ts';
import { memoryOf, type Program, serve } from './program.ts';
import { number, part, type Run, type Torture } from './row.ts';

const PER_SECOND = 1000;
const CONNECTIONS = 100;
const MOST_GROWTH = 0.1;
/**
 * A heap goes up and down by this much, in bytes, once in some hundred seconds: a run must see
 * several of these to tell flat from rising.
 */
const HEAP_SWING = 64e6;
const TELLING_SECONDS = 300;
const MOST_P99_MS = 50;
const SOURCES = 50;

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;

/**
 * Times of one millisecond each, so that an hour's are not kept one by one; the last one is all
 * that is longer.
 */
const LONGEST_MS = 60_000;
const quantileOf = (counts: Uint32Array, q: number): number => {
  let left = q * counts.reduce((sum, count) => sum + count, 0);
  return counts.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
};

const noTimes = (): Uint32Array => new Uint32Array(LONGEST_MS + 1);
const together = (times: readonly Uint32Array[]): Uint32Array => {
  const all = noTimes();
  for (const one of times) for (const [at, count] of one.entries()) all[at] = (all[at] ?? 0) + count;
  return all;
};

/**
 * Half of the reports have a key, half a source and a minute: what recognises a repeat grows with
 * each.
 */
const reportOf = (index: number): [body: unknown, headers: Record<string, string>] => {
  const counts = { approved: 1 };
  if (index % 2 === 0) return [{ counts, source: `source ${index % SOURCES}` }, { 'Idempotency-Key': randomUUID() }];
  return [{ counts, source: `source ${index}`, timestamp: minuteBefore(1) }, {}];
};

/**
 * Sends at a fixed rate, whatever the answers take: a slow answer does not slow the sender down.
 */
async function load(program: Program, seconds: number, { violations, log }: Run) {
  const client = createClient(program.url, CONNECTIONS);
  // By minute: one that is slow is another thing than an hour that is.
  const [minutes, memory] = [[] as Uint32Array[], [] as number[]];
  const open = new Set<Promise<void>>();
  const start = performance.now();
  async function one(due: number, index: number): Promise<void> {
    const reply = await client.post(...reportOf(index)).catch((error) => ({ status: 0, text: String(error) }));
    violations.check(reply.status === 200, `a report was answered ${reply.status}: ${reply.text}`);
    const took = Math.min(LONGEST_MS, Math.round(performance.now() - start - due));
    const minute = Math.floor(due / 60_000);
    const times = minutes[minute] ?? noTimes();
    minutes[minute] = times;
    times[took] = (times[took] ?? 0) + 1;
  }
  let sent = 0;
  for (let nextLook = 0; performance.now() - start < seconds * 1000; await sleep(1)) {
    const elapsed = performance.now() - start;
    for (; sent < (elapsed / 1000) * PER_SECOND; sent++) {
      const asked = one((sent / PER_SECOND) * 1000, sent).finally(() => open.delete(asked));
      open.add(asked);
    }
    if (elapsed < nextLook) continue;
    nextLook += Math.max(250, (seconds * 1000) / 400);
    memory.push(await memoryOf(program.pid));
    if (memory.length % 40 === 0) log(`${number(sent)} reports, ${Math.round((memory.at(-1) ?? 0) / 1e6)} MB`);
  }
  await Promise.all(open);
  const series = await client.scrape();
  client.close();
  return { sent, minutes, memory, counted: series.get('transactions_total{status="approved"}') ?? 0 };
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;

/** The machine's own troubles, in words. */
function beside(minutes: readonly MachineMinute[]): string {
  const most = (of: 'block' | 'late') => Math.max(...minutes.map((minute) => minute[of]));
  const sum = (of: (minute: MachineMinute) => number) => minutes.reduce((all, minute) => all + of(minute), 0);
  const stolen = sum((minute) => minute.stolen * minute.seconds) / sum((minute) => minute.seconds);
  return `beside it a block of 4 kB took up to ${ms(most('block'))}, a thread with nothing to do woke up to ${ms(most('late'))} late, others took ${(100 * stolen).toFixed(1)} % of the CPU`;
}

/**
 * Counts the slow minutes, and those among them in which the machine stood still for as long as a
 * report may take.
 */
function slowMinutes(minutes: readonly Uint32Array[], machine: readonly MachineMinute[], log: Run['log']) {
  let [slow, still] = [0, 0];
  for (const [at, times] of minutes.entries()) {
    const p99 = quantileOf(times, 0.99);
    if (p99 < MOST_P99_MS) continue;
    const its = machine[at] ?? { seconds: 60, block: 0, late: 0, stolen: 0 };
    slow++;
    if (Math.max(its.block, its.late) >= MOST_P99_MS) still++;
    log(`minute ${at + 1}: p99 ${ms(p99)}; ${beside([its])}`);
  }
  return { slow, still };
}

async function run(run: Run) {
  const seconds = part(run, 3600, 20);
  const program = await serve(await run.folder());
  // Memory for compiled code and caches at first is no growth.
  await load(program, Math.min(60, Math.max(10, seconds / 10)), run);
  const machine = await watchMachine(await run.folder());
  const { sent, minutes, memory, counted } = await load(program, seconds, run).finally(machine.stop);
  await program.stop();
  const tenth = Math.ceil(memory.length / 10);
  const [first, last] = [memory.slice(0, tenth), memory.slice(-tenth)].map((part) => quantile(part, 0.5)) as [
    number,
    number,
  ];
  const times = together(minutes);
  const p99 = quantileOf(times, 0.99);
  const { slow, still } = slowMinutes(minutes, machine.minutes, run.log);
  const { violations } = run;
  violations.check(counted >= sent, `${counted} counted of ${sent}`);
  const telling = seconds >= TELLING_SECONDS;
  violations.check(
    last <= (telling ? first * (1 + MOST_GROWTH) : first + HEAP_SWING),
    `memory went from ${(first / 1e6).toFixed(1)} to ${(last / 1e6).toFixed(1)} MB`,
  );
  violations.check(
    p99 < MOST_P99_MS,
    `p99 ${p99} ms, above ${MOST_P99_MS} ms in ${slow} of ${minutes.length} minutes, in ${still} of which the machine itself stood still as long`,
  );
  return {
    done: `${number(sent)} reports`,
    seen: `${(sent / seconds).toFixed(0)} a second, median ${quantileOf(times, 0.5)} ms, p99 ${p99} ms; ${beside(machine.minutes)}; memory from ${(first / 1e6).toFixed(0)} to ${(last / 1e6).toFixed(0)} MB${telling ? '' : ', which so short a run cannot judge'}`,
  };
}

export const steady: Torture = {
  name: 'steady',
  what: `steady load, ${number(PER_SECOND)} reports a second, by key and by source`,
  goal: `memory flat within ${MOST_GROWTH * 100} %, p99 under ${MOST_P99_MS} ms`,
  run,
};
