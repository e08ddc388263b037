import { join } from 'node:path';
import { DatabaseSync } from '../../src/ledger/sqlite/driver.mjs';
import { startPostgresIn } from '../../test/support/postgres-server.ts';
import { createClient, totalOf } from './client.ts';
import { serve } from './program.ts';
import type { Run, Torture } from './row.ts';
import { waitFor } from './wait.ts';

/** The ledger's deadline, and time for an answer on a busy machine. */
const SLOWEST_MS = 15_000;
const AT_ONCE = 20;

/** Makes a ledger hang under a service, posts, lets it go on, and posts the same again. */
async function hangOne(
  name: string,
  args: string[],
  hang: () => () => void,
  folder: string,
  run: Run,
): Promise<number> {
  const { violations } = run;
  const program = await serve(folder, { args });
  const client = createClient(program.url, AT_ONCE + 2);
  const post = (i: number) => client.post({ status: 'denied' }, { 'Idempotency-Key': `key-${i}` });
  await post(-1);
  const goOn = hang();
  const began = performance.now();
  try {
    const replies = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => post(i)));
    for (const { status, text } of replies) violations.check(status === 503, `${name}: answered ${status} ${text}`);
    const { status, text } = await client.send({ path: '/-/ready' });
    violations.check(status === 503, `${name}: /-/ready says ${status} ${text}`);
  } finally {
    goOn();
  }
  const took = performance.now() - began;
  violations.check(took < SLOWEST_MS, `${name}: the answers took ${Math.round(took)} ms`);
  await waitFor(`${name} to be over`, async () => (await client.send({ path: '/-/ready' })).status === 200);
  for (let i = 0; i < AT_ONCE; i++) violations.check((await post(i)).status === 200, `${name}: a retry was refused`);
  const counted = totalOf(await client.scrape());
  violations.check(counted === AT_ONCE + 1, `${name}: ${counted} counted of ${AT_ONCE + 1}`);
  client.close();
  const { code } = await program.stop();
  violations.check(code === 0, `${name}: it ended with ${code}`);
  return took;
}

/** The thread that writes is held up by another program that has the file locked. */
function lock(folder: string): () => void {
  const other = new DatabaseSync(join(folder, 'ledger.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  return () => other.close();
}

async function run(run: Run) {
  const folder = await run.folder();
  const sqlite = await hangOne('SQLite', [], () => lock(folder), folder, run);
  const postgres = await startPostgresIn(await run.folder());
  const freeze = () => {
    postgres.freeze(true);
    return () => postgres.freeze(false);
  };
  const args = ['--ledger', await postgres.database('hangs')];
  const shared = await hangOne('PostgreSQL', args, freeze, await run.folder(), run).finally(postgres.stop);
  return {
    done: `a thread that waits for a locked file, a database stopped by SIGSTOP, ${AT_ONCE} reports each`,
    seen: `answered after ${(sqlite / 1000).toFixed(1)} and ${(shared / 1000).toFixed(1)} s`,
  };
}

export const hang: Torture = {
  name: 'hang',
  what: 'the ledger hangs: SQLite locked by another program, PostgreSQL stopped',
  goal: 'every request answered 503 within 15 s; goes on by itself; retries count once',
  run,
};
