import type { Context } from 'koa';
import { z } from 'zod';
import {
  AlertmanagerError,
  type AlertmanagerSilence,
  createAlertmanager,
  type Matcher,
} from '../../alerting/alertmanager.ts';
import { WATCHDOG } from '../../alerting/pipeline-health.ts';
import { type Prometheus, PrometheusError } from '../../prometheus/client.ts';
import { invalid, Problem } from '../problem.ts';
import { type Route, readBody, type Services } from './route.ts';

const silence = z
  .object({
    id: z.string(),
    state: z.enum(['active', 'pending']),
    matchers: z.array(z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean() })),
    startsAt: z.string(),
    endsAt: z.string(),
    createdBy: z.string(),
    comment: z.string(),
  })
  .meta({ id: 'Silence' });
const silences = z.object({ silences: z.array(silence) });

const line = (most: number, description: string) =>
  z
    .string({ error: 'must be text' })
    .trim()
    .min(1, 'must not be empty')
    .max(most, `must not be longer than ${most} characters`)
    .meta({ description });

const WEEK = 7 * 24 * 60;
const minutes = z
  .number({ error: 'must be a number of minutes' })
  .refine((n) => Number.isInteger(n) && n >= 1 && n <= WEEK, `must be a whole number of minutes from 1 to ${WEEK}`)
  .meta({ type: 'integer', minimum: 1, maximum: WEEK, description: 'How long, from now on' });

const wanted = z
  .strictObject({
    alertname: line(200, 'The alert, as its rule names it'),
    labels: z
      .record(
        z.string().regex(/^[a-zA-Z_]\w*$/, 'must be a label name'),
        z
          .string({ error: 'must be text' })
          .min(1, 'must not be empty')
          .max(1000, 'must not be longer than 1000 characters'),
      )
      .default({})
      .meta({ description: 'Further labels that must be equal; without them every alert of the name is silenced' }),
    minutes,
    createdBy: line(100, 'Who silences it'),
    comment: line(1000, 'Why'),
  })
  .refine(({ labels }) => labels.alertname === undefined, {
    path: ['labels', 'alertname'],
    message: 'is given by alertname',
  })
  .meta({
    id: 'NewSilence',
    example: {
      alertname: 'TransactionsDeniedAboveNormal',
      labels: { status: 'denied' },
      minutes: 60,
      createdBy: 'ana',
      comment: 'load test of the gateway until noon',
    },
  });

/** Silences that hold now or will. */
const current = (all: AlertmanagerSilence[]) =>
  all.flatMap(({ status: { state }, ...rest }) => (state === 'expired' ? [] : [{ ...rest, state }]));

/**
 * The service that an alert belongs to, so that a silence does not reach a namesake of another
 * team. Undefined where the rules say none or several, or Prometheus does not answer.
 * @throws Problem 422 where no rule has the name: such a silence would silence nothing
 */
async function serviceOf(alertname: string, prometheus: Prometheus): Promise<string | undefined> {
  const groups = await prometheus.rules().catch((error: unknown) => {
    if (error instanceof PrometheusError) return undefined;
    throw error;
  });
  if (groups === undefined) return undefined;
  const alerts = groups.flatMap(({ rules }) => rules.filter(({ type }) => type === 'alerting'));
  const named = alerts.filter(({ name }) => name === alertname);
  if (named.length === 0)
    throw invalid([{ path: 'alertname', message: `no rule raises it; GET /api/v1/rules lists those that do` }]);
  const services = new Set(named.map(({ labels }) => labels.service));
  return services.size === 1 ? [...services][0] : undefined;
}

async function matchersOf({ alertname, labels }: z.output<typeof wanted>, prometheus: Prometheus): Promise<Matcher[]> {
  if (alertname === WATCHDOG)
    throw invalid([
      { path: 'alertname', message: 'cannot be silenced: it always fires, so that its absence is noticed' },
    ]);
  const service = labels.service ?? (await serviceOf(alertname, prometheus));
  const equal = { alertname, ...(service !== undefined && { service }), ...labels };
  return Object.entries(equal).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Silences are Alertmanager's own: nothing of them is kept here. */
export function silenceRoutes({ config, prometheus, events }: Services): Route[] {
  const alertmanager = createAlertmanager(config.alertmanagerUrl);
  const publish = async () => {
    const all = await alertmanager.silences().catch(() => undefined);
    if (all !== undefined) events.publish('silences', { silences: current(all) });
  };

  async function create(ctx: Context): Promise<void> {
    const asked = readBody(ctx, wanted);
    const matchers = await matchersOf(asked, prometheus);
    const [startsAt, endsAt] = [0, asked.minutes].map((n) => new Date(Date.now() + n * 60_000).toISOString()) as [
      string,
      string,
    ];
    const { createdBy, comment } = asked;
    const id = await alertmanager.createSilence({ matchers, startsAt, endsAt, createdBy, comment });
    ctx.body = { id, endsAt };
    await publish();
  }

  async function end(ctx: Context): Promise<void> {
    const { id } = ctx.params;
    const all = UUID.test(id) ? current(await alertmanager.silences()) : [];
    if (!all.some((one) => one.id === id))
      throw new Problem(404, `there is no silence ${id}, or it has ended; GET /api/v1/silences lists them`);
    await alertmanager.expireSilence(id).catch((error: unknown) => {
      // Ended by someone else since the look above.
      if (!(error instanceof AlertmanagerError && error.status === 404)) throw error;
    });
    ctx.body = { id };
    await publish();
  }

  const json = (description: string, schema: z.ZodType) => ({
    200: { description, content: { 'application/json': { schema } } },
  });
  return [
    {
      method: 'get',
      path: '/api/v1/silences',
      role: 'read',
      operation: {
        summary: "Alertmanager's silences, those that have begun and those that will",
        description: 'Those that are over are left out.',
        responses: json('Silences', silences),
      },
      handle: async (ctx) => {
        ctx.body = { silences: current(await alertmanager.silences()) };
      },
    },
    {
      method: 'post',
      path: '/api/v1/silences',
      role: 'operate',
      accepts: ['application/json'],
      operation: {
        summary: 'Silence an alert for a time: it goes on firing, and nobody is told',
        description: 'Also matches the label `service` that the alert has by its rule.',
        requestBody: { required: true, content: { 'application/json': { schema: wanted } } },
        responses: json('Silenced', z.object({ id: z.string(), endsAt: z.iso.datetime() })),
      },
      handle: create,
    },
    {
      method: 'delete',
      path: '/api/v1/silences/:id',
      role: 'operate',
      operation: {
        summary: 'End a silence now',
        description: 'Alerts that still fire are told again.',
        requestParams: { path: z.object({ id: z.string().meta({ description: "Alertmanager's id of it" }) }) },
        responses: {
          ...json('Ended', z.object({ id: z.string() })),
          404: { description: 'No such silence, or it has ended' },
        },
      },
      handle: end,
    },
  ];
}
