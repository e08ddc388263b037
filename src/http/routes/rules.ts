import { basename } from 'node:path';
import type { Context } from 'koa';
import { z } from 'zod';
import { RECORDED, STATUSES, TOTAL, WINDOWS } from '../../domain/names.ts';
import type { Prometheus, RuleGroup } from '../../prometheus/client.ts';
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

const threshold = z
  .object({
    status: z.string(),
    window: z.string(),
    evidence: z.number().nullable().meta({ description: 'What counts now: the window without its busiest minute' }),
    expected: z
      .number()
      .nullable()
      .meta({ description: 'Normal at this time of day and this traffic, in the whole window' }),
    lower: z.number().nullable(),
    upper: z.number().nullable().meta({ description: 'The edge: evidence above it is an anomaly' }),
    pages: z.boolean().meta({
      description: 'Whether an alert reads this window; that of one minute is what a report is compared with',
    }),
  })
  .meta({ id: 'Threshold' });
const FIELDS = {
  evidence: RECORDED.evidence,
  expected: RECORDED.expected,
  lower: RECORDED.lower,
  upper: RECORDED.upper,
} as const;

/** Recorded thresholds of paging at this moment, by status and window, for the total. */
async function thresholdsNow(prometheus: Prometheus): Promise<z.output<typeof threshold>[]> {
  const names = Object.values(FIELDS).join('|');
  const samples = await prometheus.instant(`{__name__=~"${names}", level="${TOTAL}"}`);
  const recorded = (name: string, status: string, window: string) =>
    samples.find(({ labels: l }) => l.__name__ === name && l.status === status && l.window === window)?.value;
  const known = STATUSES.flatMap((status) => WINDOWS.map((window) => ({ status, window })));
  return known.flatMap(({ status, window }) => {
    const values = Object.entries(FIELDS).map(([field, name]): [string, number | null] => {
      const value = recorded(name, status, window);
      return [field, value !== undefined && Number.isFinite(value) ? value : null];
    });
    const { expected, ...rest } = Object.fromEntries(values) as Record<keyof typeof FIELDS, number | null>;
    return expected === null ? [] : [{ status, window, expected, ...rest, pages: window !== '1m' }];
  });
}

async function list(ctx: Context, { prometheus }: Services): Promise<void> {
  const [groups, thresholds] = await Promise.all([prometheus.rules(), thresholdsNow(prometheus)]);
  ctx.body = {
    thresholds,
    groups: groups.map(({ name, file, lastEvaluation, evaluationTime, rules }) => ({
      name,
      // The folder on Prometheus's machine is nobody's business.
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
        summary: 'The rules in force, as Prometheus evaluates them, and the thresholds of this moment',
        responses: {
          200: {
            description: 'Rules by group',
            content: {
              'application/json': { schema: z.object({ thresholds: z.array(threshold), groups: z.array(group) }) },
            },
          },
        },
      },
      handle: (ctx) => list(ctx, services),
    },
  ];
}
