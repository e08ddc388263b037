import fc from 'fast-check';
import { STATUSES } from '../../src/domain/names.ts';
import { type Asked, minuteBefore } from './client.ts';

export type Fuzzed = Asked;

const REPORTS = '/api/v1/transactions';
const NAMES = ['approved', 'denied', 'DENIED', '__proto__', 'constructor', 'toString', ''];
const oddNumber = fc.oneof(
  fc.nat(),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, Number.MAX_VALUE, 2 ** 53, '6', null),
);
const oddText = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string(), fc.constant('\ud800'));
const counts = fc.dictionary(fc.constantFrom(...NAMES), oddNumber, { maxKeys: 4 });

/** JSON that is near to a report, so that it gets past the first check. */
const nearReport = fc.record(
  {
    timestamp: fc.oneof(fc.date({ noInvalidDate: true }).map(String), fc.constant(minuteBefore(1)), fc.jsonValue()),
    source: fc.oneof(oddText, fc.jsonValue()),
    counts: fc.oneof(counts, fc.jsonValue()),
    authCodes: fc.oneof(fc.dictionary(fc.string({ maxLength: 9 }), oddNumber, { maxKeys: 4 }), fc.jsonValue()),
    labels: fc.oneof(fc.dictionary(fc.constantFrom('acquirer', 'x'), oddText, { maxKeys: 2 }), fc.jsonValue()),
    status: fc.oneof(fc.constantFrom(...STATUSES), fc.jsonValue()),
    count: fc.oneof(oddNumber, fc.jsonValue()),
    F1: oddNumber,
  },
  { requiredKeys: [] },
);

const valid = fc
  .record({ status: fc.constantFrom(...STATUSES), count: fc.nat(100) })
  .map((report) => ({ timestamp: minuteBefore(1), source: 'fuzz', ...report }));

/** A text with some of its bytes gone, doubled, or another. */
const mutated = (text: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(text, fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.nat(255)), { minLength: 1, maxLength: 6 }))
    .map(([whole, edits]) => {
      const bytes = [...Buffer.from(whole)];
      for (const [where, kind, byte] of edits) {
        const at = where % Math.max(1, bytes.length);
        if (kind === 0) bytes.splice(at, 1);
        else bytes.splice(at, kind === 1 ? 1 : 0, byte);
      }
      return Uint8Array.from(bytes);
    });

const body: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  valid.map((report) => JSON.stringify(report)),
  fc.json(),
  fc.uint8Array({ maxLength: 300 }),
  nearReport.map((report) => JSON.stringify(report)),
  fc.array(nearReport, { maxLength: 4 }).map((reports) => JSON.stringify(reports)),
  fc.array(nearReport, { maxLength: 4 }).map((reports) => reports.map((report) => JSON.stringify(report)).join('\n')),
  mutated(valid.map((report) => JSON.stringify(report))),
);

const type = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('application/json', 'application/x-ndjson') },
  fc.constantFrom('text/plain', 'application/json; charset=utf-16', 'application/json;', 'multipart/form-data', ';'),
  fc.string({ maxLength: 40 }),
);
const encoding = fc.constantFrom(
  {},
  {},
  {},
  {},
  { 'Content-Encoding': 'gzip' },
  { 'Content-Encoding': 'br' },
  { 'Content-Encoding': 'rot13' },
);
const headers = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  fc.dictionary(
    fc.constantFrom(
      'Idempotency-Key',
      'Authorization',
      'Host',
      'Origin',
      'Accept',
      'If-None-Match',
      'Range',
      'Last-Event-ID',
      'Sec-Fetch-Site',
      'X-Forwarded-For',
      'Cookie',
    ),
    fc.oneof(fc.string({ maxLength: 300 }), fc.constantFrom('Bearer x', 'null', '127.0.0.1', 'bytes=0-')),
    { maxKeys: 3 },
  ),
);

const report = fc.record({ type, encoding, headers, body }).map(
  (one): Fuzzed => ({
    method: 'POST',
    path: REPORTS,
    headers: { 'Content-Type': one.type, ...one.encoding, ...one.headers },
    body: one.body,
  }),
);

const PATHS = [
  '/',
  '/live/main.js',
  '/docs',
  '/openapi.json',
  '/metrics',
  '/-/ready',
  REPORTS,
  '/api/v1/anomalies',
  '/api/v1/series',
  '/api/v1/comparison',
  '/api/v1/auth-codes',
  '/api/v1/rules',
  '/api/v1/state',
  '/api/v1/silences',
  '/api/v1/silences/1',
  '/api/v1/incidents',
  '/api/v1/incidents/1/mark',
  '/api/v1/alertmanager',
  '/api/v1/demo/incidents',
  '/api/v1/alerts',
];
const segment = fc.oneof(
  fc.webSegment(),
  fc.constantFrom('..', '%2e%2e', '%00', '%E0%A4%A', '%ff', '.', '//', '__proto__'),
);
const query = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters().map((text) => `?${text}`),
  fc
    .tuple(fc.constantFrom('status', 'from', 'to', 'window', 'limit', '__proto__', 'labels'), fc.webQueryParameters())
    .map(([name, value]) => `?${name}=${value}`),
);
const path = fc
  .tuple(fc.constantFrom(...PATHS), fc.array(segment, { maxLength: 2 }), query)
  .map(([start, more, end]) => [start, ...more].join('/').replace(/^\/\//, '/') + end);
/** Not the stream of events, which does not end. */
const elsewhere = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'),
    path,
    headers,
    body,
  })
  .map(
    ({ body, ...request }): Fuzzed =>
      ['GET', 'HEAD', 'TRACE', 'OPTIONS'].includes(request.method)
        ? request
        : { ...request, headers: { 'Content-Type': 'application/json', ...request.headers }, body },
  );

export const anyRequest: fc.Arbitrary<Fuzzed> = fc.oneof({ weight: 3, arbitrary: report }, elsewhere);

const head = (line: string, more: string) => `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${more}\r\n`;
const wholeRequest = fc.oneof(
  valid.map((one) => {
    const text = JSON.stringify(one);
    return `${head(`POST ${REPORTS}`, `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`)}${text}`;
  }),
  valid.map((one) => {
    const text = JSON.stringify(one);
    const chunk = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    return `${head(`POST ${REPORTS}`, 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n')}${chunk}`;
  }),
  path.map((one) => head(`GET ${one}`, '')),
);

/** Requests with some of their bytes gone, doubled, or another. */
export const mutatedBytes: fc.Arbitrary<Uint8Array> = mutated(wholeRequest);
