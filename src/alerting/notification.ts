import { z } from 'zod';

const text = z.record(z.string(), z.string());

const notified = z.looseObject({
  status: z.enum(['firing', 'resolved']),
  labels: text,
  annotations: text,
  startsAt: z.string(),
  endsAt: z.string(),
  generatorURL: z.string(),
  fingerprint: z.string(),
});
export type NotifiedAlert = z.output<typeof notified>;

/** The receiver of the shipped configuration that sends every notification to Tillwatch. */
export const JOURNAL = 'journal';

/** Version 4 of Alertmanager's webhook body; keys that a later Alertmanager adds are kept. */
export const notification = z
  .looseObject({
    version: z.string(),
    groupKey: z.string(),
    status: z.enum(['firing', 'resolved']),
    receiver: z.string(),
    groupLabels: text,
    commonLabels: text,
    commonAnnotations: text,
    externalURL: z.string(),
    truncatedAlerts: z
      .number()
      .optional()
      .meta({ description: 'Alerts that were left out because there are too many' }),
    alerts: z.array(notified),
  })
  .meta({ id: 'Notification' });
export type Notification = z.output<typeof notification>;

export const journalEntry = notification.extend({ receivedAt: z.iso.datetime() }).meta({ id: 'JournalEntry' });

/** Characters of one text that are kept. */
const LONGEST_TEXT = 4096;
/** Bytes of a notification that are kept. */
const MOST_BYTES = 512 * 1024;

export const cut = (value: string, most: number): string => (value.length > most ? `${value.slice(0, most)}…` : value);

const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'string' ? cut(inner, LONGEST_TEXT) : inner));

/**
 * The beginning of a notification without its alerts; only what it must have where the rest is too
 * large.
 */
function headOf({ alerts: _, ...head }: Notification, receivedAt: string): string {
  const all = toJson({ receivedAt, ...head });
  if (Buffer.byteLength(all) <= MOST_BYTES / 2) return all;
  const { version, groupKey, status, receiver, externalURL } = head;
  const none = { groupLabels: {}, commonLabels: {}, commonAnnotations: {} };
  return toJson({ receivedAt, version, groupKey, status, receiver, externalURL, ...none });
}

/**
 * The notification as the journal keeps it: JSON of bounded length. `truncatedAlerts` says how many
 * alerts are left out.
 */
export function journalText(notification: Notification, receivedAt: string): string {
  const head = headOf(notification, receivedAt);
  const kept: string[] = [];
  let bytes = Buffer.byteLength(head);
  for (const alert of notification.alerts) {
    const json = toJson(alert);
    bytes += Buffer.byteLength(json);
    if (bytes > MOST_BYTES) break;
    kept.push(json);
  }
  const left = notification.alerts.length - kept.length;
  const truncated = left === 0 ? '' : `,"truncatedAlerts":${(notification.truncatedAlerts ?? 0) + left}`;
  // A key that comes twice has the value that comes last.
  return `${head.slice(0, -1)}${truncated},"alerts":[${kept.join(',')}]}`;
}
