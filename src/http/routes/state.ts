import type { Context } from 'koa';
import { z } from 'zod';
import { type StateWatch, state as stateSchema } from '../state.ts';
import type { Route, Services } from './route.ts';

/** Endless: koa leaves the answer to the events. */
async function stream(ctx: Context, { events }: Services, state: StateWatch): Promise<void> {
  ctx.status = 200;
  ctx.type = 'text/event-stream';
  // A proxy that collects bytes, or changes them, would hold events back.
  ctx.set({ 'Cache-Control': 'no-cache, no-transform', 'X-Accel-Buffering': 'no' });
  if (ctx.method === 'HEAD') return;
  const opened = events.open(ctx.res);
  ctx.respond = false;
  state.follow();
  for await (const now of state.opening()) opened.send('state', now);
}

/** Routes that tell the live page the present state, once or as it changes. */
export function stateRoutes(services: Services, state: StateWatch): Route[] {
  return [
    {
      method: 'get',
      path: '/api/v1/state',
      role: 'read',
      changing: 'time',
      operation: {
        summary: 'Everything of this moment: a verdict in words, each status, what fires, whether alerts would arrive',
        description:
          'What the live page shows. `GET /api/v1/events` streams it as it changes; to poll, send the ETag of the last answer as If-None-Match.',
        responses: { 200: { description: 'State', content: { 'application/json': { schema: stateSchema } } } },
      },
      async handle(ctx) {
        ctx.body = await state.read();
      },
    },
    {
      method: 'get',
      path: '/api/v1/events',
      light: true,
      role: 'read',
      operation: {
        summary: 'Server-sent events that keep a page fresh',
        description:
          'Events, each with JSON as its data: `state` (as GET /api/v1/state; at first, and whenever the rules were evaluated ' +
          'or something in it changed), `report` (each report that was counted, with the `recommendation` that its sender got; ' +
          'of a body with more than 50, the last 50), `notification` (from Alertmanager), `marks` (an incident that was marked), ' +
          '`silences`, `change` (one that was told of). A comment comes every 10 s. A reader that does not keep up is cut off and may connect again. ' +
          'At most 100 streams, then 429.',
        responses: { 200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } } },
      },
      handle: (ctx) => stream(ctx, services, state),
    },
  ];
}
