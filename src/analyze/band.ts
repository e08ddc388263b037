import type { Window } from '../domain/names.ts';
import type { BandTunables } from './tunables.ts';

/** Minutes of each window that can page. */
export const PAGING = { '2m': 2, '5m': 5, '15m': 15, '1h': 60 } as const satisfies Partial<Record<Window, number>>;
export type PagingWindow = keyof typeof PAGING;

/**
 * The relative variance that a band of noiseZ needs to reach as far as tailZ of a log-normal
 * factor: relative_variance in baseline.rules.yml.
 */
export function tailOf(dispersion: number, { tailZ, noiseZ }: BandTunables): number {
  return (Math.expm1(tailZ * Math.sqrt(Math.log1p(dispersion))) / noiseZ) ** 2;
}

/**
 * The value of c^2 where counts are too small to tell it: dispersion_prior in baseline.rules.yml.
 * @param odds the expected count of the status per approved transaction
 */
export function priorOf(odds: number, { dispersionPrior }: BandTunables): number {
  return dispersionPrior ** 2 / Math.sqrt(10 * Math.max(odds, 0.0001));
}

/**
 * The over-dispersion c^2: the relative variance of counts on top of Poisson. The formula is that
 * of dispersion.rules.yml: squared residuals, each clipped at three standard deviations, drawn
 * towards the prior.
 * @param prior c^2 of counts that are too small to tell
 */
export function dispersionOf(
  observed: readonly number[],
  expected: readonly number[],
  prior: number,
  { dispersionMin, dispersionMax }: BandTunables,
): number {
  let [residuals, squares] = [0, 0];
  observed.forEach((count, at) => {
    const mean = expected[at] ?? 0;
    const variance = mean + 0.0225 * mean ** 2 + 0.01;
    residuals += Math.min((count - mean) / Math.sqrt(variance), 3) ** 2 * variance - mean;
    squares += mean ** 2;
  });
  const weight = 25 * observed.length;
  if (squares + weight === 0) return prior;
  const learned = (residuals + weight * prior) / (squares + weight);
  return Math.min(Math.max(learned, dispersionMin ** 2), dispersionMax ** 2);
}
