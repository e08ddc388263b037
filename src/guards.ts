import type { Middleware } from 'koa';
import helmet from 'koa-helmet';
import { type Config, isLoopback } from './config.ts';
import { Problem } from './problem.ts';

/** On every answer, errors too. Nothing is loaded from elsewhere, nothing inline runs, nobody frames the page. */
export const securityHeaders = (): Middleware =>
  helmet({
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
    xFrameOptions: { action: 'deny' },
    // Plain HTTP is served; who puts TLS before it knows for how long it is promised.
    strictTransportSecurity: false,
  });

const READING = ['GET', 'HEAD', 'OPTIONS'];

/** A page of another site that a browser shows must change nothing here. Programs send none of these headers. */
export const sameSite: Middleware = (ctx, next) => {
  if (READING.includes(ctx.method)) return next();
  const [site, origin] = [ctx.get('Sec-Fetch-Site'), ctx.get('Origin')];
  // Behind a proxy the host may have another name here; what the browser says of it holds.
  const foreign =
    site === '' ? origin !== '' && hostOf(origin) !== ctx.get('Host') : !/^(same-origin|none)$/.test(site);
  if (foreign) throw new Problem(403, `a page of another site (${origin || site}) may change nothing here`);
  return next();
};

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

/**
 * Where nobody is asked for a token because only this machine can connect, a name that another site has pointed at
 * this machine (DNS rebinding) must not do.
 */
export function ownHost({ host, tokensFile, insecure }: Config): Middleware {
  if (!isLoopback(host) || tokensFile !== '' || insecure) return (_ctx, next) => next();
  // Clients send the same name again and again; anybody may send another, so only the last good one is kept.
  let known: string | undefined;
  return (ctx, next) => {
    const name = ctx.get('Host');
    if (name === known) return next();
    if (isLoopback(hostOf(`http://${name}`)?.replace(/:\d+$/, '') ?? '')) {
      known = name;
      return next();
    }
    throw new Problem(
      403,
      `Host: ${ctx.get('Host')} is no name of this machine's loopback. A proxy must send one, or give --tokens-file FILE`,
    );
  };
}
