import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { importHistory, storageOf } from '../src/history/history.ts';
import { startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { waitFor } from './support/processes.ts';
import { startRulesPrometheus } from './support/rules-prometheus.ts';
import { startService, temporaryFolder } from './support/service.ts';

const rules = fileURLToPath(new URL('../prometheus/rules', import.meta.url));
const USUAL = { '00': 100, '51': 5, '59': 1, X9: 1 };

/** Six hours of the usual, and five minutes in which many cards have no money. */
async function importSurge(dataDir: string): Promise<void> {
  const rulesDir = join(dataDir, 'rules');
  await cp(rules, rulesDir, { recursive: true });
  const end = Math.floor(Date.now() / 60_000);
  const minutes = Array.from({ length: 365 }, (_, i) => {
    const minute = end - 365 + i;
    return { minute, counts: {}, authCodes: i < 360 ? USUAL : { ...USUAL, '51': 60 } };
  });
  await importHistory({ minutes, statuses: false, authCodes: Object.keys(USUAL), dataDir, rulesDir });
}

test('each code now against what is normal, with its meaning; the alert that fires for it', async () => {
  const dataDir = temporaryFolder('codes');
  await importSurge(dataDir);
  const still = await startEphemeralPrometheus(storageOf(dataDir));
  const reader = await startService({ prometheusUrl: still.url });
  const { json } = await reader.get('/api/v1/auth-codes');
  await reader.close();
  await still.stop();
  const about = (expected: number) => expect.closeTo(expected, 6);
  expect(json).toEqual({
    window: '5m',
    codes: [
      ['51', 'insufficient funds', 300, 25],
      ['59', 'suspected fraud', 5, 5],
      ['X9', 'not a common ISO 8583 code', 5, 5],
    ].map(([code, meaning, observed, expected]) => ({
      code,
      meaning,
      labels: {},
      observed,
      expected: about(Number(expected)),
      share: about(Number(observed) / 310),
      usualShare: about(Number(expected) / 35),
      firing: false,
    })),
  });

  const prometheus = await startRulesPrometheus(dataDir);
  const service = await startService({ prometheusUrl: prometheus.url });
  const firing = async () => {
    const { codes } = (await service.get('/api/v1/auth-codes')).json;
    return codes.some((one: { firing: boolean }) => one.firing) && codes;
  };
  const codes = await waitFor(firing, { timeout: 150_000, what: 'AuthCodeAboveNormal' });
  expect(codes.map(({ code, firing }: { code: string; firing: boolean }) => [code, firing])).toEqual([
    ['51', true],
    ['59', false],
    ['X9', false],
  ]);
  await service.close();
  await prometheus.stop();
});

test('without a Prometheus it is a 503', async () => {
  const alone = await startService();
  expect((await alone.get('/api/v1/auth-codes')).status).toBe(503);
  expect((await alone.get('/api/v1/rules')).status).toBe(503);
  await alone.close();
});
