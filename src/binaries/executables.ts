import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Debian renames some, because other packages of their names exist. */
const FILE_NAMES: Record<string, readonly string[]> = {
  alertmanager: ['alertmanager', 'prometheus-alertmanager'],
  pushgateway: ['pushgateway', 'prometheus-pushgateway'],
};

/** Every executable of that name on a PATH-like string, first match first. */
export async function executableOnPath(name: string, path: string): Promise<string[]> {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return existing(folders.flatMap((folder) => fileNames(name).map((file) => resolve(folder, file))));
}

/**
 * The program in a folder filled by one of the fetchers: Debian's tree, or release archives side by
 * side.
 */
export async function executableUnder(folder: string, name: string): Promise<string> {
  const places = ['usr/bin', 'prometheus', 'alertmanager', 'pushgateway'];
  const [found] = await existing(places.flatMap((place) => fileNames(name).map((file) => join(folder, place, file))));
  if (found === undefined) throw new Error(`no ${name} in ${folder}; remove that folder to have it fetched again`);
  return found;
}

/**
 * `3.5.3` out of `prometheus, version 3.5.3+ds1 (branch: ...`; undefined when the program does not
 * run or say.
 */
export async function binaryVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await exec(path, ['--version'], { timeout: 20_000 });
    // Prometheus before 2.45 and amtool before 0.26 write it to stderr on some builds.
    return /version v?(\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * True where a Prometheus has its web pages inside, as the official ones do and Debian's does not.
 */
export async function hasWebPages(path: string): Promise<boolean> {
  const { stdout, stderr } = await exec(path, ['--version'], { timeout: 20_000 }).catch(() => ({
    stdout: '',
    stderr: '',
  }));
  return /tags:.*\bbuiltinassets\b/.test(stdout + stderr);
}

/** Compares dotted numbers by value: 3.10.0 is newer than 3.5.0. */
export function atLeast(version: string, floor: string): boolean {
  const have = version.split('.').map(Number);
  for (const [index, wanted] of floor.split('.').map(Number).entries()) {
    const part = have[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

function fileNames(name: string): readonly string[] {
  return FILE_NAMES[name] ?? [name];
}

async function existing(paths: string[]): Promise<string[]> {
  const runnable = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => runnable[index]);
}
