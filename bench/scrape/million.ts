import { get } from 'node:http';
import { STATUSES } from '../../src/domain/names.ts';
import type { Options } from '../load/command.ts';
import { type Generator, type Service, startGenerator, startTillwatch } from '../load/service.ts';
import { fillTillwatch, oneReport, send } from './series.ts';

const SERIES = 1_000_000;
const LABEL_VALUES = Math.floor(SERIES / STATUSES.length);
const SCRAPES = 5;
/** As Prometheus asks, without its feature for starts. */
const HEADERS = {
  Accept: 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2',
  'Accept-Encoding': 'gzip',
};

/** Seconds until the last byte, and the bytes. */
function scrape({ port }: Service): Promise<{ seconds: number; bytes: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', headers: HEADERS }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`a scrape was answered with ${answer.statusCode}`));
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => resolve({ seconds: (performance.now() - began) / 1000, bytes }));
    }).on('error', reject);
  });
}

/**
 * One million series are scraped: first after all of them were made, then after one report each
 * time.
 */
export async function measureMillion({ log }: Pick<Options, 'log'>) {
  const service = await startTillwatch(['--dimensions', 'acquirer', '--max-series', String(SERIES)]);
  const generator: Generator = startGenerator();
  try {
    // Nothing scrapes meanwhile: the first scrape finds all of them new.
    await fillTillwatch(generator, service, LABEL_VALUES);
    log('one million series counted');
    const first = await scrape(service);
    const later = [];
    for (let round = 0; round < SCRAPES; round++) {
      await send(generator, service, oneReport());
      later.push(await scrape(service));
    }
    return { first, later };
  } finally {
    generator.stop();
    await service.stop();
  }
}
