import type { Context } from 'koa';
import { z } from 'zod';
import type { OpenApi } from '../docs-page/document.ts';
import { createGuide } from '../docs-page/guide.ts';
import { docsPage } from '../docs-page/page.ts';
import { DOCS_SCRIPT } from '../docs-page/script.ts';
import { DOCS_STYLE } from '../docs-page/style.ts';
import { Problem } from '../problem.ts';
import type { Route, Services } from './route.ts';

function file(path: string, type: string, summary: string, content: (ctx: Context) => string): Route {
  const [mime = type] = type.split(';');
  return {
    method: 'get',
    path,
    operation: {
      summary,
      responses: { 200: { description: 'The file', content: { [mime]: { schema: z.string() } } } },
    },
    handle(ctx) {
      ctx.type = type;
      ctx.set('Cache-Control', 'no-cache');
      ctx.body = content(ctx);
    },
  };
}

/**
 * Routes that describe the service, to programs and to people.
 * @param described the OpenAPI document of all routes, these among them
 */
export function docsRoutes({ config }: Pick<Services, 'config'>, described: () => object): Route[] {
  const tokens = config.tokensFile !== '';
  const guide = createGuide();
  let kept = { origin: '', page: '' };
  /** Everybody may ask for it, and nearly all do under one name: it is rendered once. */
  function page({ protocol, host }: Context): string {
    const origin = `${protocol}://${host}`;
    if (kept.origin !== origin) kept = { origin, page: docsPage(described() as OpenApi, { origin, tokens }) };
    return kept.page;
  }
  return [
    {
      method: 'get',
      path: '/openapi.json',
      operation: {
        summary: 'The description of every operation, for programs',
        responses: {
          200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: z.looseObject({}) } } },
        },
      },
      handle(ctx) {
        ctx.body = described();
      },
    },
    file('/docs', 'text/html; charset=utf-8', 'The description of every operation, for people: this page', page),
    {
      method: 'get',
      path: '/docs/:page',
      operation: {
        summary: 'A document, such as the runbook',
        requestParams: { path: z.object({ page: z.string().meta({ example: 'runbook' }) }) },
        responses: { 200: { description: 'The page', content: { 'text/html': { schema: z.string() } } } },
      },
      handle(ctx) {
        const found = guide(ctx.params.page);
        if (found === undefined)
          throw new Problem(404, `there is no document ${ctx.params.page}; /docs/index lists them`);
        ctx.type = 'text/html; charset=utf-8';
        ctx.set('Cache-Control', 'no-cache');
        ctx.body = found;
      },
    },
    file('/docs.css', 'text/css; charset=utf-8', 'Its style', () => DOCS_STYLE),
    file('/docs.js', 'text/javascript; charset=utf-8', 'Its script: buttons that copy', () => DOCS_SCRIPT),
  ];
}
