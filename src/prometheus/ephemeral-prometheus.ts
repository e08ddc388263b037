import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '../binaries/binaries.ts';
import { abortable } from '../runtime/abortable.ts';
import { createTail, tie } from '../runtime/programs.ts';

/**
 * A Prometheus that only answers queries: it scrapes nothing, evaluates no rules and deletes
 * nothing.
 */
export interface EphemeralPrometheus {
  url: string;
  /** Ends it and waits for its end. Harmless when it has ended. */
  stop: () => Promise<void>;
}

/** The storage belongs to a Prometheus that runs. */
export class StorageInUseError extends Error {}

const FLAGS = [
  '--web.listen-address=127.0.0.1:0',
  '--storage.tsdb.retention.time=100y',
  '--no-storage.tsdb.allow-overlapping-compaction',
  '--query.timeout=10m',
];
const READ_ONLY = ['--storage.tsdb.min-block-duration=2h', '--storage.tsdb.max-block-duration=2h'];

/**
 * Per cent by which Go's memory may grow before garbage is collected. A million rows need 260 MB;
 * with 300 per cent it would be twice as much, for a tenth less time.
 */
const GOGC = '100';

/**
 * Seconds back from its newest sample to which a writable Prometheus takes samples: half the length
 * of its blocks. Longer ones are slower: it keeps what is not in a block yet as a list of chunks,
 * which every query walks through.
 */
export const WRITABLE_RANGE = 3 * 86_400;
const WRITABLE = [
  '--web.enable-remote-write-receiver',
  '--web.enable-admin-api',
  `--storage.tsdb.min-block-duration=${2 * WRITABLE_RANGE}s`,
  `--storage.tsdb.max-block-duration=${2 * WRITABLE_RANGE}s`,
];

export interface EphemeralOptions {
  /** True to take samples by remote write, see `WRITABLE_RANGE`. */
  writable?: boolean;
  /** URL of another one, whose samples it answers queries with as well. */
  existing?: string | undefined;
  /** True to take one core at the most. */
  gentle?: boolean;
}

/**
 * Starts one on a free loopback port and waits until it answers.
 * @param storageDir its data; Prometheus sees the blocks that are there now, and locks the folder
 *   until it ends
 * @throws StorageInUseError when another holds the folder; otherwise with what Prometheus wrote
 */
export async function startEphemeralPrometheus(
  storageDir: string,
  signal?: AbortSignal,
  { writable = false, existing, gentle = false }: EphemeralOptions = {},
): Promise<EphemeralPrometheus> {
  const prometheus = await findBinary('prometheus');
  signal?.throwIfAborted();
  const configDir = await mkdtemp(join(tmpdir(), 'tillwatch-prometheus-'));
  const config = join(configDir, 'prometheus.yml');
  await writeFile(config, existing === undefined ? '{}\n' : readFrom(existing));
  const mode = writable ? WRITABLE : READ_ONLY;
  const args = [...FLAGS, ...mode, `--config.file=${config}`, `--storage.tsdb.path=${storageDir}`];
  const env = { GOGC, ...process.env, ...(gentle && { GOMAXPROCS: '1' }) };
  const child = spawn(prometheus, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  tie(child);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  }).then(() => rm(configDir, { recursive: true, force: true }));
  const stop = async () => {
    child.kill();
    const lastResort = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(lastResort);
  };
  try {
    return { url: await listening(child.stderr, ended, signal), stop };
  } catch (error) {
    await stop();
    throw explain(error, storageDir);
  }
}

const readFrom = (url: string): string => `remote_read: [{url: "${url}/api/v1/read", read_recent: true}]\n`;

/** Its URL, once it says that it is ready. */
async function listening(log: NodeJS.ReadableStream, ended: Promise<void>, signal?: AbortSignal): Promise<string> {
  const tail = createTail(16_000);
  const ready = new Promise<string>((resolve, reject) => {
    log.setEncoding('utf8').on('data', (text: string) => {
      tail.add(text);
      const address = /msg="Listening on".* address=(\S+:\d+)/.exec(tail.text())?.[1];
      if (address !== undefined && tail.text().includes('Server is ready')) resolve(`http://${address}`);
    });
    void ended.then(() => reject(new Error(tail.text())));
  });
  return abortable(ready, signal);
}

function explain(error: unknown, storageDir: string): unknown {
  if (!(error instanceof Error) || error.name === 'AbortError') return error;
  if (error.message.includes('lock DB directory'))
    return new StorageInUseError(`a Prometheus is running on ${storageDir}`);
  const lines = error.message.split('\n');
  const errors = lines.filter((line) => line.includes('level=ERROR'));
  return new Error(`Prometheus did not start on ${storageDir}:\n${(errors.length > 0 ? errors : lines).join('\n')}`);
}
