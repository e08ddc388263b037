import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PROJECT } from '../project.ts';

/** Troubles of the machine in a minute for which no program on it is to blame. */
export interface MachineMinute {
  /** The length of this minute: the last one is shorter. */
  seconds: number;
  /** Milliseconds that the slowest block of 4 kB took to be on disk. */
  block: number;
  /** Milliseconds that a thread which had nothing to do woke up late, at the most. */
  late: number;
  /** The part of its CPU time, 0 to 1, that the host gave to others. */
  stolen: number;
}

export interface MachineWatch {
  minutes: readonly MachineMinute[];
  stop(): Promise<void>;
}

/** @param folder on the disk that is to be watched */
export async function watchMachine(folder: string): Promise<MachineWatch> {
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { path: join(folder, 'block'), ended };
  const worker = new Worker(join(PROJECT, 'bench/torture/machine.mjs'), { workerData });
  const minutes: MachineMinute[] = [];
  worker.on('message', (minute: MachineMinute) => minutes.push(minute));
  const over = once(worker, 'exit');
  // Told when it is waited for.
  over.catch(() => {});
  await once(worker, 'online');
  return {
    minutes,
    async stop() {
      Atomics.store(ended, 0, 1);
      Atomics.notify(ended, 0);
      await over;
    },
  };
}
