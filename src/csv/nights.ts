/** Follows times that have no day of their own, to see whether they go past midnight. */
export interface Nights {
  /**
   * Takes a row's time of day. @returns true for the first one after midnight
   * @param key what the row counts: another one may begin at midnight again
   */
  take: (clock: number, key: string, number: number) => boolean;
  /**
   * `one-day` where what looked like midnight is none, and the record that tells of it where either
   * may be.
   */
  verdict: () => 'as-read' | 'one-day' | { number: number };
}

const HOUR = 60;
const DAY = 1440;

export function createNights(): Nights {
  const seen = new Uint8Array(DAY);
  const ofKey = new Map<string, number>();
  let [first, last, falls, nights, again, at] = [Number.NaN, Number.NaN, 0, 0, 0, -1];
  const isNight = (before: number, clock: number) => before >= DAY - HOUR && clock < HOUR;

  /** True where an hour without a row parts the evening from the morning of one day. */
  const isParted = () => {
    if (!seen.subarray(0, HOUR).includes(1) || !seen.subarray(DAY - HOUR).includes(1)) return false;
    let gap = 0;
    return seen.some((is) => {
      gap = is === 1 ? 0 : gap + 1;
      return gap > HOUR;
    });
  };

  return {
    take: (clock, key, number) => {
      const before = last;
      if (Number.isNaN(first)) first = clock;
      if (clock < (ofKey.get(key) ?? 0)) again++;
      ofKey.set(key, clock);
      seen[clock] = 1;
      last = clock;
      if (!(clock < before)) return false;
      falls++;
      if (at < 0) at = number;
      if (!isNight(before, clock)) return false;
      nights++;
      return true;
    },
    verdict: () => {
      const isOnce = falls === 1 && nights === 1 && last < first;
      if (falls === 0 || isOnce) return 'as-read';
      const isOpen = falls === nights ? again > 0 : isParted();
      if (isOpen) return { number: at };
      return nights > 0 ? 'one-day' : 'as-read';
    },
  };
}
