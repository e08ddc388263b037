import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { RECORDED, TOTAL } from '../domain/names.ts';
import { isoOfMs } from '../domain/times.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Prometheus } from '../prometheus/client.ts';
import type { Alertmanager, ListedAlert, PostedAlert } from './alertmanager.ts';
import { JOURNAL } from './notification.ts';

export const TEST_ALERT = 'TillwatchTest';

/** The receivers get this long to answer, and are looked at this often; milliseconds. */
const WAIT_MS = 40_000;
const LOOK_MS = 500;
/** The test alert ends by itself after this time if this program dies first; milliseconds. */
const LASTS_MS = 5 * 60_000;
/**
 * By default, a warning is routed to chat alone, and a critical alert to email and the pager as
 * well.
 */
const SEVERITIES = ['warning', 'critical'] as const;

export const outcome = z
  .object({
    receiver: z.string(),
    kind: z.string().meta({ description: 'As Alertmanager names it: webhook, slack, email, ...' }),
    result: z.enum(['delivered', 'refused', 'waiting']),
    reason: z.string(),
  })
  .meta({ id: 'TestOutcome' });
export type Outcome = z.output<typeof outcome>;

/** No test can be made, or none reaches what was asked for; the message says why. */
export class NoTest extends Error {
  override name = 'NoTest';
}

export interface TestSources {
  alertmanager: Alertmanager;
  prometheus: Prometheus;
  ledger: Pick<Ledger, 'notifications'>;
}

/**
 * Reads today's real numbers of `denied`, so that the test message looks like one that matters.
 */
async function numbersNow(prometheus: Prometheus): Promise<Record<'observed' | 'expected' | 'upper', string>> {
  const denied = (name: string) => `${name}{level="${TOTAL}", status="denied", window="5m"}`;
  const ask = async (query: string) => {
    const [sample] = await prometheus.instant(query).catch(() => [undefined]);
    return sample === undefined ? 'not known' : String(Math.round(sample.value));
  };
  const [observed, expected, upper] = await Promise.all([
    ask(denied(RECORDED.observed)),
    ask(denied(RECORDED.expected)),
    // The edge is that of the evidence. Like the other two numbers, it has to be of all five minutes.
    ask(`${denied(RECORDED.upper)} / on (window) group_left () ${RECORDED.evidenceShare}`),
  ]);
  return { observed, expected, upper };
}

/** Numbers by series, of a text in Prometheus's format. */
function countersIn(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => /^alertmanager_notification/.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

interface Counted {
  sent: number;
  failed: number;
  /** The reason why the last notification failed for good, in Alertmanager's words. */
  reason: string | undefined;
}

/** Counts the notifications of one kind of receiver that were sent or failed between two looks. */
function between(before: Map<string, number>, after: Map<string, number>, kind: string): Counted {
  const grown = (name: string) =>
    [...after]
      .filter(([series]) => series.startsWith(`${name}{`) && series.includes(`integration="${kind}"`))
      .map(([series, value]): [string, number] => [series, value - (before.get(series) ?? 0)]);
  const sum = (name: string) => grown(name).reduce((total, [, more]) => total + more, 0);
  const failed = grown('alertmanager_notifications_failed_total').find(([, more]) => more > 0);
  return {
    sent: sum('alertmanager_notification_requests_total'),
    failed: sum('alertmanager_notification_requests_failed_total'),
    reason: failed && /reason="([^"]+)"/.exec(failed[0])?.[1],
  };
}

const REASONS: Readonly<Record<string, string>> = {
  clientError: 'it refused the message (4xx): is its address or key right?',
  serverError: 'it answered with an error of its own (5xx)',
  contextDeadlineExceeded: 'it took too long',
};

const configured = z.object({ receivers: z.array(z.looseObject({ name: z.string() })) });

/** The kinds of each receiver, by its name: `webhook_configs` is webhook. */
function kindsIn(configuration: string): Map<string, string[]> {
  const { receivers } = configured.parse(parse(configuration, { merge: true }));
  return new Map(
    receivers.map(({ name, ...rest }) => [
      name,
      Object.keys(rest).flatMap((key) => (key.endsWith('_configs') ? [key.replace('_configs', '')] : [])),
    ]),
  );
}

function verdictOf({ sent, failed, reason }: Counted): Pick<Outcome, 'result' | 'reason'> {
  if (failed > 0)
    return {
      result: 'refused',
      reason:
        REASONS[reason ?? ''] ??
        'it is not reached, or answers with an error; Alertmanager goes on trying and its log says more',
    };
  if (sent > 0) return { result: 'delivered', reason: 'it took the message' };
  return { result: 'waiting', reason: 'Alertmanager has not sent it yet' };
}

interface Content {
  numbers: Awaited<ReturnType<typeof numbersNow>>;
  /** The live page, where the links of the message lead. */
  page: string;
}

function alertOf(severity: string, { numbers, page }: Content, now: number): PostedAlert {
  const { observed, expected, upper } = numbers;
  return {
    // A service of its own makes a group of its own. In that of an earlier test Alertmanager would
    // hold it back for a minute.
    labels: { alertname: TEST_ALERT, severity, service: `test at ${isoOfMs(now).slice(11, 19)} UTC`, test: 'true' },
    annotations: {
      summary: 'TEST: this is a test message, nothing is wrong',
      description: `Somebody tests whether alerts arrive. Denied in the last 5 minutes: ${observed}; normal ${expected}, up to ${upper}.`,
      observed,
      expected,
      upper,
      todo: 'Nothing. Its end is told within minutes.',
      dashboard_url: page,
      silence_url: page,
      runbook_url: `${page}docs/runbook`,
    },
    startsAt: isoOfMs(now),
    endsAt: isoOfMs(now + LASTS_MS),
  };
}

/** Posts the alert, and reads to which receivers it is routed. */
async function routeOf(alert: PostedAlert, { alertmanager }: TestSources): Promise<ListedAlert> {
  await alertmanager.post([alert]);
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = (await alertmanager.alertsOf(TEST_ALERT)).find(
      ({ labels }) => labels.severity === alert.labels.severity && labels.service === alert.labels.service,
    );
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new NoTest('Alertmanager took the alert and does not list it: its log says why');
    await sleep(LOOK_MS);
  }
}

const end = (alert: PostedAlert, { alertmanager }: TestSources) =>
  alertmanager.post([{ ...alert, endsAt: new Date().toISOString() }]);

/** Sends the alert that reaches the receiver; without one, the gravest. */
async function send({ receiver, page }: TestWanted, sources: TestSources) {
  const content = { numbers: await numbersNow(sources.prometheus), page };
  const now = Date.now();
  for (const severity of receiver === undefined ? SEVERITIES.slice(-1) : SEVERITIES) {
    const alert = alertOf(severity, content, now);
    const routed = await routeOf(alert, sources);
    if (routed.status.state === 'suppressed') {
      await end(alert, sources);
      throw new NoTest('the test is silenced or inhibited at present: GET /api/v1/silences lists the silences');
    }
    if (receiver === undefined || routed.receivers.some(({ name }) => name === receiver)) return { alert, routed };
    await end(alert, sources);
  }
  throw new NoTest(`no alert is routed to ${receiver}: is its block in the routes switched on (alertmanager.yml)?`);
}

export interface TestWanted {
  /** The test goes to this receiver alone; without it, to all that a critical alert reaches. */
  receiver: string | undefined;
  /** Address of the live page, with a slash at the end. */
  page: string;
}

export interface TestResult {
  alert: PostedAlert;
  outcomes: Outcome[];
}

/**
 * Sends a real alert with real numbers through Alertmanager, says what became of it at each
 * receiver, and ends it.
 * @throws NoTest, AlertmanagerError
 */
export async function sendTest(wanted: TestWanted, sources: TestSources, signal: AbortSignal): Promise<TestResult> {
  const { receiver } = wanted;
  const { alertmanager, ledger } = sources;
  const kinds = kindsIn(await alertmanager.configuration());
  if (receiver !== undefined && !kinds.has(receiver))
    throw new NoTest(`there is no receiver ${receiver}; there are ${[...kinds.keys()].join(', ')}`);
  const before = countersIn(await alertmanager.metrics());
  const { alert, routed } = await send(wanted, sources);
  const reached = routed.receivers
    .map(({ name }) => name)
    .filter((name) => receiver === undefined || name === receiver);
  const look = async (): Promise<Outcome[]> => {
    const after = countersIn(await alertmanager.metrics());
    const arrived = (await ledger.notifications({ limit: 20, bytes: 1 << 20 })).some(
      ({ body }) =>
        body.includes(`"fingerprint":"${routed.fingerprint}"`) && body.includes(alert.startsAt.slice(0, 19)),
    );
    return reached.flatMap((name) =>
      (kinds.get(name) ?? []).map((kind): Outcome => {
        if (name === JOURNAL && arrived)
          return { receiver: name, kind, result: 'delivered', reason: 'it is in the journal' };
        return { receiver: name, kind, ...verdictOf(between(before, after, kind)) };
      }),
    );
  };
  try {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const outcomes = await look();
      const open = outcomes.some(({ result }) => result === 'waiting');
      if (!open || Date.now() > deadline || signal.aborted) return { alert, outcomes };
      await sleep(LOOK_MS);
    }
  } finally {
    await end(alert, sources);
  }
}
