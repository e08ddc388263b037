import { MINUTE_DIGITS, minuteOf } from './keys.ts';

/** In seconds: reports of older minutes are always looked for. */
const WINDOW = 300;
/** Of a minute. Memory that is not touched takes none; a million keys set an eighth of them. */
const BITS = 2 ** 23;

/** Whether there may be a record of a minute, source and labels: most reports are the first of theirs, and need not be looked for. */
export interface RecentMinutes {
  /** False where there is surely no record under this key (`slotsKey`). */
  mayHold(key: string): boolean;
  /** There is going to be a record under this key. */
  add(key: string): void;
}

/** Of what follows the minute: FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo). @returns the number of a bit */
function bitOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = MINUTE_DIGITS; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash & (BITS - 1);
}

/**
 * A Bloom filter a minute (B. H. Bloom, Space/time trade-offs in hash coding with allowable errors, 1970), of one hash. A
 * set of the keys themselves takes as long as looking for them.
 * @param anyOf whether the ledger's file holds a record of the minute with these digits
 */
export function createRecentMinutes(anyOf: (minute: string) => boolean): RecentMinutes {
  /** Undefined for a minute that had records before. */
  const filters = new Map<string, Uint8Array | undefined>();
  /** The latest minute that may have records of which no filter knows, in the log alone: one that came late, or left the window. */
  let unfiltered = '';
  let minute = '';
  let filter: Uint8Array | undefined;

  function forgetOld(since: number): void {
    for (const old of filters.keys()) {
      if (Number(old) >= since) continue;
      filters.delete(old);
      if (old > unfiltered) unfiltered = old;
    }
  }

  function turnTo(key: string): void {
    if (minute !== '' && key.startsWith(minute)) return;
    minute = minuteOf(key);
    if (!filters.has(minute)) {
      const since = Date.now() / 1000 - WINDOW;
      forgetOld(since);
      if (Number(minute) >= since && minute > unfiltered)
        filters.set(minute, anyOf(minute) ? undefined : new Uint8Array(BITS / 8));
    }
    filter = filters.get(minute);
  }

  return {
    mayHold(key) {
      turnTo(key);
      if (filter === undefined) return true;
      const bit = bitOf(key);
      return ((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
    },
    add(key) {
      turnTo(key);
      if (filter !== undefined) {
        const bit = bitOf(key);
        filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
      } else if (minute > unfiltered) unfiltered = minute;
    },
  };
}
