import { parseArgs } from 'node:util';
import { messageOf } from '../../src/log.ts';
import { acquirersFindings, acquirersText, compareAcquirers } from './acquirers.ts';
import { OTHER_DETECTORS, OWN } from './detectors.ts';
import { VARIANTS, type Variant } from './make-run.ts';
import { findingsOf, scoreTable, tableText } from './score-table.ts';

const HELP = `npm run bench:detection [-- OPTIONS]
Plays simulated runs to our rules and to other detectors through tillwatch backtest, and prints their scores.

  --days N          scored days of each run (default 7)
  --history N       days before them (default 10; the weekly z-score needs 8)
  --per-kind N      incidents of each kind in the scored days (default 2)
  --seeds LIST      (default 11,12,13)
  --volumes LIST    mean transactions a minute (default 10,130,5000)
  --detectors LIST  (default ${[OWN, ...OTHER_DETECTORS].map(({ name }) => name).join(',')})
  --variants LIST   (default ${Object.keys(VARIANTS).join(',')}); all but the base for our rules alone:
${Object.entries(VARIANTS)
  .map(([name, what]) => `                      ${name.padEnd(6)} ${what}\n`)
  .join(
    '',
  )}  --acquirers N     our rules on the traffic of N acquirers as one history with a label, beside each alone (default 8; 0: none)
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
    variants: { type: 'string', default: Object.keys(VARIANTS).join(',') },
    acquirers: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function numbers(flag: string, text: string, min: number): number[] {
  const parsed = text.split(',').map(Number);
  if (parsed.every((value) => Number.isInteger(value) && value >= min)) return parsed;
  throw new Error(`--${flag} ${text}: must be whole numbers from ${min}`);
}

function named<T>(flag: string, text: string, known: ReadonlyMap<string, T>): T[] {
  return text.split(',').map((name) => {
    const one = known.get(name);
    if (one === undefined) throw new Error(`--${flag} ${name}: is none of ${[...known.keys()].join(', ')}`);
    return one;
  });
}

const DETECTORS = new Map([OWN, ...OTHER_DETECTORS].map((detector) => [detector.name, detector]));
const VARIANT_NAMES = new Map((Object.keys(VARIANTS) as Variant[]).map((name) => [name as string, name]));

async function main(): Promise<void> {
  const started = Date.now();
  const single = (flag: 'days' | 'history' | 'per-kind', min: number) => numbers(flag, values[flag], min)[0] ?? min;
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const acquirers = numbers('acquirers', values.acquirers, 0)[0] ?? 0;
  const lines = await scoreTable({
    detectors: named('detectors', values.detectors, DETECTORS),
    variants: named('variants', values.variants, VARIANT_NAMES),
    volumes: numbers('volumes', values.volumes, 1),
    seeds: numbers('seeds', values.seeds, 0),
    historyDays: single('history', 4),
    scoredDays: single('days', 1),
    perKind: single('per-kind', 1),
    log,
  });
  const labelled = acquirers > 0 ? [await compareAcquirers({ acquirers, log })] : [];
  const findings = [...findingsOf(lines), ...labelled.flatMap(acquirersFindings)];
  const text = [tableText(lines), ...labelled.map(acquirersText)].join('\n');
  process.stdout.write(values.json ? `${JSON.stringify(findings, null, 2)}\n` : text);
  log(`took ${Math.round((Date.now() - started) / 1000)} s`);
}

if (values.help) process.stdout.write(HELP);
else
  await main().catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  });
