import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createTail, tie } from '../../src/runtime/programs.ts';
import { childrenOf } from '../../test/support/processes.ts';
import { unpacked } from './debian-tool.ts';
import type { Program } from './program.ts';
import type { Run } from './row.ts';
import { waitFor } from './wait.ts';

/** Makes a disk fail under a service that runs. @returns what mends it */
export type Fault = (program: Program, folder: string) => Promise<() => Promise<void>>;

/** System calls that write to a file, or make it durable. */
const WRITING = 'write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,ftruncate,fallocate';

/**
 * Lets every write to these files fail with an error of the kernel, by strace: as a disk does, to
 * whoever writes.
 */
export async function straceFault(run: Run): Promise<(errno: string, files: RegExp) => Fault> {
  const root = await unpacked(['strace', 'libunwind8'], run);
  const found = await readdir(root, { recursive: true });
  const libraries = found.filter((path) => path.includes('.so')).map((path) => join(root, path, '..'));
  const env = { ...process.env, LD_LIBRARY_PATH: [...new Set(libraries)].join(':') };
  return (errno, files) => async (program, folder) => {
    const processes = [program.pid, ...childrenOf(program.pid)].map(String);
    const broken = (await readdir(folder)).filter((name) => files.test(name)).map((name) => join(folder, name));
    const line = [
      '-f',
      ...processes.flatMap((pid) => ['-p', pid]),
      ...broken.flatMap((path) => ['-P', path]),
      ...['-e', `trace=${WRITING}`, '-e', `inject=${WRITING}:error=${errno}`],
    ];
    const strace = spawn(join(root, 'usr/bin/strace'), line, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    tie(strace);
    const tail = createTail();
    strace.stderr.setEncoding('utf8').on('data', tail.add);
    const ended = once(strace, 'exit');
    await waitFor(`strace to attach: ${tail.text()}`, () => {
      if (strace.exitCode !== null) throw new Error(tail.text());
      return (tail.text().match(/Process \d+ attached/g) ?? []).length >= processes.length;
    });
    return async () => {
      strace.kill('SIGTERM');
      // It waits for ever for a process that has died under it.
      const lastResort = setTimeout(() => strace.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(lastResort);
    };
  };
}

/**
 * Runs the service on a disk of its own, in memory and of this many megabytes; needs the right to
 * make name spaces.
 */
export const ownDisk = (folder: string, megabytes: number): string[] => [
  ...['unshare', '--map-root-user', '--mount', 'sh', '-c'],
  `mount -t tmpfs -o size=${megabytes}m none "$0" && exec "$@"`,
  folder,
];

/** Writes the service's own disk full, from outside. */
export const fullDisk: Fault = async ({ pid }, folder) => {
  const filler = join('/proc', String(pid), 'root', folder, 'filler');
  const blocks = [1 << 20, 1 << 16, 4096].map((size) => Buffer.alloc(size, 1));
  for (const block of blocks) {
    for (let written = true; written; ) {
      written = await appendFile(filler, block).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOSPC') throw error;
          return false;
        },
      );
    }
  }
  return () => rm(filler);
};
