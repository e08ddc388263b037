/**
 * Measures the cost of a file of a million rows. The reader and csv-parse alone take turns, in CPU
 * seconds. Then come `analyze` and `import` of it, with the programs that they start.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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
import { PROJECT } from '../project.ts';
import { usageOf } from '../scale/parts.ts';

const ROWS = 1_000_000;
const ROUNDS = 5;
/** A multiple of a day, so that the traffic is the same on each; `import` refuses what is old. */
const START = (Math.floor(Date.now() / 86_400_000) - 120) * 1440;

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

interface Cost {
  seconds: number;
  cpu: number;
  /** Bytes that the largest of its processes had, and all of them together. */
  largest: number;
  together: number;
}

/** Runs a command of the built program, and looks at it and at what it starts every 50 ms. */
async function costOf(...args: string[]): Promise<Cost> {
  const began = performance.now();
  const child = spawn(process.execPath, [join(PROJECT, 'dist/main.js'), ...args], { stdio: 'ignore' });
  const cost = { seconds: 0, cpu: 0, largest: 0, together: 0 };
  const look = () => {
    const { cpu, memory, largest } = usageOf(Number(child.pid));
    cost.cpu = Math.max(cost.cpu, cpu);
    cost.together = Math.max(cost.together, memory);
    cost.largest = Math.max(cost.largest, largest);
  };
  const looking = setInterval(look, 50);
  const [code] = await once(child, 'exit');
  clearInterval(looking);
  if (code !== 0) throw new Error(`tillwatch ${args.join(' ')} ended with ${code}`);
  return { ...cost, seconds: (performance.now() - began) / 1000 };
}

const told = ({ seconds, cpu, largest, together }: Cost): string =>
  `${seconds.toFixed(1)} s, ${cpu.toFixed(1)} CPU s; ${megabytes(largest)} the largest process, ${megabytes(together)} all`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

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
  console.log(`analyze          ${told(await costOf('analyze', file))}`);
  console.log(`import           ${told(await costOf('import', file, '--data', join(folder, 'data')))}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
