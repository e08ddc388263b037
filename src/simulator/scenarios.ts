import {
  between,
  denied,
  deniedRamp,
  deniedSpike,
  deniedStep,
  doubleCharging,
  failed,
  failedBlip,
  flapping,
  nightDenied,
  refunds,
  reversal,
  volumeZero,
} from './drawn.ts';
import type { ModelOptions } from './model.ts';
import { everyMinutes, lateOutcomes, type Reporting, sparse, withGaps } from './reporting.ts';
import { ANY_HOUR, BY_NIGHT, type Context, DAY } from './run.ts';
import {
  anyFive,
  baseHappens,
  each,
  eachReport,
  fewSales,
  fiveOf,
  type Happens,
  longOnes,
  mildDay,
  onHolidays,
  onLowSundays,
  onPayDays,
  plannedWindows,
  sameHour,
  scored,
  times,
  USUAL_KINDS,
  withBacklog,
  withRestarts,
} from './scenario-incidents.ts';
import { clockChange, firstWeekend, holidayVolume, payDays } from './scenario-traffic.ts';

export interface Scenario {
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
