import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findBinary } from '../../src/binaries/binaries.ts';
import { importHistory, storageOf } from '../../src/history/history.ts';
import { createPrometheus } from '../../src/prometheus/client.ts';
import { folderFor, USUAL_SECOND } from '../../src/prometheus/judged-second.ts';
import { SHIPPED_RULES } from '../../src/runtime/project.ts';
import { freePort, startProcess, waitFor } from '../support/processes.ts';
import { startService } from '../support/service.ts';
import { tempDir } from '../support/temp-dir.ts';

const HISTORY_MINUTES = 200;
const USUAL = { labels: {}, counts: { approved: 240, denied: 30, failed: 1, reversed: 3 }, authCodes: {} };

const BAD = { ...USUAL, counts: { ...USUAL.counts, denied: 150 } };

/**
 * A usual history, with an incident in its last minutes. Its last counts are so many minutes old
 * when the minute `begin` begins.
 */
function* history(begin: number, minutesAway: number, badMinutes: number) {
  const end = begin - minutesAway;
  for (let minute = end - HISTORY_MINUTES; minute < end; minute++)
    yield { minute, labelled: [minute < end - badMinutes ? USUAL : BAD] };
}

/** A Prometheus that is started with such a history, once its alerts have been judged. */
async function backAfter(minutesAway: number, badMinutes: number) {
  const [dir, port] = [await tempDir(), await freePort()];
  const rules = await folderFor(dir, USUAL_SECOND);
  await cp(SHIPPED_RULES, rules, { recursive: true });
  const begin = Math.floor(Date.now() / 60_000) + 1;
  await importHistory({
    minutes: history(begin, minutesAway, badMinutes),
    authCodes: [],
    dataDir: dir,
    rulesDir: rules,
  });
  await writeFile(join(dir, 'prometheus.yml'), JSON.stringify({ rule_files: [`${rules}/*.yml`] }));
  await waitFor(() => Date.now() >= begin * 60_000, { what: 'the next minute' });
  const flags = [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${storageOf(dir)}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const running = await startProcess(await findBinary('prometheus'), flags);
  const prometheus = createPrometheus(`http://127.0.0.1:${port}`);
  const evaluated = async (name: string) => {
    const group = (await prometheus.rules()).find((one) => one.name === name);
    return Math.max(0, Date.parse(group?.lastEvaluation ?? ''));
  };
  // Judged first, then told, by groups of every five seconds that each read what the one before recorded.
  const judged = await waitFor(() => evaluated('transactions.rules'), { what: 'the first verdict' });
  await waitFor(async () => (await evaluated('transactions')) > judged + 10_000, { what: 'the alerts after it' });
  const alerts = (await prometheus.alerts()).filter(({ labels }) => /AboveNormal$/.test(labels.alertname ?? ''));
  return { prometheus, alerts, port, stop: () => running.stop() };
}

test('a machine that was away for half an hour does not tell again of what it told before', async () => {
  const { prometheus, alerts, stop } = await backAfter(31, 12);
  expect(alerts).toEqual([]);
  const before = await prometheus.instant('status:transactions:stays{status="denied"} offset 31m == 1');
  expect(before).toHaveLength(1);
  // With the first counts that come it would be an alert.
  expect(await prometheus.instant('max_over_time(status:transactions:stays[5m]) == 1')).toEqual([]);
  await stop();
});

test('a machine that was away for four minutes pages nobody when it is back', async () => {
  const { prometheus, alerts, port, stop } = await backAfter(4, 0);
  expect(alerts).toEqual([]);
  const verdicts = await prometheus.instant('max_over_time(status_window:transactions:above_normal[15m])');
  expect(verdicts.length).toBeGreaterThan(4);
  expect(verdicts.filter(({ value }) => value !== 0)).toEqual([]);

  // What was counted before is no last minute, and says nothing of now.
  const service = await startService({ prometheusUrl: `http://127.0.0.1:${port}` });
  const state = async () => (await service.get('/api/v1/state')).json;
  await waitFor(async () => (await state()).path.prometheus.ok, { what: 'the next evaluation', timeout: 120_000 });
  const { verdict, anomalies } = await state();
  expect(verdict).toMatchObject({ recommendation: 'unknown', reason: expect.stringContaining('not judged yet') });
  expect(anomalies).toContainEqual(expect.objectContaining({ status: 'denied', lastMinute: {}, lastHour: {} }));
  await service.close();
  await stop();
});
