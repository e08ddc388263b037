import { type Backtest, runBacktest } from '../../src/backtest/run.ts';
import { AUTH_CODES } from '../../src/simulate.ts';
import { type Finding, textTable } from '../project.ts';
import { COMPARED_SIGNALS, type Detector, FURTHER_SIGNALS, OWN } from './detectors.ts';
import { makeRun, type Run, type RunOptions } from './make-run.ts';
import { type Found, foundOf, type Pooled, poolScores } from './pool.ts';

export interface TableOptions extends Omit<RunOptions, 'seed' | 'volumePerMinute'> {
  detectors: readonly Detector[];
  volumes: readonly number[];
  seeds: readonly number[];
  /** Told what was played, and how it went. */
  log: (line: string) => void;
  signal?: AbortSignal;
}

/** One line: a detector at a volume, over all seeds. */
export interface Line extends Pooled {
  detector: string;
  volume: number;
  signals: 'compared' | 'further';
}

/** Plays every seed at every volume to every detector. */
export async function scoreTable(options: TableOptions): Promise<Line[]> {
  const lines: Line[] = [];
  for (const volume of options.volumes) {
    const found = new Map<string, { compared: Found[]; further: Found[] }>();
    for (const seed of options.seeds) {
      const run = makeRun({ ...options, seed, volumePerMinute: volume });
      for (const detector of options.detectors) {
        const backtest = await play(run, detector, options.signal);
        const compared = foundOf(run, backtest, COMPARED_SIGNALS);
        const known = found.get(detector.name) ?? { compared: [], further: [] };
        found.set(detector.name, known);
        known.compared.push(compared);
        known.further.push(foundOf(run, backtest, FURTHER_SIGNALS));
        options.log(`${volume}/min, seed ${seed}, ${detector.name}: ${inWords(poolScores([compared]))}`);
      }
    }
    for (const [detector, { compared, further }] of found) {
      lines.push({ detector, volume, signals: 'compared', ...poolScores(compared) });
      if (detector === OWN.name) lines.push({ detector, volume, signals: 'further', ...poolScores(further) });
    }
  }
  return lines;
}

/** As `tillwatch backtest` does it. */
async function play(run: Run, detector: Detector, signal: AbortSignal | undefined): Promise<Backtest> {
  const { minutes, from, to } = run;
  const history = { minutes, statuses: true, authCodes: AUTH_CODES, from, to };
  return runBacktest({ ...history, rulesDir: detector.rulesDir, ...(signal !== undefined && { signal }) });
}

const inWords = ({ detected, incidents, falseAlarms }: Pooled): string =>
  `${detected} of ${incidents} incidents, ${falseAlarms} false alarms`;

const decimals = (value: number | null, digits: number): string => (value === null ? '-' : value.toFixed(digits));

/** The table as people read it, grouped by volume. */
export function tableText(lines: readonly Line[]): string {
  const header = ['detector', 'a minute', 'F1', 'precision', 'recall', 'delay', 'false/day', 'found', 'false'];
  const row = (line: Line): string[] => [
    line.signals === 'further' ? `${line.detector}: ${FURTHER_SIGNALS.join(', ')}` : line.detector,
    String(line.volume),
    decimals(line.f1, 2),
    decimals(line.precision, 2),
    decimals(line.recall, 2),
    decimals(line.medianDelay, 1),
    decimals(line.falseAlarmsPerDay, 2),
    `${line.detected}/${line.incidents}`,
    String(line.falseAlarms),
  ];
  const compared = lines.filter((line) => line.signals === 'compared');
  const further = lines.filter((line) => line.signals === 'further');
  return textTable([header, ...[...compared, ...further].map(row)]);
}

/** Below this, goals are looser: a handful of events are hard to tell from chance. */
const LOW_VOLUME = 100;
const WEEK_DAYS = 7;

/** Our rules' lines held to the goals of docs/benchmarks.md. */
export function findingsOf(lines: readonly Line[]): Finding[] {
  return lines
    .filter((line) => line.detector === OWN.name && line.signals === 'compared')
    .flatMap((line) => {
      const [f1, delay] = line.volume < LOW_VOLUME ? [0.8, 9] : [0.97, 3];
      const perWeek = line.falseAlarmsPerDay * WEEK_DAYS;
      const at = `at ${line.volume} transactions a minute`;
      return [
        atLeast(`F1 ${at}`, f1, line.f1),
        atMost(`median delay in minutes ${at}`, delay, line.medianDelay),
        atMost(`false alarms a week ${at}`, 1, perWeek),
      ];
    });
}

const rounded = (figure: number | null): number | null => (figure === null ? null : Number(figure.toFixed(3)));

function atLeast(what: string, goal: number, figure: number | null): Finding {
  return { what, goal: `>= ${goal}`, figure: rounded(figure), met: figure !== null && figure >= goal };
}

function atMost(what: string, goal: number, figure: number | null): Finding {
  return { what, goal: `<= ${goal}`, figure: rounded(figure), met: figure !== null && figure <= goal };
}
