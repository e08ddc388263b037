import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '../../src/binaries/binaries.ts';
import { keepRunning } from '../../src/stack/child.ts';
import { choosePort } from '../../src/stack/ports.ts';

export interface LivePrometheus {
  url: string;
  /** From now on it evaluates the rules. */
  loadRules: () => Promise<void>;
  /** Ends it and deletes its data. */
  stop: () => Promise<void>;
}

/**
 * All samples stay in the head, which then takes them in any order of series, up to half of this
 * back.
 */
const HEAD = '60d';

/** Constants are there before what reads them, as in any installation that has run for a minute. */
const CONSTANTS = 'rules/tunables*.yml';

const config = (address: string, self: string, rules: string): string => `
global: {scrape_interval: 15s, evaluation_interval: 1m}
scrape_configs:
  - job_name: tillwatch
    static_configs: [{targets: ["${address}"], labels: {instance: tillwatch}}]
  - job_name: prometheus
    static_configs: [{targets: ["${self}"]}]
rule_files: [${rules}]
`;

/**
 * A Prometheus that scrapes a target, takes samples by remote write, and evaluates a folder of
 * rules once told so; their constants at once.
 */
export async function startLivePrometheus(address: string, rulesDir: string): Promise<LivePrometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-bench-rules-'));
  const file = join(folder, 'prometheus.yml');
  const self = `127.0.0.1:${await choosePort({ flag: 'bench', port: 0, movable: true })}`;
  await writeFile(file, config(address, self, CONSTANTS));
  await cp(rulesDir, join(folder, 'rules'), { recursive: true });
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--storage.tsdb.min-block-duration=${HEAD}`,
    `--storage.tsdb.max-block-duration=${HEAD}`,
    '--storage.tsdb.retention.time=1y',
    '--web.enable-remote-write-receiver',
    '--web.enable-lifecycle',
    `--web.listen-address=${self}`,
  ];
  const say = (line: string) => process.stderr.write(`prometheus: ${line}\n`);
  const program = {
    name: 'prometheus',
    path: await findBinary('prometheus'),
    args,
    readyUrl: `http://${self}/-/ready`,
  };
  const child = await keepRunning(program, (level, message) => level === 'error' && say(message), say);
  return {
    url: `http://${self}`,
    loadRules: async () => {
      await writeFile(file, config(address, self, 'rules/*.yml'));
      const response = await fetch(`http://${self}/-/reload`, { method: 'POST' });
      if (!response.ok) throw new Error(`Prometheus did not load the rules: ${await response.text()}`);
    },
    stop: async () => {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
