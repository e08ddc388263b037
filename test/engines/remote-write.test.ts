import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBinary } from '../../src/binaries/binaries.ts';
import { seriesText } from '../../src/domain/series-text.ts';
import { instantQuery } from '../../src/prometheus/ephemeral-queries.ts';
import { freePort, startProcess, waitFor } from '../support/processes.ts';
import { type Service, startService } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startVictoriaMetrics, startVmagent } from '../support/victoria-metrics.ts';

let service: Service;
let storage: Awaited<ReturnType<typeof startVictoriaMetrics>>;
let dir: string;

beforeAll(async () => {
  dir = await tempDir();
  service = await startService({ dimensions: 'acquirer' });
  storage = await startVictoriaMetrics(join(dir, 'victoria'));
  await service.post({ counts: { approved: 7, denied: 2 }, authCodes: { '00': 7 }, labels: { acquirer: 'acme' } });
});
afterAll(async () => {
  await storage?.stop();
  await service?.close();
});

const configOf = (job_name: string, more: object = {}) =>
  JSON.stringify({
    global: { scrape_interval: '1s' },
    scrape_configs: [{ job_name, static_configs: [{ targets: [new URL(service.url).host] }] }],
    ...more,
  });

/** Series of transactions, and what a rule recorded, that VictoriaMetrics has of a job. */
async function stored(job: string): Promise<string[]> {
  const query = `{__name__=~"transactions_.*total|recorded:.+", job="${job}"}`;
  const series = await instantQuery(storage.url, query, Date.now() / 1000 + 1);
  return series
    .map(
      ({ metric: { __name__: name = '', job: _, instance: __, ...labels }, value }) =>
        `${seriesText(name, labels)} ${value}`,
    )
    .sort();
}

/** What the service exposes, in the same words. */
async function exposed(): Promise<string[]> {
  const lines = (await service.metrics()).split('\n').filter((line) => /^transactions_\w*total/.test(line));
  return lines
    .map((line) => {
      const [, name = '', labels = '', value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]);
      return `${seriesText(name, Object.fromEntries(pairs))} ${value}`;
    })
    .sort();
}

test('vmagent scrapes the service, and VictoriaMetrics has its series and values', async () => {
  const file = join(dir, 'vmagent.yml');
  await writeFile(file, configOf('vmagent'));
  const vmagent = await startVmagent(storage.url, file, join(dir, 'vmagent'));
  const expected = await exposed();
  await waitFor(async () => (await stored('vmagent')).length === expected.length, { what: 'samples of vmagent' });
  expect(await stored('vmagent')).toEqual(expected);
  await vmagent.stop();
});

test('a Prometheus with remote_write brings the same, and what its rules record', async () => {
  const rule = { record: 'recorded:transactions:total', expr: 'sum by (job) (transactions_total)' };
  await writeFile(join(dir, 'rules.yml'), JSON.stringify({ groups: [{ name: 'all', interval: '1s', rules: [rule] }] }));
  const remote_write = [{ url: `${storage.url}/api/v1/write` }];
  await writeFile(join(dir, 'prometheus.yml'), configOf('prometheus', { rule_files: ['rules.yml'], remote_write }));
  const prometheus = await startProcess(await findBinary('prometheus'), [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${await freePort()}`,
  ]);
  const expected = ['recorded:transactions:total{} 9', ...(await exposed())].sort();
  await waitFor(async () => (await stored('prometheus')).length === expected.length, { what: 'samples of Prometheus' });
  expect(await stored('prometheus')).toEqual(expected);
  await prometheus.stop();
});
