import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { messageOf } from '../log.ts';
import type { Prune } from './take-overs.ts';

/** What the ledger's file is to hold, and to say of itself. */
export interface Order {
  /** The newest commit to take over. */
  to: number;
  prune: Prune;
  state: { closed: boolean };
}

export interface WriterProcess {
  /** Carries out one order; not called again before it returns. @returns why it could not */
  order(order: Order): Promise<string | undefined>;
  /** Returns once it has ended. */
  stop(): Promise<void>;
}

/** Its garbage is collected by one thread: several would take the cores from the service, to end sooner what nobody waits for. */
const NODE_FLAGS = ['--single-threaded-gc'];

/**
 * The process that writes the ledger's file, started with its first order. One that has failed is not asked again, since
 * its memory may be damaged: the next order starts another.
 */
export function createWriterProcess(file: string): WriterProcess {
  let child: ChildProcess | undefined;
  let answered: ((error?: string) => void) | undefined;

  /** @throws where the system has no room for another process */
  function start(): ChildProcess {
    const script = new URL('./writer.mjs', import.meta.url);
    const fresh = fork(script, [file], { execArgv: NODE_FLAGS, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    function failed(reason: string): void {
      if (child !== fresh) return;
      child = undefined;
      answered?.(reason);
    }
    fresh.on('message', ({ error }: { error?: string }) => answered?.(error));
    fresh.on('exit', (code, signal) => failed(`the process that writes it ended with ${signal ?? code}`));
    fresh.on('error', (error) => failed(messageOf(error)));
    return fresh;
  }

  async function stop(): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending?.pid === undefined) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  }

  return {
    async order(order) {
      const error = await new Promise<string | undefined>((resolve) => {
        answered = resolve;
        child ??= start();
        child.send(order, (error) => {
          if (error !== null) resolve(messageOf(error));
        });
      }).catch(messageOf);
      if (error !== undefined) await stop();
      return error;
    },
    stop,
  };
}
