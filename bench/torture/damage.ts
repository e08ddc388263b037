import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { verifyLedger } from '../../src/ledger/tools/verify.ts';
import { messageOf } from '../../src/runtime/log.ts';
import { countersOf, createClient, minuteBefore, seriesOf } from './client.ts';
import { Refusal, serve } from './program.ts';
import type { Run } from './row.ts';

const COMMITS = 150;
const ARGS = ['--dimensions', 'acquirer'];

/** Counters as text, so that two states can be compared. */
const stateOf = (series: Map<string, number>): string => JSON.stringify([...countersOf(series)].sort());

/**
 * A ledger of many commits. Where it was killed, the newest are in its write-ahead log; where it was
 * stopped, all are in its file.
 * @returns its files, and the counters after each commit
 */
async function makeSound(signal: 'SIGKILL' | 'SIGTERM', run: Run) {
  const folder = await run.folder();
  const program = await serve(folder, { args: ARGS });
  const client = createClient(program.url, 1);
  const states = [stateOf(await client.scrape())];
  for (let i = 0; i < COMMITS; i++) {
    const report = {
      timestamp: minuteBefore(i % 9),
      source: `s${i}`,
      counts: { denied: i, approved: 9 },
      labels: { acquirer: `a ${i % 9}` },
    };
    await client.post(report, { 'Idempotency-Key': `key-${i}` });
    states.push(stateOf(await client.scrape()));
  }
  client.close();
  await program.stop(signal);
  const files: { name: string; bytes: Buffer }[] = [];
  for (const name of await readdir(folder)) {
    if ((await stat(join(folder, name))).isFile()) files.push({ name, bytes: await readFile(join(folder, name)) });
  }
  return { files, states };
}

type Sound = Awaited<ReturnType<typeof makeSound>>;

const truncated = (bytes: Buffer, where: number): Buffer => bytes.subarray(0, Math.floor(where * bytes.length));

function flipped(bytes: Buffer, where: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(where * bytes.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
  return copy;
}

/** What became of a ledger that was damaged. */
const OUTCOMES = ['refused', 'whole', 'earlier', 'found'] as const;
type Outcome = (typeof OUTCOMES)[number];

interface Damage {
  name: string;
  bytes: Buffer;
  what: string;
}

/**
 * Starts on a copy of which one file is damaged. It is refused, named and untouched; or all is
 * there; or all up to an earlier commit, where it is the write-ahead log; or `ledger verify` says
 * what is wrong.
 */
async function startDamaged({ files, states }: Sound, { name, bytes, what }: Damage, run: Run): Promise<Outcome> {
  const folder = await run.folder();
  for (const file of files) await writeFile(join(folder, file.name), file.name === name ? bytes : file.bytes);
  const { violations } = run;
  try {
    const program = await serve(folder, { args: ARGS });
    const client = createClient(program.url, 1);
    const { status, text } = await client.send({ path: '/metrics' });
    client.close();
    await program.stop();
    const known = status === 200 ? states.indexOf(stateOf(seriesOf(text))) : -1;
    if (known === states.length - 1) return 'whole';
    if (known !== -1 && name.endsWith('-wal')) return 'earlier';
    const findings = await verifyLedger(folder).then(
      (verified) => verified.findings.flatMap(({ wrong }) => wrong),
      (error: unknown) => [messageOf(error)],
    );
    violations.check(findings.length > 0, `${what}: other counters are served, and ledger verify finds nothing`);
    return 'found';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const named = error.message.includes(folder) && /cannot be used: \S|cannot open the ledger/.test(error.message);
    violations.check(error.code === 1 && named, `${what}: ended with ${error.code}: ${error.message}`);
    violations.check(bytes.equals(await readFile(join(folder, name))), `${what}: the refused file was changed`);
    return 'refused';
  }
}

/**
 * Cuts the file and the write-ahead log of a ledger short and flips bits of them, each so many
 * times, all over.
 */
export async function damageLedgers(times: number, run: Run): Promise<Record<Outcome, number>> {
  const sounds = [
    { sound: await makeSound('SIGTERM', run), name: 'ledger.sqlite' },
    { sound: await makeSound('SIGKILL', run), name: 'ledger.sqlite-wal' },
  ];
  const came = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  for (let i = 0; i < times; i++) {
    for (const { sound, name } of sounds) {
      const whole = sound.files.find((file) => file.name === name)?.bytes ?? Buffer.alloc(0);
      const where = Math.random();
      const at = `${name} of ${whole.length} bytes`;
      const harms = [
        { name, bytes: truncated(whole, where), what: `${at} cut at ${where.toFixed(4)}` },
        { name, bytes: flipped(whole, where), what: `${at} with a bit flipped at ${where.toFixed(4)}` },
      ];
      for (const harm of harms) came[await startDamaged(sound, harm, run)]++;
    }
    if (i % 10 === 9) run.log(`damaged: ${i + 1} of ${times}`);
  }
  return came;
}
