import type { Context } from 'koa';
import { z } from 'zod';
import {
  acknowledgeIncident,
  type Incident,
  isOfTransactions,
  listIncidents,
  markedIncidents,
  markIncident,
  VERDICTS,
} from '../../alerting/incidents.ts';
import { labelOf } from '../../alerting/label-of-incident.ts';
import { isoOfMs, isoSecond } from '../../domain/times.ts';
import { signalInFile } from '../../judge/alert-signal.ts';
import { createPeakScores } from '../../judge/peak-score.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { Problem } from '../problem.ts';
import { type Route, readBody, readQuery, type Services } from './route.ts';

const mark = z.object({
  verdict: z.enum(VERDICTS),
  by: z.string(),
  comment: z.string(),
  at: z.iso.datetime(),
});

const incident = z
  .object({
    id: z.string().meta({ description: 'The same over restarts' }),
    alertname: z.string(),
    severity: z.string(),
    labels: z.record(z.string(), z.string()),
    summary: z.string(),
    startsAt: z.iso.datetime(),
    endsAt: z.iso.datetime().nullable().meta({ description: 'null while it fires' }),
    seconds: z.int().meta({ description: 'How long it lasted, or has lasted so far' }),
    peakScore: z
      .number()
      .nullable()
      .meta({ description: 'Standard deviations from normal at its worst; null where none is recorded' }),
    mark: mark.nullable(),
    acknowledgement: mark
      .omit({ verdict: true })
      .nullable()
      .meta({ description: 'Who looks after it; null where nobody said so' }),
  })
  .meta({ id: 'Incident' });

const line = (most: number) =>
  z
    .string({ error: 'must be text' })
    .trim()
    .min(1, 'must not be empty')
    .max(most, `must not be longer than ${most} characters`);

const comment = z
  .string({ error: 'must be text' })
  .trim()
  .max(2000, 'must not be longer than 2000 characters')
  .default('');

const taken = z
  .strictObject({
    by: line(100).meta({ description: 'Who looks after it' }),
    comment: comment.meta({ description: 'What the next shift should know' }),
  })
  .meta({ id: 'Acknowledge', example: { by: 'ana', comment: 'called the acquirer, they look into it' } });

const said = z
  .strictObject({
    verdict: z.enum(VERDICTS, { error: `must be one of ${VERDICTS.join(', ')}` }).meta({
      description: 'incident: rightly told; expected: right, but known beforehand; false-alarm: nothing was wrong',
    }),
    by: line(100).meta({ description: 'Who says so' }),
    comment,
  })
  .meta({ id: 'Verdict', example: { verdict: 'false-alarm', by: 'ana', comment: 'load test of the gateway' } });

const listQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, 'must be a whole number from 1 to 1000')
    .transform(Number)
    .default(50)
    .meta({ type: 'integer', minimum: 1, maximum: 1000, description: 'Incidents at the most' }),
});

function render({ startsAt, endsAt, ...rest }: Incident, peakScore: number | null) {
  return {
    ...rest,
    startsAt: isoOfMs(startsAt),
    endsAt: endsAt === null ? null : isoOfMs(endsAt),
    seconds: Math.max(0, Math.round(((endsAt ?? Date.now()) - startsAt) / 1000)),
    peakScore,
  };
}

/** A row of the file that `tillwatch backtest --labels` reads. */
function labelRow(incident: Incident): string {
  const { start, end, signals } = labelOf(incident);
  return [isoSecond(start), isoSecond(end), signals.map(signalInFile).join('|')].join(',');
}

async function exportLabels(ctx: Context, ledger: Ledger): Promise<void> {
  const rows: string[] = [];
  for await (const part of markedIncidents(ledger)) rows.push(...part.filter(isOfTransactions).map(labelRow));
  ctx.type = 'text/csv; charset=utf-8';
  ctx.attachment('incidents.csv');
  ctx.body = `${['start,end,signal', ...rows.reverse()].join('\n')}\n`;
}

const json = (description: string, schema: z.ZodType) => ({
  200: { description, content: { 'application/json': { schema } } },
});
const notFound = { 404: { description: 'No such incident' } };

/** The incidents in the ledger, and what operators say of them. */
export function incidentRoutes({ prometheus, events, ledger }: Services): Route[] {
  const peakScores = createPeakScores(prometheus);

  async function list(ctx: Context): Promise<void> {
    const newest = await listIncidents(ledger, { limit: readQuery(ctx, listQuery).limit });
    const peaks = await peakScores(newest);
    ctx.body = { incidents: newest.map((one, i) => render(one, peaks[i] ?? null)) };
  }

  /** Answers with an incident of which somebody said something, and tells every page. */
  async function answer(ctx: Context, incident: Incident | undefined): Promise<void> {
    if (incident === undefined)
      throw new Problem(404, `there is no incident ${ctx.params.id}; GET /api/v1/incidents lists them`);
    const [peak = null] = await peakScores([incident]);
    ctx.body = render(incident, peak);
    events.publish('marks', ctx.body);
  }
  async function setMark(ctx: Context): Promise<void> {
    const verdict = readBody(ctx, said);
    await answer(ctx, await markIncident(ledger, ctx.params.id, { ...verdict, at: isoOfMs(Date.now()) }));
  }
  async function acknowledge(ctx: Context): Promise<void> {
    const body = readBody(ctx, taken);
    const found = await acknowledgeIncident(ledger, ctx.params.id, { ...body, at: isoOfMs(Date.now()) });
    if (typeof found?.endsAt === 'number')
      throw new Problem(
        409,
        `the incident ended ${isoOfMs(found.endsAt)}: it can no longer be acknowledged; mark it instead`,
      );
    await answer(ctx, found);
  }

  return [
    {
      method: 'get',
      path: '/api/v1/incidents',
      role: 'read',
      operation: {
        summary:
          'Every alert that was notified or silenced, from its start to its end, newest first, and what was said of it',
        description:
          'An incident begins and ends when its alert does, also where that is silenced; `endsAt` is null until the end.',
        requestParams: { query: listQuery },
        responses: json('Incidents', z.object({ incidents: z.array(incident) })),
      },
      handle: list,
    },
    {
      method: 'post',
      path: '/api/v1/incidents/:id/mark',
      role: 'operate',
      accepts: ['application/json'],
      operation: {
        summary: 'Say what an incident was; replaces what was said before',
        description:
          'A mark teaches the rules: what was an incident is left out of what is normal, what was expected or a false alarm is normal at that time of day for a week. `POST /api/v1/tune` looks for sensitivities by marks.',
        requestParams: { path: z.object({ id: z.string().meta({ example: '0f3c5b1e9a7d2468' }) }) },
        requestBody: { required: true, content: { 'application/json': { schema: said } } },
        responses: { ...json('The incident, marked; the mark is on disk', incident), ...notFound },
      },
      handle: setMark,
    },
    {
      method: 'post',
      path: '/api/v1/incidents/:id/acknowledge',
      role: 'operate',
      accepts: ['application/json'],
      operation: {
        summary: 'Say who looks after an incident until it ends; replaces who was said before',
        description: 'With a note for the next shift. It holds until the incident ends.',
        requestParams: { path: z.object({ id: z.string().meta({ example: '0f3c5b1e9a7d2468' }) }) },
        requestBody: { required: true, content: { 'application/json': { schema: taken } } },
        responses: {
          ...json('The incident, acknowledged; it is on disk', incident),
          ...notFound,
          409: { description: 'It has ended' },
        },
      },
      handle: acknowledge,
    },
    {
      method: 'get',
      path: '/api/v1/incidents.csv',
      role: 'read',
      operation: {
        summary: 'Marked incidents as labels for `tillwatch backtest --labels`',
        description:
          'Columns `start,end,signal`, oldest first. What was expected or a false alarm has the signal `none`: nothing may alert there. ' +
          'A row starts five minutes before its alert, since an alert tells of the minutes before it; one that still fires ends now. ' +
          'Alerts about Tillwatch itself are left out.',
        responses: { 200: { description: 'Labels', content: { 'text/csv': { schema: z.string() } } } },
      },
      handle: (ctx) => exportLabels(ctx, ledger),
    },
  ];
}
