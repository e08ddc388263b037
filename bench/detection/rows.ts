import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '../../src/simulator/scenarios.ts';
import type { Finding } from '../project.ts';
import {
  type Found,
  f1Of,
  foundOfAll,
  foundOfKind,
  foundOfSignals,
  longestAfter,
  median,
  type Played,
  pool,
} from './played.ts';

/**
 * The scenario and the volume that are played for a row. Without a volume, the scenario's own is
 * used.
 */
export interface Row {
  name: string;
  scenario: ScenarioName;
  volume?: number;
  /**
   * True for the scored fortnights with some thirty incidents; the others have five incidents in a
   * week.
   */
  isFortnight: boolean;
  /** True where nobody has told the rules of the scenario's holidays and planned windows. */
  isUnlisted?: boolean;
}

const OUTCOMES = ['denied', 'failed', 'reversed'];
const VOLUME = ['volume'];
/** Goals by mean transactions a minute. */
const BASE = { 10: [0.85, 0.9, 9], 130: [0.975, 0.97, 3], 5000: [0.985, 0.97, 3] } as const;
type BaseVolume = keyof typeof BASE;
const HARDER: readonly ScenarioName[] = ['noise', 'blips', 'moving-batch'];
/**
 * Days that a calendar or a time zone explains: false alarms allowed in a week; all five are to be
 * found.
 */
const EXPLAINED: Partial<Record<ScenarioName, number>> = { 'dst-earlier': 1, 'dst-later': 1, holidays: 0, planned: 0 };

const BASE_ROWS = ([10, 130, 5000] as const).map(
  (volume): Row => ({
    ...{ name: `base-${volume}`, scenario: 'base', volume, isFortnight: true },
  }),
);
const OTHER_ROWS = SCENARIO_NAMES.filter((name) => name !== 'base').map(
  (scenario): Row => ({
    ...{ name: scenario, scenario, isFortnight: HARDER.includes(scenario) },
  }),
);
const UNLISTED: Row = { name: 'holidays-unlisted', scenario: 'holidays', isFortnight: false, isUnlisted: true };
export const ROWS: readonly Row[] = [...BASE_ROWS, ...OTHER_ROWS, UNLISTED];

/** A row and the runs that were played for it. */
export interface PlayedRow {
  row: Row;
  runs: Played[];
}

export const outcomesOf = (runs: readonly Played[]): Found => pool(runs.map((run) => foundOfSignals(run, OUTCOMES)));
export const volumeOf = (runs: readonly Played[]): Found => pool(runs.map((run) => foundOfSignals(run, VOLUME)));
export const allOf = (runs: readonly Played[]): Found => pool(runs.map(foundOfAll));
export const daysOf = (runs: readonly Played[]): number =>
  runs.reduce((sum, { scoreFrom, to }) => sum + (to - scoreFrom) / 86_400, 0);

const rounded = (figure: number | null): number | null => (figure === null ? null : Number(figure.toFixed(3)));
const atLeast = (what: string, goal: number, figure: number | null): Finding => ({
  ...{ what, goal: `>= ${goal}`, figure: rounded(figure), met: figure !== null && figure >= goal },
});
const atMost = (what: string, goal: number, figure: number | null): Finding => ({
  ...{ what, goal: `<= ${goal}`, figure: rounded(figure), met: figure !== null && figure <= goal },
});

function fortnightFindings({ row, runs }: PlayedRow): Finding[] {
  const goals = BASE[row.volume as BaseVolume];
  const outcomes = outcomesOf(runs);
  if (goals === undefined) return [atLeast(`${row.name}: F1`, 0.95, f1Of(outcomes))];
  const [f1, volumeF1, delay] = goals;
  const falseAlarms = outcomes.falseAlarms + volumeOf(runs).falseAlarms;
  return [
    atLeast(`${row.name}: F1`, f1, f1Of(outcomes)),
    atLeast(`${row.name}: F1 of volume`, volumeF1, f1Of(volumeOf(runs))),
    atMost(`${row.name}: false alarms in two weeks`, 1, (14 * falseAlarms) / daysOf(runs)),
    atMost(`${row.name}: median delay in minutes`, delay, median(outcomes.delays)),
  ];
}

function weekFindings({ row, runs }: PlayedRow): Finding[] {
  const found = allOf(runs);
  const weeks = daysOf(runs) / 7;
  if (row.scenario === 'lasting-shift')
    return [atMost(`${row.name}: alerts on the shift in a week`, 1, alertsInLabels(runs) / weeks)];
  const [share, falseAlarms] = [(5 * found.detected) / found.incidents, found.falseAlarms / weeks];
  const allowed = row.isUnlisted === true ? undefined : EXPLAINED[row.scenario];
  return [
    atLeast(`${row.name}: found of five`, allowed === undefined ? 4 : 5, share),
    atMost(`${row.name}: false alarms in a week`, allowed ?? 1, falseAlarms),
  ];
}

/** Alerts of a signal that begin in an incident of that signal. */
function alertsInLabels(runs: readonly Played[]): number {
  const ofRun = ({ alerts, labels, scoreFrom }: Played) =>
    alerts.filter(({ signal, startsAt }) =>
      labels.some(
        ({ start, end, signals }) =>
          start >= scoreFrom && signals.includes(signal) && startsAt > start && startsAt <= end,
      ),
    ).length;
  return runs.reduce((sum, run) => sum + ofRun(run), 0);
}

const OUTLIVES = 'minutes that an alert outlives its incident, at the most';
/** Nights of so many transactions a minute by day. */
const NIGHTS_VOLUME = 130;

/** Our figures beside their goals. */
export function findingsOf(played: readonly PlayedRow[]): Finding[] {
  const runs = played.flatMap((one) => one.runs);
  const ofNights = played
    .filter(({ row }) => row.isFortnight && (row.volume ?? SCENARIOS[row.scenario].volume) === NIGHTS_VOLUME)
    .flatMap((one) => one.runs);
  const nights = ofNights.map((run) => foundOfKind(run, 'night-denied'));
  const sum = (field: 'incidents' | 'detected') => nights.reduce((all, one) => all + one[field], 0);
  const night = atLeast('night incidents found at 130, of 18', 14, (18 * sum('detected')) / sum('incidents'));
  return [
    ...played.flatMap((one) => (one.row.isFortnight ? fortnightFindings(one) : weekFindings(one))),
    ...(nights.length > 0 ? [night] : []),
    ...(runs.length > 0 ? [atMost(OUTLIVES, 25, Math.max(...runs.map(longestAfter)))] : []),
  ];
}
