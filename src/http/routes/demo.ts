import { z } from 'zod';
import { type Demo, runningIncident } from '../../simulator/demo.ts';
import { Problem } from '../problem.ts';
import { type Route, readBody } from './route.ts';

const wanted = z
  .strictObject({ kind: z.string({ error: 'must be text' }) })
  .meta({ id: 'DemoIncident', example: { kind: 'denied-spike' } });

/** Incidents in generated traffic; nothing that would touch real counts. */
export function demoRoutes(demo: Demo | undefined): Route[] {
  return [
    {
      method: 'post',
      path: '/api/v1/demo/incidents',
      role: 'operate',
      accepts: ['application/json'],
      operation: {
        summary: 'Start an incident in the traffic of `tillwatch up --demo`, from this minute on',
        description:
          'Only where the service runs as a demo. The minute of `since` is its first one. It ends by itself; `until` says when.',
        requestBody: { required: true, content: { 'application/json': { schema: wanted } } },
        responses: { 200: { description: 'It runs', content: { 'application/json': { schema: runningIncident } } } },
      },
      handle(ctx) {
        if (demo === undefined) throw new Problem(404, 'only `tillwatch up --demo` has this route');
        ctx.body = demo.start(readBody(ctx, wanted).kind);
      },
    },
  ];
}
