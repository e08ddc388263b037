import { median } from '../domain/median.ts';
import { hourOf } from './columns.ts';

/** Counts of a status in one block of time, and of the transactions that it is compared with. */
export interface Block {
  /** The block's place among those of its length, since the epoch. */
  number: number;
  hour: number;
  day: number;
  count: number;
  basis: number;
}

/** Fewer events than this in the typical block say little about its odds. */
const ENOUGH = 3;
/** On fewer days, an incident could be half of what is known of an hour. */
const DAYS = 3;

/**
 * The usual odds (count per basis) of each hour of the day, UTC: the median over the quarters of an
 * hour, or where they hold fewer than three events over the hours, of that hour on all days; where
 * that is too little too, or fewer than three days are known, the same of the whole file. So
 * incidents hardly move it.
 * @param basis what the status is compared with: the approved transactions of the same minutes
 */
export function usualOdds(minutes: Float64Array, count: Float64Array, basis: Float64Array): number[] {
  const [quarters, hours] = [15, 60].map((length) => blocksOf(minutes, count, basis, length));
  const ofFile = oddsOf(quarters) ?? oddsOf(hours) ?? clippedOdds(hours ?? []);
  return Array.from({ length: 24 }, (_, hour) => {
    const scopes = [quarters, hours].map((blocks) => (blocks ?? []).filter((block) => block.hour === hour));
    if (new Set(scopes[0]?.map(({ day }) => day)).size < DAYS) return ofFile;
    return oddsOf(scopes[0]) ?? oddsOf(scopes[1]) ?? ofFile;
  });
}

export function blocksOf(minutes: Float64Array, count: Float64Array, basis: Float64Array, length: number): Block[] {
  const blocks: Block[] = [];
  let block: Block | undefined;
  minutes.forEach((minute, at) => {
    const number = Math.floor(minute / length);
    if (block?.number !== number) {
      block = { number, hour: hourOf(minute), day: Math.floor(minute / 1440), count: 0, basis: 0 };
      blocks.push(block);
    }
    block.count += count[at] ?? 0;
    block.basis += basis[at] ?? 0;
  });
  return blocks.filter((each) => each.basis > 0);
}

/** The median of a Poisson count is a third below its mean; hence the correction. */
function oddsOf(blocks: readonly Block[] = []): number | undefined {
  const typical = median(blocks.map(({ count }) => count));
  if (!(typical >= ENOUGH)) return undefined;
  return median(blocks.map(({ count, basis }) => count / basis)) * (1 + 1 / (3 * typical));
}

/**
 * The odds of a rare status: all events divided by all of the basis. An hour counts for at most
 * three standard deviations above that.
 */
function clippedOdds(blocks: readonly Block[]): number {
  const basis = blocks.reduce((sum, block) => sum + block.basis, 0);
  if (basis === 0) return 0;
  let odds = blocks.reduce((sum, { count }) => sum + count, 0) / basis;
  for (let round = 0; round < 30; round++) {
    const most = (expected: number) => expected + 3 * Math.sqrt(expected) + 1;
    odds = blocks.reduce((sum, block) => sum + Math.min(block.count, most(odds * block.basis)), 0) / basis;
  }
  return odds;
}
