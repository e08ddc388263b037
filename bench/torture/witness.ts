import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from './client.ts';
import { memoryOf, type Program } from './program.ts';
import type { Violations } from './row.ts';

const EVERY_MS = 50;

/**
 * Another client, who posts a report again and again while something goes on, and looks at the
 * service's memory.
 */
export interface Witness {
  /** @returns what it saw; a report that was not counted is a violation */
  stop(): Promise<{ posts: number; slowestMs: number; peakBytes: number }>;
}

export function startWitness(program: Program, violations: Violations): Witness {
  const client = createClient(program.url, 1);
  const seen = { posts: 0, slowestMs: 0, peakBytes: 0 };
  let stopped = false;
  async function look(): Promise<void> {
    const start = performance.now();
    const { status, text } = await client.post({ status: 'approved' });
    violations.check(status === 200, `another client's report was answered ${status}: ${text}`);
    seen.posts++;
    seen.slowestMs = Math.max(seen.slowestMs, performance.now() - start);
    seen.peakBytes = Math.max(seen.peakBytes, await memoryOf(program.pid));
  }
  async function loop(): Promise<void> {
    while (!stopped) {
      await look().catch((error) => violations.add(`another client got no answer: ${error}`));
      await sleep(EVERY_MS);
    }
  }
  const looping = loop();
  return {
    async stop() {
      stopped = true;
      await looping;
      client.close();
      return seen;
    },
  };
}
