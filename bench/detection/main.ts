import { parseArgs } from 'node:util';
import { messageOf } from '../../src/log.ts';
import { acquirersText, compareAcquirers } from './acquirers.ts';
import { OTHER_DETECTORS, OWN } from './detectors.ts';
import { findingsOf, scoreTable, tableText } from './score-table.ts';

const HELP = `npm run bench:detection [-- OPTIONS]
Plays simulated runs to our rules and to other detectors through tillwatch backtest, and prints their scores.

  --days N          scored days of each run (default 7)
  --history N       days before them (default 10; the weekly z-score needs 8)
  --per-kind N      incidents of each kind in the scored days (default 2)
  --seeds LIST      (default 11,12,13)
  --volumes LIST    mean transactions a minute (default 10,130,5000)
  --detectors LIST  (default ${[OWN, ...OTHER_DETECTORS].map(({ name }) => name).join(',')})
  --acquirers N     instead: our rules on the traffic of N acquirers as one history with a label acquirer, beside each alone; at the
                    first volume, with the first seed and those after it
  --json            our rules' figures beside their goals, as [{"what","goal","figure","met"}]
`;

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '7' },
    history: { type: 'string', default: '10' },
    'per-kind': { type: 'string', default: '2' },
    seeds: { type: 'string', default: '11,12,13' },
    volumes: { type: 'string', default: '10,130,5000' },
    detectors: { type: 'string', default: [OWN, ...OTHER_DETECTORS].map(({ name }) => name).join(',') },
    acquirers: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function numbers(flag: string, text: string, min: number): number[] {
  const parsed = text.split(',').map(Number);
  if (parsed.every((value) => Number.isInteger(value) && value >= min)) return parsed;
  throw new Error(`--${flag} ${text}: must be whole numbers from ${min}`);
}

function detectorsOf(text: string) {
  const known = [OWN, ...OTHER_DETECTORS];
  return text.split(',').map((name) => {
    const detector = known.find((one) => one.name === name);
    if (detector === undefined)
      throw new Error(`--detectors ${name}: is none of ${known.map((one) => one.name).join(', ')}`);
    return detector;
  });
}

async function main(): Promise<void> {
  const started = Date.now();
  const single = (flag: 'days' | 'history' | 'per-kind', min: number) => numbers(flag, values[flag], min)[0] ?? min;
  const volumes = numbers('volumes', values.volumes, 1);
  const seeds = numbers('seeds', values.seeds, 0);
  const shape = {
    historyDays: single('history', 4),
    scoredDays: single('days', 1),
    perKind: single('per-kind', 1),
    log: (line: string) => process.stderr.write(`${line}\n`),
  };
  if (values.acquirers !== undefined) {
    const [acquirers = 1] = numbers('acquirers', values.acquirers, 1);
    const [volumePerMinute = 1, seed = 0] = [volumes[0], seeds[0]];
    process.stdout.write(acquirersText(await compareAcquirers({ ...shape, acquirers, volumePerMinute, seed })));
  } else {
    const lines = await scoreTable({ ...shape, detectors: detectorsOf(values.detectors), volumes, seeds });
    process.stdout.write(values.json ? `${JSON.stringify(findingsOf(lines), null, 2)}\n` : tableText(lines));
  }
  process.stderr.write(`took ${Math.round((Date.now() - started) / 1000)} s\n`);
}

if (values.help) process.stdout.write(HELP);
else
  await main().catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  });
