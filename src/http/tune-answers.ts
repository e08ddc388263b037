import { z } from 'zod';
import { compared, played, summed, tunables, underWay } from './what-if-answers.ts';

const score = z
  .object({
    incidents: z.int().meta({ description: 'Alerts that were marked as real' }),
    detected: z.int().meta({ description: 'Those of them that are found' }),
    falseAlarms: z.int().meta({
      description:
        'Alerts that were marked as expected or false and still come, and new ones. One that came and that nobody marked is not counted',
    }),
    delayMinutes: z.number().nullable().meta({
      description: 'The median, counted from five minutes before each marked alert; null where none is found',
    }),
  })
  .meta({ id: 'TuneScore' });
const plan = {
  ...played,
  marks: z.object({
    incidents: z.int().meta({ description: 'Marked as a real incident' }),
    others: z.int().meta({ description: 'Marked as expected or a false alarm' }),
  }),
  searched: z.int().meta({ description: 'Slices that the search plays: the marked ones' }),
};
const proposal = z.object({
  after: score,
  tunables,
  alerts: z.array(compared),
  change: z
    .object({
      path: z.string().meta({ description: 'The file, as Prometheus calls it where it does not lie here' }),
      isHere: z.boolean().meta({
        description:
          'False where the service cannot read it: the diff is of the shipped file with the numbers in force',
      }),
      diff: z.string().meta({ description: 'A unified diff of the file' }),
      command: z.string().meta({ description: 'Applies it, once it is saved as tune.diff' }),
    })
    .optional()
    .meta({ description: 'Absent where the tunables stand otherwise than in the shipped file' }),
});
const answer = z
  .object({
    ...plan,
    summed,
    trials: z.int().meta({ description: 'What was tried, the rules as they are among it' }),
    before: score,
    proposal: proposal.optional().meta({ description: 'Absent where nothing that was tried does better' }),
  })
  .meta({ id: 'Tuned' });
/** One line of the answer. */
export const tuneLine = z
  .union([
    z.object({ plays: z.object(plan).meta({ description: 'What is about to be played, several times' }) }),
    z.object({ result: answer }),
    ...underWay,
  ])
  .meta({ id: 'TuneLine' });
export type TuneLine = z.output<typeof tuneLine>;
export type TuneAnswer = z.output<typeof answer>;
