import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTail, tie } from '../../src/runtime/programs.ts';
import { type Postgres, startPostgresIn } from '../../test/support/postgres-server.ts';
import { freePort } from '../../test/support/processes.ts';
import { createClient } from './client.ts';
import { unpacked } from './debian-tool.ts';
import { type Program, serve } from './program.ts';
import type { Run } from './row.ts';
import { waitFor } from './wait.ts';

const REPLICAS = 3;

/** Services that share a PostgreSQL, behind a load balancer. */
export interface Cluster {
  /** The URL of the load balancer. */
  url: string;
  postgres: Postgres;
  /** The URL of each service; the same after it was started again. */
  urls: readonly string[];
  /**
   * Ends a service and starts it again at the same place. Resolves when the balancer has had time
   * to see it.
   */
  restart(index: number, signal: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

/** The balancer asks this often whether a service is ready; milliseconds. */
const CHECK_MS = 200;

const configuration = (port: number, ports: readonly number[]) => `global
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout check 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind 127.0.0.1:${port}
  default_backend services
backend services
  balance random
  option httpchk GET /-/ready
  option redispatch
  retries 3
  retry-on conn-failure
  default-server check inter ${CHECK_MS}ms fall 2 rise 1
${ports.map((one, i) => `  server s${i} 127.0.0.1:${one}`).join('\n')}
`;

/** Debian's haproxy, unpacked and not installed. */
async function startBalancer(ports: readonly number[], run: Run) {
  const root = await unpacked(['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'], run).catch(
    (error) => {
      throw new Error(`haproxy is needed (Debian or Ubuntu: apt-get install haproxy): ${error.message}`);
    },
  );
  const libraries = (await readdir(root, { recursive: true })).filter((path) => path.includes('.so'));
  const port = await freePort();
  const file = join(await run.folder(), 'haproxy.cfg');
  await writeFile(file, configuration(port, ports));
  const env = { LD_LIBRARY_PATH: [...new Set(libraries.map((path) => join(root, path, '..')))].join(':') };
  const child = spawn(join(root, 'usr/sbin/haproxy'), ['-db', '-f', file], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  tie(child);
  const tail = createTail();
  child.stderr.setEncoding('utf8').on('data', tail.add);
  const url = `http://127.0.0.1:${port}`;
  await waitFor('haproxy to answer', async () => {
    if (child.exitCode !== null) throw new Error(`haproxy ended: ${tail.text()}`);
    return (await fetch(`${url}/-/ready`)).ok;
  });
  async function stop(): Promise<void> {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  return { url, stop };
}

export async function startCluster(run: Run, args: readonly string[] = []): Promise<Cluster> {
  const postgres = await startPostgresIn(await run.folder());
  const ledger = await postgres.database('shared');
  const ports = await Promise.all(Array.from({ length: REPLICAS }, freePort));
  const folders = await Promise.all(ports.map(() => run.folder()));
  const start = (i: number) =>
    serve(folders[i] ?? '', { args: ['--port', String(ports[i]), '--ledger', ledger, ...args] });
  const programs: Program[] = [];
  for (const i of ports.keys()) programs.push(await start(i));
  const balancer = await startBalancer(ports, run);
  return {
    url: balancer.url,
    postgres,
    urls: programs.map(({ url }) => url),
    async restart(index, signal) {
      await programs[index]?.stop(signal);
      // While the database is away it does not start.
      programs[index] = await waitFor('a service to start again', () => start(index));
      const client = createClient(programs[index].url, 1);
      await waitFor('it to be ready', async () => (await client.send({ path: '/-/ready' })).status === 200);
      client.close();
      await new Promise((resolve) => setTimeout(resolve, 3 * CHECK_MS));
    },
    async stop() {
      await balancer.stop();
      for (const program of programs) await program.stop('SIGKILL');
      await postgres.stop();
    },
  };
}
