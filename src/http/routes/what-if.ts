import { recentMarks } from '../../alerting/incidents.ts';
import { readHistoryCalendar } from '../../calendar/calendar-file.ts';
import { createPrometheus } from '../../prometheus/client.ts';
import { LEARNED_DAYS, type Plan } from '../../tune/played.ts';
import { COMPARED_DAYS, whatIf } from '../../tune/what-if.ts';
import { type LongWork, PROMETHEUS_MS } from '../long-work.ts';
import { comparedAlerts, planTimes } from '../played-answer.ts';
import { line, type WhatIfLine, wanted } from '../what-if-answers.ts';
import { type Route, readBody, type Services } from './route.ts';

const planOf = (plan: Plan) => ({ ...planTimes(plan), slices: plan.slices });

/** What other sensitivities would have done in the last days, played on the real rules. */
export function whatIfRoutes({ config, ledger }: Services, atLength: LongWork): Route[] {
  const prometheus = createPrometheus(config.prometheusUrl, PROMETHEUS_MS);
  return [
    {
      method: 'post',
      path: '/api/v1/what-if',
      role: 'operate',
      accepts: ['application/json'],
      operation: {
        summary: 'Which alerts of the last days other sensitivities would have spared, or brought',
        description:
          `The rules in force are played twice, as they are and changed, on what Prometheus has recorded of the last ${COMPARED_DAYS + LEARNED_DAYS} days; ` +
          `alerts of the last ${COMPARED_DAYS} are compared. It takes one core for some minutes, one at a time, and ends when its reader leaves. ` +
          'The answer is a line of JSON for each step: what is played, progress, and at last the result or an error. Nothing is changed.',
        requestBody: { required: true, content: { 'application/json': { schema: wanted } } },
        responses: {
          200: { description: 'Progress, then the result', content: { 'application/x-ndjson': { schema: line } } },
          409: { description: 'Another is under way, or there is no Prometheus beside the service' },
        },
      },
      handle(ctx) {
        const factors = readBody(ctx, wanted);
        return atLength<WhatIfLine>(ctx, 'what-if', async ({ tell, onProgress, signal }) => {
          const marks = await recentMarks(ledger);
          const calendar = await readHistoryCalendar(config.calendar, config.timezone, marks);
          const onPlan = (plan: Plan) => tell({ plays: planOf(plan) });
          const { alerts, ...rest } = await whatIf({ prometheus, factors, calendar, onPlan, onProgress, signal });
          tell({ result: { ...rest, ...planOf(rest), alerts: comparedAlerts(alerts) } });
        });
      },
    },
  ];
}
