import { chmod, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, totalOf } from './client.ts';
import { Refusal, serve } from './program.ts';
import type { Run, Torture } from './row.ts';

const REPORTS = 20;

/** Damage to a file under the running service, and whether earlier counts must still be there. */
const HARMS: Record<string, { kept: boolean; harm: (path: string) => Promise<void> }> = {
  deleted: { kept: false, harm: (path) => rm(path) },
  replaced: {
    kept: false,
    async harm(path) {
      await writeFile(`${path}.other`, 'another file');
      await rename(`${path}.other`, path);
    },
  },
  'made read-only': { kept: true, harm: (path) => chmod(path, 0o400) },
};

/**
 * A 200 afterwards must be worth what it says: found after kill -9 and a start. Anything else must
 * be 503 with the reason.
 */
async function harmOne(name: string, what: string, run: Run): Promise<string> {
  const { kept, harm } = HARMS[what] as (typeof HARMS)[string];
  const { violations } = run;
  const where = `${name} ${what}`;
  const folder = await run.folder();
  const program = await serve(folder);
  const client = createClient(program.url, 1);
  for (let i = 0; i < REPORTS; i++) await client.post({ status: 'denied' });
  await harm(join(folder, name));
  let taken = 0;
  for (let i = 0; i < REPORTS; i++) {
    const { status, json } = await client.post({ status: 'denied' });
    if (status === 200) taken++;
    else
      violations.check(status === 503 && String(json?.detail).includes(folder), `${where}: ${status} ${json?.detail}`);
  }
  const refused = taken < REPORTS;
  const ready = await client.send({ path: '/-/ready' });
  violations.check(refused === (ready.status === 503), `${where}: /-/ready says ${ready.status} ${ready.text}`);
  client.close();
  await program.stop('SIGKILL');
  if (taken === 0 && !kept) return `${where}: 503`;
  try {
    const again = await serve(folder);
    const fresh = createClient(again.url, 1);
    const counted = totalOf(await fresh.scrape());
    violations.check(counted === REPORTS + taken, `${where}: ${counted} counted of ${REPORTS + taken} acknowledged`);
    fresh.close();
    await again.stop();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    violations.check(error.message.includes(folder) && taken === 0, `${where}: it does not start: ${error.message}`);
  }
  return `${where}: ${taken === REPORTS ? 'goes on, nothing lost' : '503'}`;
}

async function run(run: Run) {
  const folder = await run.folder();
  const program = await serve(folder);
  const names = (await readdir(folder)).filter((name) => name.startsWith('ledger.sqlite'));
  await program.stop('SIGKILL');
  const came: string[] = [];
  for (const name of names) for (const what of Object.keys(HARMS)) came.push(await harmOne(name, what, run));
  return {
    done: `${names.length} files (${names.join(', ')}), each ${Object.keys(HARMS).join(', ')}`,
    seen: came.join('; '),
  };
}

export const files: Torture = {
  name: 'files',
  what: 'each ledger file deleted, replaced or made read-only under a running service',
  goal: '503 with the reason, or every acknowledged count after a restart',
  run,
};
