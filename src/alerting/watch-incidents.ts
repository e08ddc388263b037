import type { Ledger, StoredIncident } from '../ledger/ledger.ts';
import type { Prometheus } from '../prometheus/client.ts';
import { type Log, messageOf, tellFault } from '../runtime/log.ts';
import type { Alertmanager } from './alertmanager.ts';
import { allLabels, labelKey, silencedIncidents } from './incidents.ts';

const LOOK_MS = 10_000;
const PAGE = { limit: 1000, bytes: 8 * 1024 * 1024, open: true };
/**
 * An Alertmanager that has just started knows of nothing; Prometheus tells it within a minute or
 * two. Milliseconds.
 */
const SETTLED_MS = 5 * 60_000;
/** The end of an alert is looked for this far back, in this many steps. */
const LONGEST_MS = 7 * 86_400_000;
const STEPS = 360;

interface Sources {
  ledger: Ledger;
  prometheus: Prometheus;
  alertmanager: Alertmanager;
  log: Log;
}

type Open = Pick<StoredIncident, 'id' | 'fingerprint' | 'startsAt' | 'body'>;
const labelsOf = ({ body }: Open) => allLabels(JSON.parse(body));

/**
 * Reads the times at which the series of alerts ended, by their labels. It finds nothing where
 * Prometheus records none.
 */
async function ends(prometheus: Prometheus, since: number, now: number): Promise<Map<string, number>> {
  const minutes = Math.ceil(Math.min(now - since, LONGEST_MS) / 60_000) + 1;
  const step = Math.ceil(minutes / STEPS);
  const samples = await prometheus.instant(
    `max_over_time(timestamp(ALERTS{alertstate="firing"})[${minutes}m:${step}m])`,
  );
  return new Map(
    samples.map(({ labels: { __name__: _, alertstate: __, ...labels }, value }) => [labelKey(labels), 1000 * value]),
  );
}

/**
 * Begins the incidents of alerts that were silenced before they were told of, and ends those whose
 * alert fires no longer, neither in Alertmanager nor in Prometheus. Alertmanager tells of neither
 * while an alert is silenced, and of no end while it is inhibited or where its message was lost.
 */
async function look({ ledger, prometheus, alertmanager }: Sources, now: number): Promise<void> {
  // These are read first: an alert that is told of afterwards is in the lists that are asked for
  // next.
  const open: Open[] = await ledger.incidents(PAGE);
  const known = await alertmanager.alerts();
  const ids = new Set(open.map(({ id }) => id));
  const untold = silencedIncidents(known.alerts, now).filter(({ id }) => !ids.has(id));
  if (untold.length > 0) await ledger.addIncidents(untold);
  if (open.length === 0) return;
  const alerts = await prometheus.alerts();
  const fingerprints = new Set(known.alerts.map(({ fingerprint }) => fingerprint));
  const firing = alerts.filter(({ state }) => state === 'firing');
  const keys = new Set(firing.map(({ labels }) => labelKey(labels)));
  const names = new Set(firing.map(({ labels }) => labels.alertname));
  // If Prometheus has external labels, only the name of an alert is the same in both.
  const settled = now - known.startedAt > SETTLED_MS;
  const fires = (one: Open): boolean =>
    fingerprints.has(one.fingerprint) ||
    (settled ? keys.has(labelKey(labelsOf(one))) : names.has(labelsOf(one).alertname));
  const over = open.filter((one) => !fires(one));
  if (over.length === 0) return;
  const recorded = await ends(prometheus, Math.min(...over.map(({ startsAt }) => startsAt)), now);
  await ledger.endIncidents(
    over.map((one) => ({
      id: one.id,
      endsAt: Math.max(one.startsAt, recorded.get(labelKey(labelsOf(one))) ?? now),
    })),
  );
}

/**
 * Looks after the incidents that last, until it is stopped. Nothing ends while Prometheus or
 * Alertmanager do not answer.
 */
export function watchIncidents(sources: Sources): { stop(): void } {
  let stopped = false;
  const tell = tellFault(sources.log, 'incidents are up to date again');
  let timer: NodeJS.Timeout | undefined;
  async function loop(): Promise<void> {
    try {
      await look(sources, Date.now());
      tell(undefined);
    } catch (error) {
      tell(`incidents are not up to date: ${messageOf(error)}`);
    }
    if (!stopped) timer = setTimeout(loop, LOOK_MS).unref();
  }
  timer = setTimeout(loop, LOOK_MS).unref();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
