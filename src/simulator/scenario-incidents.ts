import type { Random } from '../domain/random.ts';
import {
  blip,
  type Draw,
  denied,
  deniedSpike,
  deniedStep,
  doubleVolume,
  failed,
  failures,
  nightDenied,
  oneHourRamp,
  planned,
  reversal,
  reversed,
  sales,
  volumeDrop,
  volumeZero,
  wholeBetween,
} from './drawn.ts';
import type { Gap } from './reporting.ts';
import {
  ANY_HOUR,
  BY_NIGHT,
  type Context,
  DAY,
  type Labelled,
  labelOf,
  type Placed,
  place,
  type Wanted,
} from './run.ts';
import { daysToSunday, HOLIDAYS, isPayDay } from './scenario-traffic.ts';

export interface Happens {
  placed: Placed[];
  /** Stretches without reports. */
  gaps?: Gap[];
  /** Facts about the days that people should know: holidays, planned windows. */
  notes?: Labelled[];
}

export const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return Array.from({ length: left.length }, () => left.splice(Math.floor(left.length * random()), 1)[0] as T);
}

export const USUAL_KINDS = [deniedSpike, oneHourRamp, deniedStep, failed, reversal, volumeZero, volumeDrop];

/** Five of some kinds of incident, no kind twice. */
export const fiveOf =
  (kinds: readonly Draw[]) =>
  (context: Context): Wanted[] =>
    shuffled(kinds, context.random)
      .slice(0, 5)
      .map((draw) => ({ draw }));

export const anyFive = fiveOf(USUAL_KINDS);

/** Places incidents in the scored days, wherever there is room. */
export const scored = (wanted: (context: Context) => Wanted[]) => (context: Context) => ({
  placed: place(wanted(context), context, [context.scoreFrom, context.to]),
});

export const each = (...draws: Draw[]) => scored(() => draws.map((draw) => ({ draw })));

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
export function baseHappens(context: Context, blipMinutes: number): Happens {
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
export function inHistory(context: Context, blipMinutes: number): Placed[] {
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

export function onHolidays(context: Context): Happens {
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

export function onLowSundays(context: Context): Happens {
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

export function onPayDays(context: Context): Happens {
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
export function longOnes(context: Context): Happens {
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

export function sameHour({ random, volume, scoreFrom }: Context): Happens {
  const draw = denied('denied-hour', [2.5, 4], [30, 60]);
  const hour = wholeBetween(random, 8 * 60, 21 * 60);
  const placed = [1, 2, 3, 4, 5].map((day) => {
    const start = scoreFrom + day * DAY + hour + wholeBetween(random, -10, 10);
    return { ...draw(random, volume), start };
  });
  return { placed };
}

/** Sizes spread over the range, so that no week has only the faint ones. */
export const fewSales = scored(({ random }) =>
  shuffled([0, 1, 2, 3, 4], random).map((nth) => ({
    draw: sales('sales-down', [0.65 + 0.04 * nth, 0.65 + 0.04 * (nth + 1)], [120, 120]),
    hours: [8 * 60, 20 * 60],
  })),
);

export function mildDay(context: Context): Happens {
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
export function withBacklog(context: Context): Happens {
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

export function withRestarts(context: Context): Happens {
  const gaps = placeGaps(context, 3, [1, 2]);
  return { ...scored(anyFive)(context), gaps, notes: gapLabels(gaps) };
}

/** Places two planned windows, and an incident an hour after the end of each. */
export function plannedWindows(context: Context): Happens {
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

export const eachReport = (shortest: number, longest: number) =>
  each(
    denied('denied-spike', [3, 6], [shortest, longest]),
    denied('denied-hours', [2, 3], [2 * longest, 2 * longest]),
    failures([shortest, longest]),
    reversed([8, 30], [shortest, longest]),
    sales('volume-zero', [0, 0], [shortest, longest]),
  );
