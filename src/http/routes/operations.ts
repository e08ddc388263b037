import { Readable } from 'node:stream';
import { z } from 'zod';
import { alertPath } from '../../alerting/pipeline-health.ts';
import type { Config } from '../../config/config.ts';
import { familyOf, renderRegistry, renderTotals } from '../../metrics/exposition.ts';
import { formatFor } from '../../metrics/format.ts';
import { Problem } from '../problem.ts';
import { type Route, readQuery, type Services } from './route.ts';

/** The most names that a scrape may ask for, which is more than there are metrics. */
const MOST_NAMES = 200;
const metricName = z
  .string()
  .regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'must be the name of a metric, such as transactions_total');
const scrapeQuery = z.object({
  'name[]': z
    .union([metricName.transform((name) => [name]), z.array(metricName).max(MOST_NAMES)])
    .optional()
    .meta({ description: 'Only these metrics. What is not there is left out.' }),
});
const readiness = z.object({
  status: z.enum(['ready']),
  ledger: z.literal('open'),
  baseline: z
    .enum(['ready', 'warming-up', 'unavailable'])
    .meta({ description: 'unavailable: Prometheus is not reached' }),
  prometheus: z.enum(['answers', 'does not answer']),
  reason: z.string().optional(),
  path: alertPath,
});
const text = { 'text/plain': { schema: z.string() } };
const exposition = { ...text, 'application/openmetrics-text': { schema: z.string() } };

/** The settings that decide what becomes of a report, as flags. */
function sharedSettings({ dimensions, lateness, keep, maxSeries, maxSources, maxCount }: Config): string {
  const flags = {
    dimensions: [...dimensions].sort().join(','),
    lateness: `${lateness}s`,
    keep: `${keep}s`,
    'max-series': maxSeries,
    'max-sources': maxSources,
    'max-count': maxCount,
  };
  return Object.entries(flags)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ');
}

/** Routes to operate the service: its metrics, whether it lives, whether it can take reports. */
export function operationRoutes({ config, ledger, health, baseline, path, stopping }: Services): Route[] {
  const settings = sharedSettings(config);
  return [
    {
      method: 'get',
      path: '/metrics',
      role: 'read',
      operation: {
        summary: 'Counters of the ledger and the health of the service, for Prometheus',
        description: 'As text or OpenMetrics, whichever `Accept` prefers. `?name[]=` leaves only those metrics.',
        requestParams: { query: scrapeQuery },
        responses: {
          200: { description: 'Prometheus text format, or OpenMetrics where Accept asks for it', content: exposition },
        },
      },
      async handle(ctx) {
        const { 'name[]': names } = readQuery(ctx, scrapeQuery);
        const wanted = (name: string) => names === undefined || names.includes(name) || names.includes(familyOf(name));
        const format = formatFor(ctx.get('Accept'));
        const own = await renderRegistry(health.registry, format, wanted);
        const totals = renderTotals(await ledger.totals(Date.now()), settings, format, wanted);
        const parts = [...totals, Buffer.from(format.openMetrics ? `${own}# EOF\n` : own)];
        ctx.vary('Accept');
        // Memory for a copy of all parts would cost more time than all the rest.
        ctx.body = Readable.from(parts);
        ctx.length = parts.reduce((sum, { length }) => sum + length, 0);
        ctx.type = format.contentType;
      },
    },
    {
      method: 'get',
      path: '/-/healthy',
      light: true,
      operation: {
        summary: 'The process answers',
        responses: { 200: { description: 'It does', content: text } },
      },
      handle(ctx) {
        ctx.body = 'healthy\n';
      },
    },
    {
      method: 'get',
      path: '/-/ready',
      light: true,
      operation: {
        summary: 'Reports can be taken; says whether alerts would arrive, step by step',
        responses: { 200: { description: 'Ready', content: { 'application/json': { schema: readiness } } } },
      },
      handle(ctx) {
        const failure = ledger.failure();
        if (stopping.aborted) throw new Problem(503, 'tillwatch is stopping: it answers what still comes, then ends');
        if (failure !== undefined) throw new Problem(503, `the ledger cannot commit: ${failure}`);
        const { state, reason } = baseline.current();
        ctx.body = {
          status: 'ready',
          ledger: 'open',
          baseline: state,
          prometheus: state === 'unavailable' ? 'does not answer' : 'answers',
          ...(reason !== undefined && { reason }),
          path: path.current(),
        };
      },
    },
  ];
}
