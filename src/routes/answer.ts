/** What a POST of reports is answered with. */
import { z } from 'zod';
import { type Baseline, describeBaseline, describedBaseline } from '../baseline.ts';
import type { Recorded } from '../ledger/ledger.ts';
import { JUDGED_STATUSES } from '../names.ts';
import { assess, overall, RECOMMENDATIONS } from '../recommendation.ts';
import type { Services } from './route.ts';

const share = z.number().meta({ description: 'Of all transactions of the minute, 0 to 1' });
export const answer = z
  .object({
    accepted: z.int().meta({ description: 'Reports that were counted, late ones and corrections included' }),
    duplicates: z.int().meta({ description: 'Reports that had been counted before' }),
    late: z.int().meta({ description: 'Of the accepted ones, those counted in transactions_late_total' }),
    recommendation: z.enum(RECOMMENDATIONS),
    baseline: describedBaseline,
    assessments: z.array(
      z.object({
        status: z.enum(JUDGED_STATUSES),
        labels: z.record(z.string(), z.string()).optional(),
        count: z.int(),
        total: z.int(),
        share,
        expected: share.optional(),
        upper: share.optional(),
        expectedCount: z.number().optional(),
        upperCount: z.number().optional(),
        score: z.number().optional().meta({ description: 'Standard deviations above expected' }),
        recommendation: z.enum(RECOMMENDATIONS),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: 'Answer' });
export type Answer = z.output<typeof answer>;

function stateOf(baseline: Baseline, judged: { expected?: number }[]) {
  const described = describeBaseline(baseline);
  // Known in general, but not for these labels.
  const known = judged.length === 0 || judged.some((a) => a.expected !== undefined);
  return described.state === 'ready' && !known ? { ...described, state: 'warming-up' as const } : described;
}

export function answerTo({ outcomes, minutes }: Recorded, services: Services): Answer {
  const baseline = services.baseline.current();
  const assessments = assess(minutes, baseline);
  const duplicates = outcomes.filter(({ result }) => result === 'duplicate').length;
  return {
    accepted: outcomes.length - duplicates,
    duplicates,
    late: outcomes.filter(({ late }) => late).length,
    recommendation: overall(assessments, baseline),
    baseline: stateOf(baseline, assessments),
    assessments,
  };
}
