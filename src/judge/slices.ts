import { z } from 'zod';
import { extraLabels } from '../domain/labels.ts';
import { RECORDED, SLICE_RECORDED, type Status, TOTAL, TUNABLE, type Window } from '../domain/names.ts';
import type { Prometheus, Sample } from '../prometheus/client.ts';

export const JUDGED_BY = ['minutes', 'hour', 'no'] as const;
const judgedBy = z.enum(JUDGED_BY);

const counted = {
  observed: z.number(),
  expected: z.number().nullable().meta({ description: 'null where no normal is known' }),
  excess: z.number().nullable().meta({
    description: 'What is beyond normal: observed less expected; for approved, expected less observed',
  }),
};
export const rankedSlice = z
  .object({
    level: z.string(),
    labels: z.record(z.string(), z.string()),
    ...counted,
    share: z.number().nullable().meta({
      description:
        "Of the total's excess, 0 to 1 and beyond; null where the total has none, or where the slices of a level add up to more than it",
    }),
    score: z.number().nullable().meta({ description: 'Standard deviations from expected, where it is recorded' }),
    judged: judgedBy.meta({ description: 'Minute by minute, by its last hour every five minutes, or not at all' }),
    reason: z.string().meta({ description: 'Why it is judged so' }),
  })
  .meta({ id: 'RankedSlice' });
export type RankedSlice = z.output<typeof rankedSlice>;

export const ranking = z
  .object({
    total: z.object(counted),
    levels: z.array(
      z.object({
        level: z.string(),
        slices: z.int(),
        says: z.string().meta({ description: 'What carries the excess, in words' }),
      }),
    ),
    slices: z.array(rankedSlice).meta({ description: 'The largest part of the excess first' }),
  })
  .meta({ id: 'SliceRanking' });
export type Ranking = z.output<typeof ranking>;

const MINUTES: Record<Window, number> = { '1m': 1, '2m': 2, '5m': 5, '15m': 15, '1h': 60 };
/**
 * A slice carries an excess if it has so much more of it than of what is normal, as a share of the
 * total.
 */
const CARRIES = 0.25;
/**
 * Shares of one level that add up to more than this are wrong, as after a gap in the counts: then
 * the normals of slices are not of the same minutes as the total's. Estimates differ by less.
 */
const WHOLE = 1.05;

type Values = Map<string, number>;
const keyOf = (labels: Sample['labels']): string => JSON.stringify(extraLabels(labels));
const valuesOf = (samples: readonly Sample[]): Values =>
  new Map(samples.filter(({ value }) => Number.isFinite(value)).map(({ labels, value }) => [keyOf(labels), value]));

interface Limits {
  minutes: number;
  hour: number;
}

function judgement(level: string, busiest: number | undefined, { minutes, hour }: Limits) {
  if (level === TOTAL) return { judged: 'minutes', reason: 'the total is always judged minute by minute' } as const;
  if (busiest === undefined) return { judged: 'no', reason: 'it has no quarter of an hour of counts yet' } as const;
  const had = `${Number(busiest.toPrecision(2))} approved a minute in the busiest hour of its last seven days`;
  if (busiest >= minutes) return { judged: 'minutes', reason: had } as const;
  if (busiest >= hour) return { judged: 'hour', reason: `${had}; minutes need ${minutes}` } as const;
  return { judged: 'no', reason: `${had}; its last hour needs ${hour}` } as const;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

interface Level {
  level: string;
  own: RankedSlice[];
  addsUp: boolean;
}

/** The slices of each level, without shares where they cannot be right. */
function byLevel(slices: readonly RankedSlice[]): Level[] {
  return [...new Set(slices.map(({ level }) => level))].sort().map((level) => {
    const own = slices.filter((slice) => slice.level === level);
    const addsUp = own.reduce((sum, { share }) => sum + (share ?? 0), 0) <= WHOLE;
    return { level, own: addsUp ? own : own.map((slice) => ({ ...slice, share: null })), addsUp };
  });
}

/** "acquirer acme carries 84 % of it", or that no slice stands out. */
function inWords({ level, own, addsUp }: Level, total: { expected: number | null }): string {
  const known = own.filter(({ share, expected }) => share !== null && expected !== null);
  if (!addsUp) return 'its slices are together further beyond normal than the total, so their shares are not known';
  if (known.length === 0) return 'nothing is beyond normal at the total, or no normal is known';
  const carrying = known.filter(
    ({ share, expected }) => (share ?? 0) - (expected ?? 0) / (total.expected || Number.POSITIVE_INFINITY) > CARRIES,
  );
  if (carrying.length === 0) return `no ${level.replaceAll('_', ' ')} stands out`;
  return carrying
    .slice(0, 3)
    .map(
      ({ labels, share }) =>
        `${level.replaceAll('_', ' ')} ${Object.values(labels).join(', ')} carries ${percent(share ?? 0)} of it`,
    )
    .join('; ');
}

/**
 * The largest excess first, unknown ones last; among equals the one with more transactions, then by
 * name.
 */
function byExcess(a: RankedSlice, b: RankedSlice): number {
  const [x, y] = [a, b].map(({ excess }) => excess ?? Number.NEGATIVE_INFINITY) as [number, number];
  if (x !== y) return y - x;
  return b.observed - a.observed || (keyOf(a.labels) < keyOf(b.labels) ? -1 : 1);
}

/** Ranks slices by their part of what is beyond normal at the total. @throws PrometheusError */
export async function rankSlices(prometheus: Prometheus, status: Status, window: Window): Promise<Ranking> {
  const matchers = `status="${status}",window="${window}"`;
  const range = window === '1h' ? '59m59s' : window === '1m' ? '59s' : `${MINUTES[window] - 1}m59s`;
  const [counts, expected, byHour, scores, busiest, tunables] = await Promise.all(
    [
      `sum without (auth_code) (sum_over_time(${RECORDED.levels}{status="${status}"}[${range}]))`,
      `${RECORDED.expected}{${matchers}}`,
      `${SLICE_RECORDED.expected}{status="${status}"} * ${MINUTES[window] / 60}`,
      `${RECORDED.score}{${matchers}}`,
      `last_over_time(${SLICE_RECORDED.busiest}[10m])`,
      `{__name__=~"${TUNABLE.judgedByMinutes}|${TUNABLE.judgedByHour}"}`,
    ].map((query) => prometheus.instant(query)),
  );
  const normal = new Map([...valuesOf(byHour ?? []), ...valuesOf(expected ?? [])]);
  const score = valuesOf(scores ?? []);
  const size = valuesOf(busiest ?? []);
  const tunable = (name: string) => tunables?.find(({ labels }) => labels.__name__ === name)?.value ?? Number.NaN;
  const limits = { minutes: tunable(TUNABLE.judgedByMinutes), hour: tunable(TUNABLE.judgedByHour) };
  const beyond = (observed: number, usual: number) => (status === 'approved' ? usual - observed : observed - usual);
  const found = (counts ?? []).map(({ labels, value: observed }) => {
    const key = keyOf(labels);
    const usual = normal.get(key) ?? null;
    const level = labels.level ?? TOTAL;
    return {
      level,
      labels: extraLabels(labels),
      observed,
      expected: usual,
      excess: usual === null ? null : beyond(observed, usual),
      share: null as number | null,
      score: score.get(key) ?? null,
      ...judgement(level, size.get(key), limits),
    };
  });
  const whole = found.find(({ level }) => level === TOTAL);
  const { observed = 0, expected: usual = null, excess = null } = whole ?? {};
  const levels = byLevel(
    found
      .filter(({ level }) => level !== TOTAL)
      .map((slice) => ({
        ...slice,
        share: slice.excess === null || !excess || excess < 0 ? null : slice.excess / excess,
      }))
      .sort(byExcess),
  );
  return {
    total: { observed, expected: usual, excess },
    levels: levels.map((one) => ({
      level: one.level,
      slices: one.own.length,
      says: inWords(one, { expected: usual }),
    })),
    slices: levels.flatMap(({ own }) => own).sort(byExcess),
  };
}
