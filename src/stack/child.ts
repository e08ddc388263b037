import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Level, Log } from '../runtime/log.ts';
import { createTail, tie } from '../runtime/programs.ts';

/** A program that fails this often within this time is not started again. */
const RESTARTS = 5;
const RESTART_WINDOW_MS = 120_000;
const STOP_MS = 15_000;
const START_MS = 60_000;

export interface Program {
  name: string;
  path: string;
  args: string[];
  /** Answers 200 once the program works. */
  readyUrl: string;
}

export interface Child {
  stop(): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

/**
 * On Linux the kernel ends the child when this process is killed without a chance to do so itself.
 */
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => {
  try {
    accessSync(path, constants.X_OK);
    return process.platform === 'linux';
  } catch {
    return false;
  }
});

function start({ path, args }: Program): ChildProcess {
  const [command, prefix] = SETPRIV === undefined ? [path, []] : [SETPRIV, ['--pdeathsig', 'KILL', '--', path]];
  // The child has a session of its own, so that Ctrl-C in the terminal reaches us alone and we
  // stop our children in order.
  const child = spawn(command, [...prefix, ...args], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  tie(child);
  return child;
}

const LEVELS: Record<string, Level> = { WARN: 'warn', ERROR: 'error', warn: 'warn', error: 'error' };
/**
 * Warnings after which nobody has anything to do: imported history has many blocks, a killed
 * program leaves its lock, we stop a program.
 */
const ORDINARY =
  /^(Overlapping blocks found|A lockfile from a previous execution already existed|Received an OS signal, exiting)/;
const unquote = (text: string): string => text.replace(/^"(.*)"$/, '$1').replaceAll('\\"', '"');

/**
 * A line of Prometheus' or Alertmanager's logfmt in the words of our log; what is not logfmt stays
 * as it is.
 */
export function translate(line: string): { level: Level; message: string } {
  const level = /\blevel=(\w+)/.exec(line)?.[1];
  const message = /\bmsg=("(?:[^"\\]|\\.)*"|\S+)(.*)$/.exec(line);
  if (level === undefined || message === null) return { level: 'warn', message: line };
  return { level: LEVELS[level] ?? 'info', message: `${unquote(message[1] ?? '')}${message[2] ?? ''}` };
}

function relay(child: ChildProcess, name: string, log: Log): () => string {
  const tail = createTail(2000);
  if (child.stderr === null) return tail.text;
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.add(`${line}\n`);
    const { level, message } = translate(line);
    if (level !== 'info' && !ORDINARY.test(message)) log(level, `${name}: ${message}`);
  });
  return tail.text;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts a program and keeps it running until it is stopped: one that ends by itself is started
 * again.
 * @param failed told when it can't be kept running, with the reason
 * @returns once it is ready
 * @throws with the end of what it wrote when it does not become ready
 */
export async function keepRunning(program: Program, log: Log, failed: (reason: string) => void): Promise<Child> {
  const { name, readyUrl } = program;
  let stopping = false;
  let ready = false;
  let ended = Promise.resolve();
  let child: ChildProcess | undefined;
  let output = () => '';
  const starts: number[] = [];

  function launch(): void {
    starts.push(Date.now());
    const started = start(program);
    child = started;
    output = relay(started, name, log);
    ended = new Promise((resolve) => {
      started.once('error', (error) => onEnd(error.message, resolve));
      started.once('close', (code, signal) => onEnd(`ended with ${signal ?? code}`, resolve));
    });
  }

  function onEnd(how: string, resolve: () => void): void {
    child = undefined;
    resolve();
    if (stopping || !ready) return;
    const recent = starts.filter((at) => at > Date.now() - RESTART_WINDOW_MS).length;
    if (recent > RESTARTS) {
      failed(`${name} ${how}, the ${recent}th time in two minutes. It wrote last:\n${output()}`);
      return;
    }
    log('error', `${name} ${how}; starting it again`);
    setTimeout(() => !stopping && launch(), 500 * recent);
  }

  async function stop(): Promise<void> {
    stopping = true;
    const running = child;
    running?.kill('SIGTERM');
    const lastResort = setTimeout(() => running?.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(lastResort);
  }

  launch();
  const deadline = Date.now() + START_MS;
  while (!(await isReady(readyUrl))) {
    if (child === undefined || Date.now() > deadline) {
      await stop();
      throw new Error(`${name} does not start. It wrote last:\n${output()}`);
    }
    await pause(100);
  }
  ready = true;
  return { stop, signal: (name) => child?.kill(name) };
}
