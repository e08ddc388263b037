/** Rows that are there already, of a file whose minutes may rightly have several rows. */
export interface Repeats {
  rows: number;
  /** The first of their minutes. */
  minutes: number[];
  take: (identity: string, minute: number) => void;
}

/** Identities that are remembered, 50 MB of them: a file twice over shows in any part of it. */
const MAX_KNOWN = 1_000_000;
const MAX_MINUTES = 20;

export function createRepeats(): Repeats {
  const known = new Set<number>();
  const repeats: Repeats = {
    rows: 0,
    minutes: [],
    take: (identity, minute) => {
      const hash = hashOf(identity);
      if (!known.has(hash)) {
        if (known.size < MAX_KNOWN) known.add(hash);
        return;
      }
      repeats.rows++;
      if (repeats.minutes.length < MAX_MINUTES && !repeats.minutes.includes(minute)) repeats.minutes.push(minute);
    },
  };
  return repeats;
}

/** 53 bits of two FNV-1a hashes: among a million rows no two are taken for one. */
export function hashOf(text: string): number {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return (low >>> 0) * 0x200000 + (high >>> 11);
}
