import type { Problem } from '../runtime/file-problem.ts';
import { itemsAt, lineOf, type YamlFile } from '../runtime/yaml-file.ts';
import { routedReceivers } from './routes.ts';

/** The rules link to this address where `tillwatch_url` is not set. */
const DEFAULT = 'http://localhost:8080';
const LABEL = ['global', 'external_labels', 'tillwatch_url'];
const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/;

/**
 * A receiver that sends only to Tillwatch itself: the journal, and the watchdog until it is
 * switched on.
 */
function staysHere(receiver: Record<string, unknown>): boolean {
  const configs = Object.entries(receiver).flatMap(([key, value]) => (key.endsWith('_configs') ? value : []));
  return (configs as { url?: unknown }[]).every(({ url }) => /\/api\/v1\/alertmanager$/.test(String(url)));
}

/** Finds messages that leave the machine with links that only this machine can follow. */
export function loopbackLinks(alertmanager: YamlFile, prometheus: YamlFile): Problem[] {
  const url = String(prometheus.doc.getIn(LABEL) ?? DEFAULT);
  if (!URL.canParse(url) || !LOOPBACK.test(new URL(url).hostname)) return [];
  const routed = routedReceivers(alertmanager.text);
  const leaving = (itemsAt(alertmanager, ['receivers']) as Record<string, unknown>[])
    .filter((receiver) => routed.has(String(receiver.name)) && !staysHere(receiver))
    .map(({ name }) => name);
  // A dead man's switch is read by no one.
  const read = leaving.filter((name) => name !== 'watchdog');
  if (read.length === 0) return [];
  const message = `messages to ${read.join(', ')} link to ${url}, which leads nowhere on another machine: set tillwatch_url to the address at which people reach the live page`;
  return [{ file: prometheus.path, line: lineOf(prometheus, LABEL), message }];
}
