import type { Status } from './names.ts';

/**
 * The counts of one minute. `minute` is in minutes since the epoch; a status or code that is not
 * named counted 0.
 */
export interface MinuteCounts {
  minute: number;
  counts?: Partial<Record<Status, number>>;
  authCodes?: Readonly<Record<string, number>>;
  /** Counts of transactions that carry extra labels, beside those above. */
  labelled?: readonly {
    labels: Readonly<Record<string, string>>;
    counts: Partial<Record<Status, number>>;
    authCodes?: Readonly<Record<string, number>>;
  }[];
  /**
   * The counters begin at 0 again with this minute, as those of a process that restarts and keeps
   * none.
   */
  restarted?: boolean;
}
