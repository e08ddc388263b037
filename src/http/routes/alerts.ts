import type { Context } from 'koa';
import { z } from 'zod';
import { incidentsIn } from '../../alerting/incidents.ts';
import { journalEntry, journalText, notification } from '../../alerting/notification.ts';
import { WATCHDOG } from '../../alerting/pipeline-health.ts';
import { alert } from '../../prometheus/client.ts';
import { messageOf } from '../../runtime/log.ts';
import { type Route, readBody, readQuery, type Services } from './route.ts';

const answer = z.object({
  alerts: z.array(alert).meta({ description: 'Firing and pending now, as Prometheus says' }),
  prometheus: z.object({ state: z.enum(['ok', 'unavailable']), reason: z.string().optional() }),
  journal: z.array(journalEntry).meta({ description: 'Notifications from Alertmanager, newest first' }),
});

/** Bytes of notifications in an answer. */
const MOST_BYTES = 8 * 1024 * 1024;

const limit = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, 'must be a whole number from 1 to 1000')
    .transform(Number)
    .default(50)
    .meta({ type: 'integer', minimum: 1, maximum: 1000, description: 'Notifications at the most' }),
});

async function list(ctx: Context, { prometheus, ledger }: Services): Promise<void> {
  const notifications = await ledger.notifications({ limit: readQuery(ctx, limit).limit, bytes: MOST_BYTES });
  const journal = notifications.map(({ body }) => JSON.parse(body));
  const state = await prometheus.alerts().then(
    (alerts) => ({ alerts, prometheus: { state: 'ok' } }),
    (error: unknown) => ({ alerts: [], prometheus: { state: 'unavailable', reason: messageOf(error) } }),
  );
  ctx.body = { ...state, journal };
}

async function receive(ctx: Context, { ledger, health, events, path }: Services): Promise<void> {
  const notified = readBody(ctx, notification);
  health.notifications.inc({ status: notified.status });
  ctx.body = { accepted: 1 };
  // It comes every five minutes and says that all is well: a heartbeat, not something to keep.
  const { alerts } = notified;
  if (alerts.length > 0 && alerts.every(({ labels }) => labels.alertname === WATCHDOG))
    return path.watchdog(notified.status);
  const now = Date.now();
  const entry = journalText(notified, new Date(now).toISOString());
  await ledger.addNotification(entry, incidentsIn(notified, now));
  events.publish('notification', JSON.parse(entry));
}

export function alertRoutes(services: Services): Route[] {
  return [
    {
      method: 'get',
      path: '/api/v1/alerts',
      role: 'read',
      operation: {
        summary: 'Alerts that fire or are pending, and the journal of notifications',
        description:
          'The journal is what Alertmanager has sent here. While Prometheus does not answer, `alerts` is empty and `prometheus` says why.',
        requestParams: { query: limit },
        responses: { 200: { description: 'Alerts', content: { 'application/json': { schema: answer } } } },
      },
      handle: (ctx) => list(ctx, services),
    },
    {
      method: 'post',
      path: '/api/v1/alertmanager',
      role: 'webhook',
      accepts: ['application/json'],
      maxBody: 32 * 1024 * 1024,
      operation: {
        summary: "Alertmanager's webhook: keeps the notification in the journal; that of the Watchdog is a heartbeat",
        description:
          'Each alert becomes an incident. The journal keeps the first 512 KB of a notification; `truncatedAlerts` says how many alerts are left out there.',
        requestBody: { required: true, content: { 'application/json': { schema: notification } } },
        responses: {
          200: {
            description: 'Kept',
            content: { 'application/json': { schema: z.object({ accepted: z.literal(1) }) } },
          },
        },
      },
      handle: (ctx) => receive(ctx, services),
    },
  ];
}
