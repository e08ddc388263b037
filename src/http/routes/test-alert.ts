import type { Context } from 'koa';
import { z } from 'zod';
import { createAlertmanager } from '../../alerting/alertmanager.ts';
import { NoTest, outcome, sendTest } from '../../alerting/test-alert.ts';
import { Problem } from '../problem.ts';
import { type Route, readBody, type Services } from './route.ts';

const wanted = z
  .strictObject({
    receiver: z
      .string({ error: 'must be text' })
      .min(1, 'must not be empty')
      .max(200, 'must not be longer than 200 characters')
      .optional()
      .meta({
        description:
          'Only this receiver, as alertmanager.yml names it; all that a critical alert reaches when left out',
      }),
  })
  .meta({ id: 'TestAlert', example: { receiver: 'journal' } });

const answer = z.object({
  alert: z.object({ labels: z.record(z.string(), z.string()), annotations: z.record(z.string(), z.string()) }),
  outcomes: z.array(outcome),
});

/** A test of the way that an alert takes to people. */
export function testAlertRoutes({ config, prometheus, ledger, stopping }: Services): Route[] {
  const alertmanager = createAlertmanager(config.alertmanagerUrl);
  let running = false;
  async function test(ctx: Context): Promise<void> {
    const { receiver } = readBody(ctx, wanted);
    if (running) throw new Problem(409, 'a test is under way; it takes less than a minute');
    running = true;
    try {
      const { alert, outcomes } = await sendTest(
        { receiver, page: `${ctx.protocol}://${ctx.host}/` },
        { alertmanager, prometheus, ledger },
        stopping,
      );
      ctx.body = { alert: { labels: alert.labels, annotations: alert.annotations }, outcomes };
    } catch (error) {
      if (error instanceof NoTest) throw new Problem(409, error.message);
      throw error;
    } finally {
      running = false;
    }
  }
  return [
    {
      method: 'post',
      path: '/api/v1/test-alert',
      role: 'operate',
      accepts: ['application/json'],
      operation: {
        summary: 'Send a test message through Alertmanager, and say what became of it at each receiver',
        description:
          'A real alert with real numbers, marked as a test; it ends as soon as its fate is known. Takes up to 40 s. How messages fare is counted by ' +
          'kind of receiver, so that another message of the same kind in these seconds counts as well.',
        requestBody: { required: true, content: { 'application/json': { schema: wanted } } },
        responses: {
          200: { description: 'What became of it', content: { 'application/json': { schema: answer } } },
          409: { description: 'A test is under way, or none reaches the receiver' },
        },
      },
      handle: test,
    },
  ];
}
