import { z } from 'zod';
import { type Access, ROLES } from '../access.ts';
import type { Route } from './route.ts';

const answer = z.object({
  roles: z.array(z.enum(ROLES)).meta({ description: 'All of them where nobody is asked for a token' }),
});

/** Who asks may do this much: a page need not offer what it would be refused. */
export const accessRoutes = ({ rolesOf }: Access): Route[] => [
  {
    method: 'get',
    path: '/api/v1/access',
    role: 'read',
    operation: {
      summary: 'The roles of the token that asks',
      description: 'The live page asks it, so as not to offer what would be refused.',
      responses: { 200: { description: 'Roles', content: { 'application/json': { schema: answer } } } },
    },
    handle(ctx) {
      ctx.body = { roles: rolesOf(ctx.headers.authorization) };
    },
  },
];
