import { expect, test } from 'vitest';
import { RECORDED, TUNABLE } from '../src/domain/names.ts';
import { startRecorded } from './support/recorded.ts';
import { startService } from './support/service.ts';

test('an engine that keeps what alerts record and lists none is no proof that all is well', async () => {
  const now = Math.floor(Date.now() / 1000);
  const watchdog = { alertname: 'Watchdog', alertstate: 'firing' };
  const band = { level: 'total', status: 'denied', window: '1m' };
  const recorded = [
    { name: 'ALERTS', labels: watchdog, at: () => 1 },
    { name: TUNABLE.noiseZ, labels: {}, at: () => 7 },
    ...[RECORDED.observed, RECORDED.expected, RECORDED.upper].map((name) => ({ name, labels: band, at: () => 5 })),
  ];
  const prometheus = await startRecorded(recorded, now - 600, now + 600);
  const service = await startService({ prometheusUrl: prometheus.url });
  const why = expect.stringContaining('Prometheus lists no alerts, though some fire. VictoriaMetrics needs');
  const { json } = await service.get('/api/v1/alerts');
  expect(json).toMatchObject({ alerts: [], prometheus: { state: 'unavailable', reason: why } });
  expect((await service.get('/api/v1/state')).json.verdict).toMatchObject({ recommendation: 'unknown', reason: why });
  await service.close();
  await prometheus.stop();
}, 60_000);
