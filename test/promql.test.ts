import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { startHttpServer } from './support/http-server.ts';
import { waitFor } from './support/processes.ts';
import { startRecorded } from './support/recorded.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

const NOON = Date.UTC(2026, 10, 28, 12) / 1000;
const COUNTS = 'status:transactions:increase1m';

let prometheus: EphemeralPrometheus;
let service: Service;
beforeAll(async () => {
  const of = (status: string, value: number) => ({
    name: COUNTS,
    labels: { level: 'total', status },
    at: (time: number) => (status === 'denied' && time > NOON - 1800 ? 4 * value : value),
  });
  prometheus = await startRecorded([of('approved', 100), of('denied', 5)], NOON - 7200, NOON);
  service = await startService({ prometheusUrl: prometheus.url });
});
afterAll(async () => {
  await service?.close();
  await prometheus?.stop();
});

const ask = (path: string, parameters: Record<string, string>) =>
  service.get(`/api/v1/${path}?${new URLSearchParams(parameters)}`);

describe("Prometheus's own API through the service", () => {
  test('a query at one time, and over a time', async () => {
    const instant = await ask('query', { query: `${COUNTS}{status="denied"}`, time: String(NOON) });
    expect(instant.json.data.result).toEqual([
      { metric: { __name__: COUNTS, level: 'total', status: 'denied' }, value: [NOON, '20'] },
    ]);
    const range = { start: String(NOON - 3600), end: String(NOON), step: '30m' };
    const { json } = await ask('query_range', { query: `sum(${COUNTS})`, ...range });
    expect(json.data.result[0].values.map(([, value]: [number, string]) => value)).toEqual(['105', '105', '120']);
  });

  test('names and values of labels, series, metadata: what completion asks for', async () => {
    const period = { start: String(NOON - 3600), end: String(NOON) };
    expect((await ask('labels', period)).json.data).toEqual(['__name__', 'level', 'status']);
    expect((await ask('label/status/values', period)).json.data).toEqual(['approved', 'denied']);
    const series = await ask('series', { 'match[]': `${COUNTS}{status="denied"}`, ...period });
    expect(series.json.data).toEqual([{ __name__: COUNTS, level: 'total', status: 'denied' }]);
    expect((await ask('metadata', {})).json.status).toBe('success');
  });

  test.each([
    ['query', { query: 'sum(' }, /parse error/],
    ['query', { query: '' }, /query: must be a query in PromQL/],
    ['query', {}, /query/],
    ['query', { query: '1', depth: '3' }, /depth/],
    ['query_range', { query: '1', start: '0', end: '9', step: '0' }, /step/],
    ['query_range', { query: '1', start: '0', end: '1800000000', step: '1' }, /exceeded maximum resolution/],
    ['series', { 'match[]': '{' }, /parse error/],
    ['labels', { start: 'yesterday' }, /start: must be a time/],
  ])('%s %o is refused with the reason', async (path, parameters, reason) => {
    const { status, headers, json } = await ask(path, parameters as Record<string, string>);
    expect(status).toBe(422);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(json.detail).toMatch(reason);
  });

  test.each(['label/..%2f..%2fadmin/values', 'label/a-b/values'])('%s leads nowhere', async (path) => {
    expect((await service.get(`/api/v1/${path}`)).status).toBe(404);
  });

  test('what changes something in Prometheus is not there', async () => {
    for (const path of ['admin/tsdb/delete_series', 'status/config', 'write'])
      expect((await service.get(`/api/v1/${path}`)).status, path).toBe(404);
    expect((await service.send('POST', '/api/v1/query', {})).status).toBe(405);
  });

  test('needs the role read', async () => {
    const tokensFile = join(temporaryFolder('tokens'), 'tokens');
    writeFileSync(tokensFile, 'read let-me-have-a-look\ningest let-me-post-counts\n');
    const own = await startService({ prometheusUrl: prometheus.url, tokensFile });
    const as = (token: string) => own.get('/api/v1/query?query=1', { Authorization: `Bearer ${token}` });
    expect((await own.get('/api/v1/query?query=1')).status).toBe(401);
    expect((await as('let-me-post-counts')).status).toBe(403);
    expect((await as('let-me-have-a-look')).json.data.resultType).toBe('scalar');
    await own.close();
  });

  test('the series of the page say which query is behind them', async () => {
    const { json } = await service.get('/api/v1/series?status=denied');
    expect(json.query).toMatch(/^\{__name__=~".*", status="denied", window="1m"\}$/);
    expect((await ask('query', { query: json.query })).status).toBe(200);
  });

  test('the cookbook is that of the documentation', async () => {
    const { recipes } = (await service.get('/api/v1/cookbook')).json;
    expect(recipes.length).toBeGreaterThan(20);
    expect(recipes[0]).toMatchObject({ section: 'Now', question: expect.stringMatching(/\?$/) });
    for (const { query } of recipes)
      expect((await ask('query', { query, time: String(NOON) })).status, query).toBe(200);
  });
});

describe('a Prometheus that behaves badly', () => {
  test('too many questions at once, and one that nobody waits for any longer', async () => {
    let open = 0;
    const hanging = await startHttpServer((request, response) => {
      if (!request.url?.includes('slow')) return void response.end();
      open++;
      response.on('close', () => open--);
    });
    const own = await startService({ prometheusUrl: hanging.url });
    const gone = new AbortController();
    const slow = Array.from({ length: 8 }, () =>
      fetch(`${own.url}/api/v1/query?query=slow`, { signal: gone.signal }).catch(() => undefined),
    );
    await waitFor(() => open === 8, { what: 'eight questions under way' });
    const ninth = await own.get('/api/v1/query?query=slow');
    expect([ninth.status, ninth.headers.get('retry-after')]).toEqual([503, '1']);
    gone.abort();
    await Promise.all(slow);
    await waitFor(() => open === 0, { what: 'the questions to be given up' });
    await own.close();
    await hanging.close();
  });

  test('its address and its password are in no answer, and its password is what lets the service in', async () => {
    const asked: (string | undefined)[] = [];
    const upstream = await startHttpServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(502).end(`<html>proxy of ${request.headers.host}</html>`);
    });
    const withPassword = upstream.url.replace('//', '//ana:pass%20word@');
    const own = await startService({ prometheusUrl: withPassword, alertmanagerUrl: withPassword });
    const paths = ['query?query=1', 'series?status=denied', 'anomalies', 'rules', 'silences', 'state'];
    const texts = async () =>
      (await Promise.all(paths.map((path) => own.get(`/api/v1/${path}`)))).map(({ text }) => text).join('\n');
    const answering = await texts();
    expect(new Set(asked)).toEqual(new Set([`Basic ${Buffer.from('ana:pass word').toString('base64')}`]));
    await upstream.close();
    const gone = await texts();
    expect(gone).toContain('the connection is refused');
    for (const text of [answering, gone, own.logged.join('\n')]) {
      expect(text).not.toMatch(/pass(%20| )word/);
      expect(text).not.toContain(upstream.url.replace('http://', ''));
    }
    await own.close();
  });
});
