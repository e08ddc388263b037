import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { z } from 'zod';
import { STATUSES } from '../../domain/names.ts';
import { describeMapping } from '../../intake/mapping.ts';
import { event, exportRow, MAX_REPORTS, minuteReport, parseReports, type Report } from '../../intake/report.ts';
import { RECOMMENDATIONS } from '../../judge/recommendation.ts';
import { listed } from '../../ledger/journal.ts';
import type { Key, Outcome, Recorded } from '../../ledger/ledger.ts';
import { JSON_TYPE, LINES_TYPES } from '../body.ts';
import { invalid, Problem } from '../problem.ts';
import { send } from '../send.ts';
import { answer, answerTo } from './answer.ts';
import { type Route, readQuery, type Services } from './route.ts';

const COUNTS_ONCE =
  'A report that names its source and timestamp counts once: the same again is a duplicate, a larger count a correction, ' +
  'a smaller one is refused. Other reports need an Idempotency-Key, or a retry counts again. An event counts once by its id.';

/** Submissions that may wait for the disk; past it, a client that waits serves everybody better. */
const MAX_WAITING = 5000;

const anyReport = z.union([minuteReport, event, exportRow]).meta({ id: 'Report' });

const logged = z
  .object({
    timestamp: z.iso.datetime(),
    receivedAt: z.iso.datetime(),
    source: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    counts: z.partialRecord(z.enum(STATUSES), z.int()),
    authCodes: z.record(z.string(), z.int()),
    late: z.boolean(),
    recommendation: z.enum(RECOMMENDATIONS).optional().meta({ description: 'The answer that its sender got' }),
    correction: z.boolean().optional().meta({ description: 'It raised counts that were recorded before' }),
  })
  .meta({ id: 'LoggedReport' });

const listQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a whole number from 1 to 1000')
    .transform(Number)
    .refine((n) => n >= 1 && n <= 1000, 'must be a whole number from 1 to 1000')
    .default(50)
    .meta({ type: 'integer', minimum: 1, maximum: 1000 }),
});

function idempotencyKey(ctx: Context): string | undefined {
  const key = ctx.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key))
    throw new Problem(400, 'Idempotency-Key: must be 1 to 255 visible ASCII characters');
  return key;
}

const rawBody = (ctx: Context): string => String(ctx.request.rawBody ?? '');

const fingerprintOf = (ctx: Context): string => createHash('sha256').update(rawBody(ctx)).digest('hex');

/** @throws Problem 400 */
function bodyOf(ctx: Context): unknown {
  if (rawBody(ctx).trim() === '') throw new Problem(400, 'the body is empty; send a report as JSON');
  return ctx.request.body;
}

function tally({ health }: Services, outcomes: readonly Outcome[]): void {
  for (const { result, late } of outcomes)
    health.reports[result === 'duplicate' ? 'duplicate' : late ? 'late' : 'accepted']++;
}

/** At most so many reports of a body are sent to the live page: the last ones. */
const MAX_TOLD = 50;

function tell({ events }: Services, reports: readonly Report[], { outcomes, answer }: Recorded, now: number): void {
  if (events.size() === 0) return;
  const counted = reports.flatMap((report, i) => {
    const outcome = outcomes[i];
    return outcome === undefined || outcome.result === 'duplicate' ? [] : [{ ...answer, report, outcome, now }];
  });
  for (const one of counted.slice(-MAX_TOLD)) events.publish('report', listed(one));
}

/**
 * Identifies the owner of idempotency keys without keeping the token itself. Empty where no tokens
 * are asked for.
 */
function tokenHash({ headers: { authorization = '' } }: Context, { config }: Services): string {
  if (config.tokensFile === '') return '';
  return createHash('sha256')
    .update(authorization.replace(/^\S+\s+/, ''))
    .digest('base64url');
}

function noteOverflow({ health, config, log }: Services, reports: number): void {
  if (reports === 0) return;
  health.folded.inc(reports);
  log('warn', `label values became "other": the limit of ${config.maxSeries} series is reached (--max-series)`);
}

const ANSWER_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };
const REPLAYED = { 'Idempotency-Replayed': 'true' };

async function record(ctx: Context, services: Services): Promise<void> {
  const { ledger, config, mapping } = services;
  const now = Date.now();
  const key = idempotencyKey(ctx);
  const parsed = parseReports(bodyOf(ctx), { now, labels: config.dimensions, maxCount: config.maxCount, mapping });
  if (!parsed.ok) throw invalid(parsed.errors);
  if (ledger.waiting() >= MAX_WAITING)
    throw new Problem(429, 'the disk is too slow for the reports that arrive; send this one again in a second', {
      headers: { 'Retry-After': '1' },
    });
  const token = tokenHash(ctx, services);
  const keyed: Key | undefined = key === undefined ? undefined : { key, fingerprint: fingerprintOf(ctx) };
  const recorded = await ledger.record(parsed.reports, {
    key: keyed,
    token,
    now,
    answer(recorded) {
      const said = answerTo(recorded, parsed.reports, now, services);
      return { text: JSON.stringify(said), recommendation: said.recommendation };
    },
  });
  if (!recorded.replayed) {
    noteOverflow(services, recorded.overflowed);
    tally(services, recorded.outcomes);
    tell(services, parsed.reports, recorded, now);
  }
  send(ctx, 200, { ...ANSWER_TYPE, ...(recorded.replayed && REPLAYED) }, recorded.answer.text);
}

const byLine = z.string().meta({ description: 'One report as JSON a line' });

const body = {
  required: true,
  content: {
    'application/json': {
      schema: z.union([anyReport, z.array(anyReport).min(1).max(MAX_REPORTS)]),
      example: {
        source: 'pos-gateway',
        counts: { approved: 116, denied: 6, failed: 0, reversed: 1 },
        authCodes: { '00': 116, '51': 4, '59': 2 },
      },
    },
    ...Object.fromEntries(LINES_TYPES.map((type) => [type, { schema: byLine }])),
  },
};

export function transactionRoutes(services: Services): Route[] {
  return [
    {
      method: 'post',
      path: '/api/v1/transactions',
      role: 'ingest',
      direct: true,
      accepts: [JSON_TYPE, ...LINES_TYPES],
      operation: {
        summary: 'Report counts; answered once they are on disk, with a recommendation',
        description: [COUNTS_ONCE, services.mapping && describeMapping(services.mapping)].filter(Boolean).join('\n\n'),
        requestParams: {
          header: z.object({
            'Idempotency-Key': z.string().max(255).optional().meta({ description: 'Makes a retry count once' }),
          }),
        },
        requestBody: body,
        responses: { 200: { description: 'Counted', content: { 'application/json': { schema: answer } } } },
      },
      async handle(ctx) {
        try {
          await record(ctx, services);
        } catch (error) {
          const refused = error instanceof Problem || (error as Error).name.match(/^(Conflict|KeyReused)$/);
          services.health.reports[refused ? 'refused' : 'failed']++;
          throw error;
        }
      },
    },
    {
      method: 'get',
      path: '/api/v1/transactions',
      role: 'read',
      operation: {
        summary: 'The latest reports, newest first',
        description: 'Each with the answer that it got, and whether it was late or a correction.',
        requestParams: { query: listQuery },
        responses: {
          200: {
            description: 'Reports',
            content: { 'application/json': { schema: z.object({ reports: z.array(logged) }) } },
          },
        },
      },
      async handle(ctx) {
        ctx.body = { reports: await services.ledger.latestReports(readQuery(ctx, listQuery).limit) };
      },
    },
  ];
}
