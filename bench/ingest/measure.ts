import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from '../load/command.ts';
import type { Load } from '../load/request.mjs';
import { inTurns, median } from '../load/rounds.ts';
import {
  cpuOf,
  type Generator,
  type Service,
  startGenerator,
  startPushgateway,
  startScript,
  startTillwatch,
} from '../load/service.ts';
import { batch, push, pushedBatch, report } from './requests.ts';

const FLAGS = ['--dimensions', 'acquirer'];
/** A file system in memory, where a sync costs nothing: the same program, durable in nothing. */
const MEMORY = '/dev/shm';

/** One contender in one round. */
export interface Result {
  perSecond: number;
  /** Seconds. */
  median: number;
  p99: number;
  /** CPU seconds of the service, and of the generator, each request. */
  cpu: number;
  generatorCpu: number;
}

async function load(generator: Generator, service: Service, what: Omit<Load, 'port'>): Promise<Result> {
  const before = await cpuOf(service);
  const { requests, seconds, median, p99, cpuSeconds } = await generator.run({ ...what, port: service.port });
  const cpu = (await cpuOf(service)) - before;
  return { perSecond: requests / seconds, median, p99, cpu: cpu / requests, generatorCpu: cpuSeconds / requests };
}

/**
 * Seconds that the disk needs to make one block of a file durable, of one that grows or of one that
 * is written over.
 */
function syncTime(inPlace: boolean, syncs = 500): number {
  const folder = mkdtempSync(join(tmpdir(), 'tillwatch-bench-sync-'));
  const path = join(folder, 'file');
  const block = Buffer.alloc(4096, 1);
  if (inPlace) writeFileSync(path, Buffer.alloc(syncs * block.length), { flush: true });
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT);
  const times = Array.from({ length: syncs }, () => {
    const start = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return (performance.now() - start) / 1000;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(times);
}

async function startAll() {
  const [durable, memory, checked, plain, bare] = await Promise.all([
    startTillwatch(FLAGS),
    existsSync(MEMORY) ? startTillwatch(FLAGS, { parent: MEMORY }) : undefined,
    startPushgateway(),
    startScript('bench/ingest/plain-koa.mjs'),
    startScript('bench/ingest/bare-http.mjs'),
  ]);
  return { durable, memory, checked, plain, bare };
}

const nothing: Result = {
  perSecond: Number.NaN,
  median: Number.NaN,
  p99: Number.NaN,
  cpu: Number.NaN,
  generatorCpu: Number.NaN,
};

/** All that the table is made of. */
export async function measure({ rounds, seconds, log }: Options) {
  const services = await startAll();
  const { durable, memory, checked, plain, bare } = services;
  const generator = startGenerator();
  const by = (connections: number, service: Service | undefined, request: () => string) => async () =>
    service === undefined ? nothing : load(generator, service, { connections, seconds, request: request() });
  const tell = (what: string) => (line: string) => log(`${what}: ${line}`);
  try {
    const reports = await inTurns(
      rounds,
      {
        durable: by(50, durable, report),
        memory: by(50, memory, report),
        checked: by(50, checked, push),
        plain: by(50, plain, report),
        bare: by(50, bare, report),
      },
      tell('reports on 50 connections'),
    );
    const single = await inTurns(
      rounds,
      {
        durable: by(1, durable, report),
        plain: by(1, plain, report),
        sync: async () => ({ ...nothing, median: syncTime(false) }),
        syncInPlace: async () => ({ ...nothing, median: syncTime(true) }),
      },
      tell('reports on one connection'),
    );
    const batches = await inTurns(
      rounds,
      { durable: by(8, durable, batch), checked: by(8, checked, pushedBatch) },
      tell('batches on 8 connections'),
    );
    return { reports, single, batches };
  } finally {
    generator.stop();
    await Promise.all(Object.values(services).map((service) => service?.stop()));
  }
}

export type Measurements = Awaited<ReturnType<typeof measure>>;
