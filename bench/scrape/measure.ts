import { once } from 'node:events';
import { join } from 'node:path';
import { STATUSES } from '../../src/domain/names.ts';
import { report } from '../ingest/requests.ts';
import type { Options } from '../load/command.ts';
import { getOf, postOf } from '../load/request.mjs';
import { inTurns } from '../load/rounds.ts';
import {
  type Generator,
  type Service,
  startGenerator,
  startPushgateway,
  startScript,
  startTillwatch,
} from '../load/service.ts';
import { PROJECT } from '../project.ts';
import { fillPushgateway, fillTillwatch, LABEL_VALUES, onePush, oneReport, SERIES } from './series.ts';

/** Bytes, after a garbage collection. */
export interface Memory {
  heapUsed: number;
  external: number;
  rss: number;
}

const CONNECTIONS = 50;
const FLAGS = ['--dimensions', 'acquirer', '--max-series', String(2 * SERIES)];
const TELLS_MEMORY = ['--expose-gc', '--import', join(PROJECT, 'bench/scrape/tell-memory.mjs')];

async function memoryOf({ child }: Service): Promise<Memory> {
  child.send('memory');
  const [memory] = (await once(child, 'message')) as [Memory];
  return memory;
}

const linesOf = async ({ port }: Service): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
};

/** Seconds from asking for /metrics until the last byte, after one report. */
const scrapeAfter = (generator: Generator, service: Service, request: string) => async (): Promise<number> => {
  await generator.run({ port: service.port, request, connections: 1, seconds: 0 });
  const { median } = await generator.run({
    port: service.port,
    request: getOf('/metrics'),
    connections: 1,
    seconds: 0,
  });
  return median;
};

/** Does it every second until told to stop. @returns the stop */
function everySecond(act: () => Promise<unknown>): () => Promise<void> {
  let stopped = false;
  const loop = (async () => {
    for (let next = Date.now(); !stopped; next += 1000) {
      await new Promise((resolve) => setTimeout(resolve, next - Date.now()));
      await act();
    }
  })();
  return async () => {
    stopped = true;
    await loop;
  };
}

/** All that the table is made of. */
export async function measure({ rounds, seconds, log }: Options) {
  const [full, empty, pushgateway, promClient] = await Promise.all([
    startTillwatch(FLAGS, { node: TELLS_MEMORY }),
    startTillwatch(FLAGS, { node: TELLS_MEMORY }),
    startPushgateway(),
    startScript('bench/scrape/prom-client.mjs', [String(LABEL_VALUES), ...STATUSES]),
  ]);
  const [generator, scraper] = [startGenerator(), startGenerator()];
  try {
    await fillTillwatch(generator, full);
    await fillPushgateway(generator, pushgateway);
    log(`${LABEL_VALUES} label values counted`);
    const scrapes = await inTurns(
      2 * rounds,
      {
        tillwatch: scrapeAfter(scraper, full, oneReport()),
        promClient: scrapeAfter(scraper, promClient, postOf('/', 'text/plain', '')),
        pushgateway: scrapeAfter(scraper, pushgateway, onePush()),
      },
      (line) => log(`scrapes: ${line}`),
    );
    const lines = await linesOf(full);
    // Both have been scraped: what a scrape leaves behind counts too.
    await linesOf(empty);
    const memory = { full: await memoryOf(full), empty: await memoryOf(empty), lines };
    const scrape = () => scraper.run({ port: full.port, request: getOf('/metrics'), connections: 1, seconds: 0 });
    const post = () => generator.run({ port: full.port, request: report(), connections: CONNECTIONS, seconds });
    async function postWhileScraped() {
      const stop = everySecond(scrape);
      try {
        return await post();
      } finally {
        await stop();
      }
    }
    const posts = await inTurns(rounds, { scraped: postWhileScraped, alone: post }, (line) => log(`posts: ${line}`));
    return { scrapes, memory, posts };
  } finally {
    generator.stop();
    scraper.stop();
    await Promise.all([full, empty, pushgateway, promClient].map((service) => service.stop()));
  }
}

export type Measurements = Awaited<ReturnType<typeof measure>>;
