import type { Score } from '../backtest/score.ts';

/**
 * True where the first finds more incidents for fewer false alarms, by F1. Among equals, one that
 * is quicker by a minute is better; where nothing is found, none is.
 */
export function isBetter(here: Score | undefined, there: Score | undefined): boolean {
  const [f1, best] = [here?.f1 ?? 0, there?.f1 ?? 0];
  if (Math.abs(f1 - best) > 1e-9) return f1 > best;
  const delay = (of: Score | undefined) => of?.delayMinutes.median ?? Number.POSITIVE_INFINITY;
  // Of two that find nothing the difference is not a number.
  return delay(there) - delay(here) >= 1;
}
