import { PassThrough } from 'node:stream';
import type { Context } from 'koa';
import type { z } from 'zod';
import { recentMarks } from '../../alerting/incidents.ts';
import { findBinary } from '../../binaries/binaries.ts';
import { readHistoryCalendar } from '../../calendar/calendar-file.ts';
import { leftInWords, timeLeft } from '../../domain/time-left.ts';
import { isoTime } from '../../domain/times.ts';
import { createPrometheus } from '../../prometheus/client.ts';
import { messageOf } from '../../runtime/log.ts';
import { COMPARED_DAYS, LEARNED_DAYS, NoWhatIf, type Plan, type WhatIf, whatIf } from '../../tune/what-if.ts';
import { Problem } from '../problem.ts';
import { line, type WhatIfAnswer, type WhatIfLine, wanted } from '../what-if-answers.ts';
import { type Route, readBody, type Services } from './route.ts';

/** A week of a large history may be asked for at once. */
const PROMETHEUS_MS = 30_000;
/** It is given up after this time. */
const LONGEST_MS = 60 * 60_000;
/** Progress is told so often, which also shows a proxy that the answer goes on. */
const TELL_MS = 500;

const planOf = ({ from, to, learnedFrom, slices }: Plan) => ({
  from: isoTime(from),
  to: isoTime(to),
  learnedFrom: isoTime(learnedFrom),
  slices,
});
const answerOf = ({ alerts, ...rest }: WhatIf): WhatIfAnswer => ({
  ...rest,
  ...planOf(rest),
  alerts: alerts.map(({ change, alert }) => ({
    change,
    alertname: alert.alertname,
    labels: alert.labels,
    severity: alert.severity,
    startsAt: isoTime(alert.startsAt),
    endsAt: alert.endsAt === null ? null : isoTime(alert.endsAt),
    observed: alert.observed,
    expected: alert.expected,
  })),
});

/** What other sensitivities would have done in the last days, played on the real rules. */
export function whatIfRoutes({ config, ledger, stopping, log }: Services): Route[] {
  const prometheus = createPrometheus(config.prometheusUrl, PROMETHEUS_MS);
  let running: { share: number; since: number } | undefined;

  async function play(factors: z.output<typeof wanted>, tell: (line: WhatIfLine) => void, signal: AbortSignal) {
    const marks = await recentMarks(ledger);
    const calendar = await readHistoryCalendar(config.calendar, config.timezone, marks);
    const since = Date.now();
    let told = 0;
    function onProgress(share: number, what: string): void {
      running = { share, since };
      if (Date.now() - told < TELL_MS) return;
      told = Date.now();
      const left = timeLeft(share, since);
      const secondsLeft = left === undefined ? {} : { secondsLeft: Math.round(left / 1000) };
      tell({ progress: Number(share.toFixed(3)), what, ...secondsLeft });
    }
    const onPlan = (plan: Plan) => tell({ plays: planOf(plan) });
    tell({ result: answerOf(await whatIf({ prometheus, factors, calendar, onPlan, onProgress, signal })) });
  }

  async function ask(ctx: Context): Promise<void> {
    const factors = readBody(ctx, wanted);
    if (running !== undefined) {
      const left = leftInWords(timeLeft(running.share, running.since));
      const percent = `${Math.floor(100 * running.share)} %`;
      throw new Problem(409, `somebody is trying something: ${percent} is done, ${left}. Try again then`);
    }
    running = { share: 0, since: Date.now() };
    try {
      await findBinary('prometheus', { fetch: false });
    } catch (error) {
      running = undefined;
      throw new Problem(409, `this needs a Prometheus of its own beside the service: ${messageOf(error)}`);
    }
    const left = new AbortController();
    ctx.res.once('close', () => left.abort());
    const late = AbortSignal.timeout(LONGEST_MS);
    const signal = AbortSignal.any([left.signal, stopping, late]);
    const body = new PassThrough();
    const tell = (said: WhatIfLine) => body.write(`${JSON.stringify(said)}\n`);
    ctx.type = 'application/x-ndjson';
    ctx.set({ 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' });
    ctx.body = body;
    void play(factors, tell, signal)
      .catch((error: unknown) => {
        if (left.signal.aborted) return;
        if (!(error instanceof NoWhatIf) && !signal.aborted) log('error', `what-if: ${messageOf(error)}`);
        const late = 'given up after an hour: there are too many counts for this machine';
        tell({ error: stopping.aborted ? 'Tillwatch is stopping' : signal.aborted ? late : messageOf(error) });
      })
      .finally(() => {
        running = undefined;
        body.end();
      });
  }

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
      handle: ask,
    },
  ];
}
