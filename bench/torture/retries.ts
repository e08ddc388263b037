import { createClient } from './client.ts';
import { serve } from './program.ts';
import { newReport, type Sent, submit, sumOf } from './reports.ts';
import { number, part, type Run, type Torture } from './row.ts';
import { inParallel } from './wait.ts';

const MOST_SENDERS = 5;
const KEYS_AT_ONCE = 20;

async function run(run: Run) {
  const keys = part(run, 10_000);
  const program = await serve(await run.folder());
  const client = createClient(program.url, KEYS_AT_ONCE * MOST_SENDERS);
  const sent: Sent[] = [];
  let requests = 0;
  await inParallel(keys, KEYS_AT_ONCE, async (index) => {
    const report = newReport();
    sent.push(report);
    const senders = 1 + (index % MOST_SENDERS);
    requests += senders;
    const replies = await Promise.all(Array.from({ length: senders }, () => submit(client, report)));
    const answers = new Set(replies.map(({ status, text }) => `${status} ${text}`));
    run.violations.check(answers.size === 1, `one key, several answers: ${[...answers].join(' | ')}`);
    run.violations.check(replies[0]?.status === 200, `a report was answered ${[...answers][0]}`);
    const first = replies.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length;
    run.violations.check(first === 1, `${first} of ${senders} senders were told that theirs was counted first`);
  });
  const series = await client.scrape();
  for (const status of ['approved', 'denied']) {
    const [total, expected] = [series.get(`transactions_total{status="${status}"}`), sumOf(sent, status)];
    run.violations.check(total === expected, `${status}: ${total} counted of ${expected}`);
  }
  client.close();
  await program.stop();
  return {
    done: `${number(keys)} keys, ${number(requests)} requests`,
    seen: `${number(sumOf(sent, 'approved') + sumOf(sent, 'denied'))} transactions, each once`,
  };
}

export const retries: Torture = {
  name: 'retries',
  what: `concurrent retries, 1 to ${MOST_SENDERS} senders a key`,
  goal: 'each key counted once, one answer for all its senders',
  run,
};
