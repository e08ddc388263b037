import { fakePrometheus } from '../../test/support/fake-prometheus.ts';
import { type Client, createClient, type Reply } from './client.ts';
import { memoryOf, type Program, serve } from './program.ts';
import { part, type Run, type Torture } from './row.ts';
import { FAULTS, type Mood, startUpstream, type Upstream } from './upstream.ts';
import { waitFor } from './wait.ts';
import { startWitness } from './witness.ts';

/** An answer that depends on an upstream comes at the latest then. */
const SLOWEST_MS = 15_000;
const MOST_MEGABYTES = 400;

/** One of the two that the service asks, and how what it says of it is found out. */
interface Kind {
  name: string;
  flag: string;
  start: (mood: Mood) => Promise<Upstream>;
  /** The service's own statement now: `up`, or why not; undefined while it has not noticed. */
  said: (client: Client) => Promise<{ up: boolean; why: string }>;
  /** Routes that ask it. */
  paths: readonly string[];
}

export const prometheus: Kind = {
  name: 'Prometheus',
  flag: '--prometheus-url',
  async start(mood) {
    const ready = await fakePrometheus('ready');
    const upstream = await startUpstream(async ({ url }) => (await fetch(ready.url + url)).text(), mood);
    return { ...upstream, close: async () => void (await Promise.all([upstream.close(), ready.close()])) };
  },
  async said(client) {
    const { json, status, text } = await client.post({ status: 'denied', count: 1 });
    if (status !== 200) throw new Error(`a report was answered ${status} ${text}`);
    const { recommendation, baseline } = json;
    if (baseline.state === 'ready') return { up: true, why: '' };
    if (recommendation !== 'unknown') throw new Error(`without a baseline the answer says ${recommendation}`);
    return { up: false, why: /has not been asked yet/.test(baseline.reason) ? '' : baseline.reason };
  },
  paths: [
    '/api/v1/anomalies',
    '/api/v1/series?status=denied',
    '/api/v1/alerts',
    '/api/v1/rules',
    '/api/v1/state',
    '/api/v1/comparison?status=denied',
  ],
};

export const alertmanager: Kind = {
  name: 'Alertmanager',
  flag: '--alertmanager-url',
  start: (mood) => startUpstream(async ({ url }) => (url?.startsWith('/api') ? '[]' : 'OK'), mood),
  async said(client) {
    const { json, status } = await client.send({ path: '/api/v1/silences' });
    return { up: status === 200, why: status === 503 ? json.detail : '' };
  },
  paths: ['/api/v1/silences', '/-/ready', '/api/v1/state', '/api/v1/alerts'],
};

/** 200, or 503 that says what is wrong; in time. */
async function checkPaths(client: Client, { paths }: Kind, what: string, { violations }: Run): Promise<void> {
  await Promise.all(
    paths.map(async (path) => {
      const start = performance.now();
      const reply: Reply = await client.send({ path });
      const took = performance.now() - start;
      const told = reply.status === 200 || (reply.status === 503 && String(reply.json?.detail).length > 10);
      violations.check(told, `${what}: ${path} was answered ${reply.status} ${reply.text}`);
      violations.check(took < SLOWEST_MS, `${what}: ${path} took ${Math.round(took)} ms`);
    }),
  );
}

/** Waits until the service has noticed a fault, and looks at all that it says. */
async function inFault(client: Client, kind: Kind, what: string, run: Run): Promise<void> {
  await waitFor(`${what} to be noticed, with a reason`, async () => {
    const { up, why } = await kind.said(client);
    return !up && why !== '';
  });
  await checkPaths(client, kind, what, run);
}

const recovered = (client: Client, kind: Kind, what: string) =>
  waitFor(`the service to find ${what} mended`, async () => (await kind.said(client)).up);

async function tortureWith(program: Program, upstream: Upstream, kind: Kind, fault: Mood, run: Run): Promise<void> {
  const client = createClient(program.url, 20);
  const what = `${kind.name} ${fault}`;
  await inFault(client, kind, `${what} at the start`, run);
  await upstream.set('up');
  await recovered(client, kind, what);
  await upstream.set(fault);
  await inFault(client, kind, `${what} later`, run);
  await upstream.set('up');
  await recovered(client, kind, what);
  client.close();
}

async function oneFault(kind: Kind, fault: Mood, run: Run): Promise<number> {
  const upstream = await kind.start(fault);
  const program = await serve(await run.folder(), { args: [kind.flag, upstream.url] });
  const before = await memoryOf(program.pid);
  const witness = startWitness(program, run.violations);
  await tortureWith(program, upstream, kind, fault, run).catch((error) => run.violations.add(String(error)));
  const { posts, slowestMs, peakBytes } = await witness.stop();
  const more = Math.round((peakBytes - before) / 1e6);
  run.violations.check(more < MOST_MEGABYTES, `${kind.name} ${fault}: ${more} MB more memory`);
  run.log(`${kind.name} ${fault}: ${posts} reports, slowest ${Math.round(slowestMs)} ms, ${more} MB more`);
  await program.stop();
  await upstream.close();
  return slowestMs;
}

/**
 * Each fault of each, one after the other. @returns what the slowest report took, in milliseconds
 */
export async function breakUpstreams(kinds: readonly Kind[], faults: readonly Mood[], run: Run): Promise<number> {
  let slowest = 0;
  for (const kind of kinds) for (const fault of faults) slowest = Math.max(slowest, await oneFault(kind, fault, run));
  return slowest;
}

async function run(run: Run) {
  const faults = FAULTS.slice(-part(run, FAULTS.length, 2));
  const slowest = await breakUpstreams([prometheus, alertmanager], faults, run);
  return {
    done: `${faults.length} faults (${faults.join(', ')}) of Prometheus and of Alertmanager, at the start and later`,
    seen: `slowest report ${Math.round(slowest)} ms`,
  };
}

export const upstreams: Torture = {
  name: 'upstreams',
  what: 'Prometheus, Alertmanager: down at start, killed, slow, answering garbage, with a million series',
  goal: 'reports go on; answers say unknown and why; recovers by itself',
  run,
};
