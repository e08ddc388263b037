import { access, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '../runtime/folder.ts';

const POLL_MS = 200;
const HEARTBEAT_MS = 5_000;
/** A lock whose holder has not touched it for so long belongs to a process that died. */
const STALE_MS = 30_000;

/**
 * The folder `target`, filled by `fill` if it does not exist yet. It appears whole or not at all:
 * `fill` works in a folder beside it, which is renamed when done. One filler at a time on this
 * machine; the others wait for it and take its result.
 */
export async function cached(target: string, fill: (into: string) => Promise<void>): Promise<string> {
  if (await exists(target)) return target;
  try {
    makeFolder(dirname(target), 0o700);
  } catch (error) {
    throw new Error(
      `cannot keep Prometheus and Alertmanager in ${dirname(target)} (${(error as NodeJS.ErrnoException).code}): put them on PATH, or set XDG_CACHE_HOME to a folder that can be written`,
    );
  }
  const release = await lock(`${target}.lock`, () => exists(target));
  try {
    if (!(await exists(target))) await fillAside(target, fill);
  } finally {
    await release();
  }
  return target;
}

async function fillAside(target: string, fill: (into: string) => Promise<void>): Promise<void> {
  await removeLeftovers(`${target}.part-`);
  const aside = await mkdtemp(`${target}.part-`);
  try {
    await fill(aside);
    await rename(aside, target).catch(async (error: unknown) => {
      // Two fillers are possible after a stale lock; either result will do.
      if (!(await exists(target))) throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Removes what killed fillers left behind. Nobody else fills while the lock is held. */
async function removeLeftovers(prefix: string): Promise<void> {
  for (const file of await readdir(dirname(prefix))) {
    if (file.startsWith(basename(prefix))) await rm(join(dirname(prefix), file), { recursive: true, force: true });
  }
}

/** Holds the lock folder, or stops waiting when `done` says that it is no longer needed. */
async function lock(path: string, done: () => Promise<boolean>): Promise<() => Promise<void>> {
  while (!(await tryLock(path))) {
    if (await done()) return async () => {};
    await removeIfStale(path);
    await sleep(POLL_MS);
  }
  const heartbeat = setInterval(() => {
    utimes(path, new Date(), new Date()).catch(() => {});
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    await rm(path, { recursive: true, force: true });
  };
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfStale(path: string): Promise<void> {
  const held = await stat(path).catch(() => undefined);
  if (held && Date.now() - held.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
