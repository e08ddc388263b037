import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseDocument } from 'yaml';
import { findBinary } from '../../src/binaries/binaries.ts';
import { freePort, type Running, startProcess, waitFor } from './processes.ts';
import { switches, switchOn } from './switches.ts';

const shipped = fileURLToPath(new URL('../../alertmanager', import.meta.url));

export interface PostedAlert {
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  startsAt?: string;
  endsAt?: string;
}

export interface ApiAlert extends PostedAlert {
  status: { state: string; inhibitedBy: string[]; silencedBy: string[] };
}

const ALONE = ['--cluster.listen-address='];

/**
 * A real Alertmanager on a copy of the shipped configuration, which `edit` may change first.
 * @param cluster its flags that begin with `--cluster`
 */
export async function startAlertmanager(
  edit: (config: string, folder: string) => string,
  secrets: Record<string, string>,
  cluster: readonly string[] = ALONE,
) {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-alertmanager-'));
  await cp(shipped, folder, { recursive: true });
  for (const [name, value] of Object.entries(secrets)) await writeFile(join(folder, 'secrets', name), `${value}\n`);
  const config = join(folder, 'alertmanager.yml');
  await writeFile(config, edit(await readFile(config, 'utf8'), folder));
  const url = `http://127.0.0.1:${await freePort()}`;
  async function start(): Promise<Running> {
    const process = await startProcess(await findBinary('alertmanager'), [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${url.replace('http://', '')}`,
      `--web.external-url=${url}`,
      ...cluster,
    ]);
    const ready = async () => process.child.exitCode !== null || (await fetch(`${url}/-/ready`)).ok;
    await waitFor(ready, { what: `Alertmanager at ${url}` });
    if (process.child.exitCode !== null) throw new Error(`Alertmanager did not start:\n${process.stderr()}`);
    return process;
  }
  let server = await start();
  return {
    url,
    post: (alerts: PostedAlert[]) => post(url, alerts),
    alerts: async (filter: string[] = []) => {
      const query = filter.map((matcher) => `filter=${encodeURIComponent(matcher)}`).join('&');
      return (await (await fetch(`${url}/api/v2/alerts?${query}`)).json()) as ApiAlert[];
    },
    log: () => server.stderr() + server.stdout(),
    kill: () => server.stop('SIGKILL'),
    /** Starts it again after `kill`, on the same folder and address. */
    restart: async () => {
      server = await start();
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function post(url: string, alerts: PostedAlert[]): Promise<void> {
  const response = await fetch(`${url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts.map((alert) => ({ generatorURL: 'http://prometheus.example/graph', ...alert }))),
  });
  if (!response.ok) throw new Error(`Alertmanager refused the alerts: ${response.status} ${await response.text()}`);
}

export interface Receivers {
  /**
   * The URL of an HTTP server that stands for Slack, Teams, PagerDuty, Tillwatch and the webhooks.
   */
  url: string;
  mailPort: number;
  /** Slack's own API, which has one address; without it that receiver stays off. */
  slackApi?: { proxy: string; certificate: string };
  /** Groups are notified again after this time, instead of minutes: `500ms`. */
  interval: string;
  /** The blocks of alertmanager.yml that are switched on; all where it is left out. */
  only?: readonly string[];
}

/** The shipped file with its receivers switched on, these addresses and hardly any waiting. */
export function withReceivers(config: string, folder: string, receivers: Receivers): string {
  const { url, mailPort, slackApi, interval, only = switches(config) } = receivers;
  const on = only.filter((name) => slackApi !== undefined || name !== 'slack-bot');
  const local = switchOn(config, on)
    .replaceAll('https://ntfy.sh/', `${url}/ntfy`)
    .replaceAll('https://example.atlassian.net/', `${url}/jira/`)
    .replace(/^( +)parse_mode: ''/m, `$&\n$1api_url: ${url}`)
    .replace(
      /^( +)authorization:\n.*slack_token/m,
      `$1proxy_url: ${slackApi?.proxy}\n$1tls_config: { ca_file: ${slackApi?.certificate} }\n$&`,
    )
    .replaceAll('http://tillwatch:8080', url)
    .replaceAll('/etc/alertmanager/', `${folder}/`)
    .replace('smtp.example.com:587', `127.0.0.1:${mailPort}`)
    .replace('require_tls: true', 'require_tls: false');
  const doc = parseDocument(local);
  doc.setIn(['global', 'pagerduty_url'], `${url}/pagerduty`);
  doc.setIn(['route', 'group_wait'], '300ms');
  doc.setIn(['route', 'group_interval'], interval);
  for (const [index, route] of (parse(local).route.routes as object[]).entries())
    if ('group_interval' in route) doc.setIn(['route', 'routes', index, 'group_interval'], interval);
  return doc.toString();
}

/** Files for the folder of secrets, for receivers at a URL. */
export const secretsFor = (url: string) => ({
  slack_url: `${url}/slack`,
  teams_url: `${url}/teams`,
  smtp_password: 'correct horse',
  pagerduty_key: '0123456789abcdef0123456789abcdef',
  webhook_url: `${url}/webhook`,
  watchdog_url: `${url}/watchdog`,
  journal_token: 'a-token',
  slack_token: 'xoxb-token',
  discord_url: `${url}/discord`,
  mattermost_url: `${url}/mattermost`,
  telegram_token: '12345:telegram-token',
  telegram_chat: '-100123',
  incidentio_url: `${url}/incidentio`,
  incidentio_token: 'incident-token',
  ntfy_token: 'tk_ntfy',
  jira_token: 'jira-token',
});
