import type { MinuteCounts } from '../domain/minutes.ts';
import { STATUSES, type Status } from '../domain/names.ts';
import type { TrafficMinute } from './feed.ts';

/** Turns counts into reports: decides which arrive, and when. */
export type Reporting = (minutes: readonly TrafficMinute[]) => MinuteCounts[];

function sum(minutes: readonly TrafficMinute[], minute: number): TrafficMinute {
  const counts = Object.fromEntries(
    STATUSES.map((status) => [status, minutes.reduce((all, one) => all + one.counts[status], 0)]),
  ) as Record<Status, number>;
  const authCodes: Record<string, number> = {};
  for (const one of minutes)
    for (const [code, count] of Object.entries(one.authCodes)) authCodes[code] = (authCodes[code] ?? 0) + count;
  return { minute, counts, authCodes };
}

/** One report with the counts of so many minutes, in the last of them. */
export const everyMinutes =
  (interval: number): Reporting =>
  (minutes) => {
    const reports: MinuteCounts[] = [];
    for (let at = 0; at + interval <= minutes.length; at += interval) {
      const told = minutes.slice(at, at + interval);
      reports.push(sum(told, (told[0]?.minute ?? 0) + interval - 1));
    }
    return reports;
  };

const withoutZeros = <K extends string>(counts: Readonly<Record<K, number>>): Partial<Record<K, number>> =>
  Object.fromEntries(Object.entries<number>(counts).filter(([, count]) => count > 0)) as Partial<Record<K, number>>;

/** Leaves out counts of 0, as a query does that groups events by minute and status. */
export const sparse: Reporting = (minutes) =>
  minutes
    .map(({ minute, counts, authCodes }) => ({
      minute,
      counts: withoutZeros(counts),
      authCodes: withoutZeros(authCodes) as Record<string, number>,
    }))
    .filter(({ counts }) => Object.keys(counts).length > 0);

/** Approvals are counted at once, what else becomes of a transaction so many minutes later. */
export const lateOutcomes =
  (late: number): Reporting =>
  (minutes) =>
    minutes.slice(late).map((minute, at) => {
      const before = minutes[at] ?? minute;
      const { approved } = minute.counts;
      return {
        minute: minute.minute,
        counts: { ...before.counts, approved },
        authCodes: { ...before.authCodes, '00': approved },
      };
    });

/** A stretch without reports, in minutes since the epoch. */
export interface Gap {
  start: number;
  end: number;
}

/**
 * Reports nothing in a gap. The counts of the gap come with the first minute after it, or are lost
 * where the process restarted.
 */
export const withGaps =
  (gaps: readonly Gap[], after: 'backlog' | 'restart'): Reporting =>
  (minutes) => {
    const from = minutes[0]?.minute ?? 0;
    return minutes
      .filter(({ minute }) => gaps.every(({ start, end }) => minute < start || minute >= end))
      .map((minute) => {
        const gap = gaps.find(({ end }) => end === minute.minute);
        if (gap === undefined) return minute;
        if (after === 'restart') return { ...minute, restarted: true };
        return sum([...minutes.slice(gap.start - from, gap.end - from), minute], minute.minute);
      });
  };
