import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinary } from '../src/binaries/binaries.ts';
import { STATUSES } from '../src/domain/names.ts';
import { seriesText } from '../src/domain/series-text.ts';
import { freePort, type Running, startProcess, waitFor } from './support/processes.ts';
import { minutesAgo, parseMetrics, type Service, startService, temporaryFolder } from './support/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ dimensions: 'acquirer' });
});
afterAll(() => service.close());

/** `promtool check metrics` of an exposition: what it complains of. */
async function complaints(metrics: string): Promise<string> {
  const { stdout, stderr } = await execa(await findBinary('promtool'), ['check', 'metrics'], {
    input: metrics,
    reject: false,
  });
  return stdout + stderr;
}

test('on the first day every status is there at 0, and promtool has nothing to say', async () => {
  const metrics = await service.metrics();
  const series = parseMetrics(metrics);
  for (const status of STATUSES) {
    expect(series.get(`transactions_total{status="${status}"}`)).toBe(0);
    expect(series.get(`transactions_late_total{status="${status}"}`)).toBe(0);
    expect(series.get(`transactions_last_minute{status="${status}"}`)).toBe(0);
  }
  expect(series.get('transactions_by_auth_code_total{auth_code="00"}')).toBe(0);
  expect(series.get('transactions_last_report_timestamp_seconds')).toBe(0);
  expect(await complaints(metrics)).toBe('');
});

test('its own health: versions, reports by result, durations, series', async () => {
  const before = parseMetrics(await service.metrics());
  await service.post({ counts: { approved: 1 } });
  await service.post({ counts: { approved: -1 } });
  await service.post({ timestamp: '2025-01-01T00:00:00Z', status: 'denied' });
  const report = { timestamp: minutesAgo(1), source: 'health', status: 'denied', count: 1 };
  await service.post(report);
  await service.post(report);
  await service.post({ ...report, count: 0 });
  const metrics = await service.metrics();
  const after = parseMetrics(metrics);
  const by = (series: string) => (after.get(series) ?? 0) - (before.get(series) ?? 0);
  const results = ['accepted', 'duplicate', 'late', 'refused', 'failed'];
  expect(results.map((result) => by(`tillwatch_reports_total{result="${result}"}`))).toEqual([2, 1, 1, 2, 0]);
  const answered = (code: number) =>
    by(`tillwatch_http_request_duration_seconds_count{method="post",route="/api/v1/transactions",code="${code}"}`);
  expect([answered(200), answered(422), answered(409), answered(500)]).toEqual([4, 1, 1, 0]);
  // A duplicate and a conflict are found out by a commit too.
  expect(by('tillwatch_ledger_commit_duration_seconds_count')).toBeGreaterThanOrEqual(5);
  expect(after.get('tillwatch_ledger_failing')).toBe(0);
  expect(after.get('tillwatch_series')).toBe(15);
  expect(metrics).toMatch(/^tillwatch_build_info\{version="\d+\.\d+\.\d+",node="\d+\.\d+\.\d+"\} 1$/m);
  expect(metrics).toMatch(/^tillwatch_baseline_age_seconds /m);
  expect(await complaints(metrics)).toBe('');
});

describe('the newest complete minute', () => {
  const gauge = (status: string) => `transactions_last_minute{status="${status}"}`;

  test('is the sum over its sources, moves on with the reports, and is the same after a restart', async () => {
    const data = temporaryFolder('gauge');
    let service = await startService({ data });
    const second = minutesAgo(2);
    const value = async (status: string) => service.value(gauge(status));
    await service.post({ timestamp: minutesAgo(3), source: 'a', counts: { denied: 7, failed: 1 } });
    expect(await value('denied')).toBe(7);
    await service.post([
      { timestamp: second, source: 'a', counts: { denied: 2 } },
      { timestamp: second, source: 'b', counts: { denied: 3 } },
    ]);
    expect([await value('denied'), await value('failed')]).toEqual([5, 0]);
    await service.post({ timestamp: second, source: 'b', counts: { denied: 4 } });
    expect(await value('denied')).toBe(6);
    // Older news, and a minute that has not ended, change nothing.
    await service.post({ timestamp: minutesAgo(5), status: 'denied', count: 50 });
    await service.post({ timestamp: minutesAgo(-2), status: 'denied', count: 60 });
    expect(await value('denied')).toBe(6);
    await service.close();
    service = await startService({ data });
    expect([await value('denied'), await value('failed')]).toEqual([6, 0]);
    await service.close();
  });

  test('may be a late one, before a restart and after it', async () => {
    const data = temporaryFolder('late-gauge');
    for (const step of ['report', 'restart']) {
      const service = await startService({ data });
      if (step === 'report') await service.post({ timestamp: minutesAgo(30), status: 'denied', count: 4 });
      expect(await service.value(gauge('denied')), step).toBe(4);
      await service.close();
    }
  });
});

test('the time of the last report is that of the last one counted: no duplicate, no late one, no refused one', async () => {
  const data = temporaryFolder('last-report');
  let service = await startService({ data });
  const last = async () => (await service.value('transactions_last_report_timestamp_seconds')) ?? Number.NaN;
  const report = { timestamp: minutesAgo(1), source: 'pos', counts: { denied: 1 } };
  const from = Date.now() / 1000;
  await service.post(report);
  const counted = await last();
  expect(counted).toBeGreaterThanOrEqual(from);
  expect(counted).toBeLessThanOrEqual(Date.now() / 1000);
  await service.post(report);
  await service.post({ timestamp: minutesAgo(40), status: 'denied', source: 'pos' });
  await service.post({ status: 'stolen' });
  expect(await last()).toBe(counted);
  const late = await service.value('transactions_last_late_report_timestamp_seconds{source="pos"}');
  expect(late).toBeGreaterThanOrEqual(counted);
  expect(late).toBeLessThanOrEqual(Date.now() / 1000);
  await service.close();
  service = await startService({ data });
  expect(await last()).toBe(counted);
  await service.post({ counts: { approved: 0 } });
  expect(await last()).toBeGreaterThan(counted);
  await service.close();
});

describe('labels', () => {
  test('past the cap a new value becomes "other"; the counts stay, a metric and a line of log say so', async () => {
    const data = temporaryFolder('cap');
    const flags = { data, dimensions: 'acquirer,region', maxSeries: '14' };
    let service = await startService(flags);
    const labels = (acquirer: string) => ({ labels: { acquirer, region: 'eu' } });
    const series = (acquirer: string, region = 'eu') =>
      service.value(`transactions_total{status="denied",acquirer="${acquirer}",region="${region}"}`);
    for (const acquirer of ['a', 'b', 'c', 'd', 'a'])
      await service.post({ counts: { approved: 1, denied: 5 }, ...labels(acquirer) });
    expect([await series('a'), await series('b'), await series('c')]).toEqual([10, 5, undefined]);
    expect(await series('other', 'other')).toBe(10);
    expect(await service.value('tillwatch_label_values_folded_total')).toBe(2);
    expect(service.logged.filter((line) => /"other".*14 series.*--max-series/.test(line))).toHaveLength(2);
    // A status that was never reported for these labels is at 0, so that its first increase is
    // seen.
    expect(await service.value('transactions_total{status="failed",acquirer="a",region="eu"}')).toBe(0);
    await service.close();

    service = await startService(flags);
    await service.post({ counts: { denied: 1 }, ...labels('e') });
    expect([await series('a'), await series('other', 'other'), await series('e')]).toEqual([10, 11, undefined]);
    await service.close();
  });

  test('auth codes have the same cap', async () => {
    const service = await startService({ maxSeries: '3' });
    await service.post({ counts: { denied: 10 }, authCodes: { 51: 2, 59: 3, 61: 4, 62: 5 } });
    const code = (text: string) => service.value(`transactions_by_auth_code_total{auth_code="${text}"}`);
    expect([await code('51'), await code('59'), await code('61'), await code('other')]).toEqual([2, 3, undefined, 9]);
    expect(await service.value('tillwatch_label_values_folded_total')).toBe(1);
    await service.close();
  });
});

/** A real Prometheus that scrapes the service every second, once for each job. */
async function scrapedBy(
  target: Service,
  jobs: Record<string, object> = { tillwatch: {} },
  flags: string[] = [],
): Promise<{ url: string; prometheus: Running }> {
  const [dir, port] = [temporaryFolder('prometheus'), await freePort()];
  const static_configs = [{ targets: [new URL(target.url).host] }];
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: Object.entries(jobs).map(([job_name, job]) => ({ job_name, static_configs, ...job })),
  };
  writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
  const prometheus = await startProcess(await findBinary('prometheus'), [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags,
  ]);
  return { url: `http://127.0.0.1:${port}`, prometheus };
}

interface Found {
  data: { result: { metric: { acquirer: string }; value: [number, string] }[] };
}

test('a real Prometheus reads back every label value as it was posted, however odd', async () => {
  const odd = [
    '"quoted"',
    'back\\slash',
    'new\nline',
    'tab\t',
    '\r',
    '💳 crédit',
    '{a="b"} 1',
    '\\n',
    ' ',
    '\u0000',
    '\u2028',
    '#',
  ];
  const service = await startService({ dimensions: 'acquirer' });
  for (const [i, acquirer] of odd.entries())
    expect((await service.post({ status: 'denied', count: i + 1, labels: { acquirer } })).status).toBe(200);
  expect(await complaints(await service.metrics())).toBe('');
  const { url, prometheus } = await scrapedBy(service);
  const query = `${url}/api/v1/query?query=${encodeURIComponent('transactions_total{status="denied",acquirer!=""}')}`;
  const ask = async () => ((await (await fetch(query)).json()) as Found).data.result;
  await waitFor(async () => (await ask()).length > 0, { what: 'Prometheus to have scraped' });
  const found = await ask();
  const values = new Map(found.map(({ metric, value }) => [metric.acquirer, Number(value[1])]));
  expect(values).toEqual(new Map(odd.map((acquirer, i) => [acquirer, i + 1])));
  await prometheus.stop();
  await service.close();
});

describe('OpenMetrics', () => {
  const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0';
  /** As Prometheus 3.5 asks, without and with its feature created-timestamp-zero-ingestion. */
  const PROMETHEUS =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  const READS_STARTS = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,${PROMETHEUS}`;

  test.each([
    ['', 'text/plain; version=0.0.4; charset=utf-8', false],
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8', false],
    ['text/plain;version=0.0.4;q=1,*/*;q=0.1', 'text/plain; version=0.0.4; charset=utf-8', false],
    ['application/openmetrics-text;q=0, */*', 'text/plain; version=0.0.4; charset=utf-8', false],
    ['application/openmetrics-text; version=2.0.0', 'text/plain; version=0.0.4; charset=utf-8', false],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8', true],
    [OPEN_METRICS, 'application/openmetrics-text; version=1.0.0; charset=utf-8', true],
    [
      'text/plain;q=0.5, application/openmetrics-text;version=0.0.1;q=0.9',
      'application/openmetrics-text; version=0.0.1; charset=utf-8',
      false,
    ],
    [PROMETHEUS, 'application/openmetrics-text; version=1.0.0; charset=utf-8', false],
    [READS_STARTS, 'application/openmetrics-text; version=1.0.0; charset=utf-8', true],
  ])('Accept: %s is answered with %s, starts: %s', async (accept, type, starts) => {
    const { status, headers, text } = await service.get('/metrics', { Accept: accept });
    expect([status, headers.get('content-type'), headers.get('vary')]).toEqual([200, type, 'Accept-Encoding, Accept']);
    expect(/^transactions_created\{/m.test(text)).toBe(starts);
    expect(text.endsWith('\n# EOF\n')).toBe(type.includes('openmetrics'));
  });

  test('has the samples of the text format, and text is the same after it as before', async () => {
    const ofTransactions = (text: string) =>
      text.split('\n').filter((line) => line.includes('transactions_') && !line.startsWith('#'));
    // Node's series, and those of requests, come and go between two scrapes.
    const names = (text: string) =>
      [...parseMetrics(text).keys()].filter((name) => !/^(nodejs|tillwatch_http)_/.test(name));
    const before = await service.metrics();
    const { text } = await service.get('/metrics', { Accept: PROMETHEUS });
    const after = await service.metrics();
    expect(ofTransactions(text)).toEqual(ofTransactions(before));
    expect(names(after)).toEqual(names(before));
    expect(names(text)).toEqual(names(before));
    expect(text).toContain('# TYPE transactions counter\ntransactions_total{');
    expect(text).toContain('# TYPE tillwatch_reports counter\ntillwatch_reports_total{');
    expect(after).toContain('# TYPE tillwatch_reports_total counter\n');
  });

  test('a real Prometheus reads the same from both, and with starts it has the first count of a new label', async () => {
    const service = await startService({ dimensions: 'acquirer' });
    const text = { scrape_protocols: ['PrometheusText0.0.4'] };
    const openMetrics = { scrape_protocols: ['OpenMetricsText1.0.0', 'PrometheusText0.0.4'] };
    const flags = ['--enable-feature=created-timestamp-zero-ingestion'];
    const { url, prometheus } = await scrapedBy(service, { text, openMetrics, starts: {} }, flags);
    const read = async (query: string) => {
      const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
      return ((await answer.json()) as { data: { result: Sampled[] } }).data.result;
    };
    await waitFor(async () => (await read('transactions_total')).length === 21, { what: 'three jobs' });
    const firstsOf = async (acquirer: string) => {
      const labels = { acquirer };
      await service.post({ timestamp: minutesAgo(0), counts: { denied: 7 }, authCodes: { 51: 7 }, labels });
      const firsts = async () => {
        const found = await read(`transactions_total{status="denied",acquirer="${acquirer}"}[1m]`);
        return found.length < 3
          ? undefined
          : Object.fromEntries(found.map(({ metric, values }) => [metric.job, values?.map(([, value]) => value)]));
      };
      const { text: plain, openMetrics: open, starts } = await waitFor(firsts, { what: 'the new label at each job' });
      return [plain?.[0], open?.[0], starts?.slice(0, 2).join()];
    };
    // A scrape has no start for a label that comes while it is answered.
    let made = 0;
    await waitFor(async () => String(await firstsOf(`new${++made}`)) === '7,7,0,7', { what: 'a first count' });
    const readBy = async (job: string) => {
      // What Prometheus says of the scrape itself is of the job. Node's and requests' series come and go.
      const found = await read(`{job="${job}", __name__!~"up|scrape_.+|nodejs_.+|tillwatch_http_.+"}`);
      const lines = found.map(({ metric: { job: _, __name__: name = '', ...labels }, value }) => {
        // What the service says of itself changes between scrapes.
        const counted = name.startsWith('transactions_') ? value?.[1] : '';
        return `${seriesText(name, labels)} ${counted}`;
      });
      return lines.sort();
    };
    expect(await readBy('openMetrics')).toEqual(await readBy('text'));
    expect(await readBy('starts')).toEqual(await readBy('text'));
    await prometheus.stop();
    await service.close();
  });
});

interface Sampled {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
}

test('a scrape is packed where gzip is accepted', async () => {
  const url = new URL('/metrics?name[]=transactions_total', service.url);
  const ask = (encoding: string) =>
    new Promise<{ encoding: string | undefined; body: Buffer }>((resolve, reject) => {
      get(url, { headers: { 'Accept-Encoding': encoding } }, async (answer) => {
        const body = Buffer.concat(await answer.toArray());
        resolve({ encoding: answer.headers['content-encoding'], body });
      }).on('error', reject);
    });
  for (let i = 0; i < 30; i++) await service.post({ counts: { denied: 0 }, labels: { acquirer: `packed ${i}` } });
  const [plain, packed] = [await ask('identity'), await ask('gzip')];
  expect([plain.encoding, packed.encoding]).toEqual([undefined, 'gzip']);
  expect(gunzipSync(packed.body)).toEqual(plain.body);
  expect(packed.body.length).toBeLessThan(plain.body.length / 5);
});

describe('name[]', () => {
  const namesIn = (text: string) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);

  test('leaves only the metrics that it names, in either format', async () => {
    const query = '?name[]=transactions_total&name[]=tillwatch_reports&name[]=not_there&name[]=tillwatch_series';
    const text = (await service.get(`/metrics${query}`)).text;
    expect(namesIn(text)).toEqual(['transactions_total', 'tillwatch_series', 'tillwatch_reports_total']);
    const open = (await service.get(`/metrics${query}`, { Accept: 'application/openmetrics-text' })).text;
    expect(namesIn(open)).toEqual(['transactions', 'tillwatch_series', 'tillwatch_reports']);
    expect(await complaints(text)).toBe('');
    expect((await service.get('/metrics?name[]=not_there')).text).toBe('');
  });

  test.each(['name[]=a b', 'name[]=', `${'name[]=a&'.repeat(201)}`])('%s is refused', async (query) => {
    const { status, json } = await service.get(`/metrics?${query}`);
    expect([status, json.errors[0].path]).toEqual([422, 'name[]']);
  });
});
