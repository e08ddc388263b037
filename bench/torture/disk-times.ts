import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 100;
const BLOCK = Buffer.alloc(4096, 1);

export interface DiskTimes {
  /** Milliseconds that the slowest block of each minute needed, from the start on. */
  slowest: readonly number[];
  stop(): Promise<void>;
}

/** Asks ten times a second how long one block takes to be on disk, written over in place; not at all on the main thread. */
export async function watchDisk(folder: string): Promise<DiskTimes> {
  const file = await open(join(folder, 'disk-times'), constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC);
  const slowest: number[] = [];
  const start = performance.now();
  let watching = true;
  async function watch(): Promise<void> {
    while (watching) {
      const asked = performance.now();
      await file.write(BLOCK, 0, BLOCK.length, 0);
      const minute = Math.floor((asked - start) / 60_000);
      slowest[minute] = Math.max(slowest[minute] ?? 0, performance.now() - asked);
      await sleep(EVERY_MS);
    }
    await file.close();
  }
  const watched = watch();
  return {
    slowest,
    async stop() {
      watching = false;
      await watched;
    },
  };
}
