import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseTime } from '../src/domain/times.ts';
import { type Headings, increases, minutesAgo, type Service, startService } from './support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ dimensions: 'acquirer,region' });
});
afterAll(() => service.close());

const NDJSON = { 'Content-Type': 'application/x-ndjson' };
const counter = (status: string, more = '') => `transactions_total{status="${status}"${more}}`;
const code = (text: string) => `transactions_by_auth_code_total{auth_code="${text}"}`;

interface Accepted {
  name: string;
  body: unknown;
  headers?: Headings;
  counted: Record<string, number>;
  answer?: object;
}

const ACCEPTED: Accepted[] = [
  {
    name: 'a report of a minute with auth codes and labels',
    body: {
      timestamp: minutesAgo(1),
      source: 'pos-gateway',
      counts: { approved: 116, denied: 6 },
      authCodes: { '00': 116, '51': 4, '59': 2 },
      labels: { acquirer: 'acme' },
    },
    counted: {
      [counter('approved', ',acquirer="acme"')]: 116,
      [counter('denied', ',acquirer="acme"')]: 6,
      [code('00')]: 116,
      [code('51')]: 4,
      [code('59')]: 2,
    },
  },
  {
    name: 'several events in a list',
    body: [
      { status: 'denied', count: 6 },
      { status: 'approved', count: 116 },
    ],
    counted: { [counter('denied')]: 6, [counter('approved')]: 116 },
    answer: { accepted: 2 },
  },
  {
    name: 'an event with a time that has a blank, and an auth code',
    body: { timestamp: minutesAgo(2).slice(0, 19).replace('T', ' '), status: 'denied', count: 6, auth_code: '51' },
    counted: { [counter('denied')]: 6, [code('51')]: 6 },
  },
  {
    name: 'a row of a database export',
    body: { time: minutesAgo(1), status: 'denied', F1: 6 },
    counted: { [counter('denied')]: 6 },
  },
  {
    name: 'a row of a database export without a time',
    body: { status: 'denied', F1: 2 },
    counted: { [counter('denied')]: 2 },
  },
  { name: 'one transaction', body: { status: 'refunded' }, counted: { [counter('refunded')]: 1 } },
  {
    name: 'one transaction with its auth code',
    body: { status: 'approved', auth_code: '00' },
    counted: { [counter('approved')]: 1, [code('00')]: 1 },
  },
  { name: 'no timestamp: now', body: { counts: { approved: 3 } }, counted: { [counter('approved')]: 3 } },
  { name: 'nothing happened', body: { counts: { denied: 0 } }, counted: {} },
  {
    name: 'every status',
    body: {
      counts: { approved: 1, denied: 2, failed: 3, reversed: 4, backend_reversed: 5, refunded: 6, processing: 7 },
    },
    counted: Object.fromEntries(
      ['approved', 'denied', 'failed', 'reversed', 'backend_reversed', 'refunded', 'processing'].map((s, i) => [
        counter(s),
        i + 1,
      ]),
    ),
  },
  {
    name: 'a list of all three kinds',
    body: [{ counts: { failed: 2 } }, { status: 'failed' }, { time: minutesAgo(3), status: 'failed', F1: 4 }],
    counted: { [counter('failed')]: 7 },
    answer: { accepted: 3 },
  },
  ...([1e-3, 1, 1e3, 1e6] as const).map((perMillisecond, i) => ({
    name: `a time as an epoch number in ${['s', 'ms', 'us', 'ns'][i]}`,
    body: { timestamp: Date.parse(minutesAgo(1)) * perMillisecond, status: 'denied' },
    counted: { [counter('denied')]: 1 },
  })),
  {
    name: 'an epoch number two hours back, as late',
    body: { timestamp: Date.now() / 1000 - 7200, status: 'denied' },
    counted: { 'transactions_late_total{status="denied"}': 1 },
    answer: { late: 1 },
  },
  {
    name: 'statuses in any case and spelling, those of one status added up',
    body: { counts: { Approved: 10, DENIED: 3, denied: 2, 'backend-reversed': 1, 'Backend Reversed': 1 } },
    counted: { [counter('approved')]: 10, [counter('denied')]: 5, [counter('backend_reversed')]: 2 },
  },
  {
    name: 'an event whose status is in capitals',
    body: { status: 'BACKEND_REVERSED', count: 2 },
    counted: { [counter('backend_reversed')]: 2 },
  },
  {
    name: 'auth codes that have lost their zero',
    body: { counts: { approved: 5 }, authCodes: { 0: 2, '00': 1, 5: 1, '51': 1 } },
    counted: { [counter('approved')]: 5, [code('00')]: 3, [code('05')]: 1, [code('51')]: 1 },
  },
  ...[0, '0', '00'].map((given) => ({
    name: `the auth code ${JSON.stringify(given)}`,
    body: { status: 'approved', auth_code: given },
    counted: { [counter('approved')]: 1, [code('00')]: 1 },
  })),
  {
    name: 'an auth code that is a number',
    body: { status: 'denied', auth_code: 51 },
    counted: { [counter('denied')]: 1, [code('51')]: 1 },
  },
  {
    name: 'an event with an id',
    body: { status: 'denied', id: 'a-1' },
    counted: { [counter('denied')]: 1 },
  },
  {
    name: 'three events of one minute of one source',
    body: [0, 7, 31].map((second) => ({
      timestamp: new Date(Date.parse(minutesAgo(2)) + second * 1000).toISOString(),
      source: 'pos',
      status: 'denied',
    })),
    counted: { [counter('denied')]: 3 },
    answer: { accepted: 3 },
  },
  {
    name: 'labels in any order',
    body: { status: 'failed', count: 2, labels: { region: 'eu', acquirer: 'acme' } },
    counted: { [counter('failed', ',acquirer="acme",region="eu"')]: 2 },
  },
  {
    name: 'NDJSON, with empty lines and carriage returns',
    body: '{"status":"denied","count":2}\r\n\r\n{"counts":{"approved":5}}\n',
    headers: NDJSON,
    counted: { [counter('denied')]: 2, [counter('approved')]: 5 },
    answer: { accepted: 2 },
  },
  {
    name: 'one line of NDJSON without an end',
    body: '{"status":"denied"}',
    headers: NDJSON,
    counted: { [counter('denied')]: 1 },
  },
  {
    name: 'a charset in quotes and capitals',
    body: { status: 'denied' },
    headers: { 'Content-Type': 'Application/JSON; Charset="UTF-8"' },
    counted: { [counter('denied')]: 1 },
  },
  {
    name: 'gzip',
    body: gzipSync('{"status":"denied","count":3}'),
    headers: { 'Content-Encoding': 'gzip' },
    counted: { [counter('denied')]: 3 },
  },
  {
    name: 'a time with an offset, of a clock that is four minutes ahead',
    body: {
      timestamp: `${new Date(Date.parse(minutesAgo(-4)) + 2 * 3600_000).toISOString().slice(0, 19)}+02:00`,
      status: 'denied',
    },
    counted: { [counter('denied')]: 1 },
  },
  {
    name: 'a report that is late, apart',
    body: { timestamp: '2025-07-12T13:05:00Z', counts: { denied: 54, approved: 100 }, authCodes: { '51': 54 } },
    counted: {
      'transactions_late_total{status="denied"}': 54,
      'transactions_late_total{status="approved"}': 100,
    },
    answer: { accepted: 1, late: 1, assessments: [] },
  },
];

describe('every accepted body', () => {
  test.each(ACCEPTED)('$name', async ({ body, headers, counted, answer }) => {
    let json: unknown;
    const changed = await increases(service, async () => {
      const response = await service.post(body, headers);
      expect(response.text).not.toBe('');
      expect(response.status, response.text).toBe(200);
      expect(response.headers.get('content-type')).toContain('application/json');
      json = response.json;
    });
    expect(changed).toEqual(counted);
    expect(json).toMatchObject({ accepted: 1, duplicates: 0, late: 0, recommendation: 'unknown', ...answer });
    expect(json).toMatchObject({ baseline: { state: 'unavailable', reason: expect.stringContaining('Prometheus') } });
  });

  test('the answer names count, total and share of each status that is judged', async () => {
    const report = { timestamp: minutesAgo(7), source: 'shares', counts: { approved: 116, denied: 54, refunded: 30 } };
    const { json } = await service.post(report);
    expect(json.assessments).toEqual([
      expect.objectContaining({ status: 'denied', count: 54, total: 200, share: 0.27, recommendation: 'unknown' }),
    ]);
  });

  test('what was reported can be read back, newest first', async () => {
    const report = { timestamp: minutesAgo(1), source: 'reader', counts: { denied: 2 }, authCodes: { '51': 2 } };
    await service.post([report, { status: 'failed', labels: { acquirer: 'acme' } }]);
    const { json } = await service.get('/api/v1/transactions?limit=2');
    expect(json.reports).toEqual([
      expect.objectContaining({ counts: { failed: 1 }, labels: { acquirer: 'acme' }, late: false }),
      expect.objectContaining({ source: 'reader', counts: { denied: 2 }, authCodes: { '51': 2 }, late: false }),
    ]);
    expect(Date.parse(json.reports[1].timestamp)).toBe(Date.parse(report.timestamp));
  });
});

test.each([
  ['2026-11-21T12:31:00Z', '2026-11-21T12:31:00.000Z'],
  ['2026-11-21t12:31:00z', '2026-11-21T12:31:00.000Z'],
  ['2026-11-21 12:31', '2026-11-21T12:31:00.000Z'],
  ['2026-11-21T12:31:59.999', '2026-11-21T12:31:59.000Z'],
  ['2026-11-21T12:31:00+02:00', '2026-11-21T10:31:00.000Z'],
  ['2026-11-21T12:31:00-0330', '2026-11-21T16:01:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2026-11-21 12:31:00 UTC', '2026-11-21T12:31:00.000Z'],
  ['2026-11-21 12:31:00.123456 UTC', '2026-11-21T12:31:00.000Z'],
  ['2026-11-21 12:31:00+00', '2026-11-21T12:31:00.000Z'],
  ['2026-11-21 12:31:00-03', '2026-11-21T15:31:00.000Z'],
  ['2026-11-21 12:31:00 +0000 UTC', '2026-11-21T12:31:00.000Z'],
  ['2026/11/21 12:31:00', '2026-11-21T12:31:00.000Z'],
])('the time %s is %s', (text, iso) => {
  expect(new Date(parseTime(text)).toISOString()).toBe(iso);
});
