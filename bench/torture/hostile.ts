import { ATTACKS } from './attacks.ts';
import { createClient } from './client.ts';
import { memoryOf, serve } from './program.ts';
import type { Run, Torture } from './row.ts';
import { startWitness } from './witness.ts';

/** Series that the service has, so that its answers are not small. */
const SERIES = 5000;
/** All attacks together may cost so much, above the memory before them. */
const MOST_MEGABYTES = 400;

async function fill(url: string): Promise<void> {
  const client = createClient(url, 1);
  await client.post(
    Array.from({ length: SERIES / 7 }, (_, i) => ({ status: 'denied', labels: { acquirer: `acquirer ${i}` } })),
  );
  await client.scrape();
  client.close();
}

async function run(run: Run) {
  const { violations, scale, log } = run;
  const program = await serve(await run.folder(), { args: ['--dimensions', 'acquirer'] });
  await fill(program.url);
  const before = await memoryOf(program.pid);
  let [peak, slowest, where] = [before, 0, ''];
  for (const attack of ATTACKS) {
    const witness = startWitness(program, violations);
    const wrong = await attack.run({ ...program, scale }).catch((error) => String(error));
    violations.check(wrong === undefined, `${attack.name}: ${wrong}`);
    const seen = await witness.stop();
    const more = Math.round((seen.peakBytes - before) / 1e6);
    violations.check(more <= MOST_MEGABYTES, `${attack.name}: ${more} MB more than before`);
    if (seen.peakBytes > peak) [peak, where] = [seen.peakBytes, attack.name];
    slowest = Math.max(slowest, seen.slowestMs);
    log(
      `${attack.name}: ${wrong ?? 'borne'}, ${more} MB, slowest report ${Math.round(seen.slowestMs)} ms of ${seen.posts}`,
    );
    if (program.ended()) throw new Error(`the service ended at ${attack.name}: ${program.log().slice(-500)}`);
  }
  await program.stop();
  return {
    done: `${ATTACKS.length} attacks`,
    seen: `at most ${Math.round((peak - before) / 1e6)} MB more (${where}); the other client's slowest report ${Math.round(slowest)} ms`,
  };
}

export const hostile: Torture = {
  name: 'hostile',
  what: 'hostile HTTP',
  goal: `each refused or cut off; at most ${MOST_MEGABYTES} MB more memory; another client served throughout`,
  run,
};
