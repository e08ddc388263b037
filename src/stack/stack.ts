import { randomBytes } from 'node:crypto';
import { unwatchFile, watchFile, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBinary } from '../binaries/binaries.ts';
import { hasWebPages } from '../binaries/executables.ts';
import type { Config } from '../config/config.ts';
import { RETENTION_DAYS, storageOf } from '../history/history.ts';
import { type RunningServer, startServer } from '../http/server.ts';
import { createPrometheus } from '../prometheus/client.ts';
import { makeFolder } from '../runtime/folder.ts';
import { type Log, messageOf } from '../runtime/log.ts';
import { PROJECT } from '../runtime/project.ts';
import type { Demo } from '../simulator/demo.ts';
import { type Child, keepRunning } from './child.ts';
import { followReports, type NamedRules, nameRules } from './named-rules.ts';
import type { StackPorts } from './ports.ts';
import { type Addresses, renderConfig } from './render.ts';

export interface StackOptions {
  /** Incidents that a person may start on the live page. */
  demo?: Demo | undefined;
  /** Holds prometheus/ and alertmanager/; the program's own when left out. */
  folder?: string | undefined;
}

export interface Stack {
  url: string;
  prometheusUrl: string;
  alertmanagerUrl: string;
  /** True where Prometheus has web pages of its own. */
  prometheusPages: boolean;
  /** The token for requests to the service; undefined where it asks for none. */
  token: string | undefined;
  /** Stops everything, in the order in which nothing is lost. */
  stop(): Promise<void>;
}

const local = (port: number): string => `127.0.0.1:${port}`;

/** A token that only what we start ourselves knows. */
function internalToken(config: Config): { token: string; file: string } | undefined {
  if (config.tokensFile === '') return undefined;
  const file = join(config.data, 'internal-token');
  const token = randomBytes(32).toString('hex');
  writeFileSync(file, token, { mode: 0o600 });
  return { token, file };
}

async function startAlertmanager(config: Config, port: number, log: Log, failed: (reason: string) => void) {
  return keepRunning(
    {
      name: 'alertmanager',
      path: await findBinary('alertmanager', { log: (line) => log('info', line) }),
      args: [
        `--config.file=${join(config.data, 'alertmanager.yml')}`,
        `--storage.path=${join(config.data, 'alertmanager')}`,
        `--web.listen-address=${local(port)}`,
        `--web.external-url=http://${local(port)}`,
        '--cluster.listen-address=',
      ],
      readyUrl: `http://${local(port)}/-/ready`,
    },
    log,
    failed,
  );
}

interface PrometheusStart {
  config: Config;
  port: number;
  path: string;
  /** The target of links to Prometheus's pages: its own, or Tillwatch where it has none. */
  externalUrl: string;
}

function startPrometheus(
  { config, port, path, externalUrl }: PrometheusStart,
  log: Log,
  failed: (reason: string) => void,
) {
  return keepRunning(
    {
      name: 'prometheus',
      path,
      args: [
        `--config.file=${join(config.data, 'prometheus.yml')}`,
        `--storage.tsdb.path=${storageOf(config.data)}`,
        `--storage.tsdb.retention.time=${RETENTION_DAYS}d`,
        `--web.listen-address=${local(port)}`,
        `--web.external-url=${externalUrl}`,
        // An edited rule is in force half a minute later.
        '--enable-feature=auto-reload-config',
      ],
      readyUrl: `http://${local(port)}/-/ready`,
    },
    log,
    failed,
  );
}

const CONFIGURED = ['prometheus', 'alertmanager'] as const;
const sourceOf = (folder: string, name: string): string => join(folder, name, `${name}.yml`);

/** Writes the copy of each configuration that its program reads. */
function renderer(
  folder: string,
  config: Config,
  addresses: Addresses,
  rules: NamedRules,
  tokenFile: string | undefined,
) {
  return (name: (typeof CONFIGURED)[number]) =>
    renderConfig(sourceOf(folder, name), join(config.data, `${name}.yml`), addresses, {
      tokenFile,
      renamed: [rules.folder, rules.name()],
    });
}

/**
 * An edited configuration is in force some seconds later; one that can't be read is reported and
 * left alone.
 */
function followEdits(
  folder: string,
  render: ReturnType<typeof renderer>,
  alertmanager: Child,
  log: Log,
): { stop(): Promise<void> } {
  for (const name of CONFIGURED)
    watchFile(sourceOf(folder, name), { interval: 2000, persistent: false }, () => {
      try {
        render(name);
        // Prometheus looks at its own copy by itself.
        if (name === 'alertmanager') alertmanager.signal('SIGHUP');
        log('info', `${sourceOf(folder, name)} has changed: ${name} reads it anew`);
      } catch (error) {
        log('error', `${messageOf(error)}; ${name} goes on with what it had`);
      }
    });
  return {
    async stop() {
      for (const name of CONFIGURED) unwatchFile(sourceOf(folder, name));
    },
  };
}

/**
 * Runs the service, Prometheus and Alertmanager on this machine, the latter two as children that
 * are kept running.
 * @param failed told when one of them can't be kept running
 * @throws with the reason when one does not start; the others have been stopped by then
 */
export async function startStack(
  base: Config,
  ports: StackPorts,
  log: Log,
  failed: (reason: string) => void,
  { demo, folder = PROJECT }: StackOptions = {},
): Promise<Stack> {
  try {
    makeFolder(base.data);
  } catch (error) {
    throw new Error(`cannot keep data in ${base.data} (${messageOf(error)}). Give another folder by --data DIR`);
  }
  const prometheusUrl = `http://${local(ports.prometheus)}`;
  const alertmanagerUrl = `http://${local(ports.alertmanager)}`;
  const config = Object.freeze({ ...base, port: ports.service, prometheusUrl, alertmanagerUrl });
  const internal = internalToken(config);
  const running: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const part of running.splice(0).reverse()) await part.stop();
  };
  try {
    // The service starts first, because the others report to it. It is stopped last, to take their
    // last messages.
    const server: RunningServer = await startServer(config, log, { internalToken: internal?.token, demo });
    running.push({ stop: server.close });
    const addresses = {
      'tillwatch:8080': new URL(server.url).host,
      'prometheus:9090': local(ports.prometheus),
      'alertmanager:9093': local(ports.alertmanager),
    };
    const rules = await nameRules(join(folder, 'prometheus', 'rules'), config.data);
    const render = renderer(folder, config, addresses, rules, internal?.file);
    for (const name of CONFIGURED) render(name);
    const alertmanager = await startAlertmanager(config, ports.alertmanager, log, failed);
    running.push(alertmanager);
    const path = await findBinary('prometheus', { log: (line) => log('info', line) });
    const prometheusPages = await hasWebPages(path);
    const externalUrl = prometheusPages ? prometheusUrl : server.url;
    const prometheus = await startPrometheus({ config, port: ports.prometheus, path, externalUrl }, log, failed);
    running.push(prometheus);
    running.push(followEdits(folder, render, alertmanager, log));
    running.push(
      followReports(createPrometheus(prometheusUrl), rules, log, () => {
        render('prometheus');
        prometheus.signal('SIGHUP');
      }),
    );
    await server.lookAgain();
    return { url: server.url, prometheusUrl, alertmanagerUrl, prometheusPages, token: internal?.token, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
