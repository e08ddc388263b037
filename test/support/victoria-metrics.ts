import { VMALERT_FLAGS } from '../../src/engines/vmalert.ts';
import { debianPrograms } from './debian-programs.ts';
import { freePort, type Running, startProcess, waitFor } from './processes.ts';

const programs = () =>
  debianPrograms('victoria-metrics', ['victoria-metrics', 'vmalert', 'vmagent'], 'victoria-metrics-1.145');

async function start(path: string, url: string, args: readonly string[]): Promise<Running> {
  const running = await startProcess(path, [`-httpListenAddr=${url.replace('http://', '')}`, ...args]);
  await waitFor(async () => (await fetch(`${url}/health`)).ok, { what: `${path} at ${url}: ${running.stderr()}` });
  return running;
}

const freeUrl = async () => `http://127.0.0.1:${await freePort()}`;

/**
 * A VictoriaMetrics that keeps its data in a folder, with the flags that the rules for vmalert ask
 * for.
 */
export async function startVictoriaMetrics(dataDir: string) {
  const url = await freeUrl();
  const { 'victoria-metrics': victoriaMetrics } = await programs();
  const flags = VMALERT_FLAGS['VictoriaMetrics (or vmselect)'];
  const running = await start(victoriaMetrics, url, [`-storageDataPath=${dataDir}`, '-retentionPeriod=1y', ...flags]);
  return { url, stop: () => running.stop() };
}

/** A vmalert that evaluates rule files on a VictoriaMetrics, and tells nobody. */
export async function startVmalert(storageUrl: string, rules: string) {
  const url = await freeUrl();
  const { vmalert } = await programs();
  const running = await start(vmalert, url, [
    `-rule=${rules}`,
    `-datasource.url=${storageUrl}`,
    `-remoteWrite.url=${storageUrl}`,
    '-notifier.blackhole',
    ...VMALERT_FLAGS.vmalert,
  ]);
  return { url, stderr: running.stderr, stop: () => running.stop() };
}

/** A vmagent that scrapes as a configuration of Prometheus says, and writes to a VictoriaMetrics. */
export async function startVmagent(storageUrl: string, scrapes: string, dataDir: string) {
  const url = await freeUrl();
  const { vmagent } = await programs();
  const running = await start(vmagent, url, [
    `-promscrape.config=${scrapes}`,
    `-remoteWrite.url=${storageUrl}/api/v1/write`,
    `-remoteWrite.tmpDataPath=${dataDir}`,
  ]);
  return { url, stop: () => running.stop() };
}
