import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { isMap, isScalar, parseDocument, visit, type YAMLMap } from 'yaml';

/** The names by which the shipped files call each other, as docker-compose.yml resolves them. */
export interface Addresses {
  'tillwatch:8080': string;
  'prometheus:9090': string;
  'alertmanager:9093': string;
}

const COMPOSE_SECRETS = '/etc/alertmanager/secrets/';
const PATH_LISTS = ['rule_files', 'templates'];
/** The address in messages as shipped. One that people have set is left alone. */
const SHIPPED_URL = 'http://localhost:8080';

const isPath = (path: readonly unknown[]): boolean =>
  path.some((node) => {
    const key = (node as { key?: { value?: unknown } }).key?.value;
    return typeof key === 'string' && (PATH_LISTS.includes(key) || key.endsWith('_file'));
  });

function localPath(value: string, folder: string): string {
  if (value === '') return value;
  if (value.startsWith(COMPOSE_SECRETS)) return join(folder, 'secrets', value.slice(COMPOSE_SECRETS.length));
  return isAbsolute(value) ? value : resolve(folder, value);
}

/** Lets a request carry a token: `authorization` of a scrape job, or of a webhook's http_config. */
function authorize(entry: YAMLMap, keys: string[], tokenFile: string): void {
  entry.setIn([...keys, 'authorization'], { credentials_file: tokenFile });
}

export interface RenderOptions {
  tokenFile?: string | undefined;
  /** A folder and another name for it, by which its files are called. */
  renamed?: readonly [folder: string, name: string] | undefined;
}

/**
 * Writes a copy of a shipped configuration for programs that run on this machine: real addresses,
 * absolute paths and, where the service asks for tokens, a token for what talks to it. Everything
 * else stays as people wrote it.
 */
export function renderConfig(
  source: string,
  target: string,
  addresses: Addresses,
  { tokenFile, renamed }: RenderOptions = {},
): void {
  const document = parseDocument(readFileSync(source, 'utf8'));
  if (document.errors[0] !== undefined) throw new Error(`${source}: ${document.errors[0].message}`);
  visit(document, {
    Map(_key, node) {
      const webhook = node.get('url');
      if (node.get('tillwatch_url') === SHIPPED_URL) node.set('tillwatch_url', `http://${addresses['tillwatch:8080']}`);
      if (tokenFile === undefined) return;
      if (node.get('job_name') === 'tillwatch') authorize(node, [], tokenFile);
      if (typeof webhook === 'string' && webhook.includes('//tillwatch:8080/') && !isMap(node.get('http_config')))
        authorize(node, ['http_config'], tokenFile);
    },
  });
  visit(document, {
    Scalar(key, node, path) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return;
      for (const [name, address] of Object.entries(addresses)) node.value = String(node.value).replace(name, address);
      if (!isPath(path)) return;
      const local = localPath(String(node.value), dirname(source));
      const [folder, name] = renamed ?? [];
      node.value = folder && local.startsWith(folder + sep) ? name + local.slice(folder.length) : local;
    },
  });
  writeFileSync(target, document.toString(), { mode: 0o600 });
}
