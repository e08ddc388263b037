import type { MinuteCounts } from '../domain/minutes.ts';
import { randomFor } from '../domain/random.ts';
import { denied, failures, sales } from './drawn.ts';
import { type ModelOptions, trafficMeans } from './model.ts';
import type { Reporting } from './reporting.ts';
import {
  applyAll,
  type Context,
  DAY,
  type Labelled,
  labelOf,
  type Placed,
  place,
  type Run,
  sampleCounts,
} from './run.ts';
import { inHistory, shuffled } from './scenario-incidents.ts';
import { SCENARIO_NAMES, SCENARIOS, type Scenario, type ScenarioName } from './scenarios.ts';

const FAILS_ALONE = [
  denied('denied-spike', [3, 6], [15, 40]),
  failures([15, 45]),
  denied('denied-hour', [2, 3.5], [40, 60]),
  sales('volume-zero', [0, 0], [15, 30]),
];

export interface ScenarioOptions {
  name: ScenarioName;
  /** 32-bit integer. */
  seed: number;
  /** Mean transactions a minute; default as the scenario has it. */
  volume?: number;
  /** Start of the first day, in minutes since the epoch; default as the scenario has it. */
  from?: number;
  /** Days of history; default as the scenario has it. */
  historyDays?: number;
}

/** The labels that the scenario's counts have. */
export const dimensionsOf = (name: ScenarioName): string[] =>
  (SCENARIOS[name] as Scenario).acquirers === undefined ? [] : ['acquirer'];

/** Small and large: the largest has some forty per cent, the smallest two. */
const sizeOf = (nth: number): number => 1 / (nth + 1) ** 1.2;
export const acquirerName = (nth: number): string => `acquirer-${String(nth + 1).padStart(2, '0')}`;

/** The same options give the same run. @throws when what happens does not fit */
export function makeRun(options: ScenarioOptions): Run {
  const scenario: Scenario = SCENARIOS[options.name];
  const { seed, volume = scenario.volume, historyDays = scenario.historyDays } = options;
  const from = options.from ?? Date.parse(scenario.start) / 60_000;
  const scoreFrom = from + historyDays * DAY;
  const to = scoreFrom + scenario.scoredDays * DAY;
  const context: Context = {
    seed,
    volume,
    from,
    scoreFrom,
    to,
    random: randomFor(seed, 2300, SCENARIO_NAMES.indexOf(options.name)),
  };
  const before = scenario.isHistoryClean ? [] : inHistory(context, options.name === 'blips' ? 2 : 1);
  const happens = scenario.happens(context);
  const model = { ...scenario.traffic?.(context), seed, volumePerMinute: volume, from, to };
  const placed = [...before, ...happens.placed];
  const { minutes, labels } =
    scenario.acquirers === undefined
      ? { minutes: reportedMinutes(model, placed, scenario.reporting?.(happens)), labels: placed.map(labelOf) }
      : acquirerMinutes(scenario.acquirers, model, placed, context);
  const all = [...labels, ...(happens.notes ?? [])].sort((a, b) => a.start - b.start);
  return { minutes, labels: all, from, scoreFrom, to };
}

function countsOf(model: ModelOptions, placed: readonly Placed[]) {
  const means = trafficMeans(model);
  const usual = Float64Array.from(means.denied);
  applyAll(placed, means, model.from);
  return sampleCounts(model.seed, model.from, means, usual);
}

const reportedMinutes = (model: ModelOptions, placed: readonly Placed[], reporting?: Reporting): MinuteCounts[] => {
  const counts = countsOf(model, placed);
  return reporting?.(counts) ?? counts;
};

/**
 * The placed incidents happen to all acquirers at once. Besides, each of four has one of its own.
 */
function acquirerMinutes(acquirers: number, model: ModelOptions, placed: readonly Placed[], context: Context) {
  const { random, scoreFrom, to } = context;
  const sizes = Array.from({ length: acquirers }, (_, nth) => sizeOf(nth));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const alone = shuffled(
    Array.from({ length: acquirers }, (_, nth) => nth),
    random,
  ).slice(0, FAILS_ALONE.length);
  const own = place(
    FAILS_ALONE.map((draw) => ({ draw })),
    context,
    [scoreFrom, to],
    placed,
  );
  const sliced = sizes.map((size, nth) => {
    const mine = own.filter((_, at) => alone[at] === nth);
    const volumePerMinute = (model.volumePerMinute * size) / all;
    return countsOf({ ...model, seed: model.seed + 7919 * (nth + 1), volumePerMinute }, [...placed, ...mine]);
  });
  const minutes = (sliced[0] ?? []).map(({ minute }, index): MinuteCounts => {
    const labelled = sliced.map((counts, nth) => ({
      labels: { acquirer: acquirerName(nth) },
      counts: counts[index]?.counts ?? {},
    }));
    return { minute, labelled };
  });
  const ownLabels = own.map((one, at): Labelled => ({ ...labelOf(one), slice: acquirerName(alone[at] ?? 0) }));
  return { minutes, labels: [...placed.map(labelOf), ...ownLabels] };
}
