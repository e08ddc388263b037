import type { Context } from 'koa';
import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { STATUSES } from '../../domain/names.ts';
import { parseTime } from '../../domain/times.ts';
import { compare } from '../../judge/comparison.ts';
import { dimensionParameters, type Route, readQuery, type Services } from './route.ts';

const WHAT = ['total', ...STATUSES] as const;

const time = z
  .string()
  .refine((text) => !Number.isNaN(parseTime(text)), 'must be a time such as 2026-11-21T12:31:00Z')
  .transform((text) => parseTime(text) / 1000)
  .refine((seconds) => seconds <= Date.now() / 1000 + 60, 'must not be in the future')
  .meta({
    type: 'string',
    format: 'date-time',
    description: 'The day to compare, as it stood then; now when left out',
  });

function queryOf(config: Config) {
  return z.strictObject({
    ...dimensionParameters(config, 'their sum'),
    status: z
      .enum(WHAT, { error: `must be one of ${WHAT.join(', ')}` })
      .default('total')
      .meta({ description: 'total is all statuses together' }),
    at: time.optional(),
  });
}

const count = z.number().nullable();
const hour = z.object({
  hour: z.int().meta({ description: '0 to 23, by the clock of timezone' }),
  today: count.meta({ description: 'null until the hour is over' }),
  yesterday: count,
  sameDayLastWeek: count,
  average7d: count,
  average28d: count,
  far: z.enum(['above', 'below']).nullable().meta({ description: 'Where today is far from normal, see definition' }),
});
const answer = z
  .object({
    status: z.enum(WHAT),
    day: z.iso.date(),
    timezone: z.string().meta({ description: 'Whose days and hours they are: --timezone' }),
    definition: z.string().meta({ description: 'What far from normal means, in words' }),
    hours: z.array(hour),
  })
  .meta({ id: 'Comparison' });

export function comparisonRoutes({ config, prometheus, calendar }: Services): Route[] {
  const query = queryOf(config);
  async function show(ctx: Context): Promise<void> {
    const { status, at, ...chosen } = readQuery(ctx, query);
    const labels = Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >;
    const compared = { status, labels, at: at ?? Date.now() / 1000 };
    ctx.body = { status, ...(await compare(prometheus, compared, calendar.zone)) };
  }
  return [
    {
      method: 'get',
      path: '/api/v1/comparison',
      role: 'read',
      operation: {
        summary: 'Today by hour beside yesterday, the same day last week and the averages of 7 and 28 days',
        description: 'Hours and days are those of `--timezone`. It says which hours are far from normal.',
        requestParams: { query },
        responses: {
          200: { description: '24 hours', content: { 'application/json': { schema: answer } } },
        },
      },
      handle: show,
    },
  ];
}
