import type { Context } from 'koa';
import { z } from 'zod';
import { STATUSES, WINDOWS } from '../../domain/names.ts';
import { ranking, rankSlices } from '../../judge/slices.ts';
import { type Route, readQuery, type Services } from './route.ts';

const MOST = 1000;

const query = z.strictObject({
  status: z.enum(STATUSES, { error: `must be one of ${STATUSES.join(', ')}` }).default('denied'),
  window: z.enum(WINDOWS, { error: `must be one of ${WINDOWS.join(', ')}` }).default('15m'),
  level: z.string({ error: 'must be given once' }).max(200).optional().meta({
    description: 'Only slices of this level, such as acquirer',
  }),
  limit: z.coerce
    .number()
    .int({ error: 'must be a whole number' })
    .min(1, { error: 'must be at least 1' })
    .max(MOST, { error: `must be at most ${MOST}` })
    .default(50),
});
const answer = ranking.extend({ status: z.enum(STATUSES), window: z.enum(WINDOWS) });

export function sliceRoutes({ prometheus }: Services): Route[] {
  async function list(ctx: Context): Promise<void> {
    const { status, window, level, limit } = readQuery(ctx, query);
    const { total, levels, slices } = await rankSlices(prometheus, status, window);
    const chosen = slices.filter((slice) => level === undefined || slice.level === level);
    ctx.body = { status, window, total, levels, slices: chosen.slice(0, limit) };
  }
  return [
    {
      method: 'get',
      path: '/api/v1/slices',
      role: 'read',
      operation: {
        summary:
          'Slices (acquirers, merchants, ...) ranked by their part of what is beyond normal, and how each is judged',
        description: '`judged` says whether a slice is judged minute by minute, by its last hour, or not at all.',
        requestParams: { query },
        responses: { 200: { description: 'Ranking', content: { 'application/json': { schema: answer } } } },
      },
      handle: list,
    },
  ];
}
