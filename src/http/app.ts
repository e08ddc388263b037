import { createServer, type Server, type ServerOptions } from 'node:http';
import Router from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import compress from 'koa-compress';
import { suggest } from '../intake/suggest.ts';
import type { Health } from '../metrics/health.ts';
import type { Access } from './access.ts';
import type { Asset } from './assets.ts';
import { bodyReader } from './body.ts';
import { tagAnswer } from './etag.ts';
import { boundedAnswers, type Check, createGuard, ownHost, sameSite } from './guards.ts';
import { createLongWork } from './long-work.ts';
import { openApi, tagged } from './openapi.ts';
import { answerProblem, Problem, problems, toProblem } from './problem.ts';
import { accessRoutes } from './routes/access.ts';
import { alertRoutes } from './routes/alerts.ts';
import { authCodeRoutes } from './routes/auth-codes.ts';
import { bandRoutes } from './routes/bands.ts';
import { changeRoutes } from './routes/changes.ts';
import { comparisonRoutes } from './routes/comparison.ts';
import { demoRoutes } from './routes/demo.ts';
import { docsRoutes } from './routes/docs.ts';
import { hourRoutes } from './routes/hours.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { operationRoutes } from './routes/operations.ts';
import { pageRoutes } from './routes/page.ts';
import { createAsking, promqlRoutes } from './routes/promql.ts';
import type { Route, Services } from './routes/route.ts';
import { ruleRoutes } from './routes/rules.ts';
import { silenceRoutes } from './routes/silences.ts';
import { sliceRoutes } from './routes/slices.ts';
import { stateRoutes } from './routes/state.ts';
import { testAlertRoutes } from './routes/test-alert.ts';
import { transactionRoutes } from './routes/transactions.ts';
import { tuneRoutes } from './routes/tune.ts';
import { whatIfRoutes } from './routes/what-if.ts';
import { PAGE_HEADERS } from './security-headers.ts';
import { closeUnread } from './send.ts';
import { watchState } from './state.ts';

const SCRAPED = /^(text\/plain|application\/openmetrics-text)/;
const READ = /^(application\/json|text\/csv|text\/html)/;
/**
 * Compresses JSON, CSV, pages and scrapes; a scrape may be of many megabytes. The page's files are
 * compressed already, and the few bytes of a POST are not worth the time.
 */
const zip = compress({
  filter: (type) => READ.test(type) || SCRAPED.test(type),
  br: false,
  gzip: (type) => (SCRAPED.test(type) ? { level: 1, chunkSize: 1 << 20 } : {}),
});
const smaller: Middleware = (ctx, next) => (ctx.method === 'GET' ? zip(ctx, next) : next());

interface Gates {
  health: Health;
  guard: ReturnType<typeof createGuard>;
  bounded: Check;
}

type Handler = (ctx: Context) => Promise<void>;

/** All that a request of a route goes through, in order; its duration is observed by its status. */
function handlerOf({ health: { requests }, guard, bounded }: Gates, route: Route): Handler {
  const { method, path } = route;
  // Finding a child by its labels takes a tenth of the CPU of a POST.
  const ok = requests.labels({ method, route: path, code: 200 });
  const enter = guard(route.role);
  const few = method === 'get' && route.light !== true;
  const readBody = route.accepts && bodyReader(route.accepts, route.maxBody);
  return async (ctx) => {
    const start = performance.now();
    let code = 500;
    try {
      await enter(ctx);
      if (few) bounded(ctx);
      await readBody?.(ctx);
      await route.handle(ctx);
      if (method === 'get' && route.direct !== true) tagAnswer(ctx, route.changing);
      code = ctx.status;
    } catch (error) {
      code = toProblem(error).status;
      throw error;
    } finally {
      const times = code === 200 ? ok : requests.labels({ method, route: path, code });
      times.observe((performance.now() - start) / 1000);
    }
  };
}

/** Answers 404 at a path without a route, and names the route that is spelt nearly so. */
function unknownPath(routes: readonly Route[]): Middleware {
  const paths = [...new Set(routes.map(({ path }) => path))];
  return (ctx) => {
    const near = suggest(ctx.path, paths);
    const hint = near === undefined ? 'GET /docs lists what there is' : `did you mean ${near}?`;
    throw new Problem(404, `there is nothing at ${ctx.path}; ${hint}`);
  };
}

/** Answers 405 at a path that exists without this method, and says what can be done there. */
function otherMethods(router: Router, routes: readonly Route[]): Middleware {
  return (ctx, next) => {
    const matching = new Set(router.match(ctx.path, ctx.method).path.map(({ path }) => path));
    const here = routes.filter(({ path }) => matching.has(path)).map(({ method }) => method.toUpperCase());
    if (here.length === 0 || ctx.body !== undefined) return next();
    const allow = here.includes('GET') ? [...here, 'HEAD'] : here;
    throw new Problem(405, `${ctx.path} takes ${allow.join(', ')}`, { headers: { Allow: allow.join(', ') } });
  };
}

/**
 * A connection that breaks, or bytes that are no HTTP: the sender's doing, of which anybody could
 * fill a log.
 */
const isSenders = ({ code = '' }: { code?: string }): boolean =>
  /^(HPE_|ECONNRESET$|ECONNABORTED$|EPIPE$|ERR_STREAM_PREMATURE_CLOSE$)/.test(code);

export interface AppOptions extends Services {
  access: Access;
  /** Files of the live page by their names. */
  assets: ReadonlyMap<string, Asset>;
  version: string;
}

/**
 * Checks a request before it is routed, and sets the headers that protect the browser of who made
 * it.
 */
const protectedBy =
  (checks: readonly Check[]): Middleware =>
  async (ctx, next) => {
    ctx.set(PAGE_HEADERS);
    for (const check of checks) check(ctx as Context);
    await next();
    await closeUnread(ctx as Context);
  };

/** The HTTP application; never listens. */
export function createApp({ access, assets, version, ...services }: AppOptions, limits: ServerOptions = {}): Server {
  const { log } = services;
  const state = watchState(services, log);
  const ask = createAsking(services.config.prometheusUrl);
  const atLength = createLongWork(services);
  const routes = [
    ...tagged('Counts', transactionRoutes(services)),
    ...tagged('What is unusual', [
      ...bandRoutes(services, ask),
      ...stateRoutes(services, state),
      ...comparisonRoutes(services),
      ...hourRoutes(services),
      ...authCodeRoutes(services),
      ...sliceRoutes(services),
    ]),
    ...tagged('PromQL', promqlRoutes(ask)),
    ...tagged('Alerts', [
      ...alertRoutes(services),
      ...incidentRoutes(services),
      ...silenceRoutes(services),
      ...changeRoutes(services),
      ...testAlertRoutes(services),
      ...ruleRoutes(services),
      ...whatIfRoutes(services, atLength),
      ...tuneRoutes(services, atLength),
    ]),
    ...tagged('Demo', demoRoutes(services.demo)),
    ...tagged('Operation', [...operationRoutes(services), ...accessRoutes(access)]),
    ...tagged('Pages', [...pageRoutes(assets), ...docsRoutes(services, () => described)]),
  ];
  const described = openApi(routes, version);
  const { health, config } = services;
  const gates: Gates = { health, guard: createGuard(access, config), bounded: boundedAnswers() };
  const checks = [ownHost(config), sameSite];
  const router = new Router({ sensitive: true });
  const direct = new Map<string, Handler>();
  for (const route of routes) {
    const handle = handlerOf(gates, route);
    router[route.method](route.path, (ctx) => handle(ctx as Context));
    if (route.direct) direct.set(`${route.method.toUpperCase()} ${route.path}`, handle);
  }
  const app = new Koa();
  app.use(smaller);
  app.use(problems(log));
  app.use(protectedBy(checks));
  app.use(router.routes());
  app.use(otherMethods(router, routes));
  app.use(unknownPath(routes));
  app.on('error', (error) => {
    if (!isSenders(error)) log('error', `answering a request: ${error.stack ?? error}`);
  });
  const others = app.callback();
  async function answerDirectly(ctx: Context, handle: Handler): Promise<void> {
    try {
      for (const check of checks) check(ctx);
      await handle(ctx);
    } catch (error) {
      await answerProblem(ctx, error, log);
    }
  }
  return createServer(limits, (request, response) => {
    const handle = direct.get(`${request.method} ${request.url}`);
    if (handle === undefined) void others(request, response);
    else void answerDirectly(app.createContext(request, response) as Context, handle);
  });
}
