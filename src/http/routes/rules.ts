import { basename } from 'node:path';
import type { Context } from 'koa';
import { z } from 'zod';
import type { RuleGroup } from '../../prometheus/client.ts';
import type { Route, Services } from './route.ts';

const text = z.record(z.string(), z.string());
const rule = z
  .object({
    name: z.string(),
    type: z.enum(['recording', 'alerting']),
    query: z.string().meta({ description: 'PromQL' }),
    for: z.number().optional().meta({ description: 'Seconds that it must hold before the alert fires' }),
    keepFiringFor: z.number().optional().meta({ description: 'Seconds that the alert outlasts it' }),
    health: z.string().meta({ description: 'ok, err, or unknown before the first evaluation' }),
    lastError: z.string().optional(),
    labels: text,
    annotations: text,
  })
  .meta({ id: 'Rule' });
const group = z
  .object({
    name: z.string(),
    file: z.string(),
    evaluatedAt: z.string(),
    seconds: z.number().meta({ description: 'What the last evaluation took' }),
    rules: z.array(rule),
  })
  .meta({ id: 'RuleGroup' });

function ruleOf({ name, type, query, health, lastError, labels, annotations, ...timing }: RuleGroup['rules'][number]) {
  const alerting = type === 'alerting';
  return {
    name,
    type,
    query,
    ...(alerting && { for: timing.duration ?? 0, keepFiringFor: timing.keepFiringFor ?? 0 }),
    health,
    ...(lastError !== undefined && lastError !== '' && { lastError }),
    labels,
    annotations,
  };
}

async function list(ctx: Context, { prometheus }: Services): Promise<void> {
  const groups = await prometheus.rules();
  ctx.body = {
    groups: groups.map(({ name, file, lastEvaluation, evaluationTime, rules }) => ({
      name,
      // Where it lies on Prometheus' machine is nobody's business.
      file: basename(file),
      evaluatedAt: lastEvaluation,
      seconds: evaluationTime,
      rules: rules.map(ruleOf),
    })),
  };
}

export function ruleRoutes(services: Services): Route[] {
  return [
    {
      method: 'get',
      path: '/api/v1/rules',
      role: 'read',
      operation: {
        summary: 'The rules in force, as Prometheus evaluates them',
        responses: {
          200: {
            description: 'Rules by group',
            content: { 'application/json': { schema: z.object({ groups: z.array(group) }) } },
          },
        },
      },
      handle: (ctx) => list(ctx, services),
    },
  ];
}
