import type { Score } from '../backtest/score.ts';
import { isBetter } from './better.ts';
import { type Factors, SETTINGS_TUNED, type Setting } from './tunables-text.ts';

/** One choice of sensitivities, and how it does. */
export interface Trial {
  factors: Factors;
  scored?: { score: Score; bySignal: Readonly<Record<string, Score>> } | undefined;
}

/** Factors to one side of the rules as they are, the nearest first. */
interface Side {
  factors: readonly number[];
  /** False where nothing could be better on this side. */
  mayGain: (score: Score) => boolean;
}

/** Narrower bands find more and sooner; wider ones bring fewer false alarms. */
const SIDES: readonly Side[] = [
  {
    factors: [0.9, 0.8],
    mayGain: ({ incidents, detected, delayMinutes }) => detected < incidents || (delayMinutes.median ?? 0) > 1,
  },
  { factors: [1.1, 1.25, 1.5], mayGain: ({ falseAlarms }) => falseAlarms > 0 },
];

const WAYS = SETTINGS_TUNED.flatMap((setting) => SIDES.map((side) => ({ setting, side })));

/** The rules as they are among them. */
export const MOST_TRIALS = 1 + WAYS.reduce((sum, { side }) => sum + side.factors.length, 0);

const mayGain = ({ judges }: Setting, side: Side, { scored }: Trial): boolean =>
  Object.entries(scored?.bySignal ?? {}).some(([signal, score]) => judges(signal) && side.mayGain(score));

/**
 * Tries other sensitivities, first for one setting, then for the next, each side only as far as it
 * may gain something.
 * @param now the rules as they are
 * @param attempt is told how many there will be at the most, the rules as they are among them
 * @returns the best; `now` where nothing does better
 */
export async function search<T extends Trial>(
  now: T,
  attempt: (factors: Factors, most: number) => Promise<T>,
): Promise<T> {
  let [best, start, done] = [now, now, 1];
  for (const [at, { setting, side }] of WAYS.entries()) {
    if (setting !== WAYS[at - 1]?.setting) start = best;
    const later = WAYS.slice(at + 1).filter((way) => mayGain(way.setting, way.side, best));
    const afterwards = later.reduce((sum, way) => sum + way.side.factors.length, 0);
    let last = start;
    for (const [tried, factor] of side.factors.entries()) {
      if (!mayGain(setting, side, last)) break;
      const most = done + side.factors.length - tried + afterwards;
      last = await attempt({ ...start.factors, [setting.name]: factor }, most);
      done++;
      if (isBetter(last.scored?.score, best.scored?.score)) best = last;
    }
  }
  return best;
}

/** `statuses times 0.8`. */
export function namedFactors(factors: Factors): string {
  const changed = Object.entries(factors).filter(([, factor]) => factor !== 1);
  return changed.length === 0 ? 'as it is' : changed.map(([name, factor]) => `${name} times ${factor}`).join(', ');
}
