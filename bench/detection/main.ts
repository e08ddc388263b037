import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { forEachAtOnce } from '../../src/prometheus/in-order-of-need.ts';
import { messageOf } from '../../src/runtime/log.ts';
import { textTable } from '../project.ts';
import { type Detector, OTHER_DETECTORS, OWN } from './detectors.ts';
import { type Found, f1Of, longestAfter, median, type Played, play, precisionOf, recallOf } from './played.ts';
import { allOf, daysOf, findingsOf, outcomesOf, type PlayedRow, ROWS, type Row, volumeOf } from './rows.ts';

/** On these nothing was built. */
const SEEDS = '4101,4102,4103';
const HELP = `npm run bench:detection [-- OPTIONS]
Plays generated runs (tillwatch simulate --scenario NAME) to our rules and, the base, to other detectors, through tillwatch backtest.

  --only LIST       rows, of ${ROWS.map(({ name }) => name).join(', ')}
  --detectors LIST  default ${[OWN, ...OTHER_DETECTORS].map(({ name }) => name).join(',')}; only ours has goals
  --seeds LIST      default ${SEEDS}; random draws three, and prints them
  --weeks N         seeds that are played for a row of one week (default 1); the base has all
  --jobs N          runs at a time (default 2)
  --json            our figures beside their goals, as [{"what","goal","figure","met"}]
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: ROWS.map(({ name }) => name).join(',') },
    detectors: { type: 'string', default: [OWN, ...OTHER_DETECTORS].map(({ name }) => name).join(',') },
    seeds: { type: 'string', default: SEEDS },
    weeks: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function numbers(flag: string, text: string, min: number): number[] {
  const parsed = text.split(',').map(Number);
  if (parsed.every((value) => Number.isInteger(value) && value >= min)) return parsed;
  throw new Error(`--${flag} ${text}: must be whole numbers from ${min}`);
}

function named<T extends { name: string }>(flag: string, text: string, known: readonly T[]): T[] {
  return text.split(',').map((name) => {
    const one = known.find((candidate) => candidate.name === name);
    if (one === undefined)
      throw new Error(`--${flag} ${name}: is none of ${known.map((each) => each.name).join(', ')}`);
    return one;
  });
}

const seedsOf = (text: string): number[] =>
  text === 'random' ? Array.from({ length: 3 }, () => randomInt(1_000_000)) : numbers('seeds', text, 0);

const log = (line: string) => process.stderr.write(`${line}\n`);

interface Task {
  row: Row;
  detector: Detector;
  seed: number;
}

const isBase = ({ scenario }: Row): boolean => scenario === 'base';

/** The base for every detector and seed; what is harder for our rules alone. */
function tasksOf(
  rows: readonly Row[],
  detectors: readonly Detector[],
  seeds: readonly number[],
  weeks: number,
): Task[] {
  return rows.flatMap((row) =>
    (isBase(row) ? seeds : seeds.slice(0, weeks)).flatMap((seed) =>
      detectors.filter(({ name }) => isBase(row) || name === OWN.name).map((detector) => ({ row, detector, seed })),
    ),
  );
}

const decimals = (value: number | null, digits: number): string => (value === null ? '-' : value.toFixed(digits));

/** A detector on the base. */
function baseLine(detector: string, row: Row, runs: readonly Played[]): string[] {
  const [outcomes, volume] = [outcomesOf(runs), volumeOf(runs)];
  const falseAlarms = outcomes.falseAlarms + volume.falseAlarms;
  return [
    detector,
    String(row.volume),
    decimals(f1Of(outcomes), 3),
    decimals(precisionOf(outcomes), 2),
    decimals(recallOf(outcomes), 2),
    decimals(median(outcomes.delays), 1),
    decimals(f1Of(volume), 2),
    decimals((14 * falseAlarms) / daysOf(runs), 1),
    decimals(Math.max(...runs.map(longestAfter)), 0),
  ];
}

const BASE_HEADER = [
  'base',
  'a minute',
  'F1',
  'precision',
  'recall',
  'delay',
  'F1 of volume',
  'false/2 weeks',
  'ends after',
];
const ROW_HEADER = ['scenario', 'found', 'false', 'F1 of outcomes', 'delay', 'ends after'];

function rowLine({ row, runs }: PlayedRow): string[] {
  const found = allOf(runs);
  const f1 = row.isFortnight ? f1Of(outcomesOf(runs)) : null;
  const after = Math.max(...runs.map(longestAfter));
  const counts = [`${found.detected}/${found.incidents}`, String(found.falseAlarms)];
  return [row.name, ...counts, decimals(f1, 3), decimals(median(found.delays), 1), decimals(after, 0)];
}

const inWords = ({ detected, incidents, falseAlarms, remarks }: Found): string =>
  [`${detected} of ${incidents} found, ${falseAlarms} false`, ...remarks].join('\n    ');

async function main(): Promise<void> {
  const started = Date.now();
  const rows = named('only', values.only, ROWS);
  const detectors = named('detectors', values.detectors, [OWN, ...OTHER_DETECTORS]);
  const seeds = seedsOf(values.seeds);
  const [[weeks = 1], [jobs = 2]] = [numbers('weeks', values.weeks, 1), numbers('jobs', values.jobs, 1)];
  log(`seeds ${seeds.join(',')}`);
  const runs = new Map<string, Played[]>();
  const keyOf = (detector: string, row: Row) => `${detector}/${row.name}`;
  await forEachAtOnce(jobs, tasksOf(rows, detectors, seeds, weeks), async ({ row, detector, seed }) => {
    const played = await play(row.scenario, seed, row.volume, detector, row.isUnlisted);
    const key = keyOf(detector.name, row);
    runs.set(key, [...(runs.get(key) ?? []), played]);
    const { remarks, ...found } = allOf([played]);
    log(
      `${row.name}, seed ${seed}, ${detector.name}: ${inWords({ ...found, remarks: detector === OWN ? remarks : [] })}`,
    );
  });
  const playedBy = (detector: string) =>
    rows.flatMap((row): PlayedRow[] => {
      const played = runs.get(keyOf(detector, row));
      return played === undefined ? [] : [{ row, runs: played }];
    });
  const own = playedBy(OWN.name);
  const base = detectors.flatMap(({ name }) =>
    playedBy(name)
      .filter(({ row }) => isBase(row))
      .map(({ row, runs: played }) => baseLine(name, row, played)),
  );
  const others = own.filter(({ row }) => !isBase(row)).map(rowLine);
  const tables = [
    [BASE_HEADER, ...base],
    [ROW_HEADER, ...others],
  ]
    .filter((table) => table.length > 1)
    .map(textTable);
  const findings = findingsOf(own);
  const goals = textTable([
    ['goal', '', 'figure', 'met'],
    ...findings.map(({ what, goal, figure, met }) => [
      what,
      goal,
      String(figure ?? '-'),
      met === null ? '-' : met ? 'yes' : 'NO',
    ]),
  ]);
  process.stdout.write(values.json ? `${JSON.stringify(findings, null, 2)}\n` : [...tables, goals].join('\n'));
  log(`seeds ${seeds.join(',')}; took ${Math.round((Date.now() - started) / 1000)} s`);
}

if (values.help) process.stdout.write(HELP);
else
  await main().catch((error: unknown) => {
    log(messageOf(error));
    process.exitCode = 1;
  });
