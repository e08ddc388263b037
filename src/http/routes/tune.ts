import { marksOf, recentIncidents } from '../../alerting/incidents.ts';
import type { Score } from '../../backtest/score.ts';
import { readHistoryCalendar } from '../../calendar/calendar-file.ts';
import { createPrometheus } from '../../prometheus/client.ts';
import { LEARNED_DAYS } from '../../tune/played.ts';
import { patchCommand } from '../../tune/tunables-file.ts';
import { FEWEST_MARKS, MARKED_DAYS, type Tuned, type TunePlan, tuneByMarks } from '../../tune/tune-by-marks.ts';
import { type LongWork, PROMETHEUS_MS } from '../long-work.ts';
import { comparedAlerts, planTimes } from '../played-answer.ts';
import { type TuneAnswer, type TuneLine, tuneLine } from '../tune-answers.ts';
import type { Route, Services } from './route.ts';

const planOf = (plan: TunePlan) => ({
  ...planTimes(plan),
  slices: plan.slices,
  searched: plan.searched,
  marks: plan.marks,
});

const scoreOf = ({ incidents, detected, falseAlarms, delayMinutes }: Score) => ({
  incidents,
  detected,
  falseAlarms,
  delayMinutes: delayMinutes.median,
});

function answerOf({ proposal, trials, before, summed, ...plan }: Tuned): TuneAnswer {
  return {
    ...planOf(plan),
    ...(summed !== undefined && { summed }),
    trials,
    before: scoreOf(before),
    ...(proposal !== undefined && {
      proposal: {
        after: scoreOf(proposal.after),
        tunables: proposal.tunables,
        alerts: comparedAlerts(proposal.alerts),
        ...(proposal.change !== undefined && {
          change: { ...proposal.change, command: patchCommand(proposal.change.path) },
        }),
      },
    }),
  };
}

/** A proposed change of the sensitivities, by what people marked. */
export function tuneRoutes({ config, ledger }: Services, atLength: LongWork): Route[] {
  const prometheus = createPrometheus(config.prometheusUrl, PROMETHEUS_MS);
  return [
    {
      method: 'post',
      path: '/api/v1/tune',
      role: 'operate',
      operation: {
        summary: 'A proposed change of the sensitivities, by what people marked',
        description:
          `The rules in force are played on what Prometheus has recorded since the first mark of the last ${MARKED_DAYS} days, and of the ${LEARNED_DAYS} days before to learn from: ` +
          'as they are, and with wider and narrower bands. It takes one core for minutes, with many slices for longer, one at a time with `/api/v1/what-if`, and ends when its reader leaves. ' +
          `It needs ${FEWEST_MARKS} marked alerts, a real incident among them. ` +
          'The answer is a line of JSON for each step: what is played, progress, and at last the result or an error. Nothing is changed: the result holds a diff.',
        responses: {
          200: { description: 'Progress, then the result', content: { 'application/x-ndjson': { schema: tuneLine } } },
          409: { description: 'Another is under way, or there is no Prometheus beside the service' },
        },
      },
      handle: (ctx) =>
        atLength<TuneLine>(ctx, 'tune', async ({ tell, onProgress, signal }) => {
          const incidents = await recentIncidents(ledger);
          const calendar = await readHistoryCalendar(config.calendar, config.timezone, marksOf(incidents));
          const onPlan = (plan: TunePlan) => tell({ plays: planOf(plan) });
          tell({
            result: answerOf(await tuneByMarks({ prometheus, incidents, calendar, onPlan, onProgress, signal })),
          });
        }),
    },
  ];
}
