import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Release } from './releases.ts';
import { sha256Of } from './sums.ts';

const exec = promisify(execFile);
const RELEASES = 'https://github.com/prometheus';
const ARCHITECTURE: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };
/** Limits for a first answer, and then for the whole archive; milliseconds. */
const ANSWER_MS = 10_000;
const WHOLE_MS = 600_000;

/**
 * Fetches official release archives, checks each against the sum in the source, and unpacks it
 * into `into`/PROJECT. `from` is the address of a mirror of the releases.
 * @throws Error where an archive is not known for this machine, not reached, or not the expected
 *   one
 */
export async function fetchArchives(releases: readonly Release[], into: string, from = RELEASES): Promise<void> {
  const platform = `${process.platform}-${ARCHITECTURE[process.arch] ?? process.arch}`;
  for (const { project, archives } of releases) {
    const sum = archives?.sha256[platform];
    if (archives === undefined || sum === undefined)
      throw new Error(`the sum of an official archive of ${project} for ${platform} is not known`);
    const name = `${project}-${archives.version}.${platform}.tar.gz`;
    const archive = join(into, name);
    await download(`${from}/${project}/releases/download/v${archives.version}/${name}`, archive, sum);
    const folder = join(into, project);
    await mkdir(folder, { mode: 0o755 });
    await exec('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner']);
    await rm(archive);
  }
}

async function download(url: string, file: string, sum: string): Promise<void> {
  const response = await get(url);
  if (!response.body) throw new Error(`${url}: empty answer`);
  await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(file));
  const got = await sha256Of(file);
  if (got !== sum) throw new Error(`${url}: its sha256 is ${got}, and must be ${sum}; refused`);
}

async function get(url: string): Promise<Response> {
  const stop = new AbortController();
  const unanswered = setTimeout(() => stop.abort(new Error('no answer')), ANSWER_MS);
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(WHOLE_MS)]);
  const response = await fetch(url, { signal })
    .catch((error: Error) => {
      throw new Error(`${url}: ${error.cause instanceof Error ? error.cause.message : error.message}`);
    })
    .finally(() => clearTimeout(unanswered));
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response;
}
