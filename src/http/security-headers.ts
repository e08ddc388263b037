import { type IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

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

/**
 * Headers for answers of an API (OWASP REST Security Cheat Sheet). A browser that shows such an
 * answer all the same runs and frames nothing.
 */
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

/** The headers that these set, made once, as they are the same on all answers. */
function headersOf(...protections: Protection[]): Record<string, string> {
  const made = new ServerResponse({ method: 'GET' } as IncomingMessage);
  for (const protection of protections) protection(made.req, made, () => {});
  // Node's own kind of headers would be slow to copy into those of an answer.
  return { ...(made.getHeaders() as Record<string, string>) };
}

/** For answers that a browser may show as a page. */
export const PAGE_HEADERS = headersOf(FOR_PAGES);
/** For answers that only programs read. */
export const DATA_HEADERS = headersOf(...FOR_DATA);
