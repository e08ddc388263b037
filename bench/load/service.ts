import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '../../src/binaries/binaries.ts';
import { createTail, tie } from '../../src/runtime/programs.ts';
import { choosePort } from '../../src/stack/ports.ts';
import { childrenOf } from '../../test/support/processes.ts';
import { PROJECT } from '../project.ts';
import type { Load, Loaded } from './request.mjs';

/** A program under measurement. */
export interface Service {
  port: number;
  /** Has a channel, for a program that was preloaded with something that answers. */
  child: ChildProcess;
  stop(): Promise<void>;
}

const START_MS = 60_000;
/** Nothing listens there: no contender is judged by what Prometheus knows. */
const NOWHERE = 'http://127.0.0.1:9';

/** Starts a program that writes the port that it listens on to stderr, and waits until it does. */
async function start(command: string, args: string[], pattern: RegExp): Promise<Service> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  tie(child);
  const port = await portOf(child, pattern);
  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  return { port, child, stop };
}

async function portOf(child: ChildProcess, pattern: RegExp): Promise<number> {
  const tail = createTail();
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${child.spawnfile} does not start: ${tail.text()}`)), START_MS);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${child.spawnfile} ended: ${tail.text()}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      tail.add(text);
      const port = pattern.exec(tail.text())?.[1];
      if (port === undefined) return;
      clearTimeout(late);
      resolve(Number(port));
    });
  });
}

export interface TillwatchOptions {
  /** The folder of its ledger; a new one, which goes when it stops, where it is left out. */
  data?: string;
  /** The parent of a new folder; the system's folder for temporary files where it is left out. */
  parent?: string;
  /** Options of Node. */
  node?: readonly string[];
}

/** Tillwatch as users start it. */
export async function startTillwatch(
  args: readonly string[] = [],
  { data, parent = tmpdir(), node = [] }: TillwatchOptions = {},
): Promise<Service> {
  const folder = data ?? (await mkdtemp(join(parent, 'tillwatch-bench-')));
  const flags = ['--port', '0', '--data', folder, '--prometheus-url', NOWHERE, '--alertmanager-url', NOWHERE];
  const program = [...node, join(PROJECT, 'dist/main.js'), 'serve', ...flags, '--drain', '0s', ...args];
  const service = await start(process.execPath, program, /listening on http:\/\/127\.0\.0\.1:(\d+)/);
  async function stop(): Promise<void> {
    await service.stop();
    if (data === undefined) await rm(folder, { recursive: true, force: true });
  }
  return { ...service, stop };
}

export async function startPushgateway(args: string[] = []): Promise<Service> {
  const port = await choosePort({ flag: 'bench', port: 0, movable: true });
  const program = await findBinary('pushgateway', { log: (line) => process.stderr.write(`${line}\n`) });
  const service = await start(program, [`--web.listen-address=127.0.0.1:${port}`, ...args], /(istening on)/);
  return { ...service, port };
}

/** A program of this folder's neighbours, by its path in the repository. */
export const startScript = (path: string, args: string[] = []): Promise<Service> =>
  start(process.execPath, [join(PROJECT, path), ...args], /listening on http:\/\/127\.0\.0\.1:(\d+)/);

export interface Generator {
  run(load: Load): Promise<Loaded>;
  stop(): void;
}

/** @throws when a request is refused: what is measured must be what was asked for */
export function startGenerator(): Generator {
  const child = fork(join(PROJECT, 'bench/load/generator.mjs'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  tie(child);
  return {
    async run(load) {
      child.send(load);
      const [result] = (await once(child, 'message')) as [Loaded & { error?: string }];
      if (result.error !== undefined) throw new Error(result.error);
      if (result.refused > 0)
        throw new Error(`${result.refused} of ${result.requests} refused: ${load.request.split('\r\n')[0]}`);
      return result;
    },
    stop: () => child.kill(),
  };
}

/**
 * CPU that a program has used, in seconds: of all threads, and of the processes that it has
 * started. NaN where there is no /proc.
 */
export const cpuOf = ({ child }: Service): Promise<number> => cpuSeconds(Number(child.pid));

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // In hundredths: its own in user and system mode, then those of children that have ended.
  const own = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 16).map(Number);
  const theirs = await Promise.all(childrenOf(pid).map(cpuSeconds));
  return own.length < 4 ? Number.NaN : [...own.map((ticks) => ticks / 100), ...theirs].reduce((sum, one) => sum + one);
}
