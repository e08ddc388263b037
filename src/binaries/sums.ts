import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The file of sums beside the programs, in the format that `sha256sum -c` reads. */
const SUMS = 'sha256sums.txt';

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Writes down what was fetched and verified. @param programs absolute paths below the folder */
export async function writeSums(folder: string, programs: readonly string[]): Promise<void> {
  const lines = await Promise.all(programs.map(async (path) => `${await sha256Of(path)}  ${relative(folder, path)}\n`));
  await writeFile(join(folder, SUMS), lines.join(''));
}

/** Another user who can write here could put a program of theirs in its place. */
async function isOnlyOurs(path: string): Promise<boolean> {
  const { uid, mode } = await lstat(path);
  return process.getuid === undefined || ([0, process.getuid()].includes(uid) && (mode & 0o022) === 0);
}

/**
 * Checks that a program is the one that was fetched, and that nobody else can put another in its
 * place.
 * @returns the fault, or undefined
 */
export async function whatIsWrong(folder: string, program: string): Promise<string | undefined> {
  for (const path of [folder, dirname(program), program])
    if (!(await isOnlyOurs(path))) return `${path} can be written by other users`;
  const sums = await readFile(join(folder, SUMS), 'utf8').catch(() => '');
  const line = sums.split('\n').find((one) => one.endsWith(`  ${relative(folder, program)}`));
  if (line === undefined) return `${join(folder, SUMS)} does not name ${relative(folder, program)}`;
  return line.startsWith(`${await sha256Of(program)} `) ? undefined : `${program} is not what was fetched`;
}
