import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countersOf, createClient, minuteBefore } from './client.ts';
import { Refusal, serve } from './program.ts';
import { checkNotLower } from './reports.ts';
import type { Run } from './row.ts';

/** A ledger of many commits, as a kill -9 leaves it. @returns its files, and its counters */
async function makeSound(run: Run) {
  const folder = await run.folder();
  const program = await serve(folder, { args: ['--dimensions', 'acquirer'] });
  const client = createClient(program.url, 1);
  for (let i = 0; i < 150; i++) {
    const report = {
      timestamp: minuteBefore(i % 9),
      source: `s${i}`,
      counts: { denied: i, approved: 9 },
      labels: { acquirer: `a ${i % 9}` },
    };
    await client.post(report, { 'Idempotency-Key': `key-${i}` });
  }
  const counters = countersOf(await client.scrape());
  client.close();
  await program.stop('SIGKILL');
  const files: { name: string; bytes: Buffer }[] = [];
  for (const name of await readdir(folder)) {
    if ((await stat(join(folder, name))).isFile()) files.push({ name, bytes: await readFile(join(folder, name)) });
  }
  return { files, counters };
}

type Sound = Awaited<ReturnType<typeof makeSound>>;

const truncated = (bytes: Buffer, where: number): Buffer => bytes.subarray(0, Math.floor(where * bytes.length));

function flipped(bytes: Buffer, where: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(where * bytes.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
  return copy;
}

/**
 * Starts on a copy of which one file is damaged: refused, named and untouched, or not a count is
 * missing.
 */
async function startDamaged(
  { files, counters }: Sound,
  name: string,
  bytes: Buffer,
  what: string,
  run: Run,
): Promise<'refused' | 'served'> {
  const folder = await run.folder();
  for (const file of files) await writeFile(join(folder, file.name), file.name === name ? bytes : file.bytes);
  const { violations } = run;
  try {
    const program = await serve(folder, { args: ['--dimensions', 'acquirer'] });
    const client = createClient(program.url, 1);
    const series = await client.scrape();
    checkNotLower(counters, series, {
      ...violations,
      add: (text) => violations.add(`${what}: ${text}`),
      check: (holds, text) => violations.check(holds, `${what}: ${text}`),
    });
    client.close();
    await program.stop();
    return 'served';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const named = error.message.includes(folder) && /cannot be used: \S/.test(error.message);
    violations.check(error.code === 1 && named, `${what}: ended with ${error.code}: ${error.message}`);
    violations.check(bytes.equals(await readFile(join(folder, name))), `${what}: the refused file was changed`);
    return 'refused';
  }
}

/** Cuts a ledger short and flips bits of it, each so many times, all over its files. */
export async function damageLedgers(times: number, run: Run): Promise<{ refused: number; served: number }> {
  const sound = await makeSound(run);
  const came = { refused: 0, served: 0 };
  // The lock's bytes say nothing of what was counted.
  const files = sound.files.filter(({ name, bytes }) => bytes.length > 0 && !name.endsWith('-lock'));
  for (let i = 0; i < times; i++) {
    // Most of the damage goes to the largest file; each of the others gets its share.
    const ordered = files.toSorted((a, b) => b.bytes.length - a.bytes.length);
    const { name, bytes } = ordered[i % 5 === 4 ? ((i / 5) % ordered.length) | 0 : 0] ?? {
      name: '',
      bytes: Buffer.alloc(0),
    };
    const where = Math.random();
    came[await startDamaged(sound, name, truncated(bytes, where), `${name} cut at ${where.toFixed(4)}`, run)]++;
    came[
      await startDamaged(sound, name, flipped(bytes, where), `${name} with a bit flipped at ${where.toFixed(4)}`, run)
    ]++;
    if (i % 10 === 9) run.log(`damaged: ${i + 1} of ${times}`);
  }
  return came;
}
