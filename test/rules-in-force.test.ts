import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRules } from '../src/prometheus/rule-files.ts';
import { startAlertmanager } from './support/alertmanager.ts';
import { waitFor } from './support/processes.ts';
import { startRulesPrometheus } from './support/rules-prometheus.ts';
import { type Service, startService, temporaryFolder } from './support/service.ts';

const DENIED = 'TransactionsDeniedAboveNormal';
let stops: (() => Promise<unknown>)[];
let service: Service;
beforeAll(async () => {
  const prometheus = await startRulesPrometheus(temporaryFolder('rules'));
  const alertmanager = await startAlertmanager((config) => config, {});
  service = await startService({ prometheusUrl: prometheus.url, alertmanagerUrl: alertmanager.url });
  stops = [service.close, alertmanager.stop, prometheus.stop];
});
afterAll(async () => {
  for (const stop of stops) await stop();
});

interface Group {
  name: string;
  file: string;
  evaluatedAt: string;
  seconds: number;
  rules: { name: string; type: string; health: string }[];
}

test('GET /api/v1/rules has every rule of every file, as Prometheus evaluates it', async () => {
  const denied = (groups: Group[]) => groups.flatMap(({ rules }) => rules).find(({ name }) => name === DENIED);
  const evaluated = async () => {
    const { groups } = (await service.get('/api/v1/rules')).json as { groups: Group[] };
    return denied(groups)?.health === 'ok' ? groups : undefined;
  };
  const groups = await waitFor(evaluated, { timeout: 60_000, what: `${DENIED} to be evaluated` });
  const { recording, alerts } = await readRules('prometheus/rules');
  const named = (type: string) =>
    groups.flatMap(({ rules }) => rules.filter((rule) => rule.type === type).map(({ name }) => name)).sort();
  expect(named('recording')).toEqual(recording.map(({ record }) => record).sort());
  expect(named('alerting')).toEqual(alerts.map(({ alert }) => alert).sort());
  expect(new Set(groups.map(({ file }) => file))).toEqual(new Set(readdirSync('prometheus/rules')));
  expect(denied(groups)).toEqual({
    name: DENIED,
    type: 'alerting',
    query: expect.stringContaining('incident:transactions:told'),
    for: 0,
    keepFiringFor: 180,
    health: 'ok',
    labels: { severity: 'critical', service: 'payments' },
    annotations: expect.objectContaining({ runbook_url: expect.stringContaining('#transactionsdeniedabovenormal') }),
  });
});

const ASKED = { minutes: 5, createdBy: 'ana', comment: 'load test' };
const silence = (body: object) => service.send('POST', '/api/v1/silences', { ...ASKED, ...body });

test('a silence is for the service that the rule names, unless another is asked for', async () => {
  const { id } = (await silence({ alertname: DENIED })).json;
  const other = (await silence({ alertname: DENIED, labels: { service: 'refunds' } })).json.id;
  const { silences } = (await service.get('/api/v1/silences')).json;
  const servicesOf = (wanted: string) =>
    silences
      .find((one: { id: string }) => one.id === wanted)
      .matchers.flatMap(({ name, value }: { name: string; value: string }) => (name === 'service' ? [value] : []));
  expect([servicesOf(id), servicesOf(other)]).toEqual([['payments'], ['refunds']]);
});

test('an alert that no rule raises is refused: to silence it would silence nothing', async () => {
  const { status, json } = await silence({ alertname: 'TransactionsDeniedAboveNormall' });
  expect(status).toBe(422);
  expect(json.errors).toEqual([{ path: 'alertname', message: expect.stringContaining('GET /api/v1/rules') }]);
});
