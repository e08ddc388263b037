import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import bodyParser from 'koa-bodyparser';
import compress from 'koa-compress';
import type { Access } from './access.ts';
import type { Asset } from './assets.ts';
import type { Health } from './exposition.ts';
import { boundedAnswers, createGuard, ownHost, sameSite, securityHeaders } from './guards.ts';
import { createJournal } from './journal.ts';
import type { Log } from './log.ts';
import { openApi, tagged } from './openapi.ts';
import { Problem, problems, toProblem } from './problem.ts';
import { alertRoutes } from './routes/alerts.ts';
import { authCodeRoutes } from './routes/auth-codes.ts';
import { bandRoutes } from './routes/bands.ts';
import { comparisonRoutes } from './routes/comparison.ts';
import { demoRoutes } from './routes/demo.ts';
import { docsRoutes } from './routes/docs.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { operationRoutes } from './routes/operations.ts';
import { pageRoutes } from './routes/page.ts';
import type { Route, Services } from './routes/route.ts';
import { ruleRoutes } from './routes/rules.ts';
import { silenceRoutes } from './routes/silences.ts';
import { stateRoutes } from './routes/state.ts';
import { transactionRoutes } from './routes/transactions.ts';
import { watchState } from './state.ts';

const MAX_BODY = '4mb';

/** Answers 415 before a byte is read: koa-bodyparser takes a wrong type for an empty object. */
function contentType(accepts: readonly string[]): Middleware {
  return (ctx, next) => {
    const [type = '', ...parameters] = ctx.get('Content-Type').toLowerCase().split(';');
    const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith('charset='));
    if (!accepts.includes(type.trim()))
      throw new Problem(415, `Content-Type: must be ${accepts.join(' or ')}`, {
        headers: { Accept: accepts.join(', ') },
      });
    if (charset !== undefined && !/^charset="?utf-8"?$/.test(charset))
      throw new Problem(415, `Content-Type: ${charset} is not taken; JSON is UTF-8`);
    return next();
  };
}

/** What is read gets smaller; the files of the page are so already, and neither a POST's few bytes nor a scrape is worth the time. */
const zip = compress({ filter: (type) => /^(application\/json|text\/csv|text\/html)/.test(type), br: false });
const smaller: Middleware = (ctx, next) => (ctx.method === 'GET' ? zip(ctx, next) : next());

const parse = bodyParser({
  enableTypes: ['json', 'text'],
  extendTypes: { text: ['application/x-ndjson'] },
  jsonLimit: MAX_BODY,
  textLimit: MAX_BODY,
  onerror(error) {
    const { status } = error as Error & { status?: number };
    if (status === 413) throw new Problem(413, `the body is larger than ${MAX_BODY}; send it in parts`);
    // Anything else that the parser meets is the sender's: broken JSON, broken gzip, a cut connection.
    throw new Problem(status === 415 ? 415 : 400, `the body cannot be read: ${error.message.slice(0, 200)}`);
  },
});

function measured({ requests }: Health, { method, path }: Route): Middleware {
  const byCode = new Map<number, ReturnType<Health['requests']['labels']>>();
  function timesOf(code: number) {
    const known = byCode.get(code) ?? requests.labels({ method, route: path, code });
    byCode.set(code, known);
    return known;
  }
  return async (ctx, next) => {
    const start = performance.now();
    let code = 500;
    try {
      await next();
      code = ctx.status;
    } catch (error) {
      code = toProblem(error).status;
      throw error;
    } finally {
      timesOf(code).observe((performance.now() - start) / 1000);
    }
  };
}

/** What every request of a route goes through before it is handled. */
function mount(router: Router, { health, guard, bounded }: Gates, route: Route): void {
  const body = route.accepts === undefined ? [] : [contentType(route.accepts), parse];
  const few = route.method === 'get' && route.light !== true ? [bounded] : [];
  const handle: Middleware = (ctx) => route.handle(ctx as Context);
  router[route.method](route.path, measured(health, route), guard(route.role), ...few, ...body, handle);
}

interface Gates {
  health: Health;
  guard: ReturnType<typeof createGuard>;
  bounded: Middleware;
}

/** What no route took, at a path that exists: 405 that says what can be done there. */
function otherMethods(router: Router, routes: readonly Route[]): Middleware {
  return (ctx, next) => {
    const matching = new Set(router.match(ctx.path, ctx.method).path.map(({ path }) => path));
    const here = routes.filter(({ path }) => matching.has(path)).map(({ method }) => method.toUpperCase());
    if (here.length === 0 || ctx.body !== undefined) return next();
    const allow = here.includes('GET') ? [...here, 'HEAD'] : here;
    throw new Problem(405, `${ctx.path} takes ${allow.join(', ')}`, { headers: { Allow: allow.join(', ') } });
  };
}

/** A connection that breaks, or bytes that are no HTTP: the sender's doing, of which anybody could fill a log. */
const isSenders = ({ code = '' }: { code?: string }): boolean => /^(HPE_|ECONNRESET$|ECONNABORTED$|EPIPE$)/.test(code);

export interface AppOptions extends Services {
  access: Access;
  /** Files of the live page by their names. */
  assets: ReadonlyMap<string, Asset>;
  log: Log;
  version: string;
}

/** The HTTP application; never listens. */
export function createApp({ access, assets, log, version, ...services }: AppOptions): Koa {
  const journal = createJournal(services.ledger);
  const state = watchState({ ...services, journal }, log);
  const routes = [
    ...tagged('Counts', transactionRoutes(services)),
    ...tagged('What is unusual', [
      ...bandRoutes(services),
      ...stateRoutes(services, state),
      ...comparisonRoutes(services),
      ...authCodeRoutes(services),
    ]),
    ...tagged('Alerts', [
      ...alertRoutes(services),
      ...incidentRoutes(services, journal),
      ...silenceRoutes(services),
      ...ruleRoutes(services),
    ]),
    ...tagged('Demo', demoRoutes(services.demo)),
    ...tagged('Operation', operationRoutes(services)),
    ...tagged('Pages', [...pageRoutes(assets), ...docsRoutes(services, () => described)]),
  ];
  const described = openApi(routes, version);
  const router = new Router();
  const { health, config } = services;
  const gates: Gates = { health, guard: createGuard(access, config), bounded: boundedAnswers() };
  for (const route of routes) mount(router, gates, route);
  const app = new Koa();
  app.use(securityHeaders());
  app.use(smaller);
  app.use(problems(log));
  app.use(ownHost(services.config));
  app.use(sameSite);
  app.use(router.routes());
  app.use(otherMethods(router, routes));
  app.on('error', (error) => {
    if (!isSenders(error)) log('error', `answering a request: ${error.stack ?? error}`);
  });
  return app;
}
