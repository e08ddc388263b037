import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Release } from './releases.ts';

const exec = promisify(execFile);
const RELEASES = 'https://github.com/prometheus';
const ARCHITECTURE: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Official release archives, each checked against the release's own list of sha256 sums before it
 * is opened, unpacked into `into`/PROJECT. `from` stands for the releases' address where that is
 * mirrored.
 */
export async function fetchArchives(releases: Release[], into: string, from = RELEASES): Promise<void> {
  for (const release of releases) {
    const name = archiveName(release);
    const base = `${from}/${release.project}/releases/download/v${release.version}`;
    const sum = sumOf(await (await get(`${base}/sha256sums.txt`)).text(), name);
    const archive = join(into, name);
    await download(`${base}/${name}`, archive, sum);
    const folder = join(into, release.project);
    await mkdir(folder);
    await exec('tar', ['-xzf', archive, '-C', folder, '--strip-components=1']);
    await rm(archive);
  }
}

function archiveName(release: Release): string {
  const architecture = ARCHITECTURE[process.arch];
  if (architecture === undefined || !['linux', 'darwin'].includes(process.platform)) {
    throw new Error(`no release archive is known for ${process.platform} on ${process.arch}`);
  }
  return `${release.project}-${release.version}.${process.platform}-${architecture}.tar.gz`;
}

function sumOf(sums: string, name: string): string {
  const line = sums.split('\n').find((candidate) => candidate.trim().endsWith(` ${name}`));
  const sum = line?.trim().split(/\s+/)[0];
  if (!sum) throw new Error(`sha256sums.txt of the release does not list ${name}`);
  return sum;
}

async function download(url: string, file: string, sum: string): Promise<void> {
  const response = await get(url);
  if (!response.body) throw new Error(`${url}: empty answer`);
  await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(file));
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const got = hash.digest('hex');
  if (got !== sum) throw new Error(`${url}: sha256 is ${got}, the release says ${sum}; refused`);
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(600_000) }).catch((error: Error) => {
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    throw new Error(`${url}: ${cause}`);
  });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response;
}
