/** Source names beyond the limit share this one. */
const OTHER = 'other';

export interface SourceReports {
  source: string;
  /** When its newest report that was in time was counted, in seconds since the epoch; 0 before the first. */
  lastReport: number;
  /** Seconds between the end of its newest report's minute and now, where that was too late to be judged; else 0. */
  delay: number;
}

export interface Sources {
  /** @param minute start of the minute reported, in seconds since the epoch; @param now milliseconds since the epoch */
  reported(source: string, report: { minute: number; late: boolean; now: number }): void;
  list(): SourceReports[];
}

/** Who reports, and when last. It is kept in memory: Prometheus remembers it over a restart. */
export function createSources(limit: number): Sources {
  const seen = new Map<string, SourceReports>();
  return {
    reported(name, { minute, late, now }) {
      const source = seen.has(name) || seen.size < limit ? name : OTHER;
      const entry = seen.get(source) ?? { source, lastReport: 0, delay: 0 };
      entry.delay = late ? Math.max(0, Math.round(now / 1000 - minute - 60)) : 0;
      if (!late) entry.lastReport = now / 1000;
      seen.set(source, entry);
    },
    list: () => [...seen.values()],
  };
}
