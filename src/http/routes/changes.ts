import type { Context } from 'koa';
import { z } from 'zod';
import { isoOfMs, parseTime } from '../../domain/times.ts';
import type { Change } from '../../ledger/ledger.ts';
import { type Route, readBody, readQuery, type Services } from './route.ts';

const MINUTE_MS = 60_000;
const MONTH_MS = 35 * 86_400_000;
/** As reports: a clock may be this far ahead. */
const AHEAD_MS = 5 * MINUTE_MS;

const change = z
  .object({
    at: z.iso.datetime(),
    text: z.string(),
    by: z.string().meta({ description: 'Who says so; empty where nobody is named' }),
  })
  .meta({ id: 'Change' });

const line = (most: number) =>
  z.string({ error: 'must be text' }).trim().max(most, `must not be longer than ${most} characters`);

const time = z
  .string({ error: 'must be a time such as 2026-11-21T12:31:00Z' })
  .refine((text) => !Number.isNaN(parseTime(text)), 'must be a time such as 2026-11-21T12:31:00Z')
  .transform(parseTime);

const said = z
  .strictObject({
    text: line(200).min(1, 'must not be empty').meta({ description: 'What was changed, in one line' }),
    at: time
      .refine((at) => at <= Date.now() + AHEAD_MS, 'must not be in the future')
      .refine((at) => at >= Date.now() - MONTH_MS, 'must not be more than 35 days ago')
      .optional()
      .meta({ type: 'string', format: 'date-time', description: 'Now when left out' }),
    by: line(100).default(''),
  })
  .meta({ id: 'NewChange', example: { text: 'checkout 2.31', by: 'ana' } });

const listQuery = z.strictObject({
  from: time.optional().meta({ type: 'string', format: 'date-time', description: 'A week before `to` when left out' }),
  to: time.optional().meta({ type: 'string', format: 'date-time', description: 'Now when left out' }),
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, 'must be a whole number from 1 to 1000')
    .transform(Number)
    .default(100)
    .meta({ type: 'integer', minimum: 1, maximum: 1000, description: 'Changes at the most' }),
});

const shown = ({ at, ...rest }: Change) => ({ at: isoOfMs(at), ...rest });
const json = (description: string, schema: z.ZodType) => ({
  200: { description, content: { 'application/json': { schema } } },
});

/** Routes for changes that people made, such as a deployment. Every chart shows them. */
export function changeRoutes({ ledger, events, changes }: Services): Route[] {
  async function list(ctx: Context): Promise<void> {
    const { from, to = Date.now() + AHEAD_MS, limit } = readQuery(ctx, listQuery);
    const found = await ledger.changes({ from: from ?? to - 7 * 86_400_000, to, limit });
    ctx.body = { changes: found.map(shown) };
  }
  async function add(ctx: Context): Promise<void> {
    const { at = Date.now(), text, by } = readBody(ctx, said);
    await ledger.addChange({ at, text, by });
    changes.note({ at, text, by });
    ctx.body = shown({ at, text, by });
    events.publish('change', ctx.body);
  }
  return [
    {
      method: 'get',
      path: '/api/v1/changes',
      role: 'read',
      operation: {
        summary: 'What was changed, the latest first',
        description: 'An alert that begins within half an hour of a change names it.',
        requestParams: { query: listQuery },
        responses: json('Changes', z.object({ changes: z.array(change) })),
      },
      handle: list,
    },
    {
      method: 'post',
      path: '/api/v1/changes',
      role: 'operate',
      accepts: ['application/json'],
      operation: {
        summary: 'Say that something was changed, such as a deployment: it is drawn on the charts',
        description:
          'The newest five of the last day are also exposed as `tillwatch_change_timestamp_seconds{text="…"}`, for Grafana and for rules.',
        requestBody: { required: true, content: { 'application/json': { schema: said } } },
        responses: json('The change, on disk', change),
      },
      handle: add,
    },
  ];
}
