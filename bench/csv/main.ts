/**
 * Measures the cost of recognising a file: the reader against csv-parse alone on the same file,
 * interleaved, in CPU seconds.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { readCounts } from '../../src/csv/read.ts';
import { openSource } from '../../src/csv/source.ts';
import { createTraffic, trafficMinutes } from '../../src/simulator/feed.ts';

const ROWS = 1_000_000;
const ROUNDS = 5;
const START = Date.UTC(2026, 0, 5) / 60_000;

function* history(): Generator<string> {
  yield 'timestamp,status,count\n';
  let rows = 0;
  for (const { minute, counts } of trafficMinutes(createTraffic({ seed: 1 }), START, START + ROWS)) {
    const time = new Date(minute * 60_000).toISOString();
    for (const [status, count] of Object.entries(counts)) {
      if (rows++ >= ROWS) return;
      yield `${time},${status},${count}\n`;
    }
  }
}

async function parserAlone(file: string): Promise<void> {
  // As csv-parse's own manual has it.
  for await (const _ of createReadStream(file).pipe(parse()));
}

async function reader(file: string): Promise<void> {
  const source = await openSource(file);
  await readCounts(source);
  await source.close();
}

async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const middle = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const folder = await mkdtemp(join(tmpdir(), 'tillwatch-bench-csv-'));
try {
  const file = join(folder, 'million.csv');
  await pipeline(Readable.from(history()), createWriteStream(file));
  const [alone, whole]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await cpuSeconds(() => parserAlone(file)));
    whole.push(await cpuSeconds(() => reader(file)));
  }
  console.log(`${ROWS.toLocaleString('en-US')} rows, CPU seconds, median of ${ROUNDS} interleaved rounds`);
  console.log(`csv-parse alone  ${middle(alone).toFixed(2)}`);
  console.log(`the reader       ${middle(whole).toFixed(2)}  (${(middle(whole) / middle(alone)).toFixed(2)} times)`);
  console.log(`memory           ${Math.round(process.resourceUsage().maxRSS / 1024)} MB at most`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
