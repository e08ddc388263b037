import { createAlertmanager } from '../alerting/alertmanager.ts';
import { messageOf } from '../runtime/log.ts';
import { type Looked, well, wrong } from './finding.ts';
import { atLeast } from './prometheus.ts';

const OLDEST = '0.28';

/** Kinds of receivers of which a message failed for good since Alertmanager started. */
function failingIn(metrics: string): string[] {
  const failed = metrics
    .split('\n')
    .filter((line) => line.startsWith('alertmanager_notifications_failed_total{') && !/ 0$/.test(line));
  return [...new Set(failed.flatMap((line) => /integration="([^"]+)"/.exec(line)?.[1] ?? []))];
}

export async function lookAtAlertmanager(url: string): Promise<Looked[]> {
  const alertmanager = createAlertmanager(url);
  let metrics: string;
  try {
    await alertmanager.ready();
    metrics = await alertmanager.metrics();
  } catch (error) {
    return [wrong('Alertmanager answers', `${messageOf(error)}. Is it running? --alertmanager-url says where`)];
  }
  const version = /alertmanager_build_info\{[^}]*version="([^"]+)"/.exec(metrics)?.[1] ?? '0';
  const answers = `Alertmanager ${version} answers`;
  const failing = failingIn(metrics);
  const takes = 'its receivers take messages';
  return [
    atLeast(version, OLDEST) ? well(answers) : wrong(answers, `${OLDEST} is the oldest that will do: update it`),
    failing.length === 0
      ? well(takes)
      : wrong(
          takes,
          `messages to ${failing.join(', ')} have failed since it started: tillwatch test-alert says which and why`,
        ),
  ];
}
