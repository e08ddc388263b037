export interface CountLaw {
  /** The chance of at most this many. */
  atMost: (count: number) => number;
  /** The smallest count with at least this share of the counts at or below it. */
  quantile: (share: number) => number;
}

/** Up to here probabilities are summed one by one; above, the law is as good as continuous. */
const SUMMED = 2000;

/**
 * Negative binomial: counts with the given mean and the variance mean + r mean^2.
 * @param r relative variance above Poisson, more than 0
 */
export function countLaw(mean: number, r: number): CountLaw {
  const atMost =
    mean === 0 ? (count: number) => (count < 0 ? 0 : 1) : mean > SUMMED ? smooth(mean, r) : summed(mean, r);
  return { atMost, quantile: (share) => quantileOf(atMost, share, mean) };
}

function summed(mean: number, r: number): CountLaw['atMost'] {
  const k = 1 / r;
  const logStep = Math.log(mean / (k + mean));
  // Logarithms are added, because the chance of 0 is too small for a number where the mean is
  // large.
  let log = k * Math.log(k / (k + mean));
  const sums = [Math.exp(log)];
  return (count) => {
    if (count < 0) return 0;
    if (count > 50 * mean + 1000) return 1;
    for (let next = sums.length; next <= count; next++) {
      log += Math.log((k + next - 1) / next) + logStep;
      sums.push((sums[next - 1] ?? 0) + Math.exp(log));
    }
    return Math.min(1, sums[count] ?? 1);
  };
}

/** Wilson and Hilferty: the cube root of a gamma variable is as good as normal. */
function smooth(mean: number, r: number): CountLaw['atMost'] {
  const spread = (r + 1 / mean) / 9;
  return (count) => (count < 0 ? 0 : normal((Math.cbrt((count + 0.5) / mean) - (1 - spread)) / Math.sqrt(spread)));
}

/** The chance of a standard normal number below x: Abramowitz and Stegun 26.2.17, to 7.5e-8. */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return x > 0 ? 1 - tail : tail;
}

function quantileOf(atMost: CountLaw['atMost'], share: number, mean: number): number {
  let [low, high] = [0, Math.ceil(mean * 20 + 100)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (atMost(middle) < share) low = middle + 1;
    else high = middle;
  }
  return low;
}
