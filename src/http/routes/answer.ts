/** The answer to a POST of reports. */
import { z } from 'zod';
import { duration, mayBeLocalTime } from '../../domain/clock.ts';
import { JUDGED_STATUSES } from '../../domain/names.ts';
import type { Report } from '../../intake/report.ts';
import { type Baseline, describeBaseline, describedBaseline } from '../../judge/baseline.ts';
import { assess, overall, RECOMMENDATIONS } from '../../judge/recommendation.ts';
import type { Recorded } from '../../ledger/ledger.ts';
import type { Services } from './route.ts';

const share = z.number().meta({ description: 'Of all transactions of the minute, 0 to 1' });
export const answer = z
  .object({
    accepted: z.int().meta({ description: 'Reports that were counted, late ones and corrections included' }),
    duplicates: z.int().meta({ description: 'Reports that had been counted before' }),
    late: z.int().meta({ description: 'Of the accepted ones, those counted in transactions_late_total' }),
    recommendation: z.enum(RECOMMENDATIONS),
    reason: z.string().meta({ description: 'Why, as a sentence: that of the gravest assessment' }),
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

const isJudged: ReadonlySet<string> = new Set(JUDGED_STATUSES);

/** Why no minute of a body could be judged. */
function whyNothing(reports: readonly Report[], now: number, { config }: Services): string {
  const newest = reports.reduce((latest, { time }) => Math.max(latest, time), 0);
  const age = now - newest;
  if (age > config.lateness * 1000) {
    const zone = mayBeLocalTime(age) ? "; is the sender's clock in UTC?" : '';
    return `${duration(age)} old: kept, not judged${zone}`;
  }
  const named = reports.some(({ entries }) =>
    entries.some(({ status }) => status !== undefined && isJudged.has(status)),
  );
  if (named) return 'the counts of its minute are not known';
  return `no status is in it that is judged: ${JUDGED_STATUSES.join(', ')}`;
}

/** The rules leave out what is counted so many minutes after a planned window, too. */
const AFTER_PLANNED = 5;

/**
 * Minutes outside of planned windows. The total is in the window of any slice: its counts lack that
 * one's.
 */
function unplanned({ minutes }: Recorded, now: number, { calendar }: Services): Recorded['minutes'] {
  const minute = Math.floor(now / 60_000);
  const planned = [minute, minute - AFTER_PLANNED].flatMap((at) => calendar.at(at).planned);
  if (planned.length === 0) return minutes;
  return minutes.filter(
    ({ labels }) =>
      Object.keys(labels).length > 0 &&
      planned.every(({ slice }) => slice !== undefined && labels[slice.label] !== slice.value),
  );
}

/** Adds the change shortly before an alert, which people ask for first. */
function withChange(judged: Pick<Answer, 'recommendation' | 'reason'>, now: number, { changes }: Services) {
  const change = judged.recommendation === 'alert' ? changes.before(now) : undefined;
  if (change === undefined) return judged;
  const minutes = Math.round((now - change.at) / 60_000);
  return { ...judged, reason: `${judged.reason}; ${minutes} min after: ${change.text}` };
}

/** @param now milliseconds since the epoch, as the reports were recorded */
export function answerTo(recorded: Recorded, reports: readonly Report[], now: number, services: Services): Answer {
  const baseline = services.baseline.current();
  const { outcomes, minutes } = recorded;
  const judged = unplanned(recorded, now, services);
  const assessments = assess(judged, baseline);
  const duplicates = outcomes.filter(({ result }) => result === 'duplicate').length;
  const why = judged.length < minutes.length ? 'planned: not judged (--calendar)' : whyNothing(reports, now, services);
  const unjudged = { recommendation: 'unknown', reason: why } as const;
  return {
    accepted: outcomes.length - duplicates,
    duplicates,
    late: outcomes.filter(({ late }) => late).length,
    ...withChange(overall(assessments) ?? unjudged, now, services),
    baseline: stateOf(baseline, assessments),
    assessments,
  };
}
