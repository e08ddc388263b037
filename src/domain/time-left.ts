import { duration } from './clock.ts';

/** Before this part is done, or so many milliseconds have passed, nobody can tell the rest. */
const TELLING = { share: 0.02, ms: 10_000 };

/**
 * How long work that began at `since` still takes, if it goes on as it did; milliseconds.
 * Undefined while nobody can tell.
 * @param share of it that is done, in [0, 1]
 */
export function timeLeft(share: number, since: number): number | undefined {
  const passed = Date.now() - since;
  return share < TELLING.share || passed < TELLING.ms ? undefined : (passed / share) * (1 - share);
}

/** `about 6 min to go`; what is left is not known where it is undefined. */
export function leftInWords(ms: number | undefined): string {
  if (ms === undefined) return 'time left not known yet';
  return ms < 60_000 ? 'less than a minute to go' : `about ${duration(ms)} to go`;
}
