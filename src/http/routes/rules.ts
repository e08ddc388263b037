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
    evidence: z.number().nullable().meta({
      description:
        'What counts now: the window without its busiest minute; of sales, with a usual minute in place of its worst',
    }),
    expected: z.number().nullable().meta({ description: 'What is normal of it at this time of day and this traffic' }),
    lower: z.number().nullable().meta({ description: 'The edge of sales: evidence below it is an anomaly' }),
    upper: z.number().nullable().meta({ description: 'The edge of the others: evidence above it is an anomaly' }),
    pages: z.boolean().meta({
      description: 'Whether an alert reads this window; that of one minute is what a report is compared with',
    }),
  })
  .meta({ id: 'Threshold' });
const NAMES = [RECORDED.evidence, RECORDED.expected, RECORDED.lower, RECORDED.upper].join('|');

/** Recorded thresholds of paging at this moment, by status and window, for the total. */
async function thresholdsNow(prometheus: Prometheus): Promise<z.output<typeof threshold>[]> {
  const [samples, shares] = await Promise.all([
    prometheus.instant(`{__name__=~"${NAMES}", level="${TOTAL}"}`),
    prometheus.instant(`last_over_time(${RECORDED.evidenceShare}[1h])`),
  ]);
  const known = STATUSES.flatMap((status) => WINDOWS.map((window) => ({ status, window })));
  return known.flatMap(({ status, window }) => {
    const recorded = (name: string) => {
      const value = samples.find(
        ({ labels: l }) => l.__name__ === name && l.status === status && l.window === window,
      )?.value;
      return value !== undefined && Number.isFinite(value) ? value : null;
    };
    const expected = recorded(RECORDED.expected);
    const isSales = status === 'approved';
    // A usual minute stands for the worst one in sales, so that all of the window counts.
    const share = isSales ? 1 : shares.find(({ labels }) => labels.window === window)?.value;
    if (expected === null || share === undefined) return [];
    return [
      {
        status,
        window,
        evidence: recorded(RECORDED.evidence),
        expected: expected * share,
        lower: isSales ? recorded(RECORDED.lower) : null,
        upper: isSales ? null : recorded(RECORDED.upper),
        pages: window !== '1m',
      },
    ];
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
        description: 'By group and file. `thresholds` are those of the total, by status and window.',
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
