import { z } from 'zod';
import { alertPath } from '../../alerting/pipeline-health.ts';
import { renderTotals } from '../../metrics/exposition.ts';
import { Problem } from '../problem.ts';
import type { Route, Services } from './route.ts';

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';
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

/** What operates the service: its metrics, whether it lives, whether it can take reports. */
export function operationRoutes({ ledger, health, baseline, path, stopping }: Services): Route[] {
  return [
    {
      method: 'get',
      path: '/metrics',
      role: 'read',
      operation: {
        summary: 'Counters of the ledger and the health of the service, for Prometheus',
        responses: { 200: { description: 'Prometheus text format', content: text } },
      },
      async handle(ctx) {
        const own = Buffer.from(await health.registry.metrics());
        ctx.body = Buffer.concat([...renderTotals(await ledger.totals(Date.now())), own]);
        ctx.type = TEXT_FORMAT;
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
        const commits = ledger.status();
        if (stopping.aborted) throw new Problem(503, 'tillwatch is stopping: it answers what still comes, then ends');
        if (commits.failing) throw new Problem(503, `the ledger cannot commit: ${commits.reason}`);
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
