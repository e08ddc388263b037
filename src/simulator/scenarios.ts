import type { MinuteCounts } from '../domain/minutes.ts';
import type { Random } from '../domain/random.ts';
import { randomFor } from '../domain/random.ts';
import {
  between,
  blip,
  type Draw,
  denied,
  deniedRamp,
  deniedSpike,
  deniedStep,
  doubleCharging,
  doubleVolume,
  failed,
  failedBlip,
  failures,
  flapping,
  nightDenied,
  oneHourRamp,
  planned,
  refunds,
  reversal,
  reversed,
  sales,
  volumeDrop,
  volumeZero,
  wholeBetween,
} from './drawn.ts';
import { type ModelOptions, trafficMeans } from './model.ts';
import { everyMinutes, type Gap, lateOutcomes, type Reporting, sparse, withGaps } from './reporting.ts';
import {
  ANY_HOUR,
  applyAll,
  BY_NIGHT,
  type Context,
  DAY,
  type Labelled,
  labelOf,
  type Placed,
  place,
  type Run,
  sampleCounts,
  type Wanted,
} from './run.ts';

interface Happens {
  placed: Placed[];
  /** Stretches without reports. */
  gaps?: Gap[];
  /** Facts about the days that people should know: holidays, planned windows. */
  notes?: Labelled[];
}

interface Scenario {
  /** One line for people. */
  does: string;
  historyDays: number;
  scoredDays: number;
  /** Mean transactions a minute. */
  volume: number;
  /** Midnight UTC; default a Monday. */
  start: string;
  traffic?: (context: Context) => Partial<ModelOptions>;
  /** The incidents of the scored days. */
  happens: (context: Context) => Happens;
  reporting?: (happens: Happens) => Reporting;
  /**
   * True for a history without incidents. By default it has some that are not labelled, as real
   * histories do.
   */
  isHistoryClean?: boolean;
  /** Traffic of so many acquirers of very different size. */
  acquirers?: number;
}

const START = '2026-01-05T00:00:00Z';
const WEEK = { historyDays: 14, scoredDays: 7, volume: 130, start: START };
const FORTNIGHT = { historyDays: 21, scoredDays: 14, volume: 130, start: START };

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return Array.from({ length: left.length }, () => left.splice(Math.floor(left.length * random()), 1)[0] as T);
}

const USUAL_KINDS = [deniedSpike, oneHourRamp, deniedStep, failed, reversal, volumeZero, volumeDrop];

/** Five of some kinds of incident, no kind twice. */
const fiveOf =
  (kinds: readonly Draw[]) =>
  (context: Context): Wanted[] =>
    shuffled(kinds, context.random)
      .slice(0, 5)
      .map((draw) => ({ draw }));

const anyFive = fiveOf(USUAL_KINDS);

/** Places incidents in the scored days, wherever there is room. */
const scored = (wanted: (context: Context) => Wanted[]) => (context: Context) => ({
  placed: place(wanted(context), context, [context.scoreFrom, context.to]),
});

const each = (...draws: Draw[]) => scored(() => draws.map((draw) => ({ draw })));

/** The incidents of the base's scored fortnight, by kind and number. */
const baseMix = (blipMinutes: number): Wanted[] => [
  ...times(6, { draw: deniedSpike }),
  ...times(3, { draw: oneHourRamp }),
  ...times(3, { draw: deniedStep }),
  ...times(4, { draw: failed }),
  ...times(4, { draw: reversal }),
  ...times(2, { draw: volumeZero }),
  ...times(2, { draw: volumeDrop }),
  ...times(3, { draw: nightDenied, hours: BY_NIGHT }),
  ...times(9, { draw: blip(blipMinutes), hours: ANY_HOUR }),
  ...times(3, { draw: doubleVolume }),
];

/**
 * Places the incidents of the base and two pairs: three hours of denials on one day, and on the
 * next a spike an hour into that time.
 */
function baseHappens(context: Context, blipMinutes: number): Happens {
  const { random, volume, scoreFrom, to } = context;
  const step = denied('pair-step', [2, 3], [180, 180]);
  const spike = denied('pair-spike', [3, 5], [10, 20]);
  const days = Math.floor((to - scoreFrom) / DAY);
  const first = wholeBetween(random, 0, Math.floor(days / 2) - 2);
  const second = wholeBetween(random, Math.floor(days / 2), days - 2);
  const pairs = [first, second].flatMap((day): Placed[] => {
    const start = scoreFrom + day * DAY + wholeBetween(random, 7 * 60, 20 * 60);
    return [
      { ...step(random, volume), start },
      { ...spike(random, volume), start: start + DAY + 60 },
    ];
  });
  return { placed: [...pairs, ...place(baseMix(blipMinutes), context, [scoreFrom, to], pairs)] };
}

/** Places incidents in the history, as many a week as in the base's three weeks. */
function inHistory(context: Context, blipMinutes: number): Placed[] {
  const { from, scoreFrom } = context;
  const weeks = (scoreFrom - from) / (7 * DAY);
  const some = (inThreeWeeks: number, draw: Draw, hours?: [number, number]) =>
    times(Math.round((inThreeWeeks * weeks) / 3), { draw, ...(hours !== undefined && { hours }) });
  const wanted = [
    ...some(4, deniedSpike),
    ...some(2, deniedStep),
    ...some(3, failed),
    ...some(3, reversal),
    ...some(1, volumeZero),
    ...some(6, blip(blipMinutes), ANY_HOUR),
  ];
  return place(wanted, context, [from + 3 * DAY, scoreFrom]);
}

const weekdayOf = (minute: number): number => (Math.floor(minute / DAY) + 4) % 7;
/** Days from the first that is scored to the next Sunday. */
const daysToSunday = ({ scoreFrom }: Context): number => (7 - weekdayOf(scoreFrom)) % 7;

/**
 * A change of daylight saving on the first Sunday that is scored: what people do comes so many
 * minutes earlier from then on.
 */
const clockChange =
  (earlier: number) =>
  (context: Context): Partial<ModelOptions> => {
    const change = context.scoreFrom + daysToSunday(context) * DAY + 60;
    return { earlier: (minute) => (minute >= change ? earlier : 0) };
  };

const HOLIDAYS = [1, 3];

function holidayVolume({ scoreFrom, random }: Context): Partial<ModelOptions> {
  const shares = [between(random, 0.35, 0.45), between(random, 1.5, 1.7)];
  return { volumeFactor: (minute) => shares[HOLIDAYS.indexOf(Math.floor((minute - scoreFrom) / DAY))] ?? 1 };
}

function onHolidays(context: Context): Happens {
  const { scoreFrom, to } = context;
  const [little = 0, much = 0] = HOLIDAYS;
  const wanted: Wanted[] = [
    { draw: deniedSpike, days: [little, little + 1], hours: [9 * 60, 20 * 60] },
    { draw: failed, days: [much, much + 1], hours: [9 * 60, 20 * 60] },
    ...[reversal, deniedStep, volumeZero].map((draw): Wanted => ({ draw, days: [4, 7] })),
  ];
  const notes = HOLIDAYS.map((day): Labelled => {
    const start = scoreFrom + day * DAY;
    return { kind: 'holiday', signal: 'none', start, end: start + DAY };
  });
  return { placed: place(wanted, context, [scoreFrom, to]), notes };
}

function onLowSundays(context: Context): Happens {
  const sunday = daysToSunday(context);
  const onSunday = [denied('denied-hour', [2, 3.5], [30, 60]), failed, reversal, deniedSpike];
  const wanted: Wanted[] = [
    ...shuffled(onSunday, context.random)
      .slice(0, 3)
      .map((draw): Wanted => ({ draw, days: [sunday, sunday + 1], hours: [9 * 60, 21 * 60] })),
    { draw: denied('denied-hour', [2, 3.5], [30, 60]) },
    { draw: volumeDrop, days: [0, sunday] },
  ];
  return { placed: place(wanted, context, [context.scoreFrom, context.to]) };
}

const isPayDay = (minute: number): boolean => [5, 20].includes(new Date(minute * 60_000).getUTCDate());

function payDays({ random }: Context): Partial<ModelOptions> {
  const more = between(random, 1.4, 1.9);
  const dayAfter = 1 + (more - 1) / 3;
  return { volumeFactor: (minute) => (isPayDay(minute) ? more : isPayDay(minute - DAY) ? dayAfter : 1) };
}

function onPayDays(context: Context): Happens {
  const { scoreFrom, to } = context;
  const days = Array.from({ length: (to - scoreFrom) / DAY }, (_, day) => day);
  const payDay = days.find((day) => isPayDay(scoreFrom + day * DAY)) ?? 1;
  const wanted: Wanted[] = [
    { draw: denied('denied-hour', [2, 3.5], [30, 60]), days: [payDay, payDay + 1] },
    { draw: failed, days: [payDay, payDay + 1] },
    { draw: volumeDrop, days: [payDay + 1, payDay + 3] },
    { draw: deniedSpike },
    { draw: reversal },
  ];
  return { placed: place(wanted, context, [scoreFrom, to]) };
}

/**
 * Places two pairs: five to seven hours of denials, and a spike one to four hours after them. On
 * another day there is a spike alone.
 */
function longOnes(context: Context): Happens {
  const { random, volume, scoreFrom, to } = context;
  const placed = [1, 4].flatMap((day): Placed[] => {
    const long = denied('denied-hours', [2, 4], [300, 420])(random, volume);
    const start = scoreFrom + day * DAY + wholeBetween(random, 6 * 60, 9 * 60);
    const next = denied('denied-spike', [3, 5], [15, 30])(random, volume);
    return [
      { ...long, start },
      { ...next, start: start + long.minutes + wholeBetween(random, 60, 240) },
    ];
  });
  return { placed: [...placed, ...place([{ draw: deniedSpike, days: [5, 7] }], context, [scoreFrom, to], placed)] };
}

function sameHour({ random, volume, scoreFrom }: Context): Happens {
  const draw = denied('denied-hour', [2.5, 4], [30, 60]);
  const hour = wholeBetween(random, 8 * 60, 21 * 60);
  const placed = [1, 2, 3, 4, 5].map((day) => {
    const start = scoreFrom + day * DAY + hour + wholeBetween(random, -10, 10);
    return { ...draw(random, volume), start };
  });
  return { placed };
}

/** Sizes spread over the range, so that no week has only the faint ones. */
const fewSales = scored(({ random }) =>
  shuffled([0, 1, 2, 3, 4], random).map((nth) => ({
    draw: sales('sales-down', [0.65 + 0.04 * nth, 0.65 + 0.04 * (nth + 1)], [120, 120]),
    hours: [8 * 60, 20 * 60],
  })),
);

function mildDay(context: Context): Happens {
  const { random, volume, scoreFrom, to } = context;
  const start = scoreFrom + wholeBetween(random, 6 * 60, 20 * 60);
  const day = { ...denied('denied-day', [1.45, 1.6], [DAY, DAY])(random, volume), start };
  const hours = { draw: denied('denied-hours', [1.6, 1.9], [180, 360]), hours: [7 * 60, 17 * 60] as [number, number] };
  const wanted: Wanted[] = [
    { ...hours, days: [2, 4] },
    { ...hours, days: [4, 6] },
    { draw: deniedSpike, days: [2, 7] },
    { draw: deniedSpike, days: [2, 7] },
  ];
  return { placed: [day, ...place(wanted, context, [scoreFrom, to], [day])] };
}

function placeGaps(context: Context, aDay: number, minutes: [number, number]): Gap[] {
  const { random, from, to } = context;
  const gaps: Gap[] = [];
  const hours = DAY / 60 / aDay;
  for (let part = from + DAY; part < to; part += hours * 60) {
    const start = part + wholeBetween(random, 0, (hours - 1) * 60);
    gaps.push({ start, end: start + wholeBetween(random, ...minutes) });
  }
  return gaps;
}

const asPlaced = ({ start, end }: Gap): Placed => ({
  kind: 'gap',
  signal: 'feed',
  start,
  minutes: end - start,
  change: () => {},
});

const gapLabels = (gaps: readonly Gap[]): Labelled[] => gaps.map((gap) => labelOf(asPlaced(gap)));

/** Two of five incidents come half an hour after a backlog. */
function withBacklog(context: Context): Happens {
  const { random, volume, scoreFrom, to } = context;
  const gaps = placeGaps(context, 1, [6, 14]);
  const follow = (day: number, draw: Draw): Placed[] => {
    const gap = gaps.find(({ start }) => start >= scoreFrom + day * DAY);
    return gap === undefined ? [] : [{ ...draw(random, volume), start: gap.end + wholeBetween(random, 20, 40) }];
  };
  const placed = [...follow(1, deniedSpike), ...follow(4, failed)];
  const others = [deniedStep, reversal, volumeDrop].map((draw) => ({ draw }));
  const taken = [...placed, ...gaps.map(asPlaced)];
  return { placed: [...placed, ...place(others, context, [scoreFrom, to], taken)], gaps, notes: gapLabels(gaps) };
}

function withRestarts(context: Context): Happens {
  const gaps = placeGaps(context, 3, [1, 2]);
  return { ...scored(anyFive)(context), gaps, notes: gapLabels(gaps) };
}

function firstWeekend({ random }: Context): Partial<ModelOptions> {
  const [sunday, saturday, more] = [between(random, 0.3, 0.6), between(random, 0.5, 0.8), between(random, 1.1, 1.3)];
  const isWeekend = (minute: number) => [0, 6].includes(weekdayOf(minute));
  return { weekdays: [sunday, 1, 1, 1, 1, 1.05, saturday], deniedFactor: (minute) => (isWeekend(minute) ? more : 1) };
}

/** Places two planned windows, and an incident an hour after the end of each. */
function plannedWindows(context: Context): Happens {
  const { random, volume, scoreFrom, to } = context;
  const windows = [1, 4].map((day) => ({
    ...planned(random, volume),
    start: scoreFrom + day * DAY + wholeBetween(random, 6 * 60, 19 * 60),
  }));
  const after = windows.map(({ start, minutes }, nth) => {
    const draw = nth === 0 ? deniedSpike : failed;
    return { ...draw(random, volume), start: start + minutes + 60 };
  });
  const placed = [...windows, ...after];
  const others = [reversal, deniedStep, volumeZero].map((draw) => ({ draw }));
  return { placed: [...placed, ...place(others, context, [scoreFrom, to], placed)] };
}

const eachReport = (shortest: number, longest: number) =>
  each(
    denied('denied-spike', [3, 6], [shortest, longest]),
    denied('denied-hours', [2, 3], [2 * longest, 2 * longest]),
    failures([shortest, longest]),
    reversed([8, 30], [shortest, longest]),
    sales('volume-zero', [0, 0], [shortest, longest]),
  );

const FAILS_ALONE = [
  denied('denied-spike', [3, 6], [15, 40]),
  failures([15, 45]),
  denied('denied-hour', [2, 3.5], [40, 60]),
  sales('volume-zero', [0, 0], [15, 30]),
];

export const SCENARIOS = {
  base: {
    does: 'payment traffic with some thirty incidents of eight kinds in two weeks, blips and doubled volume',
    ...FORTNIGHT,
    happens: (context) => baseHappens(context, 1),
  },
  noise: {
    does: 'the base with all noise doubled',
    ...FORTNIGHT,
    traffic: () => ({ noise: 2 }),
    happens: (context) => baseHappens(context, 1),
  },
  blips: { does: 'the base with blips of two minutes', ...FORTNIGHT, happens: (context) => baseHappens(context, 2) },
  'moving-batch': {
    does: 'the base with the nightly batch up to 15 minutes early or late',
    ...FORTNIGHT,
    traffic: () => ({ batchOff: 15 }),
    happens: (context) => baseHappens(context, 1),
  },
  'low-sundays': {
    does: 'Sundays at 30 to 60 % of the week, with incidents on them',
    ...WEEK,
    traffic: ({ random }) => ({
      weekdays: [between(random, 0.3, 0.6), 1, 0.98, 1, 1.02, 1.08, between(random, 0.6, 0.9)],
    }),
    happens: onLowSundays,
  },
  'pay-days': { does: 'days of 1.4 to 1.9 times the volume', ...WEEK, traffic: payDays, happens: onPayDays },
  growth: {
    does: 'volume grows by 1.5 to 3 % a day',
    ...WEEK,
    traffic: ({ random, from }) => {
      const rate = between(random, 0.015, 0.03);
      return { volumeFactor: (minute) => Math.exp((rate * (minute - from)) / DAY) };
    },
    happens: scored(anyFive),
  },
  'quiet-nights': {
    does: 'none to three transactions a minute by night',
    ...WEEK,
    traffic: ({ random }) => ({ nightFloor: between(random, 0.001, 0.01) }),
    happens: scored(anyFive),
  },
  'sparse-rows': {
    does: 'quiet nights, and what did not happen in a minute has no row',
    ...WEEK,
    volume: 60,
    traffic: ({ random }) => ({ nightFloor: between(random, 0.001, 0.02) }),
    // Sales that stop have no rows, and are no different from a feed that dies.
    happens: scored(fiveOf(USUAL_KINDS.filter((kind) => kind !== volumeZero))),
    reporting: () => sparse,
  },
  'every-5-minutes': {
    does: 'one report every 5 minutes',
    ...WEEK,
    happens: eachReport(20, 60),
    reporting: () => everyMinutes(5),
  },
  'every-15-minutes': {
    does: 'one report every 15 minutes',
    ...WEEK,
    happens: eachReport(45, 120),
    reporting: () => everyMinutes(15),
  },
  'late-outcomes': {
    does: 'what is not approved is counted 3 minutes later',
    ...WEEK,
    happens: each(denied('denied-spike', [3, 6], [10, 20]), deniedStep, failed, reversal, volumeZero),
    reporting: () => lateOutcomes(3),
  },
  flapping: {
    does: 'failures that come for 1 to 3 minutes and go for 2 to 6, for an hour or two, and blips of them',
    ...WEEK,
    happens: scored(() => [...times(5, { draw: flapping }), ...times(3, { draw: failedBlip, hours: ANY_HOUR })]),
  },
  'slow-ramps': {
    does: 'denied that rise for two to four hours',
    ...WEEK,
    happens: scored(() =>
      times(5, { draw: deniedRamp('denied-ramp', [2.5, 4], [120, 240], 45), hours: [7 * 60, 18 * 60] }),
    ),
  },
  'mild-day': { does: 'denied at 1.5 times for a day, then at 1.6 to 1.9 for hours', ...WEEK, happens: mildDay },
  'six-hours-then-another': {
    does: 'an incident of six hours, and another one to four hours later',
    ...WEEK,
    happens: longOnes,
  },
  'same-hour': { does: 'an incident at the same hour on five days running', ...WEEK, happens: sameHour },
  'sales-down': { does: 'sales at 65 to 85 % for two hours', ...WEEK, happens: fewSales },
  resets: {
    does: 'a process that restarts three times a day: its counters begin at 0 and a minute or two is lost',
    ...WEEK,
    happens: withRestarts,
    reporting: ({ gaps }) => withGaps(gaps ?? [], 'restart'),
  },
  backlog: {
    does: 'no reports for 6 to 14 minutes once a day, then all of them in one minute',
    ...WEEK,
    happens: withBacklog,
    reporting: ({ gaps }) => withGaps(gaps ?? [], 'backlog'),
  },
  acquirers: {
    does: 'twelve acquirers of very different size (dimension acquirer); four fail alone, then all at once',
    ...WEEK,
    volume: 1000,
    happens: each(deniedSpike),
    acquirers: 12,
  },
  'first-weekend': {
    does: 'a new installation: four days of history, then its first weekend, which is unlike the days before',
    ...WEEK,
    historyDays: 4,
    traffic: firstWeekend,
    happens: scored(anyFive),
    isHistoryClean: true,
  },
  nights: {
    does: 'denied at 4 to 6 times on few transactions, between four and five at night',
    ...WEEK,
    happens: scored(() => times(5, { draw: nightDenied, hours: BY_NIGHT })),
  },
  'denied-zero': {
    does: 'denied fall to zero: a broken risk check',
    ...WEEK,
    happens: scored(() => times(5, { draw: denied('denied-zero', [0, 0], [20, 60]), hours: [8 * 60, 22 * 60] })),
  },
  refunds: { does: 'refunds at 15 to 25 times', ...WEEK, happens: scored(() => times(5, { draw: refunds })) },
  'double-charging': {
    does: 'approvals alone at 2.5 to 3.5 times',
    ...WEEK,
    happens: scored(() => times(5, { draw: doubleCharging })),
  },
  'lasting-shift': {
    does: 'twice as many denied from one midnight on, for a week',
    ...WEEK,
    happens: ({ random, volume, scoreFrom, to }) => ({
      placed: [{ ...denied('shift', [2, 2], [to - scoreFrom, to - scoreFrom])(random, volume), start: scoreFrom }],
    }),
  },
  'dst-earlier': {
    does: 'a change of daylight saving: traffic an hour earlier (UTC) from the first scored Sunday on',
    ...WEEK,
    start: '2026-03-14T00:00:00Z',
    traffic: clockChange(60),
    happens: scored(anyFive),
  },
  'dst-later': {
    does: 'a change of daylight saving: traffic an hour later (UTC) from the first scored Sunday on',
    ...WEEK,
    start: '2026-10-10T00:00:00Z',
    traffic: clockChange(-60),
    happens: scored(anyFive),
  },
  holidays: {
    does: 'a holiday at 40 % and one at 160 % of usual',
    ...WEEK,
    traffic: holidayVolume,
    happens: onHolidays,
  },
  planned: {
    does: 'everything down for two hours twice, as planned, and an incident an hour after each',
    ...WEEK,
    happens: plannedWindows,
  },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];

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
