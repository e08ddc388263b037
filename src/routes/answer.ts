/** What a POST of reports is answered with. */
import { z } from 'zod';
import { type Baseline, describeBaseline, describedBaseline } from '../baseline.ts';
import type { Outcome } from '../ledger/plan.ts';
import { JUDGED_STATUSES } from '../names.ts';
import { assess, type Minute, overall, RECOMMENDATIONS } from '../recommendation.ts';
import type { Report } from '../report.ts';
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

/** A class, because a getter of an object's own takes longer to make than all the rest of an answer. */
class ReportedMinute implements Minute {
  readonly counts: Outcome['counts'];
  readonly labels: Report['labels'];
  readonly #report: Report;
  readonly #ledger: Services['ledger'];
  constructor(report: Report, counts: Outcome['counts'], ledger: Services['ledger']) {
    this.counts = counts;
    this.labels = report.labels;
    this.#report = report;
    this.#ledger = ledger;
  }
  // Read from the disk's file, and asked for only where a count is above its band.
  get previous() {
    return this.#ledger.minuteCounts({ ...this.#report, minute: this.#report.minute - 60 });
  }
  get earlier() {
    return this.#ledger.minuteCounts({ ...this.#report, minute: this.#report.minute - 120 });
  }
}

/** The reports' minutes, each once, with what the ledger knows of them and of the minute before. */
function minutesOf(reports: readonly Report[], outcomes: readonly Outcome[], { ledger }: Services): Minute[] {
  const minutes = new Map<string, Minute>();
  for (const [i, report] of reports.entries()) {
    const outcome = outcomes[i];
    if (outcome === undefined || outcome.late) continue;
    minutes.set(outcome.key, new ReportedMinute(report, outcome.counts, ledger));
  }
  return [...minutes.values()];
}

function stateOf(baseline: Baseline, judged: { expected?: number }[]) {
  const described = describeBaseline(baseline);
  // Known in general, but not for these labels.
  const known = judged.length === 0 || judged.some((a) => a.expected !== undefined);
  return described.state === 'ready' && !known ? { ...described, state: 'warming-up' as const } : described;
}

export function answerTo(reports: readonly Report[], outcomes: Outcome[], services: Services): Answer {
  const baseline = services.baseline.current();
  const assessments = assess(minutesOf(reports, outcomes, services), baseline);
  let [duplicates, late] = [0, 0];
  for (const outcome of outcomes) {
    if (outcome.duplicate) duplicates++;
    if (outcome.late) late++;
  }
  return {
    accepted: outcomes.length - duplicates,
    duplicates,
    late,
    recommendation: overall(assessments, baseline),
    baseline: stateOf(baseline, assessments),
    assessments,
  };
}
