import { z } from 'zod';
import { PERCENTILES, STATUSES } from '../domain/names.ts';

const timezone = z.string().meta({ description: 'Whose days and hours they are: --timezone' });
const number = z.number().nullable();
const summary = z.object({
  hours: z.int().meta({ description: 'How many hours it is of' }),
  mean: number,
  deviation: number.meta({ description: 'Standard deviation of a sample' }),
  percentiles: z.object(Object.fromEntries(PERCENTILES.map((p) => [`p${p}`, number]))),
});
export const statistics = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    unit: z.string(),
    timezone,
    statuses: z.array(
      summary.extend({
        status: z.enum(STATUSES),
        byHour: z.array(summary.extend({ hour: z.int() })),
        byWeekday: z
          .array(z.object({ weekday: z.int(), hour: z.int(), hours: z.int(), mean: z.number() }))
          .meta({ description: 'Means by hour and weekday, 1 is Monday; hours that were never counted are missing' }),
      }),
    ),
  })
  .meta({ id: 'Statistics' });

const byStatus = z.partialRecord(z.enum(STATUSES), z.number());
export const forecast = z
  .object({
    day: z.iso.date(),
    timezone,
    asOf: z.iso.datetime().meta({ description: 'The last full hour' }),
    method: z.string(),
    soFar: z.number().meta({ description: 'Transactions in the whole hours of the day that are known' }),
    rest: z.number().meta({ description: 'Transactions that are expected in the hours to come' }),
    hours: z.array(
      z.object({
        hour: z.int(),
        total: z.number(),
        counts: byStatus,
        shares: byStatus.meta({ description: '0 to 1' }),
      }),
    ),
    yesterday: z.object({ forecast: z.number(), actual: z.number(), off: z.number() }).nullable().meta({
      description: 'The same forecast, made a day earlier, against what came: off is (forecast - actual) / actual',
    }),
  })
  .meta({ id: 'Forecast' });

export type Statistics = z.output<typeof statistics>;
export type Forecast = z.output<typeof forecast>;
