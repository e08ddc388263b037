import { once } from 'node:events';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import zlib, { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from './support/processes.ts';
import {
  type Answer,
  type Headings,
  minutesAgo,
  type Service,
  serveProcess,
  startService,
  temporaryFolder,
  transactionLines,
} from './support/service.ts';

const TRANSACTIONS = '/api/v1/transactions';
const GZIP = { 'Content-Encoding': 'gzip' };
const NDJSON = { 'Content-Type': 'application/x-ndjson' };

let service: Service;
beforeAll(async () => {
  service = await startService({ dimensions: 'acquirer', data: temporaryFolder('http') });
  await service.post({ counts: { approved: 10, denied: 2 }, labels: { acquirer: 'acme' } });
});
afterAll(() => service.close());

/** What scrapes say of transactions: text, so that not a byte of it may change. */
const exposed = async () => transactionLines(await service.metrics()).join('\n');

function expectProblem(answer: Answer, status: number, ...named: string[]): void {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const { detail, errors = [] } = answer.json;
  expect(answer.json).toMatchObject({ type: expect.any(String), title: expect.any(String), status, detail });
  const said = [detail, ...errors.map((error: { path: string }) => error.path)].join('\n');
  for (const name of named) expect(said).toContain(name);
  expect(answer.text).not.toMatch(/node_modules|\.ts:|\.js:|at Object/);
}

type Malformed = [name: string, status: number, named: string, body: unknown, headers?: Headings];

const future = minutesAgo(-7);
const manyReports = Array.from({ length: 10_001 }, () => ({ status: 'denied' }));
const manyCodes = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`c${i}`, 1]));
const OTLP = { resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ logRecords: [{ attributes: [] }] }] }] };
const MALFORMED: Malformed[] = [
  ['no JSON at all', 400, 'JSON', 'hello'],
  ['JSON cut short', 400, 'JSON', '{"counts": {"denied": 6}'],
  ['an empty body', 400, 'empty', ''],
  ['a body of blanks', 400, 'JSON', '  \n '],
  ['a number', 422, 'object', '5'],
  ['a string', 422, 'object', '"denied"'],
  ['null', 422, 'object', 'null'],
  ['an empty list', 422, 'at least one', []],
  ['an empty object', 422, 'status', {}],
  ['a list of numbers', 422, '1', [{ status: 'denied' }, 5]],
  ['null in a list', 422, '0', [null]],
  ['a list in a list', 422, '0', [[{ status: 'denied' }]]],
  ['more reports than are taken at once', 422, '10000', manyReports],
  ['10,000 levels of nesting', 422, '0', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ['100,000 levels of nesting', 400, '16 deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['100,000 levels of nesting, by line', 400, '16 deep', `{}\n${'{"counts":'.repeat(100_000)}`, NDJSON],
  ['counts nested in counts', 422, 'counts.counts', `${'{"counts":'.repeat(2000)}1${'}'.repeat(2000)}`],
  ['a negative count', 422, 'counts.denied', { counts: { denied: -1 } }],
  ['a fractional count', 422, 'counts.denied', { counts: { denied: 1.5 } }],
  ['an unsafe count', 422, 'counts.denied', '{"counts": {"denied": 9007199254740993}}'],
  ['a count of 1e300', 422, 'counts.denied', '{"counts": {"denied": 1e300}}'],
  ['a count beyond all numbers', 422, 'counts.denied', '{"counts": {"denied": 1e999}}'],
  ['a count in a string', 422, 'counts.denied', { counts: { denied: '6' } }],
  ['a count of null', 422, 'counts.denied', { counts: { denied: null } }],
  ['a count of true', 422, 'counts.denied', { counts: { denied: true } }],
  ['counts that name no status', 422, 'counts', { counts: {} }],
  ['a count of all statuses', 422, '"total" is the sum of the statuses', { counts: { denied: 6, total: 6 } }],
  ['a status that is not known', 422, 'if that is what it means', { counts: { foo: 6 } }],
  ['money', 422, 'unknown key "amount", got 9; keys are', { status: 'denied', amount: 9 }],
  ['an empty status', 422, 'must not be empty', { status: '' }],
  ['counts without their name', 422, 'rename: {approved: counts.approved}', { approved: 116 }],
  ['a count beside counts', 422, 'must not stand beside "counts"', { counts: { denied: 6 }, count: 6 }],
  ['a count of null beside a status', 422, 'got null', { status: 'denied', count: null }],
  ['a key twice', 400, 'the key "denied" stands twice', '{"counts": {"denied": 5, "denied": 6}}'],
  ['single quotes', 400, 'stand in double quotes', "{'status': 'denied'}"],
  ['a comma at the end', 400, 'no comma stands before }', '{"counts": {"denied": 6,}}'],
  ['a name that the shell left', 400, 'in double quotes only', '{"counts": {"denied": $n}}'],
  ['nothing behind a colon', 400, 'a value is missing', '{"counts": {"denied": }}'],
  ['NaN', 400, 'JSON has no NaN', '{"counts": {"denied": NaN}}'],
  ['reports without a list', 400, 'reports stand in a list', '{"status": "denied"}{"status": "denied"}'],
  ['CSV', 400, 'begins with {', 'time,status,count\n'],
  ['gzip without its name', 400, 'Content-Encoding: gzip', gzipSync('{"status": "denied"}')],
  ['UTF-16', 400, 'send UTF-8', Buffer.from('\ufeff{"status": "denied"}', 'utf16le')],
  [
    'what curl says by itself',
    415,
    "curl --header 'Content-Type: application/json'",
    '{"status": "denied"}',
    { 'Content-Type': 'application/x-www-form-urlencoded' },
  ],
  ['counts as a list', 422, 'counts', { counts: [6] }],
  ['counts as a number', 422, 'counts', { counts: 6 }],
  ['an unknown status among counts', 422, 'counts.declined', { counts: { declined: 6 } }],
  ['a bad count of a status in capitals', 422, 'counts.DENIED', { counts: { DENIED: -6 } }],
  ['a count beyond the largest', 422, '--max-count', { counts: { denied: 10_000_001 } }],
  ['a count of an event beyond the largest', 422, 'count', { status: 'denied', count: 10_000_001 }],
  ['a count of a code beyond the largest', 422, 'authCodes.51', { counts: { denied: 6 }, authCodes: { 51: 1e8 } }],
  ['more auth codes than there are', 422, 'got 1001', { counts: { denied: 6 }, authCodes: manyCodes }],
  ['counts under the name count', 422, 'did you mean "counts"', { count: { denied: 6 } }],
  ['a count in quotes', 422, 'got a string: "6"', { counts: { denied: '6' } }],
  ['a key that is misspelled', 422, 'did you mean "authCodes"', { counts: { denied: 6 }, authcodes: { 51: 6 } }],
  ['a key of another program', 422, 'rename: {ts: timestamp}', { status: 'denied', ts: 1_795_264_260 }],
  ['a key of no use', 422, 'ignore: [pid]', { status: 'denied', pid: 77 }],
  ['reports within a body', 422, 'items: metrics', { metrics: [{ status: 'denied' }] }],
  ['a label beside the labels', 422, 'labels.acquirer', { status: 'denied', acquirer: 'acme' }],
  ['a label that is misspelled', 422, 'did you mean "acquirer"', { status: 'denied', labels: { aquirer: 'acme' } }],
  ['a word for a status', 422, 'statuses: {"declined": denied}', { status: 'declined' }],
  ['__proto__ among counts', 400, 'forbidden', '{"counts": {"__proto__": 6, "denied": 1}}'],
  ['__proto__ hidden by an escape', 400, 'forbidden', '{"counts": {"\\u005f_proto__": 6, "denied": 1}}'],
  ['__proto__ hidden by an escape, packed', 400, 'forbidden', gzipSync('{"__pr\\u006fto__": 6}'), GZIP],
  ['__proto__ among counts by line', 400, 'line 1', '{"counts": {"__proto__": 6}}', NDJSON],
  ['constructor among counts', 422, 'counts.constructor', { counts: { constructor: 6 } }],
  ['an unknown key', 422, 'region', { counts: { denied: 6 }, region: 'eu' }],
  ['an unknown key of an event', 422, 'code', { status: 'denied', code: '51' }],
  ['an unknown key in a list', 422, '1.amount', [{ status: 'denied' }, { status: 'denied', amount: 9 }]],
  ['an event and a report in one', 422, 'status', { status: 'denied', counts: { denied: 6 } }],
  ['an event with count and F1', 422, 'count', { status: 'denied', count: 6, F1: 6 }],
  ['an unknown status of an event', 422, 'status', { status: 'stolen', count: 6 }],
  ['a status that is a number', 422, 'status', { status: 51 }],
  ['a negative count of an event', 422, 'count', { status: 'denied', count: -6 }],
  ['a negative F1', 422, 'F1', { time: minutesAgo(1), status: 'denied', F1: -6 }],
  ['a time without F1', 422, 'F1', { time: minutesAgo(1), status: 'denied' }],
  ['logs of OpenTelemetry', 422, 'items: resourceLogs.*.scopeLogs.*.logRecords', OTLP],
  ['an event within', 422, 'items: event', { event: { status: 'denied' } }],
  [
    'a row of BigQuery',
    422,
    'rename: {time: timestamp, f0_: count}',
    { time: minutesAgo(1), status: 'denied', f0_: 6 },
  ],
  ['30 February', 422, 'timestamp', { timestamp: '2026-02-30T12:00:00Z', status: 'denied' }],
  ['29 February of no leap year', 422, 'timestamp', { timestamp: '2025-02-29T12:00:00Z', status: 'denied' }],
  ['25 o’clock', 422, 'timestamp', { timestamp: '2026-01-01T25:00:00Z', status: 'denied' }],
  ['minute 60', 422, 'timestamp', { timestamp: '2026-01-01T12:60:00Z', status: 'denied' }],
  ['a date without a time', 422, 'timestamp', { timestamp: '2026-01-01', status: 'denied' }],
  ['a time in words', 422, 'timestamp', { timestamp: 'yesterday', status: 'denied' }],
  ['a small number as a time', 422, 'timestamp', { timestamp: 1_795_264, status: 'denied' }],
  ['a number in the future', 422, 'timestamp', { timestamp: Date.now() / 1000 + 420, status: 'denied' }],
  ['a time before 1970', 422, 'timestamp', { timestamp: '1969-12-31T23:59:00Z', status: 'denied' }],
  ['an offset of 30 hours', 422, 'timestamp', { timestamp: '2026-01-01T12:00:00+30:00', status: 'denied' }],
  ['a bad time of a row', 422, 'time', { time: '13h 05', status: 'denied', F1: 6 }],
  ['the future', 422, 'timestamp', { timestamp: future, status: 'denied' }],
  ['the future in a row', 422, 'time', { time: future, status: 'denied', F1: 1 }],
  ['an empty source', 422, 'source', { source: '', status: 'denied' }],
  ['a source that is a number', 422, 'source', { source: 7, status: 'denied' }],
  ['a source that is too long', 422, 'source', { source: 'a'.repeat(201), status: 'denied' }],
  ['a negative count of a code', 422, 'authCodes.51', { counts: { denied: 6 }, authCodes: { 51: -6 } }],
  ['a fractional count of a code', 422, 'authCodes.51', { counts: { denied: 6 }, authCodes: { 51: 0.5 } }],
  ['an auth code that is none', 422, 'authCodes.5 1', { counts: { denied: 6 }, authCodes: { '5 1': 6 } }],
  ['auth codes as a list', 422, 'authCodes', { counts: { denied: 6 }, authCodes: ['51'] }],
  ['an auth code that is a fraction', 422, 'auth_code', { status: 'denied', auth_code: 5.1 }],
  ['an id that is a number', 422, 'id', { status: 'denied', id: 7 }],
  ['an auth code that is too long', 422, 'auth_code', { status: 'denied', auth_code: '123456789' }],
  ['a label that is not allowed', 422, 'labels.merchant', { status: 'denied', labels: { merchant: 'm1' } }],
  ['a label that is a number', 422, 'labels.acquirer', { status: 'denied', labels: { acquirer: 7 } }],
  ['an empty label', 422, 'labels.acquirer', { status: 'denied', labels: { acquirer: '' } }],
  ['half a character in a label', 422, 'labels.acquirer', '{"status":"denied","labels":{"acquirer":"\\ud800"}}'],
  ['a label that is too long', 422, 'labels.acquirer', { status: 'denied', labels: { acquirer: 'a'.repeat(201) } }],
  ['labels as a list', 422, 'labels', { status: 'denied', labels: ['acme'] }],
  ['labels as a string', 422, 'labels', { status: 'denied', labels: 'acme' }],
  ['one bad line', 400, 'line 2', '{"status":"denied"}\n{"status":\n{"status":"denied"}', NDJSON],
  ['a bad line of JSON that is by line without saying so', 400, 'line 2', '{"status":"denied"}\n{"status":'],
  ['one line with a bad field', 422, '1.count', '{"status":"denied"}\n{"status":"denied","count":-1}', NDJSON],
  ['lines without anything', 400, 'empty', '\n\n', NDJSON],
  ['a line that is a number', 422, '0', '5\n', NDJSON],
  ['no content type', 415, 'Content-Type', '{"status":"denied"}', { 'Content-Type': '' }],
  ['text', 415, 'Content-Type', '{"status":"denied"}', { 'Content-Type': 'text/plain' }],
  ['a form', 415, 'Content-Type', 'status=denied', { 'Content-Type': 'application/x-www-form-urlencoded' }],
  ['JSON of a vendor', 415, 'Content-Type', '{"status":"denied"}', { 'Content-Type': 'application/vnd.api+json' }],
  ['UTF-16', 415, 'charset', '{"status":"denied"}', { 'Content-Type': 'application/json; charset=utf-16' }],
  ['an unknown encoding', 415, 'Encoding', '{"status":"denied"}', { 'Content-Encoding': 'rot13' }],
  ['a blank body', 400, 'the body is empty; send a report', ' \n\t '],
  ['a body cut off', 400, 'cut off before its end', '{"status":'],
  [
    'gzip that is none',
    400,
    'it is not gzip, as its Content-Encoding',
    '{"status":"denied"}',
    { 'Content-Encoding': 'gzip' },
  ],
  [
    'gzip cut short',
    400,
    'or it is cut off',
    gzipSync('{"status":"denied"}').subarray(0, 20),
    { 'Content-Encoding': 'gzip' },
  ],
  ['gzip that grows beyond the limit', 413, '4mb', gzipSync(Buffer.alloc(30e6, ' ')), { 'Content-Encoding': 'gzip' }],
  ['a body that is too large', 413, '4mb', ' '.repeat(5_000_000)],
  ['an empty key', 400, 'Idempotency-Key', { status: 'denied' }, { 'Idempotency-Key': '' }],
  ['a key with a blank', 400, 'Idempotency-Key', { status: 'denied' }, { 'Idempotency-Key': 'a b' }],
  ['a key that is no ASCII', 400, 'Idempotency-Key', { status: 'denied' }, { 'Idempotency-Key': 'clé' }],
  ['a key that is too long', 400, 'Idempotency-Key', { status: 'denied' }, { 'Idempotency-Key': 'a'.repeat(256) }],
];

describe('a malformed report is refused, its field named, and nothing changes', () => {
  test.each(MALFORMED)('%s: %i, %s', async (_name, status, named, body, headers) => {
    const before = await exposed();
    expectProblem(await service.post(body, headers), status, named);
    expect(await exposed()).toBe(before);
  });

  test('one bad report in a hundred takes the others with it', async () => {
    const before = await exposed();
    const reports = Array.from({ length: 100 }, (_, i) => ({ status: 'denied', count: i === 99 ? -1 : 1 }));
    expectProblem(await service.post(reports), 422, '99.count');
    expect(await exposed()).toBe(before);
  });

  test('every wrong field is named at once', async () => {
    const answer = await service.post({ timestamp: 'x', source: '', counts: { denied: -1, lost: 2 }, extra: 1 });
    expectProblem(answer, 422, 'timestamp', 'source', 'counts.denied', 'counts.lost', 'extra');
    expect(answer.json.errors).toContainEqual({ path: 'counts.denied', message: 'must not be negative, got -1' });
  });

  test('an overflow of a counter is refused', async () => {
    const lenient = await startService({ maxCount: String(Number.MAX_SAFE_INTEGER) });
    await lenient.post({ status: 'processing', count: Number.MAX_SAFE_INTEGER });
    const before = transactionLines(await lenient.metrics());
    expectProblem(await lenient.post({ status: 'processing' }), 409, 'processing');
    expect(transactionLines(await lenient.metrics())).toEqual(before);
    await lenient.close();
  });
});

type Request = [name: string, status: number, named: string, method: string, path: string, body?: unknown];

const notification = {
  version: '4',
  groupKey: '{}',
  status: 'firing',
  receiver: 'journal',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://127.0.0.1',
  alerts: [],
};
const REQUESTS: Request[] = [
  ['an unknown path', 404, '/nothing', 'GET', '/nothing'],
  ['a path that cannot be decoded', 404, '/%E0%A4%A', 'GET', '/%E0%A4%A'],
  ['PUT of transactions', 405, 'POST, GET, HEAD', 'PUT', TRANSACTIONS, {}],
  ['DELETE of metrics', 405, 'GET, HEAD', 'DELETE', '/metrics'],
  ['GET of the webhook', 405, 'POST', 'GET', '/api/v1/alertmanager'],
  ['a limit of 0', 422, 'limit', 'GET', `${TRANSACTIONS}?limit=0`],
  ['a limit of 1001', 422, 'limit', 'GET', `${TRANSACTIONS}?limit=1001`],
  ['a limit in words', 422, 'limit', 'GET', `${TRANSACTIONS}?limit=all`],
  ['two limits', 422, 'limit', 'GET', `${TRANSACTIONS}?limit=5&limit=6`],
  ['an unknown parameter', 422, 'page', 'GET', `${TRANSACTIONS}?page=2`],
  ['__proto__ as a parameter', 422, '__proto__', 'GET', `${TRANSACTIONS}?__proto__=2`],
  ['a limit of alerts', 422, 'limit', 'GET', '/api/v1/alerts?limit=-1'],
  ['a series without its status', 422, 'status', 'GET', '/api/v1/series'],
  ['a series of an unknown status', 422, 'status', 'GET', '/api/v1/series?status=stolen'],
  ['a series of two statuses', 422, 'status', 'GET', '/api/v1/series?status=denied&status=failed'],
  ['a series from a bad time', 422, 'from', 'GET', '/api/v1/series?status=denied&from=yesterday'],
  ['a series that ends before it begins', 422, 'from', 'GET', '/api/v1/series?status=denied&from=200&to=100'],
  ['a series of an unknown window', 422, 'window', 'GET', '/api/v1/series?status=denied&window=3m'],
  ['an empty notification', 422, 'status', 'POST', '/api/v1/alertmanager', {}],
  ['a notification of no state', 422, 'status', 'POST', '/api/v1/alertmanager', { ...notification, status: 'maybe' }],
  ['a notification without alerts', 422, 'alerts', 'POST', '/api/v1/alertmanager', { ...notification, alerts: 5 }],
  ['a notification that is no JSON', 400, 'JSON', 'POST', '/api/v1/alertmanager', 'x'],
];

/** One report, however it is written down: it must be read the same by whichever way it comes. */
type Way = [name: string, path: string, body: string | Uint8Array, headers?: Headings];
const WAYS: Way[] = [
  ['as most send it', TRANSACTIONS, '{"status":"denied"}'],
  ['with a byte order mark', TRANSACTIONS, '\ufeff{"status":"denied"}'],
  ['with an escape', TRANSACTIONS, '{"status":"d\\u0065nied"}'],
  ['with its charset', TRANSACTIONS, '{"status":"denied"}', { 'Content-Type': 'Application/JSON; charset="UTF-8"' }],
  ['packed', TRANSACTIONS, gzipSync('{"status":"denied"}'), GZIP],
  ['longer than most', TRANSACTIONS, `${' '.repeat(100_000)}{"status":"denied"}`],
  [
    'longer than most, with brackets in a name',
    TRANSACTIONS,
    `${' '.repeat(100_000)}{"source":"a \\"${'[{'.repeat(20)}\\\\","status":"denied"}`,
  ],
  ['by line', TRANSACTIONS, '\n{"status":"denied"}\n', NDJSON],
  ...['application/ndjson', 'application/jsonl; charset=utf-8'].map(
    (type): Way => [`as ${type}`, TRANSACTIONS, '{"status":"denied"}\n', { 'Content-Type': type }],
  ),
  ['by line, without saying so', TRANSACTIONS, '\n{"status":"denied"}\n{"status":"failed","count":0}\n'],
  [
    'with its charset misspelled',
    TRANSACTIONS,
    '{"status":"denied"}',
    { 'Content-Type': 'application/json;charset=utf8' },
  ],
  ['packed by deflate', TRANSACTIONS, deflateSync('{"status":"denied"}'), { 'Content-Encoding': 'deflate' }],
  ['packed by br', TRANSACTIONS, brotliCompressSync('{"status":"denied"}'), { 'Content-Encoding': 'br' }],
  ['at the path with a slash', `${TRANSACTIONS}/`, '{"status":"denied"}'],
  ['at the path with a query', `${TRANSACTIONS}?from=pos`, '{"status":"denied"}'],
];

describe('a report is taken', () => {
  test.each(WAYS)('%s', async (_name, path, body, headers) => {
    const series = 'transactions_total{status="denied"}';
    const before = (await service.value(series)) ?? 0;
    const answer = await service.send('POST', path, body, headers);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await service.value(series)).toBe(before + 1);
  });

  test('in pieces, with a length or without one', async () => {
    const { port } = new URL(service.url);
    for (const length of ['Content-Length: 19', 'Transfer-Encoding: chunked']) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.write(
        `POST ${TRANSACTIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}\r\nConnection: close\r\n\r\n`,
      );
      const chunked = length.endsWith('chunked');
      for (const piece of ['{"stat', 'us":"denied"}']) {
        socket.write(chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece);
        // So that it comes in a packet of its own.
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (chunked) socket.write('0\r\n\r\n');
      expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 200 .*"accepted":1/s);
    }
  });
});

const { zstdCompressSync } = zlib as { zstdCompressSync?: (text: string) => Buffer };

test('zstd is unpacked where Node can, and refused where it cannot', async () => {
  const encoded = { 'Content-Encoding': 'zstd' };
  const answer = await service.post(zstdCompressSync?.('{"status":"denied"}') ?? '?', encoded);
  expect(answer.status).toBe(zstdCompressSync === undefined ? 415 : 200);
  if (zstdCompressSync === undefined) return;
  expectProblem(await service.post('{"status":"denied"}', encoded), 400, 'cannot be read');
  expectProblem(await service.post(zstdCompressSync(' '.repeat(30e6)), encoded), 413, '4mb');
});

describe('a body that is not read to its end', () => {
  const unread = [
    ['without a type', 'POST', TRANSACTIONS, 'Content-Length: 500', 415],
    ['too large', 'POST', TRANSACTIONS, 'Content-Type: application/json\r\nContent-Length: 50000000', 413],
    ['to nowhere', 'POST', '/nothing', 'Content-Length: 500', 404],
    ['of a GET', 'GET', '/-/healthy', 'Content-Length: 500', 200],
    ['in pieces', 'PUT', TRANSACTIONS, 'Transfer-Encoding: chunked', 405],
  ] as const;
  test.each(unread)('is answered, and its connection closed: %s', async (_name, method, path, headers, status) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`);
    // Ends only when the service closes the connection.
    const answer = await textOf(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*Connection: close`, 'is'));
  });

  test('does not keep its sender from reading the answer', async () => {
    const answers = Array.from({ length: 5 }, () => service.post(' '.repeat(8_000_000)));
    for (const answer of await Promise.all(answers)) expectProblem(answer, 413, '4mb');
  });

  test('leaves the connection open where it has come whole', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const wrong = `POST ${TRANSACTIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n`;
    socket.write(`${wrong}\r\n{}`);
    await once(socket, 'data');
    socket.write(`${wrong}Connection: close\r\n\r\n{}`);
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 415 /);
  });
});

describe('long bodies that come at once', () => {
  const keys = Array.from({ length: 30_000 }, (_, i) => [`key ${i}`, 1]);
  const long = JSON.stringify({ counts: Object.fromEntries(keys) });

  // A short one waits several times on the way to its answer, each time for one of them.
  const BODIES = 30;

  test('do not keep a short one waiting until the last is read', async () => {
    // A process of its own: this one must go on while it reads.
    const other = await serveProcess(temporaryFolder('http'));
    let read = 0;
    const answers = Array.from({ length: BODIES }, async () => {
      expect((await other.post(long)).status).toBe(422);
      read++;
    });
    await Promise.race(answers);
    const isCounted = async () => (await other.post({ status: 'denied' })).status === 200;
    await waitFor(isCounted, { what: 'the short one to be counted' });
    expect(read).toBeLessThan(BODIES);
    await Promise.all(answers);
    await other.process.stop();
  });

  test('are read one at a time where they are very long', async () => {
    const path = '/api/v1/alertmanager';
    const large = JSON.stringify(notification) + ' '.repeat(5_000_000);
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const slow = connect(Number(new URL(service.url).port), '127.0.0.1');
    slow.write(`${head}Content-Length: ${large.length}\r\nConnection: close\r\n\r\n${large.slice(0, -1)}`);
    // The other one comes later than the slow one has begun.
    await service.get('/-/healthy');
    let isAnswered = false;
    const second = service.send('POST', path, large).finally(() => {
      isAnswered = true;
    });
    for (let i = 0; i < 20; i++) expect((await service.send('POST', path, notification)).status).toBe(200);
    expect(isAnswered).toBe(false);
    slow.write(' ');
    expect(await textOf(slow)).toMatch(/^HTTP\/1\.1 200 /);
    expect((await second).status).toBe(200);
  });
});

describe('other requests that cannot be answered', () => {
  test.each(REQUESTS)('%s: %i, %s', async (_name, status, named, method, path, body) => {
    const answer = await service.send(method, path, body);
    expectProblem(answer, status, named);
    if (status === 405) expect(answer.headers.get('allow')).toBe(named);
  });

  test('what is no HTTP is answered 400 and hurts nobody', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.end('hello\r\n\r\n');
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 400 /);
    expect((await service.get('/-/healthy')).status).toBe(200);
  });

  test.each(['', 'Content-Encoding: gzip\r\n'])('a POST without a body %j: 400, empty', async (header) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(
      `POST ${TRANSACTIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${header}Connection: close\r\n\r\n`,
    );
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 400 .*the body is empty/s);
  });

  test('a sender that goes away in the middle of a body counts nothing', async () => {
    const before = await exposed();
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(
      `POST ${TRANSACTIONS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n`,
    );
    socket.end('{"status":"denied"}');
    await textOf(socket);
    expect(await exposed()).toBe(before);
  });

  test('a reader that goes away before the end of an answer is no error in the log', async () => {
    for (let reader = 0; reader < 20; reader++) {
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n');
      // Long enough for the service to take the request, and for most readers too short for it to
      // pack its answer.
      for (let turn = 0; turn < reader; turn++) await nextTurn();
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    expect((await service.get('/openapi.json')).status).toBe(200);
    expect(service.logged.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});

/** JSON that is near to a report, so that it gets past the first check. */
const nearReport = fc.record(
  {
    timestamp: fc.oneof(fc.date({ noInvalidDate: true }).map(String), fc.constant(minutesAgo(1)), fc.jsonValue()),
    source: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
    counts: fc.oneof(
      fc.dictionary(fc.constantFrom('approved', 'denied', 'lost', '__proto__'), fc.oneof(fc.nat(), fc.double())),
      fc.jsonValue(),
    ),
    authCodes: fc.oneof(fc.dictionary(fc.string({ maxLength: 9 }), fc.oneof(fc.nat(), fc.double())), fc.jsonValue()),
    labels: fc.oneof(fc.dictionary(fc.constantFrom('acquirer', 'x'), fc.string({ unit: 'binary' })), fc.jsonValue()),
    status: fc.oneof(fc.constantFrom('denied', 'failed'), fc.jsonValue()),
    count: fc.oneof(fc.nat(), fc.double(), fc.jsonValue()),
    F1: fc.oneof(fc.nat(), fc.jsonValue()),
  },
  { requiredKeys: [] },
);
const anyBody = fc.oneof(
  fc.json(),
  fc.uint8Array({ maxLength: 200 }),
  nearReport.map((report) => JSON.stringify(report)),
  fc.array(nearReport, { maxLength: 3 }).map((reports) => JSON.stringify(reports)),
);

test('no body whatever gives a 5xx, and none that is refused changes a counter', async () => {
  let before = await exposed();
  const types = fc.constantFrom('application/json', 'application/x-ndjson');
  await fc.assert(
    fc.asyncProperty(anyBody, types, async (body, type) => {
      const answer = await service.post(body, { 'Content-Type': type });
      expect(answer.status, answer.text).toBeLessThan(500);
      const after = await exposed();
      if (answer.status !== 200) {
        expectProblem(answer, answer.status);
        expect(after).toBe(before);
      }
      before = after;
    }),
    { numRuns: 100 },
  );
});

describe('what describes the service', () => {
  test('the OpenAPI document lists the routes that there are, and their problems', async () => {
    const { json } = await service.get('/openapi.json');
    expect(json.openapi).toMatch(/^3\.1\./);
    for (const [path, operations] of Object.entries<Record<string, unknown>>(json.paths)) {
      const documented = Object.keys(operations).map((method) => method.toUpperCase());
      const answer = await service.send('PATCH', path.replaceAll(/[{}]/g, ''), {});
      expect(answer.status, path).toBe(405);
      const served = answer.headers.get('allow')?.split(', ') ?? [];
      expect(served.filter((method) => method !== 'HEAD').sort(), path).toEqual(documented.sort());
    }
    expect(Object.keys(json.paths)).toEqual(
      expect.arrayContaining([TRANSACTIONS, '/api/v1/anomalies', '/api/v1/series', '/api/v1/alerts', '/metrics']),
    );
    expect(Object.keys(json.paths[TRANSACTIONS].post.responses)).toEqual(
      expect.arrayContaining(['200', '400', '401', '403', '409', '413', '415', '422', '429', '503']),
    );
  });

  test('the OpenAPI document is clean by a linter of the field', async () => {
    const { text } = await service.get('/openapi.json');
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: text, config });
    expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
    const broken = text.replace('"operationId":"postTransactions"', '"operationId":"getAlerts"');
    expect(broken).not.toBe(text);
    expect(await lintFromString({ source: broken, config })).not.toEqual([]);
  });

  test('it says that it lives, and that it is ready although Prometheus does not answer', async () => {
    expect((await service.get('/-/healthy')).status).toBe(200);
    const ready = await service.get('/-/ready');
    expect(ready.status).toBe(200);
    expect(ready.json).toMatchObject({ ledger: 'open', baseline: 'unavailable', prometheus: 'does not answer' });
  });

  test('HEAD answers as GET does, without the body', async () => {
    const answer = await service.send('HEAD', '/metrics');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

test('notifications of Alertmanager go into the journal, newest first, whatever a later version adds', async () => {
  const alert = {
    status: 'firing',
    labels: { alertname: 'TransactionsDeniedAboveNormal' },
    annotations: { summary: 'denied above normal' },
    startsAt: '2026-11-21T12:31:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: '',
    fingerprint: 'f1',
  };
  await service.send('POST', '/api/v1/alertmanager', { ...notification, alerts: [alert], addedLater: { x: 1 } });
  const resolved = { ...notification, status: 'resolved', alerts: [{ ...alert, status: 'resolved' }] };
  expect((await service.send('POST', '/api/v1/alertmanager', resolved)).status).toBe(200);
  const { json } = await service.get('/api/v1/alerts?limit=2');
  expect(json.journal).toEqual([
    { ...resolved, receivedAt: expect.any(String) },
    { ...notification, alerts: [alert], addedLater: { x: 1 }, receivedAt: expect.any(String) },
  ]);
  expect(json).toMatchObject({ alerts: [], prometheus: { state: 'unavailable' } });
  expect(await service.value('tillwatch_notifications_total{status="resolved"}')).toBe(1);
});
