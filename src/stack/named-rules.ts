import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WATCHDOG } from '../alerting/pipeline-health.ts';
import type { Prometheus } from '../prometheus/client.ts';
import {
  earliestFor,
  FOLLOWING,
  folderFor,
  isInTime,
  judgingOf,
  latestFor,
  secondOfReports,
  USUAL_SECOND,
} from '../prometheus/judged-second.ts';
import { type Log, messageOf, tellFault } from '../runtime/log.ts';

/** The second in which reports come is looked up this often. */
const LOOK_MS = 30_000;
const MINUTE_MS = 60_000;

/**
 * The folder of the rules under a name with which Prometheus judges when reports have come. The
 * name is a link in the data folder that says for which second of the minute it was made.
 */
export interface NamedRules {
  folder: string;
  name(): string;
  /** The second of the minute in which reports are expected. */
  second(): number;
  /** Gives it another name. */
  expect(second: number): Promise<void>;
}

/** @param data the folder of the links; what was expected last is expected again */
export async function nameRules(rules: string, data: string): Promise<NamedRules> {
  const folder = resolve(rules);
  const links = () => readdirSync(data).filter((name) => FOLLOWING.test(name));
  let second = Number(FOLLOWING.exec(links()[0] ?? '')?.[1] ?? USUAL_SECOND);
  let name = '';
  async function expect(now: number): Promise<void> {
    second = now;
    name = await folderFor(join(resolve(data), `rules-for-${String(second).padStart(2, '0')}`), second);
    for (const link of links()) rmSync(join(data, link));
    symlinkSync(folder, name, 'dir');
  }
  await expect(second);
  return { folder, name: () => name, second: () => second, expect };
}

/**
 * Milliseconds until the rules may have another name: once the second is over at which they would
 * judge by it, and before they judge again by the old one. So no two minutes overlap.
 * @param judged when they judged last, in seconds since the epoch
 */
function untilBetween(judged: number, reports: number): number {
  const later = (latestFor(reports) - (judged % 60) + 60) % 60;
  const since = Date.now() - judged * 1000;
  return ((60 + later) * 500 - (since % MINUTE_MS) + MINUTE_MS) % MINUTE_MS;
}

/**
 * Gives the rules another name once reports come at another second of the minute, while no alert is
 * on.
 * @param reload makes Prometheus read its configuration anew
 */
export function followReports(
  prometheus: Prometheus,
  rules: NamedRules,
  log: Log,
  reload: () => void,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopping.signal, ref: false });

  async function look(): Promise<void> {
    const second = await secondOfReports(prometheus);
    if (second === undefined || isInTime(second, earliestFor(rules.second()))) return;
    const alerts = await prometheus.alerts();
    const judging = judgingOf(await prometheus.rules());
    if (judging === undefined || alerts.some(({ labels }) => labels.alertname !== WATCHDOG)) return;
    await pause(untilBetween(judging.at, second));
    await rules.expect(second);
    reload();
    log('info', `reports come at second ${second} of the minute: from now on they are judged some seconds later`);
  }

  const tell = tellFault(log, 'the second at which reports come is known again');
  async function follow(): Promise<void> {
    for (;;) {
      await pause(LOOK_MS);
      await look().then(
        () => tell(undefined),
        (error: unknown) => {
          stopping.signal.throwIfAborted();
          tell(`cannot tell when reports come: ${messageOf(error)}`);
        },
      );
    }
  }
  const followed = follow().catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      await followed;
    },
  };
}
