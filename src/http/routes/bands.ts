import type { Context } from 'koa';
import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { addressOf, extraLabels } from '../../domain/labels.ts';
import { STATUSES, WINDOWS } from '../../domain/names.ts';
import { isoTime, parseTime } from '../../domain/times.ts';
import {
  AGE,
  ANY_FIELD,
  anomaly,
  band,
  definitions,
  type Field,
  fieldOf,
  readAnomalies,
} from '../../judge/anomalies.ts';
import { describeBaseline, describedBaseline } from '../../judge/baseline.ts';
import { readUnreported, SLOW, SPREAD } from '../../judge/unreported.ts';
import type { Range } from '../../prometheus/client.ts';
import { Problem } from '../problem.ts';
import { type Asking, listSelected, prometheusAnswer, SELECTED_PARAMETERS, selectsSeries } from './promql.ts';
import { dimensionParameters, type Route, readQuery, type Services } from './route.ts';

/** A week of reports every five minutes. */
const MAX_POINTS = 2016;
/** Planned windows are listed of the last year at most, seconds. */
const LONGEST_PLANNED = 366 * 86_400;

async function listAnomalies(ctx: Context, { prometheus, baseline }: Services): Promise<void> {
  const { anomalies, definitions, learning } = await readAnomalies(prometheus);
  ctx.body = { baseline: { ...describeBaseline(baseline.current()), learning }, definitions, anomalies };
}

const time = z
  .string()
  .transform((text) => (/^\d{1,12}$/.test(text) ? Number(text) : parseTime(text) / 1000))
  .refine((seconds) => !Number.isNaN(seconds), 'must be a time such as 2026-11-21T12:31:00Z, or seconds since 1970');

const seriesQuery = (config: Config) =>
  z.strictObject({
    ...dimensionParameters(config, 'any'),
    level: z
      .string({ error: 'must be given once' })
      .max(200)
      .optional()
      .meta({ description: 'Only this level, such as total' }),
    status: z.enum(STATUSES, { error: `must be one of ${STATUSES.join(', ')}` }),
    from: time.optional().meta({ type: 'string', description: 'Three hours before `to` when left out' }),
    to: time.optional().meta({ type: 'string', description: 'Now when left out' }),
    window: z.enum(WINDOWS, { error: `must be one of ${WINDOWS.join(', ')}` }).default('1m'),
  });

interface Drawn {
  labels: Record<string, string>;
  points: Map<number, Partial<Record<Field, number>>>;
}

/** Older points only repeat what was before them: the rules record once a minute, and take a moment. */
const OLDEST_S = 90;

/** @param isLeftOut tells the times at which nothing was counted */
function join(
  ranges: Range[],
  isLeftOut: (at: number) => boolean,
): { labels: Record<string, string>; points: object[] }[] {
  const found = new Map<string, Drawn>();
  for (const { labels, points } of ranges) {
    const entry = found.get(addressOf(labels)) ?? { labels: extraLabels(labels), points: new Map() };
    for (const [at, value] of points) {
      if (!Number.isFinite(value) || isLeftOut(at)) continue;
      const point = entry.points.get(at) ?? {};
      point[fieldOf(labels)] = value;
      entry.points.set(at, point);
    }
    found.set(addressOf(labels), entry);
  }
  return [...found.values()].map(({ labels, points }) => ({
    labels,
    points: [...points].sort(([a], [b]) => a - b).map(([at, point]) => ({ time: isoTime(at), ...point })),
  }));
}

/** Planned windows of all traffic, and of the slice that is asked for. */
function plannedIn({ calendar }: Services, from: number, to: number, labels: Readonly<Record<string, unknown>>) {
  return calendar.between(Math.floor(from / 60), Math.ceil(to / 60)).flatMap(({ kind, name, slice, start, end }) => {
    const isOf = slice === undefined || labels[slice.label] === slice.value;
    return kind === 'planned' && isOf ? [{ name, from: isoTime(start * 60), to: isoTime(end * 60) }] : [];
  });
}

async function listSeries(ctx: Context, services: Services): Promise<void> {
  const { status, from: since, to: until, window, ...equal } = readQuery(ctx, seriesQuery(services.config));
  const to = until ?? Math.floor(Date.now() / 1000);
  const from = since ?? to - 3 * 3600;
  if (from >= to)
    throw new Problem(422, 'from: must be before to', {
      errors: [{ path: 'from', message: 'must be before to' }],
    });
  const { prometheus } = services;
  const isByMinute = window === '1m';
  const [slow] = isByMinute ? await prometheus.instant(SLOW) : [];
  const reportMinutes = slow?.value ?? 1;
  const step = Math.max(1, Math.ceil((to - from) / 60 / reportMinutes / MAX_POINTS)) * 60;
  const equals = (values: object) =>
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : `${name}=${JSON.stringify(value)}`));
  const selector = `{${[ANY_FIELD, ...equals({ status, window, ...equal })].join(', ')}}`;
  const [ranges, spread, [ages], unreported] = await Promise.all([
    prometheus.range(selector, from, to, step),
    isByMinute ? prometheus.range(SPREAD(`{${equals({ status, ...equal })}}`), from, to, step) : [],
    prometheus.range(AGE, from, to, step),
    isByMinute ? readUnreported(prometheus, from, to, step) : new Set<number>(),
  ]);
  const repeated = new Set(ages?.points.flatMap(([at, age]) => (age > OLDEST_S ? [at] : [])));
  ctx.body = {
    status,
    window,
    query: selector,
    from: isoTime(from),
    to: isoTime(to),
    step,
    reportMinutes,
    planned: plannedIn(services, Math.max(from, to - LONGEST_PLANNED), to, equal),
    series: join([...ranges, ...spread], (at) => repeated.has(at) || unreported.has(at)),
  };
}

const point = band.extend({ time: z.iso.datetime() });
const seriesAnswer = z.object({
  status: z.enum(STATUSES),
  window: z.enum(WINDOWS),
  query: z.string().meta({ description: 'The PromQL behind it, for /explore' }),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  step: z.int().meta({ description: 'Seconds between points' }),
  reportMinutes: z.number().meta({ description: 'Minutes that a report of the slowest feed covers' }),
  planned: z
    .array(z.object({ name: z.string(), from: z.iso.datetime(), to: z.iso.datetime() }))
    .meta({ description: 'Windows of the calendar in which nothing is judged' }),
  series: z
    .array(z.object({ labels: z.record(z.string(), z.string()), points: z.array(point) }))
    .meta({ description: 'A minute that nobody reported, or that was not recorded, has no point' }),
});
const anomaliesAnswer = z.object({
  baseline: describedBaseline,
  definitions,
  anomalies: z.array(anomaly),
});
const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });

export function bandRoutes(services: Services, ask: Asking): Route[] {
  return [
    {
      method: 'get',
      path: '/api/v1/anomalies',
      role: 'read',
      operation: {
        summary: 'Each status against its normal: the last minute, five minutes and hour, its trend, a recommendation',
        description:
          'By total and by slice. `observed`, `expected` and the edges of the band are counts of that time; what is not known is left out.',
        responses: { 200: { description: 'Anomalies', ...json(anomaliesAnswer) } },
      },
      handle: (ctx) => listAnomalies(ctx, services),
    },
    {
      method: 'get',
      path: '/api/v1/series',
      role: 'read',
      operation: {
        summary: 'Observed, expected and bounds of a status over time',
        description:
          "With `match[]` in the place of `status` it is Prometheus's own list of series: label sets that a selector selects.",
        requestParams: { query: seriesQuery(services.config).partial({ status: true }).extend(SELECTED_PARAMETERS) },
        responses: { 200: { description: 'Series', ...json(z.union([seriesAnswer, prometheusAnswer])) } },
      },
      handle: (ctx) => (selectsSeries(ctx) ? listSelected(ctx, ask) : listSeries(ctx, services)),
    },
  ];
}
