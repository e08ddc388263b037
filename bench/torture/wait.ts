import { waitFor as waitUntil } from '../../test/support/processes.ts';

/** The first truthy answer of `condition`, asked again and again; a busy machine gets a minute. */
export const waitFor = <T>(what: string, condition: () => T | Promise<T>, timeout = 60_000): Promise<NonNullable<T>> =>
  waitUntil(condition, { what, timeout });

/** Runs `task` for 0, 1, 2 … up to `count`, `width` at a time. */
export async function inParallel(count: number, width: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
