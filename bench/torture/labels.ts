import { createClient, totalOf } from './client.ts';
import { memoryOf, serve } from './program.ts';
import { number, part, type Run, type Torture } from './row.ts';

const CAP = 10_000;
const BATCH = 10_000;
const STATUSES = 7;
/** The most memory that the process may take, whatever is sent. */
const MOST_MEGABYTES = 600;

async function run(run: Run) {
  const values = part(run, 1_000_000, 2 * BATCH);
  const program = await serve(await run.folder(), { args: ['--dimensions', 'merchant', '--max-series', String(CAP)] });
  const client = createClient(program.url, 1);
  let peak = 0;
  for (let sent = 0; sent < values; sent += BATCH) {
    const reports = Array.from({ length: BATCH }, (_, i) => ({
      status: 'denied',
      labels: { merchant: `merchant ${sent + i}` },
    }));
    const { status, text } = await client.post(reports);
    run.violations.check(status === 200, `a batch was answered ${status}: ${text}`);
    peak = Math.max(peak, await memoryOf(program.pid));
    if (sent % (10 * BATCH) === 0) run.log(`${number(sent + BATCH)} of ${number(values)}`);
  }
  const series = await client.scrape();
  const names = [...series.keys()].filter((name) => name.startsWith('transactions_total{')).length;
  const total = Math.ceil(values / BATCH) * BATCH;
  const other = series.get('transactions_total{status="denied",merchant="other"}') ?? 0;
  const folded = series.get('tillwatch_label_values_folded_total') ?? 0;
  const { violations } = run;
  violations.check(names <= CAP + 2 * STATUSES, `${names} series, the cap is ${CAP}`);
  violations.check(totalOf(series, 'denied') === total, `${totalOf(series, 'denied')} counted of ${total}`);
  violations.check(
    other === folded && folded > 0,
    `${other} under "other", ${folded} told by the counter that the alert watches`,
  );
  violations.check(/label values became "other"/.test(program.log()), 'the log says nothing of the cap');
  violations.check(peak < MOST_MEGABYTES * 1e6, `${Math.round(peak / 1e6)} MB of memory`);
  client.close();
  await program.stop();
  return {
    done: `${number(total)} values`,
    seen: `${number(names)} series, ${number(other)} counts under "other", at most ${Math.round(peak / 1e6)} MB`,
  };
}

export const labels: Torture = {
  name: 'labels',
  what: 'distinct label values',
  goal: `the cap of ${number(CAP)} series holds, every count kept, the rest under "other", told by log and counter; memory under ${MOST_MEGABYTES} MB`,
  run,
};
