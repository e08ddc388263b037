import type { Change, Ledger } from '../ledger/ledger.ts';

/** A change is named beside what begins at most so long after it; milliseconds. */
const NEAR_MS = 30 * 60_000;
const REREAD_MS = 10_000;

export interface RecentChanges {
  /** The last change in the half hour before a time, as of ten seconds ago. */
  before(time: number): Change | undefined;
  /** One that was told to this service is known at once. */
  note(change: Change): void;
}

/**
 * Knows the latest changes without a wait: an answer that is kept with its key is made while the
 * ledger writes.
 */
export function watchChanges(ledger: Pick<Ledger, 'changes'>): RecentChanges {
  let known: Change[] = [];
  let readAt = 0;
  function read(now: number): void {
    readAt = now;
    ledger.changes({ from: now - 2 * NEAR_MS, to: now, limit: 20 }).then(
      (changes) => {
        known = changes;
      },
      // The ledger's own state says what is wrong with it.
      () => {},
    );
  }
  read(Date.now());
  return {
    note(change) {
      known = [change, ...known].sort((a, b) => b.at - a.at);
    },
    before(time) {
      if (Math.abs(time - readAt) > REREAD_MS) read(time);
      return known.find(({ at }) => at <= time && time - at <= NEAR_MS);
    },
  };
}
