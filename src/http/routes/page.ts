import type { Context } from 'koa';
import { z } from 'zod';
import type { Asset } from '../assets.ts';
import { Problem } from '../problem.ts';
import type { Route } from './route.ts';

/**
 * Kept by the browser, which asks each time whether it has changed: an update is on screen at the
 * next load.
 */
function serve(ctx: Context, { type, bytes, gzipped, etag }: Asset): void {
  ctx.status = 200;
  ctx.set({ ETag: etag, 'Cache-Control': 'no-cache', Vary: 'Accept-Encoding' });
  ctx.type = type;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  const zipped = gzipped.length < bytes.length && ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (zipped) ctx.set('Content-Encoding', 'gzip');
  ctx.body = zipped ? gzipped : bytes;
}

const answers = (description: string, type: string) => ({
  200: { description, content: { [type]: { schema: z.string() } } },
  304: { description: 'As the ETag of If-None-Match says' },
});

/**
 * A page of Prometheus's own. Links in alerts lead to it, and `up` leads them here where Prometheus
 * has no web pages.
 */
const instead = (path: string, place: (ctx: Context) => string): Route => ({
  method: 'get',
  path,
  operation: {
    operationId: `getPrometheusPage${path.charAt(1).toUpperCase()}${path.slice(2)}`,
    summary: `Leads to what answers Prometheus's page ${path}`,
    responses: {
      200: { description: 'The page that answers it, where the redirection is followed' },
      302: { description: 'Where that page is' },
    },
  },
  handle: (ctx) => ctx.redirect(place(ctx)),
});

/** The live page and its files. They hold no data and ask for no role; what the page reads does. */
export function pageRoutes(assets: ReadonlyMap<string, Asset>): Route[] {
  function named(ctx: Context, name: string): void {
    const asset = assets.get(name);
    if (asset === undefined) throw new Problem(404, `there is nothing at ${ctx.path}`);
    serve(ctx, asset);
  }
  return [
    {
      method: 'get',
      path: '/',
      operation: { summary: 'The live page', responses: answers('The page', 'text/html') },
      handle: (ctx) => named(ctx, 'index.html'),
    },
    {
      method: 'get',
      path: '/explore',
      operation: {
        summary: 'PromQL, with completion, graphs and the cookbook',
        responses: answers('The page', 'text/html'),
      },
      handle: (ctx) => named(ctx, 'explore.html'),
    },
    {
      method: 'get',
      path: '/rules',
      operation: {
        operationId: 'getRulesPage',
        summary: 'The rules and thresholds in force; a link to Prometheus’s page of this name leads here too',
        responses: answers('The page', 'text/html'),
      },
      handle: (ctx) => named(ctx, 'rules.html'),
    },
    instead('/graph', ({ query }) => `explore?${new URLSearchParams({ query: String(query['g0.expr'] ?? '') })}`),
    instead('/alerts', () => './'),
    instead('/targets', () => './'),
    {
      method: 'get',
      path: '/live/:asset',
      operation: {
        summary: 'Scripts and styles of the live page',
        requestParams: { path: z.object({ asset: z.string().meta({ example: 'main.js' }) }) },
        responses: answers('The file', '*/*'),
      },
      handle: (ctx) => named(ctx, ctx.params.asset),
    },
  ];
}
