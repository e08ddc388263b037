import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Below those that the system gives to connections (32768 on), from a place of each process's own. */
let nextPort = 10_000 + Math.floor(20_000 * Math.random());

/** A TCP port on loopback that nothing listened on a moment ago, another one at each call. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** The processes that a process has started and that live; empty once it has ended. Linux only. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export interface WaitOptions {
  /** Milliseconds after which waiting is given up; default three minutes. */
  timeout?: number;
  /** Says in the error message what is waited for. */
  what: string;
}

/** Milliseconds from one look to the next. The longer it takes, the less a moment matters. */
const pauseAfter = (waited: number): number => Math.min(500, Math.max(50, waited / 40));

/**
 * The first truthy answer of `condition`, asked again and again; rejects with its last answer or
 * error.
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<NonNullable<T>> {
  const begin = Date.now();
  const deadline = begin + (options.timeout ?? 180_000);
  let last: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${options.what}; last: ${String(last)}`);
    await sleep(pauseAfter(Date.now() - begin));
  }
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** Everything written so far. */
  stdout: () => string;
  stderr: () => string;
  exited: Promise<Exit>;
  /**
   * Sends a signal (default SIGTERM), after three minutes SIGKILL, and waits for the end. It is
   * harmless when the program has ended.
   */
  stop: (signal?: NodeJS.Signals) => Promise<Exit>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  // A test that failed before its cleanup must not leave servers behind.
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program with its output collected. Rejects when it cannot be started. */
export async function startProcess(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): Promise<Running> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const exited = new Promise<Exit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  await once(child, 'spawn');
  running.add(child);
  void exited.then(() => running.delete(child));
  return {
    child,
    pid: child.pid ?? 0,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    exited,
    stop: (signal = 'SIGTERM') => stop(child, exited, signal),
  };
}

async function stop(child: ChildProcess, exited: Promise<Exit>, signal: NodeJS.Signals): Promise<Exit> {
  child.kill(signal);
  const lastResort = setTimeout(() => child.kill('SIGKILL'), 180_000);
  const exit = await exited;
  clearTimeout(lastResort);
  return exit;
}
