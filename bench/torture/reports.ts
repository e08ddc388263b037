import { randomUUID } from 'node:crypto';
import { type Client, countersOf, minuteBefore, type Reply } from './client.ts';
import type { Violations } from './row.ts';

/**
 * A report as a careful client sends it: the same body under the same key until it is acknowledged.
 */
export interface Sent {
  key: string;
  timestamp: string;
  status: 'approved' | 'denied';
  count: number;
  acknowledged: boolean;
  /** Why there was no answer, or which one there was instead of 200. */
  failure?: string;
}

export function newReport(): Sent {
  const status = Math.random() < 0.5 ? 'approved' : 'denied';
  const count = 1 + Math.floor(Math.random() * 9);
  // Once for all its retries: at the turn of a minute another time would make another body under
  // the same key.
  return { key: randomUUID(), timestamp: minuteBefore(1), status, count, acknowledged: false };
}

export const submit = (client: Client, { key, timestamp, status, count }: Sent): Promise<Reply> =>
  client.post({ timestamp, counts: { [status]: count } }, { 'Idempotency-Key': key });

/** Sends reports one after the other until there is no answer; that one stays unacknowledged. */
export async function sendUntilGone(client: Client, sent: Sent[]): Promise<void> {
  for (;;) {
    const report = newReport();
    sent.push(report);
    try {
      const { status, text } = await submit(client, report);
      report.acknowledged = status === 200;
      if (status === 200) continue;
      report.failure = `${status}: ${text}`;
    } catch (error) {
      report.failure = (error as NodeJS.ErrnoException).code ?? String(error);
    }
    return;
  }
}

/** Sends again what was not acknowledged, until it is. */
export async function retryAll(client: Client, sent: Sent[], violations: Violations): Promise<void> {
  for (const report of sent.filter(({ acknowledged }) => !acknowledged)) {
    const { status, text } = await submit(client, report);
    report.acknowledged = status === 200;
    violations.check(status === 200, `a retry was answered ${status}: ${text}`);
  }
}

export const sumOf = (sent: readonly Sent[], status: string): number =>
  sent.filter((report) => report.status === status).reduce((sum, { count }) => sum + count, 0);

/** No counter that was exposed may be gone or lower. */
export function checkNotLower(before: Map<string, number>, after: Map<string, number>, violations: Violations): void {
  for (const [series, value] of countersOf(before)) {
    const now = after.get(series) ?? -1;
    violations.check(now >= value, `${series} went from ${value} to ${now}`);
  }
}
