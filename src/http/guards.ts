import type { Socket } from 'node:net';
import type { Context } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { type Config, isLoopback } from '../config/config.ts';
import type { Access, Role } from './access.ts';
import { Problem } from './problem.ts';

/** Looks at a request before it is handled. @throws Problem */
export type Check = (ctx: Context) => void;

const READING = ['GET', 'HEAD', 'OPTIONS'];

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/**
 * A page of another site that a browser shows must change nothing here. Programs send none of these
 * headers.
 */
export const sameSite: Check = ({ method, headers }) => {
  if (READING.includes(method)) return;
  const { 'sec-fetch-site': site, origin } = headers;
  // Behind a proxy the host may have another name here; what the browser says of it holds.
  const foreign = site
    ? site !== 'same-origin' && site !== 'none'
    : origin !== undefined && origin !== '' && hostOf(origin) !== headers.host;
  if (foreign) throw new Problem(403, `a page of another site (${origin || site}) may change nothing here`);
};

/** The name in a Host header, without its port. */
const nameIn = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/** The address at which a connection arrived, as a Host header writes it. */
function addressOf({ localAddress = '', localFamily }: Socket): string {
  return localFamily === 'IPv6' ? `[${localAddress}]`.replace(/^\[::ffff:([\d.]+)\]$/, '$1') : localAddress;
}

/**
 * Refuses names that are not this service's. Another site can point a name of its own at this
 * machine (DNS rebinding), and would then read and post where nobody is asked for a token.
 */
export function ownHost({ host, tokensFile, allowedHosts }: Config): Check {
  if (tokensFile !== '' && allowedHosts.length === 0) return () => {};
  const names = new Set([host, ...allowedHosts]);
  return ({ headers, req }) => {
    // Browsers always send a name; a probe of a load balancer may send none.
    const name = nameIn(headers.host ?? '');
    if (name === '' || isLoopback(name) || names.has(name) || name === addressOf(req.socket)) return;
    throw new Problem(
      403,
      `Host: "${name}" is not a name of this service. Add it to --allowed-hosts, or give --tokens-file`,
    );
  };
}

/** Counts a request of somebody. @throws Problem 429 */
type Limit = (who: string) => Promise<void>;

/**
 * Undefined where there is no limit: a service on loopback has only this machine's programs to
 * fear.
 */
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

/**
 * Lets in whom the role allows, each token and each address so many times a second; guesses of a
 * token count as their address.
 */
export function createGuard(
  access: Access,
  config: Config,
): (role: Role | undefined) => (ctx: Context) => Promise<void> {
  const limit = createLimit(config);
  return (role) => async (ctx) => {
    let who: string | undefined;
    try {
      who = role && access.admit(role, ctx.headers.authorization);
    } finally {
      await limit?.(who ?? ctx.ip);
    }
  };
}

/**
 * Answers that may be under way at once: of all, and on one connection, which sends on without
 * reading them.
 */
const MOST_ANSWERS = 100;
const MOST_PIPELINED = 10;

/**
 * An answer is kept in memory until it is read. Who asks again and again and reads nothing must not
 * fill it.
 */
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
