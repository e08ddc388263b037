import { TooLong } from './limited-text.ts';

/**
 * A program that is asked over HTTP. Its URL may hold a user name and a password; no error tells of
 * either, nor of the URL.
 */
export interface Upstream {
  /** Asks at a path below the URL. @throws Error whose message says why there is no answer */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  ENOTFOUND: 'the name of its host is not found',
  EAI_AGAIN: 'the name of its host cannot be looked up now',
  EHOSTUNREACH: 'its host is not reached',
  ENETUNREACH: 'its network is not reached',
  ETIMEDOUT: 'the connection took too long',
  UND_ERR_CONNECT_TIMEOUT: 'the connection took too long',
};

/** The reason why a request came to nothing, in words that name no address. */
export function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return 'the reason is not known';
  if (error instanceof TooLong) return error.message;
  if (error.name === 'TimeoutError') return 'it took too long';
  if (error.name === 'AbortError') return 'the question was given up';
  const { code, cause } = error as Error & { code?: string };
  if (code !== undefined) return WHY[code] ?? `the connection failed (${code})`;
  // One error for each address of the name.
  const inner = cause ?? (error instanceof AggregateError ? error.errors[0] : undefined);
  return inner === undefined ? 'the connection failed' : whyNot(inner);
}

/** @param base a URL of http or https without a slash at its end */
export function upstreamAt(base: string): Upstream {
  const url = new URL(base);
  const given = url.username !== '' || url.password !== '';
  const basic = [url.username, url.password].map(decodeURIComponent).join(':');
  const authorization = given ? { Authorization: `Basic ${Buffer.from(basic).toString('base64')}` } : {};
  url.username = '';
  url.password = '';
  const bare = url.href.replace(/\/+$/, '');
  return {
    fetch: (path, init = {}) => fetch(bare + path, { ...init, headers: { ...authorization, ...init.headers } }),
  };
}
