import { parseArgs } from 'node:util';
import { messageOf } from '../../src/runtime/log.ts';
import { costFindings, costText } from './cost-table.ts';
import { measure } from './measure.ts';

const HELP = `npm run bench:rules [-- OPTIONS]
Evaluates the project's rules on a live Prometheus with ever more values of an extra label, and prints what it costs.

  --values LIST  values of the label, in rising order (default 1,100,1000; seven counters each)
  --calendar     the most values also with a time zone and a calendar, beside those without
  --warm-up N    minutes of evaluations that do not count (default 2)
  --minutes N    minutes of evaluations that do (default 5: some rules are evaluated that often)
  --json         the figures beside their goals, as [{"what","goal","figure","met"}]
`;

const { values } = parseArgs({
  options: {
    values: { type: 'string', default: '1,100,1000' },
    'warm-up': { type: 'string', default: '2' },
    minutes: { type: 'string', default: '5' },
    calendar: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function numbers(flag: string, text: string): number[] {
  const parsed = text.split(',').map(Number);
  if (parsed.every((value) => Number.isInteger(value) && value > 0)) return parsed;
  throw new Error(`--${flag} ${text}: must be whole numbers from 1`);
}

async function main(): Promise<void> {
  const single = (flag: 'warm-up' | 'minutes') => numbers(flag, values[flag])[0] ?? 1;
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const sizes = numbers('values', values.values);
  const options = { warmUp: single('warm-up'), minutes: single('minutes'), log };
  const runs = sizes.map((size) => ({ values: size, hasCalendar: false }));
  const most = runs.at(-1);
  if (values.calendar && most !== undefined) runs.push({ ...most, hasCalendar: true });
  // They run at once, so that those which are compared have the same machine. Next to the largest
  // the others cost little.
  const costs = await Promise.all(runs.map((one) => measure({ ...options, ...one })));
  process.stdout.write(values.json ? `${JSON.stringify(costFindings(costs), null, 2)}\n` : costText(costs));
}

if (values.help) process.stdout.write(HELP);
else
  await main().catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  });
