import type { Gauge } from 'prom-client';
import { z } from 'zod';
import { RECORDED, TUNABLE } from '../domain/names.ts';
import { isoOfMs } from '../domain/times.ts';
import type { Prometheus } from '../prometheus/client.ts';
import { type Log, messageOf, tellFault } from '../runtime/log.ts';

/** The alert that always fires, so that its absence is noticed. */
export const WATCHDOG = 'Watchdog';

/** The rules are evaluated once a minute; three missed are no accident. In milliseconds. */
const EVALUATION_LATE_MS = 3 * 60_000;
/** Alertmanager repeats the Watchdog every five minutes (alertmanager.yml). */
const WATCHDOG_LATE_MS = 10 * 60_000;
const LOOK_MS = 10_000;

/**
 * These series are recorded whether or not there are counts. They are found for five minutes after
 * the last evaluation.
 */
const EVALUATED = `max(timestamp(${TUNABLE.noiseZ}) or timestamp(${RECORDED.perMinute}))`;

const part = z.object({
  ok: z.boolean(),
  awaited: z
    .boolean()
    .optional()
    .meta({ description: 'Not known yet, and no fault: Tillwatch has started minutes ago' }),
  reason: z.string().optional(),
});
export const alertPath = z
  .object({
    prometheus: part.extend({ evaluatedAt: z.iso.datetime().optional() }),
    alertmanager: part,
    watchdog: part.extend({ arrivedAt: z.iso.datetime().optional() }),
  })
  .meta({
    id: 'AlertPath',
    description: `Has Prometheus evaluated in the last ${EVALUATION_LATE_MS / 60_000} minutes, does Alertmanager answer, did the alert that always fires arrive in the last ${WATCHDOG_LATE_MS / 60_000}`,
  });
export type AlertPath = z.output<typeof alertPath>;

export interface AlertPathWatch {
  current(): AlertPath;
  /** Asks Prometheus and Alertmanager now; never throws. */
  refresh(): Promise<void>;
  /**
   * Alertmanager has delivered the Watchdog, or told that it is resolved, which it never should be.
   */
  watchdog(status: 'firing' | 'resolved'): void;
  stop(): void;
}

export interface AlertPathOptions {
  prometheus: Prometheus;
  /** Rejects with the reason when Alertmanager does not answer. */
  alertmanagerReady: () => Promise<void>;
  /** The time at which the Watchdog arrived, in seconds since the epoch. */
  gauge: Gauge;
  log: Log;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export const NOT_EVALUATED = 'Prometheus has not evaluated the rules since Tillwatch started, which takes a minute';

const minutes = (ms: number): string => `${Math.floor(ms / 60_000)} minutes`;

function evaluation(evaluatedAt: number | undefined, now: number, startedAt: number): AlertPath['prometheus'] {
  const at = evaluatedAt === undefined ? {} : { evaluatedAt: isoOfMs(evaluatedAt) };
  // What was evaluated before the start says nothing of now: the service may have been away.
  if (evaluatedAt !== undefined && evaluatedAt >= startedAt && now - evaluatedAt <= EVALUATION_LATE_MS)
    return { ok: true, ...at };
  if (now - startedAt <= EVALUATION_LATE_MS)
    return {
      ok: false,
      awaited: true,
      reason: NOT_EVALUATED,
      ...at,
    };
  if (evaluatedAt === undefined)
    return { ok: false, reason: 'Prometheus answers, but evaluates no rules: see its page /rules' };
  return {
    ok: false,
    reason: `Prometheus evaluated the rules ${minutes(now - evaluatedAt)} ago for the last time`,
    ...at,
  };
}

interface Heartbeat {
  at: number | undefined;
  resolved: boolean;
}

function heartbeat({ at, resolved }: Heartbeat, now: number, startedAt: number): AlertPath['watchdog'] {
  const arrived = at === undefined ? {} : { arrivedAt: isoOfMs(at) };
  if (resolved)
    return {
      ok: false,
      reason: 'the Watchdog has ended: Prometheus sends Alertmanager no alerts any more',
      ...arrived,
    };
  const silent = now - (at ?? startedAt);
  if (silent > WATCHDOG_LATE_MS)
    return { ok: false, reason: `the Watchdog has not arrived for ${minutes(silent)}`, ...arrived };
  if (at === undefined)
    return {
      ok: false,
      awaited: true,
      reason: 'the Watchdog has not arrived since Tillwatch started; it comes every five minutes',
    };
  return { ok: true, ...arrived };
}

/** Tells of each step's faults. */
function complaints(log: Log): (path: AlertPath) => void {
  const steps = new Map<string, (fault: string | undefined) => void>();
  return (path) => {
    for (const [name, { ok, awaited, reason }] of Object.entries(path)) {
      const tell = steps.get(name) ?? tellFault(log, `alert path: ${name} is well again`);
      steps.set(name, tell);
      tell(ok || awaited ? undefined : `alert path: ${name}: ${reason}`);
    }
  };
}

const no = (reason: string) => ({ ok: false, reason });

/** The reason why an alert may reach nobody; nothing where it would, or where that is awaited. */
export function untoldBecause({ alertmanager, watchdog }: AlertPath): string | undefined {
  return [alertmanager, watchdog].find(({ ok, awaited }) => !ok && !awaited)?.reason;
}

/** Keeps an eye on each step that an alert takes from the rules to the people. */
export function watchAlertPath(options: AlertPathOptions): AlertPathWatch {
  const { prometheus, alertmanagerReady, gauge, log, now = Date.now } = options;
  const startedAt = now();
  const beat: Heartbeat = { at: undefined, resolved: false };
  let evaluatedAt: number | undefined;
  const refused: { prometheus?: string | undefined; alertmanager?: string | undefined } = {
    prometheus: 'Prometheus has not been asked yet',
    alertmanager: 'Alertmanager has not been asked yet',
  };
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const report = complaints(log);

  function current(): AlertPath {
    const time = now();
    return {
      prometheus: refused.prometheus === undefined ? evaluation(evaluatedAt, time, startedAt) : no(refused.prometheus),
      alertmanager: refused.alertmanager === undefined ? { ok: true } : no(refused.alertmanager),
      watchdog: heartbeat(beat, time, startedAt),
    };
  }
  async function lookAtPrometheus(): Promise<void> {
    try {
      const [evaluated] = await prometheus.instant(EVALUATED);
      evaluatedAt = evaluated && 1000 * evaluated.value;
      refused.prometheus = undefined;
    } catch (error) {
      refused.prometheus = messageOf(error);
    }
  }
  async function lookAtAlertmanager(): Promise<void> {
    refused.alertmanager = await alertmanagerReady().then(() => undefined, messageOf);
  }
  async function look(): Promise<void> {
    await Promise.all([lookAtPrometheus(), lookAtAlertmanager()]);
  }
  function refresh(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }
  async function loop(): Promise<void> {
    await refresh();
    if (stopped) return;
    report(current());
    timer = setTimeout(loop, LOOK_MS).unref();
  }
  void loop();
  return {
    current,
    refresh,
    watchdog(status) {
      beat.resolved = status === 'resolved';
      if (beat.resolved) return;
      beat.at = now();
      gauge.set(beat.at / 1000);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
