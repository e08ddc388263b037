import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMapping } from '../../src/intake/mapping.ts';
import { increases, startService, temporaryFolder } from '../support/service.ts';

function mappingFile(text: string): string {
  const file = join(temporaryFolder('mapping'), 'mapping.yml');
  writeFileSync(file, text);
  return file;
}

const minute = Math.floor(Date.now() / 60_000) * 60 - 60;
const acme = (status: string) => `transactions_total{status="${status}",acquirer="acme"}`;
const SIX = { [acme('denied')]: 6, [acme('approved')]: 116 };

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });
const dataPoint = (status: string, count: number) => ({
  attributes: [attribute('status', status), attribute('acquirer', 'acme'), attribute('host', 'web-1')],
  startTimeUnixNano: `${minute - 60}000000000`,
  timeUnixNano: `${minute}000000000`,
  asInt: String(count),
});

/** A body as each shipper sends it, and the mapping with which it is read. */
const SHIPPERS: [name: string, mapping: string, body: unknown][] = [
  [
    'Telegraf',
    `items: metrics
rename: {fields: counts, tags.acquirer: labels.acquirer}
constant: {source: telegraf}
ignore: [name, tags]`,
    {
      metrics: [
        {
          name: 'payments',
          timestamp: minute,
          tags: { host: 'web-1', acquirer: 'acme' },
          fields: { denied: 6, approved: 116 },
        },
      ],
    },
  ],
  [
    'Fluent Bit',
    `rename: {date: timestamp, acquirer: labels.acquirer, result: status}
ignore: [log]
statuses: {declined: denied, ok: approved}`,
    [
      { date: minute + 0.25, acquirer: 'acme', result: 'declined', count: 6, log: 'line' },
      { date: minute + 0.5, acquirer: 'acme', result: 'OK', count: 116 },
    ],
  ],
  [
    'Vector',
    `rename: {event.outcome: status, event.n: count, acquirer: labels.acquirer, host: source}
ignore: [source_type, message]`,
    [
      {
        timestamp: new Date(minute * 1000).toISOString(),
        host: 'web-1',
        source_type: 'file',
        message: 'm',
        acquirer: 'acme',
        event: { outcome: 'denied', n: 6 },
      },
      {
        timestamp: new Date(minute * 1000).toISOString(),
        host: 'web-1',
        source_type: 'file',
        message: 'm',
        acquirer: 'acme',
        event: { outcome: 'approved', n: 116 },
      },
    ],
  ],
  [
    'syslog-ng, whose numbers are texts',
    `numbersInStrings: true
rename: {UNIXTIME: timestamp, HOST: source, pos.acquirer: labels.acquirer, pos.denied: counts.denied, pos.approved: counts.approved}
ignore: [PROGRAM]`,
    {
      UNIXTIME: String(minute),
      HOST: 'pos-1',
      PROGRAM: 'pos',
      pos: { acquirer: 'acme', denied: '6', approved: '116' },
    },
  ],
  [
    'Grafana, a data frame',
    `items: results.*.frames
rename: {time: timestamp, denied: counts.denied, approved: counts.approved}
constant: {labels.acquirer: acme}`,
    {
      results: {
        A: {
          frames: [
            {
              schema: { fields: [{ name: 'time' }, { name: 'denied' }, { name: 'approved' }] },
              data: {
                values: [
                  [minute * 1000, (minute - 60) * 1000],
                  [4, 2],
                  [116, null],
                ],
              },
            },
          ],
        },
      },
    },
  ],
  [
    'OpenTelemetry Collector, OTLP as JSON',
    `items: resourceMetrics.*.scopeMetrics.*.metrics.*.sum.dataPoints
numbersInStrings: true
rename: {timeUnixNano: timestamp, asInt: count, attributes.status: status, attributes.acquirer: labels.acquirer}
ignore: [startTimeUnixNano, attributes, flags]`,
    {
      resourceMetrics: [
        {
          resource: {},
          scopeMetrics: [
            {
              metrics: [
                { name: 'payments', sum: { dataPoints: [dataPoint('denied', 6), dataPoint('approved', 116)] } },
              ],
            },
          ],
        },
      ],
    },
  ],
];

describe('with a mapping a body of another shape is read', () => {
  test.each(SHIPPERS)('%s', async (_name, mapping, body) => {
    const service = await startService({ mapping: mappingFile(mapping), dimensions: 'acquirer' });
    const counted = await increases(service, async () => {
      const answer = await service.post(body);
      expect(answer.status, answer.text).toBe(200);
    });
    expect(counted).toEqual(SIX);
    await service.close();
  });

  test('errors name the fields as they were sent, and the page of the API says how bodies are read', async () => {
    const service = await startService({
      mapping: mappingFile('items: metrics\nrename: {fields: counts, ts: timestamp}'),
    });
    const { json } = await service.post({ metrics: [{ ts: 'x', fields: { denied: -1 } }] });
    expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
      'metrics.0.fields.denied',
      'metrics.0.ts',
    ]);
    expect((await service.get('/docs')).text).toContain('<code>ts</code> is read as <code>timestamp</code>');
    await service.close();
  });
});

test.each([
  ['rename: {ts: timestmp}', /mapping\.yml:1: rename\.ts: "timestmp" .*did you mean "timestamp"/],
  ['items: metrics\nrenames: {a: b}', /:2: unknown key "renames"; did you mean "rename"/],
  ['statuses:\n  ok: approved\n  no: lost', /:3: statuses\.no: "lost" is not a status/],
  ['constant:\n  labels.shop: a', /:2: .*"shop" is not among --dimensions \(acquirer\)/],
  ['ignore: host', /:1: ignore: must be a list/],
  ['rename: {a: b', /:1: /],
])('a mapping that is wrong stops the start: %j', (text, said) => {
  expect(() => readMapping(mappingFile(text), ['acquirer'])).toThrow(said);
});

test('a mapping that is not there stops the start', async () => {
  await expect(startService({ mapping: '/nowhere/mapping.yml' })).rejects.toThrow('there is no file');
});
