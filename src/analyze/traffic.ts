import { median } from '../domain/median.ts';
import type { Columns } from './columns.ts';
import { type Block, blocksOf } from './usual.ts';

/**
 * A time in which the traffic itself was far from that of the hours around it. Minutes since the
 * epoch, the end exclusive.
 */
export interface TrafficStretch {
  from: number;
  to: number;
  observed: number;
  /** The count of as many minutes of the two hours before and after. */
  usual: number;
}

/** Minutes of one block. */
const BLOCK = 5;
/** Blocks before and after: two hours. */
const AROUND = 24;
/** Fewer transactions in a block say little about traffic. */
const ENOUGH = 30;
/** So many times the traffic around it, or so small a share of it, is far. */
const HIGH = 1.8;
const LOW = 0.5;

/**
 * Finds spikes and drops of the traffic, by five minutes. Minutes without a row are left out: they
 * are gaps of the feed.
 */
export function trafficStretches({ minutes, total }: Columns): TrafficStretch[] {
  const blocks = blocksOf(minutes, total, new Float64Array(minutes.length).fill(1), BLOCK);
  const found: TrafficStretch[] = [];
  blocks.forEach(({ number, count, basis }, at) => {
    const usual = basis * rateAround(blocks, at);
    const isHigh = count >= HIGH * usual;
    if (!(usual >= ENOUGH) || !(isHigh || count <= LOW * usual)) return;
    const [from, to] = [number * BLOCK, (number + 1) * BLOCK];
    const before = found.at(-1);
    if (before?.to === from && before.observed > before.usual === isHigh)
      Object.assign(before, { to, observed: before.observed + count, usual: before.usual + usual });
    else found.push({ from, to, observed: count, usual });
  });
  return found;
}

/** Transactions a minute: the median of the blocks of two hours before and after. */
function rateAround(blocks: readonly Block[], at: number): number {
  const { number = 0 } = blocks[at] ?? {};
  const near = blocks.slice(Math.max(0, at - AROUND), at + AROUND + 1);
  const others = near.filter((block) => block.number !== number && Math.abs(block.number - number) <= AROUND);
  return others.length < AROUND / 2 ? Number.NaN : median(others.map(({ count, basis }) => count / basis));
}
