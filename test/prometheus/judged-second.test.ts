import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fetchOldPrometheus, findBinary } from '../../src/binaries/binaries.ts';
import { createPrometheus, type Prometheus } from '../../src/prometheus/client.ts';
import {
  earliestFor,
  folderFor,
  isFolderFor,
  isInTime,
  secondOfReports,
  startsOf,
  USUAL_SECOND,
} from '../../src/prometheus/judged-second.ts';
import { readRules } from '../../src/prometheus/rule-files.ts';
import { PROJECT, SHIPPED_RULES } from '../../src/runtime/project.ts';
import { freePort, startProcess, waitFor } from '../support/processes.ts';
import { tempDir } from '../support/temp-dir.ts';

const INTERVAL = 5;

test('groups start when it is said, in both releases', async () => {
  const old = await fetchOldPrometheus();
  const seen = await Promise.all([await findBinary('prometheus'), old.prometheus].map(startsSeen));
  for (const { file, name, at } of seen) {
    const off = (await startsOf(file, name, INTERVAL)).map((start) => Math.abs((at % INTERVAL) - start));
    expect(Math.min(...off)).toBeLessThan(0.1);
  }
  expect(seen).toHaveLength(2);
});

/** When a Prometheus starts a group. */
async function startsSeen(binary: string): Promise<{ file: string; name: string; at: number }> {
  const [dir, port] = [await tempDir(), await freePort()];
  const name = 'transactions.rules';
  await writeFile(
    join(dir, 'a.yml'),
    `groups: [{name: ${name}, interval: ${INTERVAL}s, rules: [{record: a, expr: '1'}]}]`,
  );
  await writeFile(join(dir, 'prometheus.yml'), 'rule_files: [a.yml]');
  const running = await startProcess(binary, [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const { rules } = createPrometheus(`http://127.0.0.1:${port}`);
  const evaluated = async () => {
    const [group] = await rules().catch(() => []);
    const at = Date.parse(group?.lastEvaluation ?? '') / 1000;
    return group && at > 0 ? { file: group.file, name, at } : undefined;
  };
  const found = await waitFor(evaluated, { timeout: 60_000, what: 'an evaluation' });
  await running.stop();
  return found;
}

describe('a folder for reports that come in a second of the minute', () => {
  test.each([0, 3, 35, 58])(
    'judges those of second %i when they have been scraped, and alerts follow',
    async (second) => {
      const folder = await folderFor('/etc/prometheus/rules', second);
      const { recording, alerts } = await readRules(SHIPPED_RULES);
      const startsIn = async (name: string) => {
        const { file, group, interval } = [...recording, ...alerts].find((rule) => rule.group === name) ?? {};
        return startsOf(join(folder, file?.split('/').at(-1) ?? ''), group ?? '', interval ?? 0);
      };
      const way = ['transactions.rules', 'incidents.rules', 'shares.rules', 'transactions'];
      const starts = await Promise.all(way.map(startsIn));
      for (const build of [0, 1]) {
        const [judged = Number.NaN, ...later] = starts.map((each) => each[build] ?? Number.NaN);
        expect((judged - earliestFor(second) + 60) % 60).toBeLessThan(3);
        let [last, waited] = [judged, 0];
        for (const next of later) {
          waited += (next - last + 60) % 5;
          last = next;
        }
        expect(waited).toBeLessThanOrEqual(6);
      }
      expect(isInTime(second, earliestFor(second))).toBe(true);
    },
  );
});

test('Docker Compose has such a folder', async () => {
  const compose = await readFile(join(PROJECT, 'docker-compose.yml'), 'utf8');
  const folder = /--config\.file=(\S+prometheus\S*?)\/\S*prometheus\.yml/.exec(compose)?.[1];
  expect(compose).toContain(`- ./prometheus:${folder}:ro`);
  expect(await isFolderFor(`${folder}/rules`, USUAL_SECOND)).toBe(true);
});

describe('the second in which reports come', () => {
  /** Reports at these seconds of each of five minutes, as a Prometheus has them that scrapes often. */
  const of = (...seconds: number[]): Prometheus => {
    const base = Math.floor(Date.now() / 60_000) * 60 - 300;
    const points = Array.from({ length: 5 }, (_, minute) =>
      seconds.map((second): [number, number] => [base + 60 * minute + second, base + 60 * minute + second]),
    ).flat();
    return { range: async () => [{ labels: {}, points }] } as Partial<Prometheus> as Prometheus;
  };

  test('is the one before the longest pause', async () => {
    expect(await secondOfReports(of(3.4))).toBe(3);
    expect(await secondOfReports(of(3, 12, 20))).toBe(20);
    expect(await secondOfReports(of(1, 50, 58))).toBe(1);
  });

  test('is not known where there are none, or they come all the time', async () => {
    expect(await secondOfReports(of())).toBeUndefined();
    expect(await secondOfReports(of(0, 10, 20, 30, 40, 50))).toBeUndefined();
  });
});
