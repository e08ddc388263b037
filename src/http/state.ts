import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openIncidents } from '../alerting/incidents.ts';
import { type AlertPathWatch, alertPath, NOT_EVALUATED, WATCHDOG } from '../alerting/pipeline-health.ts';
import type { Calendar } from '../calendar/calendar.ts';
import { describeNow, describePlanned } from '../calendar/words.ts';
import { RECORDED, TOTAL, TUNABLE } from '../domain/names.ts';
import { isoOfMs } from '../domain/times.ts';
import { type Anomaly, anomaly, definitions, type Recorded, readAnomalies } from '../judge/anomalies.ts';
import { type BaselineWatch, describeBaseline, describedBaseline } from '../judge/baseline.ts';
import { RECOMMENDATIONS } from '../judge/recommendation.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Alert, alert, type Prometheus } from '../prometheus/client.ts';
import { type Log, messageOf } from '../runtime/log.ts';
import { type Demo, demoState } from '../simulator/demo.ts';
import type { Events } from './events.ts';
import { verdictOf } from './status-line.ts';

const stateAlert = alert.extend({ incidentId: z.string().optional() }).meta({ id: 'StateAlert' });

/** Everything that the live page shows of this moment. */
export const state = z
  .object({
    time: z.iso.datetime(),
    demo: demoState.nullable().meta({ description: 'null but in `tillwatch up --demo`' }),
    baseline: describedBaseline,
    verdict: z.object({
      recommendation: z.enum(RECOMMENDATIONS),
      reason: z.string().meta({ description: 'Of everything, in a sentence or two' }),
      untold: z.string().optional().meta({ description: 'Why an alert may reach nobody' }),
    }),
    definitions: definitions.optional(),
    anomalies: z
      .array(anomaly)
      .meta({ description: 'The total, and of slices those with alerts and the busiest, 50 in all' }),
    alerts: z.array(stateAlert).meta({ description: 'Firing and pending, but for the Watchdog, which is in path' }),
    path: alertPath,
    lastKnown: z
      .object({ at: z.iso.datetime(), anomalies: z.array(anomaly) })
      .optional()
      .meta({ description: 'While nothing is judged: what was known last, and of when it is' }),
    calendar: z
      .string()
      .optional()
      .meta({ description: 'What the calendar says of now, in one line; absent on an ordinary day' }),
    planned: z.string().optional().meta({
      description: 'The planned window of all traffic that is on, and until when; nothing is judged meanwhile',
    }),
  })
  .meta({ id: 'State' });
export type State = z.output<typeof state>;

interface Sources {
  prometheus: Prometheus;
  baseline: BaselineWatch;
  path: AlertPathWatch;
  ledger: Ledger;
  events: Events;
  calendar: Calendar;
  demo?: Demo | undefined;
  stopping: AbortSignal;
  /** Milliseconds since the epoch. */
  startedAt: number;
}

export interface StateWatch {
  /**
   * The state now; never fails: what could not be asked is said in its `path`. A Prometheus that
   * did not answer the last time is not waited for.
   */
  read(): Promise<State>;
  /**
   * The state now, for a page that opens. While Prometheus is slow to answer, what is known without
   * it comes first.
   */
  opening(): AsyncIterable<State>;
  /** Publishes it whenever something in it has changed, for as long as somebody listens. */
  follow(): void;
}

const TICK_MS = 1000;
/** Whoever opens a page waits for Prometheus no longer than this. */
const SOON_MS = 1500;
const SLOW = `Prometheus has not answered within ${SOON_MS / 1000} s; Tillwatch still waits for it`;
/** Alertmanager, and what of Prometheus is not seen in a tick, are asked every so many ticks. */
const PATH_TICKS = 5;
/** Milliseconds between two looks while nobody listens. */
const LOOK_MS = 60_000;

/**
 * Times of the last evaluations: the last series of each group that is shown, one that is recorded
 * in any case, and the alerts.
 */
const EVALUATIONS = [
  ...[`${RECORDED.observed}{window="1m"}`, `${RECORDED.score}{window="1m"}`, RECORDED.trend, TUNABLE.noiseZ].map(
    (series, i) => `label_replace(max(timestamp(${series})), "of", "${i}", "", "")`,
  ),
  'max by (alertname, alertstate) (timestamp(ALERTS))',
].join(' or ');

/** The time since the rules first counted, at most three hours; in milliseconds. */
async function historyOf(prometheus: Prometheus): Promise<number | undefined> {
  const series = `${RECORDED.perMinute}{status="approved"}`;
  const [first] = await prometheus.instant(`time() - min(min_over_time(timestamp(${series})[3h:1m]))`);
  return first && first.value * 1000;
}

/** Sorts firing before pending, critical before warning, the total before its slices. */
const rank = ({ state, labels }: Alert): string =>
  `${state === 'firing' ? 0 : 1} ${labels.severity} ${(labels.level ?? TOTAL) === TOTAL ? 0 : 1}`;

async function shownAlerts(alerts: readonly Alert[], ledger: Ledger): Promise<State['alerts']> {
  // Alerts are shown without their incidents while the ledger cannot be read.
  const open = await openIncidents(ledger).catch(() => () => undefined);
  return alerts
    .filter(({ labels }) => labels.alertname !== WATCHDOG)
    .sort((a, b) => rank(a).localeCompare(rank(b)))
    .map((shown) => {
      const id = open(shown.labels);
      return id === undefined ? shown : { ...shown, incidentId: id };
    });
}

/**
 * True where anything was ever reported. It is also true where that cannot be read, so that nobody
 * is told that nothing ever was.
 */
const hasReports = (ledger: Ledger): Promise<boolean> =>
  ledger.totals(Date.now()).then(
    ({ lastReport }) => lastReport > 0,
    () => true,
  );

/**
 * At most so many slices are shown, since each state is sent to every page. GET /api/v1/anomalies
 * has all of them.
 */
const MOST_SLICES = 50;

/** The total, then slices for which something fires, then the busiest. */
function shownAnomalies(anomalies: readonly Anomaly[]): Anomaly[] {
  const weights = new Map<string, number>();
  for (const { labels, firing, lastMinute, lastHour } of anomalies) {
    const key = JSON.stringify(labels);
    const isTotal = Object.keys(labels).length === 0;
    const weight = (lastMinute.observed ?? 0) + (lastHour.observed ?? 0) / 60;
    weights.set(key, (weights.get(key) ?? 0) + (isTotal ? Number.POSITIVE_INFINITY : weight + 1e9 * firing.length));
  }
  const first = [...weights].sort(([, a], [, b]) => (a === b ? 0 : b - a)).slice(0, MOST_SLICES + 1);
  const shown = new Set(first.map(([key]) => key));
  return anomalies.filter(({ labels }) => shown.has(JSON.stringify(labels)));
}

async function readState(sources: Sources): Promise<State> {
  const { prometheus, baseline, path } = sources;
  const asked = readAnomalies(prometheus).catch((error: unknown) => messageOf(error));
  const [answer] = await Promise.all([asked, path.refresh(), baseline.refresh()]);
  const warmsUp = baseline.current().state === 'warming-up';
  return stateOf(sources, answer, warmsUp ? await historyOf(prometheus).catch(() => undefined) : undefined);
}

/** The path as it was seen last, and what the answer of just now adds to it. */
function pathSeen({ path, startedAt }: Sources, answer: Recorded | string | undefined): State['path'] {
  const steps = path.current();
  const { evaluatedAt, ok, awaited } = steps.prometheus;
  const at = evaluatedAt !== undefined && { evaluatedAt };
  // It may have gone between one question and the other.
  if (typeof answer === 'string') return { ...steps, prometheus: { ok: false, reason: answer, ...at } };
  if (!ok && !awaited) return steps;
  if (answer === undefined) return { ...steps, prometheus: { ok: false, awaited: true, reason: SLOW, ...at } };
  // Groups of rules are evaluated one after the other: the last minute may still be one of before.
  const minuteAt = Date.now() - 1000 * answer.age;
  if (answer.age === Number.POSITIVE_INFINITY || minuteAt >= startedAt) return steps;
  return { ...steps, prometheus: { ok: false, awaited: true, reason: NOT_EVALUATED, evaluatedAt: isoOfMs(minuteAt) } };
}

/** @param answer what the rules have recorded, or why that is not known; nothing while it is awaited */
async function stateOf(sources: Sources, answer: Recorded | string | undefined, history?: number): Promise<State> {
  const { baseline, ledger, calendar, demo } = sources;
  const recorded: Partial<Recorded> = typeof answer === 'string' ? {} : (answer ?? {});
  const { state: known } = baseline.current();
  const { alerts = [], learning = false, definitions } = recorded;
  const anomalies = shownAnomalies(recorded.anomalies ?? []);
  const steps = pathSeen(sources, answer);
  const minute = Math.floor(Date.now() / 60_000);
  const said = describeNow(calendar, minute);
  const planned = describePlanned(calendar, minute);
  const facts = {
    anomalies,
    alerts,
    learning,
    ready: known === 'ready',
    reported: await hasReports(ledger),
    ...(planned !== undefined && { planned }),
    ...(recorded.unlisted !== undefined && { unlisted: recorded.unlisted }),
  };
  return {
    time: new Date().toISOString(),
    demo: demo === undefined ? null : { kinds: demo.kinds, running: demo.running() },
    baseline: { ...describeBaseline(baseline.current()), ...(recorded.learning !== undefined && { learning }) },
    verdict: verdictOf({ ...facts, path: steps, ...(history !== undefined && { history }) }),
    ...(definitions !== undefined && { definitions }),
    anomalies,
    alerts: await shownAlerts(alerts, ledger),
    path: steps,
    ...(said !== undefined && { calendar: said }),
    ...(planned !== undefined && { planned }),
  };
}

/** The signs of a change that a tick can see without reading everything. */
async function glance({ prometheus, path, calendar, demo }: Sources): Promise<string> {
  const evaluations = await prometheus.instant(EVALUATIONS).then(
    (samples) => samples.map(({ labels, value }) => JSON.stringify([Object.entries(labels).sort(), value])).sort(),
    () => 'gone',
  );
  const { prometheus: evaluated, alertmanager, watchdog } = path.current();
  return JSON.stringify([
    evaluations,
    evaluated.ok,
    alertmanager,
    watchdog,
    demo?.running(),
    describeNow(calendar, Math.floor(Date.now() / 60_000)),
  ]);
}

/** One poll of Prometheus for all streams, and none while there are none. */
export function watchState(parts: Omit<Sources, 'startedAt'>, log: Log): StateWatch {
  const sources = { ...parts, startedAt: Date.now() };
  const { events, path, stopping } = sources;
  let following = false;
  let reading: Promise<State> | undefined;
  let lastKnown: State['lastKnown'];
  function withLastKnown(now: State): State {
    const { anomalies } = now;
    const { ok, awaited, evaluatedAt } = now.path.prometheus;
    if (evaluatedAt !== undefined && anomalies.length > 0 && (ok || awaited))
      lastKnown = { at: evaluatedAt, anomalies };
    if (ok || lastKnown === undefined) return now;
    return { ...now, anomalies: [], lastKnown };
  }
  const readOnce = async () => withLastKnown(await readState(sources));
  function whole(): Promise<State> {
    reading ??= readOnce().finally(() => {
      reading = undefined;
    });
    return reading;
  }
  /** The whole state, or what is known without Prometheus where that takes longer. */
  async function soon(asked: Promise<State>): Promise<State> {
    const late = Symbol();
    const first = await Promise.race([asked, sleep(SOON_MS, late, { ref: false })]);
    return typeof first === 'symbol' ? withLastKnown(await stateOf(sources, undefined)) : first;
  }
  async function* opening(): AsyncGenerator<State> {
    const asked = whole();
    const first = await soon(asked);
    yield first;
    const full = await asked;
    if (full !== first) yield full;
  }
  // Whoever opens the page after Prometheus has gone sees what was known last.
  const looking = setInterval(() => following || void whole().catch(() => {}), LOOK_MS).unref();
  stopping.addEventListener('abort', () => clearInterval(looking), { once: true });
  async function tell(): Promise<void> {
    await whole().then(
      (now) => events.publish('state', now),
      (error: unknown) => log('error', `the state cannot be read: ${messageOf(error)}`),
    );
  }
  async function follow(): Promise<void> {
    let seen = await glance(sources);
    for (let tick = 1; events.size() > 0; tick++) {
      await sleep(TICK_MS, undefined, { ref: false });
      if (tick % PATH_TICKS === 0) await path.refresh();
      const now = await glance(sources);
      if (now !== seen) await tell();
      seen = now;
    }
  }
  return {
    read() {
      const { ok, awaited } = path.current().prometheus;
      return ok || awaited ? whole() : soon(whole());
    },
    opening,
    follow() {
      if (following) return;
      following = true;
      void follow().finally(() => {
        following = false;
      });
    },
  };
}
