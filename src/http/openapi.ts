import { z } from 'zod';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { capitalised } from '../domain/capitalised.ts';
import type { Route } from './routes/route.ts';

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const PROBLEMS: Record<string, string> = {
  400: 'Not JSON, or a header that cannot be read',
  401: 'No token, or one that is not known',
  403: 'A token without the role',
  404: 'Nothing here',
  405: 'Another method is needed; see Allow',
  409: 'The key came with another body, or a count was lowered',
  413: 'Too large',
  415: 'A content type that is not taken',
  422: 'A field is wrong; errors names it',
  429: 'Too many wait; see Retry-After',
  503: 'The ledger cannot commit, or Prometheus or Alertmanager does not answer; see Retry-After',
};

function problemsOf(route: Route): string[] {
  const of: string[] = ['422', '503'];
  if (route.role !== undefined) of.push('401', '403');
  if (route.accepts !== undefined) of.push('400', '413', '415');
  if (route.role === 'ingest') of.push('409', '429');
  return of.sort();
}

/** True for reading JSON, whose answer has an ETag. */
function isTagged({ method, role, operation }: Route): boolean {
  const { 200: ok } = operation.responses as Record<number, { content?: object }>;
  return method === 'get' && role === 'read' && ok?.content !== undefined && 'application/json' in ok.content;
}

function operationOf(route: Route) {
  const content = { 'application/problem+json': { schema: problem } };
  const failing = problemsOf(route).map((status) => [status, { description: PROBLEMS[status] ?? '', content }]);
  const unchanged = isTagged(route) ? { 304: { description: 'As the ETag of If-None-Match says' } } : {};
  const responses = { ...route.operation.responses, ...unchanged, ...Object.fromEntries(failing) };
  // Linters take the roles of a bearer scheme for scopes of OAuth, so they stand apart.
  const access =
    route.role === undefined
      ? { description: 'It asks for no token.', security: [] }
      : { security: [{ token: [] }], 'x-role': route.role };
  return { operationId: idOf(route), ...access, ...route.operation, responses };
}

/** `/silences/:id` as OpenAPI writes it: `/silences/{id}`. */
const template = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');

/** A name for generated clients: `GET /api/v1/label/:name/values` is getLabelByNameValues. */
function idOf({ method, path }: Route): string {
  const words = path
    .replace('/api/v1', '')
    .replaceAll(/:(\w+)/g, 'by-$1')
    .split(/[^a-zA-Z0-9]+/)
    .filter((word) => word !== '');
  return method + (words.length === 0 ? 'Page' : words.map(capitalised).join(''));
}

/** The headings of the documentation, and what stands under each. */
const TAGS = {
  Counts: 'Reports of what was counted, and the latest of them.',
  'What is unusual': 'Counts against what is normal, now and over time.',
  PromQL: "Prometheus's own API, read only.",
  Alerts: 'Alerts, incidents, silences, changes and the rules in force.',
  Demo: 'Incidents in the traffic of a demo.',
  Operation: 'Metrics and health.',
  Pages: 'Pages for people.',
} as const;

/** Puts routes under one heading of the documentation. */
export const tagged = (tag: keyof typeof TAGS, routes: readonly Route[]): Route[] =>
  routes.map((route) => ({ ...route, operation: { tags: [tag], ...route.operation } }));

/** The OpenAPI 3.1 document of exactly these routes. */
export function openApi(routes: readonly Route[], version: string): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = template(route.path);
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Tillwatch',
      version,
      description: 'Counts of transactions in, recommendations out.',
      contact: { name: 'The Tillwatch team' },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This service' }],
    tags: [...new Set(routes.flatMap(({ operation }) => operation.tags ?? []))].map((name) => ({
      name,
      description: TAGS[name as keyof typeof TAGS],
    })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Where tokens are used; x-role of an operation is the role that its token needs.',
        },
      },
    },
  });
}
