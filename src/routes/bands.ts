import type { Context } from 'koa';
import { z } from 'zod';
import { addressOf, extraLabels } from '../labels.ts';
import { RECORDED, STATUSES, type Status, WINDOWS, type Window } from '../names.ts';
import { Problem } from '../problem.ts';
import type { Range, Sample } from '../prometheus.ts';
import { RECOMMENDATIONS, type Recommendation } from '../recommendation.ts';
import { parseTime } from '../report.ts';
import { type Route, readQuery, type Services } from './route.ts';

const FIELDS = {
  [RECORDED.observed]: 'observed',
  [RECORDED.expected]: 'expected',
  [RECORDED.lower]: 'lower',
  [RECORDED.upper]: 'upper',
  [RECORDED.score]: 'score',
} as const;
type Field = (typeof FIELDS)[keyof typeof FIELDS];
const ANY_FIELD = `__name__=~"${Object.keys(FIELDS).join('|')}"`;

const TRENDS = { '-2': 'falling a lot', '-1': 'falling', '0': 'stable', '1': 'rising', '2': 'rising a lot' } as const;
const MAX_POINTS = 2000;

const band = z.object(
  Object.fromEntries(Object.values(FIELDS).map((field) => [field, z.number().optional()])) as Record<
    Field,
    z.ZodOptional<z.ZodNumber>
  >,
);
const anomaly = z
  .object({
    status: z.enum(STATUSES),
    labels: z.record(z.string(), z.string()),
    lastMinute: band,
    lastMinutes: band.meta({ description: 'The last five minutes' }),
    lastHour: band,
    trend: z.enum(Object.values(TRENDS)).optional(),
    recommendation: z.enum(RECOMMENDATIONS),
    firing: z.array(z.string()).meta({ description: 'Alerts that fire for it' }),
  })
  .meta({ id: 'Anomaly' });
type Anomaly = z.output<typeof anomaly>;

const fieldOf = (labels: Record<string, string>) => FIELDS[labels.__name__ as keyof typeof FIELDS];

const SPAN: Partial<Record<Window, 'lastMinute' | 'lastMinutes' | 'lastHour'>> = {
  '1m': 'lastMinute',
  '5m': 'lastMinutes',
  '1h': 'lastHour',
};

/** The verdict of what is recorded: an alert that fires, a minute beyond its band, or neither. */
function verdict({ firing, lastMinute }: Anomaly): Recommendation {
  const { observed, expected, upper, lower } = lastMinute;
  if (firing.length > 0) return 'alert';
  if (observed === undefined || expected === undefined) return 'unknown';
  return observed > (upper ?? Number.POSITIVE_INFINITY) || observed < (lower ?? 0) ? 'watch' : 'ok';
}

function blank(labels: Record<string, string>): Anomaly {
  const status = labels.status as Status;
  const spans = { lastMinute: {}, lastMinutes: {}, lastHour: {} };
  return { status, labels: extraLabels(labels), ...spans, firing: [], recommendation: 'unknown' };
}

function anomalies(bands: Sample[], trends: Sample[], firing: Sample[]): Anomaly[] {
  const found = new Map<string, Anomaly>();
  for (const { labels, value } of bands) {
    const entry = found.get(addressOf(labels)) ?? blank(labels);
    const span = SPAN[labels.window as Window];
    if (span !== undefined && Number.isFinite(value)) entry[span][fieldOf(labels)] = value;
    found.set(addressOf(labels), entry);
  }
  for (const { labels, value } of trends) {
    const entry = found.get(addressOf(labels));
    const trend = TRENDS[String(value) as keyof typeof TRENDS];
    if (entry !== undefined && trend !== undefined) entry.trend = trend;
  }
  for (const { labels } of firing) found.get(addressOf(labels))?.firing.push(labels.alertname ?? '');
  for (const entry of found.values()) entry.recommendation = verdict(entry);
  const order = (a: Anomaly) => STATUSES.indexOf(a.status);
  return [...found.values()].sort((a, b) => order(a) - order(b));
}

async function listAnomalies(ctx: Context, { prometheus, baseline }: Services): Promise<void> {
  const [bands, trends, firing] = await Promise.all([
    prometheus.instant(`{${ANY_FIELD}, window=~"1m|5m|1h"}`),
    prometheus.instant(RECORDED.trend),
    prometheus.instant('ALERTS{alertstate="firing", status!=""}'),
  ]);
  const { state, reason, asOf } = baseline.current();
  ctx.body = {
    baseline: {
      state,
      ...(asOf !== undefined && { asOf: new Date(asOf).toISOString() }),
      ...(reason !== undefined && { reason }),
    },
    anomalies: anomalies(bands, trends, firing),
  };
}

const time = z
  .string()
  .transform((text) => (/^\d{1,12}$/.test(text) ? Number(text) : parseTime(text) / 1000))
  .refine((seconds) => !Number.isNaN(seconds), 'must be a time such as 2026-11-21T12:31:00Z, or seconds since 1970');

const seriesQuery = z.strictObject({
  status: z.enum(STATUSES, { error: `must be one of ${STATUSES.join(', ')}` }),
  from: time.optional().meta({ type: 'string', description: 'Three hours before `to` when left out' }),
  to: time.optional().meta({ type: 'string', description: 'Now when left out' }),
  window: z.enum(WINDOWS, { error: `must be one of ${WINDOWS.join(', ')}` }).default('1m'),
});

interface Drawn {
  labels: Record<string, string>;
  points: Map<number, Partial<Record<Field, number>>>;
}

function join(ranges: Range[]): { labels: Record<string, string>; points: object[] }[] {
  const found = new Map<string, Drawn>();
  for (const { labels, points } of ranges) {
    const entry = found.get(addressOf(labels)) ?? { labels: extraLabels(labels), points: new Map() };
    for (const [at, value] of points) {
      if (!Number.isFinite(value)) continue;
      const point = entry.points.get(at) ?? {};
      point[fieldOf(labels)] = value;
      entry.points.set(at, point);
    }
    found.set(addressOf(labels), entry);
  }
  return [...found.values()].map(({ labels, points }) => ({
    labels,
    points: [...points].sort(([a], [b]) => a - b).map(([at, point]) => ({ time: iso(at), ...point })),
  }));
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

async function listSeries(ctx: Context, { prometheus }: Services): Promise<void> {
  const query = readQuery(ctx, seriesQuery);
  const to = query.to ?? Math.floor(Date.now() / 1000);
  const from = query.from ?? to - 3 * 3600;
  if (from >= to)
    throw new Problem(422, 'from: must be before to', {
      errors: [{ path: 'from', message: 'must be before to' }],
    });
  const step = Math.max(1, Math.ceil((to - from) / 60 / MAX_POINTS)) * 60;
  const selector = `{${ANY_FIELD}, status="${query.status}", window="${query.window}"}`;
  const ranges = await prometheus.range(selector, from, to, step);
  ctx.body = {
    status: query.status,
    window: query.window,
    from: iso(from),
    to: iso(to),
    step,
    series: join(ranges),
  };
}

const point = band.extend({ time: z.iso.datetime() });
const seriesAnswer = z.object({
  status: z.enum(STATUSES),
  window: z.enum(WINDOWS),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  step: z.int().meta({ description: 'Seconds between points' }),
  series: z.array(z.object({ labels: z.record(z.string(), z.string()), points: z.array(point) })),
});
const anomaliesAnswer = z.object({
  baseline: z.object({ state: z.string(), asOf: z.string().optional(), reason: z.string().optional() }),
  anomalies: z.array(anomaly),
});
const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema } } });

export function bandRoutes(services: Services): Route[] {
  return [
    {
      method: 'get',
      path: '/api/v1/anomalies',
      role: 'read',
      operation: {
        summary: 'Each status against its normal: the last minute, five minutes and hour, its trend, a recommendation',
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
        requestParams: { query: seriesQuery },
        responses: { 200: { description: 'Series', ...json(seriesAnswer) } },
      },
      handle: (ctx) => listSeries(ctx, services),
    },
  ];
}
