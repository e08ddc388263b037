import fc from 'fast-check';
import { type Client, countersOf, createClient, type Reply } from './client.ts';
import { anyRequest, type Fuzzed, mutatedBytes } from './fuzzed.ts';
import { type Program, serve } from './program.ts';
import { exchange } from './raw.ts';
import { number, part, type Run, type Torture } from './row.ts';
import { inParallel } from './wait.ts';

const BATCH = 250;
const WIDTH = 25;
/** One batch in so many is bytes that need be no HTTP. */
const RAW_EVERY = 5;

/** Text of all counters, so that not one may differ. */
const counters = async (client: Client): Promise<string> => JSON.stringify([...countersOf(await client.scrape())]);

const ask = (client: Client, request: Fuzzed): Promise<Reply> =>
  // A request that Node's own client refuses to send is no request.
  client.send(request).catch((error) => ({ status: 0, headers: {}, text: String(error), json: undefined }));

/**
 * The only 5xx that are meant, of a service whose ledger can write: Prometheus or Alertmanager,
 * which are not there, were asked for.
 */
const deliberate = (status: number, retryAfter: boolean): boolean => status === 503 && retryAfter;

function checkReply(request: Fuzzed, reply: Reply, { violations }: Run): void {
  const what = () => `${JSON.stringify(request)} was answered ${reply.status}: ${reply.text}`;
  if (reply.status === 0) violations.check(/ERR_INVALID|ERR_UNESCAPED|Invalid/.test(reply.text), what());
  else violations.check(reply.status < 500 || deliberate(reply.status, 'retry-after' in reply.headers), what());
}

/** Sends a batch; what was refused is sent once more among its like, and must change no counter. */
async function sendBatch(client: Client, requests: Fuzzed[], run: Run): Promise<number> {
  const refused: Fuzzed[] = [];
  await inParallel(requests.length, WIDTH, async (index) => {
    const request = requests[index] as Fuzzed;
    const reply = await ask(client, request);
    checkReply(request, reply, run);
    if (reply.status >= 400) refused.push(request);
  });
  const before = await counters(client);
  await inParallel(refused.length, WIDTH, async (index) => {
    await ask(client, refused[index] as Fuzzed);
  });
  run.violations.check((await counters(client)) === before, 'a batch that is refused changed a counter');
  return refused.length;
}

/**
 * Bytes near to HTTP. Whatever they are, the answer is none, or one that is no 5xx, and a counter
 * never falls.
 */
async function sendBytes(program: Program, all: Uint8Array[], run: Run): Promise<void> {
  await inParallel(all.length, WIDTH, async (index) => {
    const bytes = Buffer.from(all[index] ?? []);
    const answer = await exchange(program.port, bytes);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
    const meant = status < 500 || status === 505 || deliberate(status, /^retry-after:/im.test(answer));
    run.violations.check(meant, `${JSON.stringify(bytes.toString('latin1'))}: ${answer}`);
  });
}

async function run(run: Run) {
  const requests = part(run, 100_000, BATCH * RAW_EVERY);
  const seed = Date.now() % 2 ** 31;
  const program = await serve(await run.folder(), { args: ['--dimensions', 'acquirer', '--max-series', '500'] });
  const client = createClient(program.url);
  let [sent, refused] = [0, 0];
  for (let batch = 0; sent < requests; batch++, sent += BATCH) {
    const sampling = { numRuns: BATCH, seed: seed + batch };
    if (batch % RAW_EVERY === 0) await sendBytes(program, fc.sample(mutatedBytes, sampling), run);
    else refused += await sendBatch(client, fc.sample(anyRequest, sampling), run);
    if (program.ended()) throw new Error(`the service ended: ${program.log().slice(-500)}`);
    if (batch % 40 === 39) run.log(`${sent + BATCH} of ${requests}`);
  }
  const errors = program
    .log()
    .split('\n')
    .filter((line) => / error /.test(line));
  run.violations.check(errors.length === 0, `the log has errors: ${errors[0]}`);
  client.close();
  await program.stop();
  return { done: `${number(sent)} requests`, seen: `${number(refused)} refused and sent again; seed ${seed}` };
}

export const fuzz: Torture = {
  name: 'fuzz',
  what: 'random and mutated bodies, headers, paths',
  goal: 'no 5xx but a deliberate 503, no crash, counters unchanged on every 4xx',
  run,
};
