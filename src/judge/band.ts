/**
 * The largest normal count where `expected` are expected, without its floor (docs/detection.md,
 * "The band"): counting noise of z standard deviations, over-dispersion and what the baseline does
 * not know, and the skew of small counts (Cornish-Fisher).
 * @param r relative variance: over-dispersion and what the baseline does not know
 */
export function bandAt(expected: number, r: number, z: number, noiseZ: number): number {
  return (
    expected +
    Math.sqrt(z ** 2 * expected + noiseZ ** 2 * r * expected ** 2) +
    ((1 + 2 * r * expected) * (z ** 2 - 1)) / 6
  );
}

/** (count - expected) in standard deviations, as the rules record it. */
export function scoreOf(count: number, expected: number, r: number): number {
  return (count - expected) / Math.sqrt(expected + r * expected ** 2 + 0.25);
}
