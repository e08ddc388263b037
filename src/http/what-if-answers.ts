import { z } from 'zod';

const factor = (of: string) =>
  z
    .number({ error: 'must be a number' })
    .min(0.25, 'must be at least 0.25')
    .max(4, 'must be at most 4')
    .default(1)
    .meta({ description: `Factor of the sensitivities of ${of}: above 1 the bands are wider, and fewer alerts come` });
export const wanted = z
  .strictObject({ statuses: factor('denied, failed, reversed and refunded'), sales: factor('sales') })
  .refine(({ statuses, sales }) => statuses !== 1 || sales !== 1, 'nothing would change: give a factor other than 1')
  .meta({ id: 'NewWhatIf', example: { statuses: 1.25 } });

/** An alert, and what becomes of it. */
export const compared = z.object({
  change: z.enum(['gone', 'new', 'stays']),
  alertname: z.string(),
  labels: z.record(z.string(), z.string()),
  severity: z.string(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime().nullable().meta({ description: 'null where it fires at the end' }),
  observed: z.number().nullable(),
  expected: z.number().nullable(),
});
export const played = {
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  learnedFrom: z.iso.datetime().meta({ description: 'From then to `from` the rules only learn' }),
  slices: z.int().meta({ description: 'Beside the total' }),
};
export const summed = z
  .int()
  .optional()
  .meta({ description: 'Series, where there were so many that only the total was judged' });
export const tunables = z.array(
  z.object({ tunable: z.string(), window: z.string(), now: z.number(), changed: z.number() }),
);
const answer = z.object({ ...played, summed, alerts: z.array(compared), tunables }).meta({ id: 'WhatIf' });
/** Lines of every answer that takes long. */
export const underWay = [
  z.object({
    progress: z.number().meta({ description: '0 to 1' }),
    what: z.string(),
    secondsLeft: z.int().optional().meta({ description: 'If it goes on as it did; absent while nobody can tell' }),
  }),
  z.object({ error: z.string() }),
] as const;
/** One line of the answer. */
export const line = z
  .union([
    z.object({ plays: z.object(played).meta({ description: 'What is about to be played, twice' }) }),
    z.object({ result: answer }),
    ...underWay,
  ])
  .meta({ id: 'WhatIfLine' });
export type UnderWay = z.output<(typeof underWay)[number]>;
export type WhatIfLine = z.output<typeof line>;
export type WhatIfAnswer = z.output<typeof answer>;
