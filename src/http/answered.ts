import type { Report } from '../intake/report.ts';
import type { Recommendation } from '../judge/recommendation.ts';
import { listed } from '../ledger/journal.ts';
import type { ListedReport, Outcome } from '../ledger/ledger.ts';
import type { Answer } from './routes/answer.ts';

/** At most so many reports are remembered; the list of reports has no more. */
const KEPT = 1000;

/** What became of a report, beside what the ledger keeps of it. */
export interface Answered {
  /** The recommendation that its sender got. */
  recommendation: Recommendation;
  /** It raised counts that were recorded before. */
  correction: boolean;
}

/** One body and its answer, as text. */
export interface Taken {
  reports: readonly Report[];
  outcomes: readonly Outcome[];
  answer: string;
  now: number;
}

/** Remembers the answers to the latest reports of this process, so that the list can show them. */
export interface Answers {
  note(taken: Taken): void;
  /** Each of these with its answer, where it was taken by this process since its start. */
  beside(reports: readonly ListedReport[]): (ListedReport & Partial<Answered>)[];
}

const keyOf = ({ receivedAt, timestamp, source, labels = {} }: ListedReport): string =>
  JSON.stringify([receivedAt, timestamp, source, Object.entries(labels).sort()]);

/** The last `most` reports of a body that changed something, with their answers. */
export function answeredIn({ reports, outcomes, answer, now }: Taken, most = KEPT): (ListedReport & Answered)[] {
  const { recommendation } = JSON.parse(answer) as Answer;
  return reports
    .map((report, i) => ({ report, outcome: outcomes[i] ?? { result: 'duplicate', late: false } }))
    .filter(({ outcome }) => outcome.result !== 'duplicate')
    .slice(-most)
    .map(({ report, outcome: { result, late } }) => ({
      ...listed(report, late, now),
      recommendation,
      correction: result === 'correction',
    }));
}

export function createAnswers(): Answers {
  const kept: Taken[] = [];
  let held = 0;
  return {
    // Called for every POST: it keeps references, and whoever reads the list does the work.
    note(taken) {
      const reports = taken.reports.slice(-KEPT);
      kept.push({ ...taken, reports, outcomes: taken.outcomes.slice(-KEPT) });
      held += reports.length;
      while (kept.length > 1 && held - (kept[0]?.reports.length ?? 0) >= KEPT)
        held -= kept.shift()?.reports.length ?? 0;
    },
    beside(reports) {
      const known = new Map(kept.flatMap((taken) => answeredIn(taken)).map((report) => [keyOf(report), report]));
      return reports.map((report) => ({ ...report, ...known.get(keyOf(report)) }));
    },
  };
}
