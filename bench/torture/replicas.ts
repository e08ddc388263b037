import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, minuteBefore, type Reply } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { checkNotLower } from './reports.ts';
import { number, part, type Run, type Torture } from './row.ts';
import { inParallel, waitFor } from './wait.ts';

const SENDERS = 20;
const SCRAPES = 1000;
/** Between two faults; milliseconds. */
const CALM_MS = 1500;

const random = (most: number): number => Math.floor(Math.random() * most);

/**
 * Sends to one service after the other, as a careful client does, until one answers that it knows
 * what became of it.
 */
const sendUntilAnswered = (clients: readonly Client[], body: unknown, headers: Record<string, string>) =>
  waitFor<Reply>('a report to be answered', async () => {
    const reply = await clients[random(clients.length)]?.post(body, headers);
    if (reply === undefined || [500, 502, 503, 504].includes(reply.status))
      throw new Error(`${reply?.status} ${reply?.text}`);
    return reply;
  });

/** One report with its repeats and its correction. @returns what it counts in the end */
async function sendOne(
  clients: readonly Client[],
  index: number,
  timestamp: string,
  { violations }: Run,
): Promise<number> {
  const keyed = index % 3 === 0;
  const source = `source ${index}`;
  const body = (denied: number) => ({ ...(!keyed && { source, timestamp }), counts: { denied } });
  const headers: Record<string, string> = keyed ? { 'Idempotency-Key': `key-${index}` } : {};
  const say = (what: string, { status, text }: Reply) =>
    `${source}, ${keyed ? 'by key' : 'by minute'}: ${what} was answered ${status} ${text}`;
  const count = 2 + random(8);
  const first = await sendUntilAnswered(clients, body(count), headers);
  violations.check(first.status === 200, say('the first', first));
  for (let i = random(3); i > 0; i--) {
    const again = await sendUntilAnswered(clients, body(count), headers);
    const right = keyed
      ? again.headers['idempotency-replayed'] === 'true' && again.text === first.text
      : again.json?.accepted === 0 && again.json?.duplicates === 1;
    violations.check(again.status === 200 && right, say('a repeat', again));
  }
  if (index % 4 !== 1) return count;
  const other = await sendUntilAnswered(clients, body(count + 1), headers);
  violations.check(other.status === (keyed ? 409 : 200), say('a larger count', other));
  const lower = await sendUntilAnswered(clients, body(count - 1), headers);
  violations.check(lower.status === 409, say('a smaller count', lower));
  return keyed ? count : count + 1;
}

/** Kills a service or stops the database at once, again and again. @returns how often each */
async function breakThings({ urls, restart, postgres }: Cluster, isOver: () => boolean) {
  const done = { kills: 0, crashes: 0 };
  while (!isOver()) {
    await sleep(CALM_MS * Math.random());
    if (done.crashes * 3 < done.kills) {
      await postgres.crash();
      done.crashes++;
    } else {
      await restart(random(urls.length), 'SIGKILL');
      done.kills++;
    }
  }
  return done;
}

/** Scrapes through the balancer, one after the other. */
async function scrapeAll({ url }: Cluster, least: number, isOver: () => boolean, { violations }: Run) {
  const client = createClient(url, 1);
  let before = new Map<string, number>();
  const seen = { scrapes: 0, refused: 0 };
  while (!isOver() || seen.scrapes < least) {
    const after = await client.scrape().catch(() => new Map<string, number>());
    if (after.size === 0 || !after.has('transactions_total{status="denied"}')) seen.refused++;
    else {
      checkNotLower(before, after, violations);
      before = after;
      seen.scrapes++;
    }
    await sleep(5);
  }
  client.close();
  return seen;
}

async function run(run: Run) {
  const cluster = await startCluster(run);
  try {
    const clients = cluster.urls.map((url) => createClient(url, SENDERS));
    const reports = part(run, 10_000);
    let [over, meant] = [false, 0];
    const faults = breakThings(cluster, () => over);
    const scrapes = scrapeAll(cluster, part(run, SCRAPES), () => over, run);
    const timestamp = minuteBefore(1);
    await inParallel(reports, SENDERS, async (index) => {
      const count = await sendOne(clients, index, timestamp, run);
      meant += count;
    }).finally(() => {
      over = true;
    });
    const [{ kills, crashes }, seen] = [await faults, await scrapes];
    const client = createClient(cluster.url, 1);
    const counted = (await client.scrape()).get('transactions_total{status="denied"}');
    run.violations.check(counted === meant, `${counted} counted of ${meant}`);
    for (const one of [client, ...clients]) one.close();
    return {
      done: `${number(reports)} reports over ${clients.length} services, ${kills} kills, ${crashes} immediate restarts of PostgreSQL`,
      seen: `${number(counted ?? 0)} transactions as meant; ${number(seen.scrapes)} scrapes through haproxy, ${seen.refused} refused`,
    };
  } finally {
    await cluster.stop();
  }
}

export const replicas: Torture = {
  name: 'replicas',
  what: 'three services, PostgreSQL, haproxy: repeats and corrections to any of them, kill -9, database restarted at once',
  goal: 'counted = meant, every repeat answered as one, a smaller count 409, no counter ever lower',
  run,
};

async function roll(run: Run) {
  const cluster = await startCluster(run, ['--drain', '2s']);
  try {
    const rounds = part(run, 5);
    const client = createClient(cluster.url, SENDERS);
    let [over, sent] = [false, 0];
    const load = Array.from({ length: SENDERS }, async () => {
      while (!over) {
        const reply = await client.post({ status: 'denied' }).catch((error) => ({ status: 0, text: String(error) }));
        run.violations.check(reply.status === 200, `a report was answered ${reply.status} ${reply.text}`);
        sent++;
      }
    });
    try {
      for (let round = 0; round < rounds; round++)
        for (const index of cluster.urls.keys()) await cluster.restart(index, 'SIGTERM');
    } finally {
      // Requests that meet the end of the cluster are no violation.
      over = true;
      await Promise.all(load);
    }
    const counted = (await client.scrape()).get('transactions_total{status="denied"}');
    run.violations.check(counted === sent, `${counted} counted of ${sent}`);
    client.close();
    return { done: `${rounds} rolling restarts of ${cluster.urls.length} services, ${number(sent)} reports`, seen: '' };
  } finally {
    await cluster.stop();
  }
}

export const rolling: Torture = {
  name: 'rolling',
  what: 'rolling restarts behind haproxy under load',
  goal: 'no refused connection, no answer but 200',
  run: roll,
};
