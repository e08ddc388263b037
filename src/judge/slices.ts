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
        "Of the total's excess, or of that of all slices of the level where it is more; 0 to 1 and beyond; null where the total has none",
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

/**
 * The slices of a level with their shares of the total's excess. Where together they have more of it
 * than the total, as when their normals are of other minutes after a gap, of their own.
 */
function withShares(slices: readonly RankedSlice[], excess: number | null): RankedSlice[] {
  if (excess === null || excess <= 0) return [...slices];
  const all = Math.max(
    excess,
    slices.reduce((sum, slice) => sum + (slice.excess ?? 0), 0),
  );
  return slices.map((slice) => ({ ...slice, share: slice.excess === null ? null : slice.excess / all }));
}

/** "acquirer acme carries 84 % of it", or that no slice stands out. */
function inWords(level: string, slices: readonly RankedSlice[], total: { expected: number | null }): string {
  const known = slices.filter(({ share, expected }) => share !== null && expected !== null);
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
  const slices = found.filter(({ level }) => level !== TOTAL).sort(byExcess);
  const levels = [...new Set(slices.map(({ level }) => level))].sort().map((level) => {
    const own = withShares(
      slices.filter((slice) => slice.level === level),
      excess,
    );
    return { level, own, says: inWords(level, own, { expected: usual }) };
  });
  return {
    total: { observed, expected: usual, excess },
    levels: levels.map(({ level, own, says }) => ({ level, slices: own.length, says })),
    slices: levels.flatMap(({ own }) => own).sort(byExcess),
  };
}
