import type { Finding } from '../project.ts';

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[half] ?? Number.NaN)
    : ((sorted[half - 1] ?? 0) + (sorted[half] ?? Number.NaN)) / 2;
};

/** The results of each contender in each round, by its name. */
export type Measured<Name extends string, Result> = Record<Name, Result[]>;

/**
 * Rounds that do not count: Node goes on compiling what is hot for some 100,000 requests. Under
 * load in rounds of two seconds, the CPU of a POST falls for four rounds, of a batch for five.
 */
export const WARM_UP = 6;

/**
 * Measures contenders in turns, A B C A B C ..., so that what disturbs the machine disturbs all of
 * them.
 */
export async function inTurns<Name extends string, Result>(
  rounds: number,
  contenders: Record<Name, () => Promise<Result>>,
  log: (line: string) => void,
): Promise<Measured<Name, Result>> {
  const names = Object.keys(contenders) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Measured<Name, Result>;
  for (let round = 1 - WARM_UP; round <= rounds; round++) {
    for (const name of names) {
      const result = await contenders[name]();
      if (round > 0) measured[name].push(result);
    }
    log(round <= 0 ? 'warming up' : `round ${round} of ${rounds}`);
  }
  return measured;
}

/**
 * The median of the rounds' ratios: both parts of each were measured within seconds of each other.
 */
export const ratio = (above: readonly number[], below: readonly number[]): number =>
  median(above.map((value, round) => value / (below[round] ?? Number.NaN)));

/** A line of a table: a figure, its goal, and what it was made of. */
export interface Row extends Finding {
  /** In words: `8,123/s by 850/s`. */
  measured: string;
}

export function row(
  what: string,
  sign: '>=' | '<=',
  goal: number,
  figure: number,
  unit: string,
  measured: string,
): Row {
  const met = sign === '>=' ? figure >= goal : figure <= goal;
  const known = Number.isFinite(figure);
  return {
    what,
    goal: `${sign} ${goal}${unit}`,
    figure: known ? Number(figure.toPrecision(3)) : null,
    met: known ? met : null,
    measured,
  };
}

/** Seconds for people: `1.23 ms`. */
export const milliseconds = (seconds: number): string => `${(seconds * 1000).toPrecision(3)} ms`;
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
