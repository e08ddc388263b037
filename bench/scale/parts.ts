import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { findBinary } from '../../src/binaries/binaries.ts';
import { runProgram } from '../../src/runtime/programs.ts';
import { childrenOf, freePort, startProcess, waitFor } from '../../test/support/processes.ts';
import { PROJECT } from '../project.ts';

/** A shard's Prometheus that scrapes one service and judges its slices. */
export interface Shard {
  pid: number;
  url: string;
  stop(): Promise<unknown>;
}

/** Writes the rules of so many shards into folders `shard-K`. */
export async function writeShards(folder: string, shards: number): Promise<void> {
  const args = ['rules', '--for', 'prometheus', '--shards', String(shards), '--out', folder];
  await runProgram(process.execPath, [join(PROJECT, 'dist/main.js'), ...args], undefined);
}

/** Starts the shard of a folder that `writeShards` wrote; `others` are the addresses of the other shards. */
export async function startShard(folder: string, port: number, target: string, others: string[]): Promise<Shard> {
  const scrapes = parse(await readFile(join(folder, 'scrapes.yml'), 'utf8')) as {
    metric_relabel_configs: unknown[];
    scrape_configs?: object[];
  };
  const config = {
    global: { scrape_interval: '5s', evaluation_interval: '1m' },
    rule_files: ['rules/*.yml'],
    scrape_configs: [
      {
        job_name: 'tillwatch',
        static_configs: [{ targets: [target], labels: { instance: 'tillwatch' } }],
        metric_relabel_configs: scrapes.metric_relabel_configs,
      },
      ...(scrapes.scrape_configs ?? []).map((job) => ({ ...job, static_configs: [{ targets: others }] })),
    ],
  };
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`];
  const running = await startProcess(await findBinary('prometheus'), args, { cwd: folder });
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: `Prometheus at ${url}` });
  return { pid: running.pid, url, stop: () => running.stop() };
}

export const freePorts = (count: number): Promise<number[]> => Promise.all(Array.from({ length: count }, freePort));

/** The sum of a metric over its labels, as Prometheus exposes it of itself. */
export async function sumOf({ url }: Shard, metric: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Counts a process and its children. Linux only. */
export interface Usage {
  /** Seconds. */
  cpu: number;
  /** Resident bytes; what processes share counts once in each. */
  memory: number;
  /** Resident bytes of the largest of them. */
  largest: number;
}

const TICKS = 100;
const PAGE = 4096;

export function usageOf(pid: number): Usage {
  let [cpu, memory, largest] = [0, 0, 0];
  for (const one of [pid, ...childrenOf(pid)]) {
    try {
      const fields = readFileSync(`/proc/${one}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      cpu += (Number(fields[11]) + Number(fields[12])) / TICKS;
      const own = Number(readFileSync(`/proc/${one}/statm`, 'utf8').split(' ')[1]) * PAGE;
      memory += own;
      largest = Math.max(largest, own);
    } catch {
      // It has ended meanwhile.
    }
  }
  return { cpu, memory, largest };
}
