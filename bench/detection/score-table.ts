import { type Backtest, runBacktest } from '../../src/backtest/run.ts';
import { AUTH_CODES, type MinuteCounts } from '../../src/simulate.ts';
import { type Finding, textTable } from '../project.ts';
import { COMPARED_SIGNALS, type Detector, FURTHER_SIGNALS, OWN } from './detectors.ts';
import { makeRun, type Run, type RunOptions, VARIANTS, type Variant } from './make-run.ts';
import { type Found, foundOf, type Pooled, poolScores } from './pool.ts';

export interface TableOptions extends Omit<RunOptions, 'seed' | 'volumePerMinute' | 'variant'> {
  /** The others play the base alone. */
  detectors: readonly Detector[];
  variants: readonly Variant[];
  volumes: readonly number[];
  seeds: readonly number[];
  /** Told what was played, and how it went. */
  log: (line: string) => void;
  signal?: AbortSignal;
}

/** One line: a detector at a volume, over all seeds. */
export interface Line extends Pooled {
  detector: string;
  variant: Variant;
  volume: number;
  signals: 'compared' | 'further';
  /** Alerts on the status in question, a run of a lasting shift. */
  alertsPerShift?: number;
}

/** Below this, goals are looser: a handful of events are hard to tell from chance. */
const LOW_VOLUME = 100;

/** What has a goal at a volume: the harder variants have none where counts are small, but the shift. */
const isPlayed = (variant: Variant, volume: number) =>
  variant === 'base' || variant === 'shift' || volume >= LOW_VOLUME;

/** Plays every seed at every volume: the base to every detector, what is harder to our rules. */
export async function scoreTable(options: TableOptions): Promise<Line[]> {
  const lines: Line[] = [];
  for (const variant of options.variants)
    for (const volume of options.volumes.filter((volume) => isPlayed(variant, volume)))
      lines.push(...(await linesOf(variant, volume, options)));
  return lines;
}

async function linesOf(variant: Variant, volume: number, options: TableOptions): Promise<Line[]> {
  const found = new Map<string, { compared: Found[]; further: Found[]; shift: number[] }>();
  for (const seed of options.seeds) {
    const run = makeRun({ ...options, variant, seed, volumePerMinute: volume });
    for (const detector of options.detectors.filter((one) => variant === 'base' || one.name === OWN.name)) {
      const backtest = await play(run, detector, options.signal);
      const compared = foundOf(run, backtest, COMPARED_SIGNALS);
      const known = found.get(detector.name) ?? { compared: [], further: [], shift: [] };
      found.set(detector.name, known);
      known.compared.push(compared);
      known.further.push(foundOf(run, backtest, FURTHER_SIGNALS));
      known.shift.push(alertsOnShift(run, backtest));
      options.log(`${variant}, ${volume}/min, seed ${seed}, ${detector.name}: ${inWords(poolScores([compared]))}`);
    }
  }
  return [...found].flatMap(([detector, { compared, further, shift }]): Line[] => {
    const line = { detector, variant, volume };
    const perShift = variant === 'shift' && { alertsPerShift: mean(shift) };
    const first: Line = { ...line, signals: 'compared', ...poolScores(compared), ...perShift };
    const isOwnBase = detector === OWN.name && variant === 'base';
    return isOwnBase ? [first, { ...line, signals: 'further', ...poolScores(further) }] : [first];
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Alerts on the denied that begin in the scored days. */
const alertsOnShift = ({ scoreFrom, to }: Run, { alerts }: Backtest): number =>
  alerts.filter(({ signal, startsAt }) => signal === 'denied' && startsAt >= scoreFrom && startsAt < to).length;

type Played = Pick<Run, 'from' | 'to'> & { minutes: Iterable<MinuteCounts> };

/** As `tillwatch backtest` does it. */
export function play({ minutes, from, to }: Played, detector: Detector, signal?: AbortSignal): Promise<Backtest> {
  const history = { minutes, statuses: true, authCodes: AUTH_CODES, from, to };
  return runBacktest({ ...history, rulesDir: detector.rulesDir, ...(signal !== undefined && { signal }) });
}

export const inWords = ({ detected, incidents, falseAlarms }: Pooled): string =>
  `${detected} of ${incidents} incidents, ${falseAlarms} false alarms`;

const decimals = (value: number | null, digits: number): string => (value === null ? '-' : value.toFixed(digits));

/** The table as people read it, grouped by volume. */
export function tableText(lines: readonly Line[]): string {
  const header = [
    'detector',
    'runs',
    'a minute',
    'F1',
    'precision',
    'recall',
    'delay',
    'false/day',
    'found',
    'false',
    'alerts/shift',
  ];
  const row = (line: Line): string[] => [
    line.signals === 'further' ? `${line.detector}: ${FURTHER_SIGNALS.join(', ')}` : line.detector,
    line.variant,
    String(line.volume),
    decimals(line.f1, 2),
    decimals(line.precision, 2),
    decimals(line.recall, 2),
    decimals(line.medianDelay, 1),
    decimals(line.falseAlarmsPerDay, 2),
    `${line.detected}/${line.incidents}`,
    String(line.falseAlarms),
    decimals(line.alertsPerShift ?? null, 1),
  ];
  const compared = lines.filter((line) => line.signals === 'compared');
  const further = lines.filter((line) => line.signals === 'further');
  return textTable([header, ...[...compared, ...further].map(row)]);
}

const WEEK_DAYS = 7;

/** Our rules' lines held to the goals of docs/benchmarks.md. */
export function findingsOf(lines: readonly Line[]): Finding[] {
  return lines.filter((line) => line.detector === OWN.name && line.signals === 'compared').flatMap(findingsOfLine);
}

function findingsOfLine(line: Line): Finding[] {
  const at = `at ${line.volume} transactions a minute`;
  if (line.alertsPerShift !== undefined) return [atMost(`alerts of a lasting shift ${at}`, 1, line.alertsPerShift)];
  if (line.variant !== 'base') return [atLeast(`F1 ${at}, ${VARIANTS[line.variant]}`, 0.85, line.f1)];
  const [f1, delay] = line.volume < LOW_VOLUME ? [0.8, 9] : [0.97, 3];
  return [
    atLeast(`F1 ${at}`, f1, line.f1),
    atMost(`median delay in minutes ${at}`, delay, line.medianDelay),
    atMost(`false alarms a week ${at}`, 1, line.falseAlarmsPerDay * WEEK_DAYS),
  ];
}

const rounded = (figure: number | null): number | null => (figure === null ? null : Number(figure.toFixed(3)));

export function atLeast(what: string, goal: number, figure: number | null): Finding {
  return { what, goal: `>= ${goal}`, figure: rounded(figure), met: figure !== null && figure >= goal };
}

export function atMost(what: string, goal: number, figure: number | null): Finding {
  return { what, goal: `<= ${goal}`, figure: rounded(figure), met: figure !== null && figure <= goal };
}
