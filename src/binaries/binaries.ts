import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fetchArchives } from './archive.ts';
import { cached } from './cache.ts';
import { fetchDebianPackages, hostDistribution } from './debian.ts';
import { atLeast, binaryVersion, executableOnPath, executableUnder } from './executables.ts';
import { ALERTMANAGER, type BinaryName, OLD_PROMETHEUS, PUSHGATEWAY, type Release, STACK } from './releases.ts';
import { linkAlertmanagerTemplates, relocateAlertmanager } from './relocate.ts';
import { whatIsWrong, writeSums } from './sums.ts';

export interface BinaryOptions {
  /** Receives one line for each program that is fetched, and why. */
  log?: (line: string) => void;
  /**
   * The folder that keeps fetched programs; default $XDG_CACHE_HOME/tillwatch, else
   * ~/.cache/tillwatch.
   */
  cacheDir?: string;
  /** False to take only what is there. */
  fetch?: boolean;
  env?: NodeJS.ProcessEnv;
}

/**
 * Suites that carry the floors. Debian's is fixed; Ubuntu's `devel` is whatever is being prepared.
 */
const SUITE: Record<string, string> = { debian: 'forky', ubuntu: 'devel' };

/**
 * One way to obtain releases. It unpacks their programs somewhere under `into`.
 * @throws Error that says why it cannot
 */
interface Way {
  label: string;
  fetch: (into: string) => Promise<void>;
}

const fetches = new Map<string, Promise<string>>();
const verified = new Map<string, Promise<string>>();

/**
 * Finds a program that is new enough: on PATH, else in the cache, else it is fetched into the
 * cache. It is fetched once a process and once a machine, however many callers ask.
 * @returns its absolute path
 * @throws Error that says all that was tried, and what to do
 */
export async function findBinary(name: BinaryName, options: BinaryOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const releases = PUSHGATEWAY.programs.includes(name) ? [PUSHGATEWAY] : STACK;
  const floor = releases.find(({ programs }) => programs.includes(name))?.floor ?? '0';
  const tried: string[] = [];
  for (const path of await executableOnPath(name, env.PATH ?? '')) {
    const version = await binaryVersion(path);
    if (version !== undefined && atLeast(version, floor)) return path;
    tried.push(`${path}: ${version ?? 'does not tell its version'}, need ${floor} or newer`);
  }
  if (tried.length === 0) tried.push(`PATH: no ${name}`);
  const folder = await fetchOnce('current', releases, options, tried);
  if (name === 'alertmanager') await linkAlertmanagerTemplates(folder);
  return verifiedUnder(folder, name);
}

/** A program of the cache. Each process checks once that it is the one that was fetched. */
function verifiedUnder(folder: string, name: string): Promise<string> {
  const key = join(folder, name);
  const known = verified.get(key) ?? verifyCached(folder, name);
  verified.set(key, known);
  known.catch(() => verified.delete(key));
  return known;
}

async function verifyCached(folder: string, name: string): Promise<string> {
  const path = await executableUnder(folder, name);
  const wrong = await whatIsWrong(folder, path);
  if (wrong !== undefined) throw new Error(`${wrong}: remove ${folder} to have it fetched again`);
  return path;
}

/**
 * Paths of Prometheus 2.42 and its promtool, the oldest release on which the rules must pass.
 * Never taken from PATH, so that it is the same release everywhere.
 */
export async function fetchOldPrometheus(
  options: BinaryOptions = {},
): Promise<{ prometheus: string; promtool: string }> {
  const folder = await fetchOnce('old', [OLD_PROMETHEUS], options, []);
  return {
    prometheus: await verifiedUnder(folder, 'prometheus'),
    promtool: await verifiedUnder(folder, 'promtool'),
  };
}

function fetchOnce(name: string, releases: Release[], options: BinaryOptions, tried: string[]): Promise<string> {
  const env = options.env ?? process.env;
  const root = options.cacheDir ?? join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tillwatch');
  const versions = releases.map(({ project, floor, archives }) => `${project}-${archives?.version ?? floor}`);
  const target = join(root, 'programs', versions.join('_'));
  const running = fetches.get(target);
  if (running) return running;
  if (options.fetch === false && !existsSync(target))
    return Promise.reject(new Error(`${tried.join('; ')}; none is in ${root}`));
  const started = cached(target, (into) => fetchSomehow({ name, releases, into, target }, options, tried));
  fetches.set(target, started);
  // A failure must not be remembered: the network may be back at the next call.
  started.catch(() => fetches.delete(target));
  return started;
}

interface Fetch {
  name: string;
  releases: Release[];
  into: string;
  /** The final name of the folder `into`, once everything is in it. */
  target: string;
}

async function fetchSomehow({ name, releases, into, target }: Fetch, options: BinaryOptions, tried: string[]) {
  const log = options.log ?? (() => {});
  const wanted = releases.map((release) => release.project).join(' and ');
  for (const way of await waysFor(name, releases, target)) {
    log(`fetching ${wanted}: ${way.label}`);
    try {
      await way.fetch(into);
      await writeSums(into, await verify(releases, into));
      return;
    } catch (error) {
      tried.push(`${way.label}: ${error instanceof Error ? error.message : String(error)}`);
      log(`not taken: ${tried.at(-1)}`);
      await rm(into, { recursive: true, force: true });
      await mkdir(into);
    }
  }
  throw new Error(explain(releases, tried));
}

/**
 * The ways to obtain releases, the best first: official archives, which have web pages, where
 * their sums are known; then the distribution's packages, which apt verifies.
 */
async function waysFor(name: string, releases: Release[], target: string): Promise<Way[]> {
  const archive: Way = { label: 'official archives', fetch: (into) => fetchArchives(releases, into) };
  const official = releases.every(({ archives }) => archives !== undefined) ? [archive] : [];
  const distribution = await hostDistribution();
  const suite = name === 'old' ? (distribution === 'debian' ? 'bookworm' : undefined) : SUITE[distribution ?? ''];
  if (suite === undefined) return [archive];
  const packages = releases.flatMap((release) => release.debianPackages);
  const apt: Way = {
    label: `${distribution}'s packages of ${suite} by apt, without web pages (${packages.join(' ')})`,
    fetch: async (into) => {
      await fetchDebianPackages(suite, packages, into);
      if (releases.includes(ALERTMANAGER)) await relocateAlertmanager(into, target);
    },
  };
  return [...official, apt];
}

/**
 * A program that was fetched must run here and be new enough, or the next way is tried.
 * @returns the programs' paths
 */
async function verify(releases: Release[], folder: string): Promise<string[]> {
  const programs: string[] = [];
  for (const release of releases) {
    for (const program of release.programs) {
      const path = await executableUnder(folder, program);
      const version = await binaryVersion(path);
      if (version === undefined) throw new Error(`the ${program} fetched does not run on this machine`);
      if (!atLeast(version, release.floor)) throw new Error(`${program} ${version} is older than ${release.floor}`);
      programs.push(path);
    }
  }
  return programs;
}

function explain(releases: Release[], tried: string[]): string {
  const wanted = releases.map((release) => `${release.project} ${release.floor} or newer`).join(' and ');
  return [
    `cannot find or fetch ${wanted}. Tried:`,
    ...tried.map((line) => `  - ${line}`),
    `Install it and put it on PATH, or allow this machine to reach its package mirror or github.com.`,
  ].join('\n');
}
