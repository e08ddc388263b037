import { count, when } from './format.ts';
import type { Minute } from './recent.ts';

/** The part of the minutes that may lie beyond the end of the scale. */
const FEW = 0.03;
/** Minutes beyond so many times what all others reach are a spike. */
const SPIKE = 3;

/** The end of the scale of the chart: a spike of few minutes must not flatten hours. */
export function scaleTop(minutes: readonly Minute[]): number {
  const values = minutes.flatMap(({ observed }) => observed ?? []).sort((a, b) => b - a);
  const most = values[0] ?? 0;
  const usual = minutes.reduce(
    (top, { upper = 0 }) => Math.max(top, upper),
    values[Math.ceil(FEW * values.length)] ?? 0,
  );
  if (usual > 0 && most > SPIKE * usual) return 2 * usual;
  return Math.max(1, 1.08 * Math.max(most, usual));
}

/** Minutes that the scale does not reach. */
export function beyondScale(minutes: readonly Minute[]): Minute[] {
  const top = scaleTop(minutes);
  return minutes.filter(({ observed = 0 }) => observed > top);
}

/** Says in words what the scale leaves out. */
export function beyondInWords(minutes: readonly Minute[]): (HTMLElement | string)[] {
  const beyond = beyondScale(minutes);
  const highest = beyond.toSorted((a, b) => (b.observed ?? 0) - (a.observed ?? 0))[0];
  if (highest === undefined) return [];
  const many = beyond.length === 1 ? 'One minute is' : `${beyond.length} minutes are`;
  const at = when(new Date(highest.time * 1000).toISOString());
  return [`${many} beyond the end of the scale, the highest with ${count(highest.observed)} at `, at, '.'];
}
