/**
 * Random numbers that are a pure function of what they are for, so that any one of them can be had
 * without the others.
 */

/** A stream of numbers in [0, 1). */
export type Random = () => number;

/** 32 bits that depend on every bit of the three inputs. */
function mix(seed: number, stream: number, index: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  for (const input of [stream, index | 0, Math.floor(index / 2 ** 32)]) {
    h ^= Math.imul(input ^ (h >>> 15), 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 13), 0x27d4eb2f);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/**
 * A stream of its own for each (seed, stream, index): Weyl sequence with an avalanche, period 2^32.
 */
export function randomFor(seed: number, stream: number, index: number): Random {
  let state = mix(seed, stream, index);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let h = Math.imul(state ^ (state >>> 15), state | 1);
    h ^= h + Math.imul(h ^ (h >>> 7), h | 61);
    return ((h ^ (h >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal number. */
export function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Noise of mean 0 and variance 1 that forgets itself within about `tau` steps: blended normal
 * knots, `tau` apart.
 */
export function smoothNoise(seed: number, stream: number, index: number, tau: number): number {
  const knot = Math.floor(index / tau);
  const along = index / tau - knot;
  const right = along * along * (3 - 2 * along);
  const left = 1 - right;
  const blended = left * gaussian(randomFor(seed, stream, knot)) + right * gaussian(randomFor(seed, stream, knot + 1));
  return blended / Math.hypot(left, right);
}

/**
 * Draws how many of `count` events happen, each with the same probability. Above 1,000 it draws
 * from the normal distribution, which is close enough.
 */
export function binomial(count: number, probability: number, random: Random): number {
  if (count > 1000) {
    const mean = count * probability;
    const drawn = Math.round(mean + Math.sqrt(mean * (1 - probability)) * gaussian(random));
    return Math.min(count, Math.max(0, drawn));
  }
  let happened = 0;
  for (let nth = 0; nth < count; nth++) if (random() < probability) happened++;
  return happened;
}

/** A Poisson count with the given mean (0 and less give 0). */
export function poisson(mean: number, random: Random): number {
  if (mean <= 0) return 0;
  return mean < 30 ? poissonByProduct(mean, random) : poissonByRejection(mean, random);
}

function poissonByProduct(mean: number, random: Random): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/**
 * Hörmann's transformed rejection (PTRS, 1993): exact, and as fast for a mean of a million as for
 * one of 30.
 */
function poissonByRejection(mean: number, random: Random): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  for (;;) {
    const u = random() - 0.5;
    const v = random();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const accept = Math.log((v * inverseAlpha) / (a / (us * us) + b));
    if (accept <= k * Math.log(mean) - mean - logFactorial(k)) return k;
  }
}

/** Stirling's series; exact to 1e-9 from 10 on, summed below. */
function logFactorial(n: number): number {
  if (n < 10) {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log(i);
    return sum;
  }
  const x = n + 1;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}
