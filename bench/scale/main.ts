import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgresIn } from '../../test/support/postgres-server.ts';
import { startTillwatch } from '../load/service.ts';
import { loadText } from '../load/table.ts';
import { freePorts, type Shard, startShard, sumOf, type Usage, usageOf, writeShards } from './parts.ts';
import { ACQUIRERS, MERCHANTS, type Sent, SOURCES, sendFor } from './traffic.ts';

const HELP = `npm run bench:scale [-- OPTIONS]
100 million transactions a day, as reports of ${SOURCES} sources with ${ACQUIRERS} acquirers and ${MERCHANTS} merchants, to three
services over one PostgreSQL, which two Prometheus shards scrape and judge. All on this machine.

  --minutes N  how long it measures, after a minute that makes the series (default 10)
  --per-day N  transactions a day (default 100000000)
`;
const REPLICAS = 3;
const SHARDS = 2;
/** Cores that all of it may take. */
const GOAL = 2;
const FACTOR = 10;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'per-day': { type: 'string', default: '100000000' },
    help: { type: 'boolean', default: false },
  },
});

function wholeOf(flag: 'minutes' | 'per-day'): number {
  const value = Number(values[flag]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${flag} ${values[flag]}: must be a whole number from 1`);
}

const log = (line: string) => process.stderr.write(`${line}\n`);

interface Part {
  name: string;
  pids: readonly number[];
}

const usage = ({ pids }: Part): Omit<Usage, 'largest'> => {
  const all = pids.map(usageOf);
  return { cpu: all.reduce((sum, one) => sum + one.cpu, 0), memory: all.reduce((sum, one) => sum + one.memory, 0) };
};

/** Seconds that the rules of a shard were evaluated since its start, and evaluations missed. */
const evaluated = async (shard: Shard) => ({
  seconds: await sumOf(shard, 'prometheus_rule_evaluation_duration_seconds_sum'),
  missed: await sumOf(shard, 'prometheus_rule_group_iterations_missed_total'),
});

const percentile = (sorted: readonly number[], share: number): string =>
  `${(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(1)} ms`;

function reportsText({ times, refused }: Sent, seconds: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  const rate = (sorted.length / seconds).toFixed(1);
  return `reports: ${rate}/s, p50 ${percentile(sorted, 0.5)}, p99 ${percentile(sorted, 0.99)}, refused ${refused}\n`;
}

/** Cores of each part, and what ten times the transactions would need. */
function coresText(parts: readonly { name: string; cores: number; memory: number }[]): string {
  const lines = parts.map(
    ({ name, cores, memory }) =>
      `${name.padEnd(26)} ${cores.toFixed(3)} cores  ${Math.round(memory / 2 ** 20)} MiB resident\n`,
  );
  const sum = parts.reduce((total, { cores }) => total + cores, 0);
  const judging = parts
    .filter(({ name }) => name.startsWith('Prometheus'))
    .reduce((total, { cores }) => total + cores, 0);
  const larger = (sum - judging) * FACTOR + judging;
  return (
    `${lines.join('')}${'all'.padEnd(26)} ${sum.toFixed(3)} cores; goal at most ${GOAL}: ${sum <= GOAL ? 'met' : 'missed'}\n` +
    `${FACTOR} times as many reports of the same slices, by these figures: ${larger.toFixed(2)} cores\n`
  );
}

async function measure(minutes: number, perDay: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-scale-'));
  const ending: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const postgresFolder = await mkdtemp(join(tmpdir(), 'tillwatch-scale-postgres-'));
    ending.push(() => rm(postgresFolder, { recursive: true, force: true }));
    const postgres = await startPostgresIn(postgresFolder);
    ending.push(() => postgres.stop());
    const ledger = await postgres.database('scale');
    const services = [];
    for (let replica = 0; replica < REPLICAS; replica++) {
      const limits = ['--max-series', '100000', '--max-sources', String(SOURCES)];
      const service = await startTillwatch(['--dimensions', 'acquirer,merchant', '--ledger', ledger, ...limits]);
      ending.push(() => service.stop());
      services.push(service);
    }
    const ports = services.map(({ port }) => port);
    log('the first minute makes the series');
    await sendFor(1, perDay, ports);
    await writeShards(folder, SHARDS);
    const shardPorts = await freePorts(SHARDS);
    const shards: Shard[] = [];
    for (const [index, port] of shardPorts.entries()) {
      const others = shardPorts.filter((other) => other !== port).map((other) => `127.0.0.1:${other}`);
      const shard = await startShard(join(folder, `shard-${index}`), port, `127.0.0.1:${ports[index]}`, others);
      ending.push(() => shard.stop());
      shards.push(shard);
    }
    const parts: Part[] = [
      { name: `${REPLICAS} services`, pids: services.map(({ child }) => child.pid ?? 0) },
      { name: 'PostgreSQL', pids: [postgres.pid()] },
      ...shards.map(({ pid }, index) => ({ name: `Prometheus, shard ${index}`, pids: [pid] })),
    ];
    const [before, judgedBefore] = [parts.map(usage), await Promise.all(shards.map(evaluated))];
    const began = performance.now();
    log(`measuring for ${minutes} minutes`);
    const sent = await sendFor(minutes, perDay, ports);
    const seconds = (performance.now() - began) / 1000;
    const after = parts.map(usage);
    const used = parts.map(({ name }, index) => ({
      name,
      cores: ((after[index]?.cpu ?? 0) - (before[index]?.cpu ?? 0)) / seconds,
      memory: after[index]?.memory ?? 0,
    }));
    const judged = await Promise.all(shards.map(evaluated));
    const shardLines = await Promise.all(
      shards.map(async (shard, index) => {
        const took = (judged[index]?.seconds ?? 0) - (judgedBefore[index]?.seconds ?? 0);
        const missed = (judged[index]?.missed ?? 0) - (judgedBefore[index]?.missed ?? 0);
        const series = await sumOf(shard, 'prometheus_tsdb_head_series');
        const each = ((60 * took) / seconds).toFixed(2);
        return `shard ${index}: rules take ${each} s of each minute; evaluations missed ${missed}; ${series} series\n`;
      }),
    );
    return reportsText(sent, seconds) + coresText(used) + shardLines.join('') + loadText();
  } finally {
    for (const end of ending.toReversed()) await end();
  }
}

if (values.help) process.stdout.write(HELP);
else process.stdout.write(await measure(wholeOf('minutes'), wholeOf('per-day')));
process.exit();
