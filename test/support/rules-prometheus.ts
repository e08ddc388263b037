import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinary } from '../../src/binaries/binaries.ts';
import { storageOf } from '../../src/history/history.ts';
import { freePort, startProcess, waitFor } from './processes.ts';

const rules = fileURLToPath(new URL('../../prometheus/rules', import.meta.url));

/**
 * A real Prometheus that evaluates the shipped rules on what lies in a data folder, and scrapes
 * nothing.
 */
export async function startRulesPrometheus(dataDir: string) {
  const config = join(dataDir, 'prometheus.yml');
  await writeFile(config, JSON.stringify({ rule_files: [join(rules, '*.yml')] }));
  const url = `http://127.0.0.1:${await freePort()}`;
  const server = await startProcess(await findBinary('prometheus'), [
    `--config.file=${config}`,
    `--storage.tsdb.path=${storageOf(dataDir)}`,
    `--web.listen-address=${url.replace('http://', '')}`,
  ]);
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { what: `Prometheus at ${url}` });
  return { url, stop: () => server.stop() };
}
