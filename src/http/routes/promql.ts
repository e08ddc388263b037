import type { Context } from 'koa';
import { z } from 'zod';
import { askPrometheus, Refused } from '../../prometheus/client.ts';
import { upstreamAt } from '../../runtime/upstream.ts';
import { readCookbook } from '../cookbook.ts';
import { invalid, Problem } from '../problem.ts';
import { type Route, readQuery } from './route.ts';

/**
 * Limits of a question to Prometheus, so that the service and Prometheus have time for their own
 * work.
 */
const LIMITS = {
  seconds: 10,
  bytes: 16 * 1024 * 1024,
  /** Questions under way, of everybody together. */
  questions: 8,
} as const;

const once = (most: number) => z.string({ error: 'must be given once' }).max(most, `must not be longer than ${most}`);
const text = once(12_000);
const time = once(40).regex(/^[\dTZ:+.-]+$/, 'must be a time such as 2026-11-21T12:31:00Z, or seconds since 1970');
const span = once(40).regex(/^[\d.a-z]+$/, 'must be a number of seconds, or a duration such as 5m');
const limit = once(9).regex(/^\d+$/, 'must be a whole number').optional();

const listOf = (schema: z.ZodString) =>
  z.union([z.array(schema).max(20), schema.transform((one) => [one])], { error: 'must be a selector of series' });
const matches = listOf(text).meta({ description: 'Selectors of series; may be given several times' });
const period = { start: time.optional(), end: time.optional(), limit };

const query = text.min(1, 'must be a query in PromQL');
const QUERIES = {
  query: z.strictObject({ query, time: time.optional(), lookback_delta: span.optional(), limit }),
  query_range: z.strictObject({ query, start: time, end: time, step: span, lookback_delta: span.optional(), limit }),
  labels: z.strictObject({ 'match[]': matches.optional(), ...period }),
  values: z.strictObject({ 'match[]': matches.optional(), ...period }),
  series: z.strictObject({ 'match[]': matches, ...period }),
  metadata: z.strictObject({ metric: once(500).optional(), limit, limit_per_metric: limit }),
};

/** Parameters as Prometheus reads them. */
function parametersOf(given: Record<string, string | string[] | undefined>): URLSearchParams {
  const pairs = Object.entries(given).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
  return new URLSearchParams(pairs);
}

/** The schema of Prometheus's answers, which have a shape for each kind of result. */
export const prometheusAnswer = z
  .looseObject({ status: z.literal('success'), data: z.unknown(), warnings: z.array(z.string()).optional() })
  .meta({ id: 'PrometheusAnswer', description: "As Prometheus's own HTTP API has it" });

const recipes = z.object({
  recipes: z.array(
    z.object({
      section: z.string(),
      question: z.string(),
      query: z.string(),
      reading: z.string().meta({ description: 'How to read the answer' }),
    }),
  ),
});

const LABEL_NAME = /^[a-zA-Z_]\w{0,200}$/;

/** Asks Prometheus in somebody's name: within limits, and never longer than that somebody waits. */
export function createAsking(prometheusUrl: string) {
  const upstream = upstreamAt(prometheusUrl);
  let underWay = 0;
  return async function ask(ctx: Context, path: string, parameters: URLSearchParams): Promise<void> {
    if (underWay >= LIMITS.questions)
      throw new Problem(503, `${LIMITS.questions} questions to Prometheus are under way; ask again in a second`, {
        headers: { 'Retry-After': '1' },
      });
    const gone = new AbortController();
    ctx.res.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(LIMITS.seconds * 1000)]);
    underWay++;
    try {
      ctx.body = await askPrometheus({ upstream, path, parameters, signal, most: LIMITS.bytes });
      ctx.type = 'application/json';
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw invalid([{ path: 'query', message: error.message }]);
    } finally {
      underWay--;
    }
  };
}
export type Asking = ReturnType<typeof createAsking>;

/** True for a request that selects series by `match[]`, as Prometheus's own API does. */
export const selectsSeries = ({ query }: Context): boolean => query['match[]'] !== undefined;
export const SELECTED_PARAMETERS = { 'match[]': matches.optional(), ...period };
export const listSelected = (ctx: Context, ask: Asking): Promise<void> =>
  ask(ctx, 'series', parametersOf(readQuery(ctx, QUERIES.series)));

/** Prometheus's own API, read only. */
export function promqlRoutes(ask: Asking): Route[] {
  const route = (path: string, schema: keyof typeof QUERIES, summary: string, more: object = {}): Route => ({
    method: 'get',
    path,
    role: 'read',
    operation: {
      summary,
      description: `Prometheus's own API, within limits: ${LIMITS.seconds} s, ${LIMITS.bytes / 1024 / 1024} MB, ${LIMITS.questions} questions at once.`,
      requestParams: { query: QUERIES[schema], ...more },
      responses: { 200: { description: 'The answer', content: { 'application/json': { schema: prometheusAnswer } } } },
    },
    handle(ctx) {
      const { name } = ctx.params as { name?: string };
      if (name !== undefined && !LABEL_NAME.test(name))
        throw new Problem(404, `${JSON.stringify(name)} is no name of a label; GET /api/v1/labels lists them`);
      const upstreamPath = path.replace('/api/v1/', '').replace(':name', name ?? '');
      return ask(ctx, upstreamPath, parametersOf(readQuery(ctx, QUERIES[schema])));
    },
  });
  const cookbook = readCookbook();
  return [
    route('/api/v1/query', 'query', 'A query in PromQL, at one time'),
    route('/api/v1/query_range', 'query_range', 'A query in PromQL, over a time'),
    route('/api/v1/labels', 'labels', 'Names of labels'),
    route('/api/v1/label/:name/values', 'values', 'Values of a label', {
      path: z.object({ name: z.string().meta({ example: 'status' }) }),
    }),
    route('/api/v1/metadata', 'metadata', 'Types and help texts of metrics'),
    {
      method: 'get',
      path: '/api/v1/cookbook',
      role: 'read',
      operation: {
        summary: 'Questions that people ask about payments, as queries',
        description: 'The queries of docs/promql.md, by heading.',
        responses: { 200: { description: 'Recipes', content: { 'application/json': { schema: recipes } } } },
      },
      handle(ctx) {
        ctx.body = { recipes: cookbook };
      },
    },
  ];
}
