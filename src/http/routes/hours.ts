import type { Context } from 'koa';
import { z } from 'zod';
import { isoTime, parseTime } from '../../domain/times.ts';
import { forecastOf, METHOD, missOfYesterday } from '../../judge/forecast.ts';
import { DAY, FEWEST_MINUTES, HOUR, localHours, readHours } from '../../judge/hours.ts';
import { statisticsOf } from '../../judge/statistics.ts';
import { forecast, statistics } from '../hours-answers.ts';
import { type Route, readQuery, type Services } from './route.ts';

const at = z
  .string({ error: 'must be given once' })
  .refine((text) => !Number.isNaN(parseTime(text)), 'must be a time such as 2026-11-21T12:31:00Z')
  .transform((text) => parseTime(text) / 1000)
  .refine((seconds) => seconds <= Date.now() / 1000 + 60, 'must not be in the future')
  .optional()
  .meta({ type: 'string', format: 'date-time', description: 'As it stood then; now when left out' });

const statisticsQuery = z.strictObject({
  days: z
    .string({ error: 'must be given once' })
    .regex(/^([1-9]|1\d|2[0-8])$/, 'must be a whole number from 1 to 28')
    .transform(Number)
    .default(28)
    .meta({ type: 'integer', minimum: 1, maximum: 28, description: 'How far back' }),
  at,
});
const forecastQuery = z.strictObject({ at });

/**
 * Routes that answer from recorded hours: how many transactions are usual, and how many are to
 * come today.
 */
export function hourRoutes({ prometheus, calendar: { zone } }: Services): Route[] {
  const clock = localHours(zone);
  async function showStatistics(ctx: Context): Promise<void> {
    const { days, at: to = Date.now() / 1000 } = readQuery(ctx, statisticsQuery);
    const last = clock.lastEnd(to);
    const from = last - days * DAY;
    const statuses = statisticsOf(await readHours(prometheus, from + HOUR, last), clock);
    ctx.body = {
      from: isoTime(from),
      to: isoTime(last),
      unit: 'transactions in an hour',
      timezone: zone.name,
      statuses,
    };
  }
  async function showForecast(ctx: Context): Promise<void> {
    const { at: now = Date.now() / 1000 } = readQuery(ctx, forecastQuery);
    const last = clock.lastEnd(now);
    const hours = await readHours(prometheus, last - 30 * DAY, last);
    ctx.body = {
      day: clock.dateOf(clock.dayOf(now)),
      timezone: zone.name,
      asOf: isoTime(last),
      method: METHOD,
      ...forecastOf(hours, now, clock),
      yesterday: missOfYesterday(hours, now, clock),
    };
  }
  return [
    {
      method: 'get',
      path: '/api/v1/statistics',
      role: 'read',
      operation: {
        summary: 'How many transactions an hour has: mean, deviation, percentiles, by status and hour of the day',
        description: `Of whole hours by the clock of --timezone; one of which fewer than ${FEWEST_MINUTES} minutes were recorded is left out.`,
        requestParams: { query: statisticsQuery },
        responses: { 200: { description: 'Statistics', content: { 'application/json': { schema: statistics } } } },
      },
      handle: showStatistics,
    },
    {
      method: 'get',
      path: '/api/v1/forecast',
      role: 'read',
      operation: {
        summary: "Volume and shares for the rest of the day, and how far yesterday's forecast was off",
        description: 'From recorded series, by hour, in the time zone of `--timezone`.',
        requestParams: { query: forecastQuery },
        responses: { 200: { description: 'Forecast', content: { 'application/json': { schema: forecast } } } },
      },
      handle: showForecast,
    },
  ];
}
