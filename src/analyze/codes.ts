import { APPROVED_CODES, meaningOf } from '../domain/auth-codes.ts';
import { type Columns, placeOf, total } from './columns.ts';
import type { Stretch } from './stretches.ts';

/** One auth code of the file. */
export interface CodeShare {
  code: string;
  meaning: string;
  count: number;
  /** Its part of all codes, from 0 to 1. */
  share: number;
  /** Its part of the codes that are no approvals, from 0 to 1; undefined for an approval. */
  shareOfDeclined?: number;
  /**
   * Its count in stretches above normal, less the count that the same time outside them would
   * have.
   */
  excessInStretches: number;
}

const NAMED = 3;

/** The codes of a file, the commonest first. */
export function describeCodes(codes: Columns, stretches: readonly Stretch[]): CodeShare[] {
  const all = Math.max(1, total(codes.total));
  const approved = APPROVED_CODES.reduce((sum, code) => sum + total(codes.counts.get(code) ?? new Float64Array()), 0);
  const excess = new Map<string, number>();
  for (const { codes: leading = [] } of leadingCodes(stretches, codes, codes.keys.length))
    for (const each of leading) excess.set(each.code, (excess.get(each.code) ?? 0) + each.excess);
  return [...codes.counts]
    .map(([code, column]) => ({
      code,
      meaning: meaningOf(code),
      count: total(column),
      share: total(column) / all,
      ...(!APPROVED_CODES.includes(code) && { shareOfDeclined: total(column) / Math.max(1, all - approved) }),
      excessInStretches: excess.get(code) ?? 0,
    }))
    .sort((a, b) => b.count - a.count);
}

/**
 * Adds to each stretch the codes that it had more of than the minutes outside of all stretches
 * would have had in its time.
 */
export function leadingCodes(stretches: readonly Stretch[], codes: Columns, most = NAMED): Stretch[] {
  const inside = (minute: number) => stretches.some(({ from, to }) => minute >= from && minute < to);
  const outside = codes.minutes.map((minute) => (inside(minute) ? 0 : 1));
  const declined = codes.keys.filter((code) => !APPROVED_CODES.includes(code));
  const clean = Math.max(1, total(outside));
  const rates = declined.map((code) => {
    const column = codes.counts.get(code) ?? new Float64Array();
    return { code, column, rate: column.reduce((sum, count, at) => sum + count * (outside[at] ?? 0), 0) / clean };
  });
  return stretches.map((stretch) => {
    const { from, to } = stretch;
    const [first, last] = [from, to].map((minute) => placeOf(codes.minutes, minute));
    const excesses = rates.map(({ code, column, rate }) => {
      const count = total(column.subarray(first, last));
      return { code, count, excess: count - rate * ((last ?? 0) - (first ?? 0)) };
    });
    // Three standard deviations of counting noise: less is no driver.
    const leading = excesses.filter(({ count, excess }) => excess > 3 * Math.sqrt(Math.max(count - excess, 1)));
    return { ...stretch, codes: leading.sort((a, b) => b.excess - a.excess).slice(0, most) };
  });
}
