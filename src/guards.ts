import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import helmet from 'helmet';
import type { Context } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Access, Role } from './access.ts';
import { type Config, isLoopback } from './config.ts';
import { Problem } from './problem.ts';

const DENY = { action: 'deny' } as const;

/** Nothing is loaded from elsewhere, nothing inline runs, nobody frames the page. */
const FOR_PAGES = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'"],
      'connect-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'frame-ancestors': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'self'"],
    },
  },
  xFrameOptions: DENY,
  // Plain HTTP is served; who puts TLS before it knows for how long it is promised.
  strictTransportSecurity: false,
});

/** What answers of an API need (OWASP REST Security Cheat Sheet): a browser that shows one all the same runs and frames nothing. */
const FOR_DATA = [
  helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
  }),
  helmet.crossOriginResourcePolicy(),
  helmet.xContentTypeOptions(),
  helmet.xFrameOptions(DENY),
];

type Protection = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** The headers that these set, made once, as they are the same on all. */
function headersOf(...protections: Protection[]): [name: string, value: string][] {
  const made = new ServerResponse({ method: 'GET' } as IncomingMessage);
  for (const protect of protections) protect(made.req, made, () => {});
  return Object.entries(made.getHeaders()) as [string, string][];
}
const PAGE_HEADERS = headersOf(FOR_PAGES);
const DATA_HEADERS = headersOf(...FOR_DATA).flat();

/** Has the security headers, whoever writes it: an answer, an error, a stream. */
export class ProtectedResponse extends ServerResponse {
  override writeHead(status: number, ...rest: unknown[]): this {
    const [raw] = rest;
    // A list where nothing was set before is JSON that send.ts writes: each header of it counts, in time and in bytes.
    if (Array.isArray(raw) && this.getHeaderNames().length === 0)
      return super.writeHead(status, DATA_HEADERS.concat(raw));
    for (const [name, value] of PAGE_HEADERS) if (!this.hasHeader(name)) this.setHeader(name, value);
    return super.writeHead(status, ...(rest as [OutgoingHttpHeaders?]));
  }
}

/** Looks at a request before it is handled. @throws Problem */
export type Check = (ctx: Context) => void;

const READING = ['GET', 'HEAD', 'OPTIONS'];

/** A page of another site that a browser shows must change nothing here. Programs send none of these headers. */
export const sameSite: Check = ({ method, headers }) => {
  if (READING.includes(method)) return;
  const { 'sec-fetch-site': site, origin } = headers;
  // Behind a proxy the host may have another name here; what the browser says of it holds.
  const foreign = site
    ? site !== 'same-origin' && site !== 'none'
    : origin !== undefined && origin !== '' && hostOf(origin) !== headers.host;
  if (foreign) throw new Problem(403, `a page of another site (${origin || site}) may change nothing here`);
};

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/**
 * Where nobody is asked for a token because only this machine can connect, a name that another site has pointed at
 * this machine (DNS rebinding) must not do.
 */
export function ownHost({ host, tokensFile, insecure }: Config): Check {
  if (!isLoopback(host) || tokensFile !== '' || insecure) return () => {};
  // Clients send the same name again and again; anybody may send another, so only the last good one is kept.
  let known: string | undefined;
  return ({ headers: { host: name = '' } }) => {
    if (name === known) return;
    if (!isLoopback(hostOf(`http://${name}`)?.replace(/:\d+$/, '') ?? ''))
      throw new Problem(
        403,
        `Host: ${name} is no name of this machine's loopback. A proxy must send one, or give --tokens-file FILE`,
      );
    known = name;
  };
}

/** Counts a request of somebody. @throws Problem 429 */
type Limit = (who: string) => Promise<void>;

/** Undefined where there is no limit: a service on loopback has only this machine's programs to fear. */
function createLimit({ rateLimit, host }: Config): Limit | undefined {
  if (rateLimit === 0 || isLoopback(host)) return undefined;
  const limiter = new RateLimiterMemory({ points: rateLimit, duration: 1 });
  return async (who) => {
    try {
      await limiter.consume(who);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      throw new Problem(429, `more than ${rateLimit} requests in a second (--rate-limit); send this one again`, {
        headers: { 'Retry-After': String(Math.max(1, Math.ceil(error.msBeforeNext / 1000))) },
      });
    }
  };
}

/** Lets somebody in, or throws a Problem; waits only where requests are limited. */
type Entry = (ctx: Context) => Promise<void> | undefined;

/** Lets in whom the role allows, each token and each address so many times a second; guesses of a token count as their address. */
export function createGuard(access: Access, config: Config): (role: Role | undefined) => Entry {
  const limit = createLimit(config);
  const allowed = (ctx: Context, role: Role | undefined) =>
    role === undefined ? undefined : access(role, ctx.headers.authorization);
  return (role) => {
    if (limit === undefined)
      return (ctx) => {
        allowed(ctx, role);
        return undefined;
      };
    return async (ctx) => {
      let who: string | undefined;
      try {
        who = allowed(ctx, role);
      } finally {
        await limit(who ?? ctx.ip);
      }
    };
  };
}

/** Answers that may be under way at once: of all, and on one connection, which sends on without reading them. */
const MOST_ANSWERS = 100;
const MOST_PIPELINED = 10;

/** An answer is kept in memory until it is read. Who asks again and again and reads nothing must not fill it. */
export function boundedAnswers(): Check {
  const open = new WeakMap<Socket, number>();
  let all = 0;
  return ({ socket, res }) => {
    const here = open.get(socket) ?? 0;
    if (here >= MOST_PIPELINED || all >= MOST_ANSWERS)
      throw new Problem(503, 'too many answers are under way and not yet read; ask again in a second', {
        headers: { 'Retry-After': '1' },
      });
    all++;
    open.set(socket, here + 1);
    res.once('close', () => {
      all--;
      open.set(socket, (open.get(socket) ?? 1) - 1);
    });
  };
}
