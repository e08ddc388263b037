import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTail, tie } from '../../src/runtime/programs.ts';
import { PROJECT } from '../project.ts';
import { waitFor } from './wait.ts';

/** Nothing listens there, so that no answer depends on a Prometheus. */
const NOWHERE = 'http://127.0.0.1:9';

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** From the signal to the end. */
  seconds: number;
}

/** The built `tillwatch serve` as a process of its own. */
export interface Program {
  url: string;
  port: number;
  pid: number;
  /** The end of its log. */
  log: () => string;
  ended: () => boolean;
  /** Its exit code, or the signal that ended it. */
  how: () => string;
  /**
   * Sends a signal (SIGTERM), after 20 s SIGKILL, and waits for the end; harmless when it has
   * ended.
   */
  stop: (signal?: NodeJS.Signals) => Promise<Exit>;
}

export interface ProgramOptions {
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** A command that runs the program: `unshare -rm …`. */
  wrapper?: readonly string[];
  /** Options of Node. */
  node?: readonly string[];
}

/** It did not come up. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly code: number | null;
  constructor(code: number | null, log: string) {
    super(log);
    this.code = code;
  }
}

/** @throws Refusal with its log when it ends instead of listening */
export async function serve(folder: string, options: ProgramOptions = {}): Promise<Program> {
  const { args = [], env = {}, wrapper = [], node = [] } = options;
  const flags = ['--port', '0', '--data', folder, '--prometheus-url', NOWHERE, '--alertmanager-url', NOWHERE];
  const line = [...wrapper, process.execPath, ...node, join(PROJECT, 'dist/main.js'), 'serve', ...flags, ...args];
  const child = spawn(line[0] ?? '', line.slice(1), {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  });
  tie(child);
  const tail = createTail(20_000);
  child.stderr.setEncoding('utf8').on('data', tail.add);
  const over = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const how = () => String(child.exitCode ?? child.signalCode);
  const url = await waitFor('the service to listen', () => {
    const [, found] = /listening on (\S+)/.exec(tail.text()) ?? [];
    return found ?? (ended() ? 'ended' : undefined);
  });
  if (url === 'ended') {
    const { code } = await over;
    throw new Refusal(code, tail.text());
  }
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    const seconds = await endOf(child, over, signal);
    return { ...(await over), seconds };
  };
  // A wrapper becomes the program by exec, so that the pid is its own.
  return { url, port: Number(new URL(url).port), pid: child.pid ?? 0, log: tail.text, ended, how, stop };
}

async function endOf(child: ChildProcess, over: Promise<unknown>, signal: NodeJS.Signals): Promise<number> {
  const start = performance.now();
  child.kill(signal);
  const lastResort = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await over;
  clearTimeout(lastResort);
  return (performance.now() - start) / 1000;
}

/**
 * Memory that is the process's own, in bytes: what of the ledger's file the kernel has at hand is
 * not counted.
 */
export async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^RssAnon:\s+(\d+)/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error('the memory of a process is read from /proc, as Linux has it');
  return Number(kilobytes) * 1024;
}
