import { median } from '../domain/median.ts';
import type { Columns } from './columns.ts';

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

interface Block {
  number: number;
  minutes: number;
  count: number;
}

/**
 * Finds spikes and drops of the traffic, by five minutes. Minutes without a row are left out: they
 * are gaps of the feed.
 */
export function trafficStretches({ minutes, total }: Columns): TrafficStretch[] {
  const blocks = blocksOf(minutes, total);
  const found: (TrafficStretch & { last: number; isHigh: boolean })[] = [];
  blocks.forEach((block, at) => {
    const usual = block.minutes * rateAround(blocks, at);
    const isHigh = block.count >= HIGH * usual;
    if (!(usual >= ENOUGH) || !(isHigh || block.count <= LOW * usual)) return;
    const before = found.at(-1);
    const to = (block.number + 1) * BLOCK;
    if (before?.isHigh === isHigh && block.number - before.last <= 1)
      Object.assign(before, {
        ...{ to, last: block.number, observed: before.observed + block.count, usual: before.usual + usual },
      });
    else found.push({ from: block.number * BLOCK, to, last: block.number, isHigh, observed: block.count, usual });
  });
  return found.map(({ from, to, observed, usual }) => ({ from, to, observed, usual }));
}

function blocksOf(minutes: Float64Array, total: Float64Array): Block[] {
  const blocks: Block[] = [];
  minutes.forEach((minute, at) => {
    const number = Math.floor(minute / BLOCK);
    let block = blocks.at(-1);
    if (block?.number !== number) {
      block = { number, minutes: 0, count: 0 };
      blocks.push(block);
    }
    block.minutes++;
    block.count += total[at] ?? 0;
  });
  return blocks;
}

/** Transactions a minute: the median of the blocks of two hours before and after. */
function rateAround(blocks: readonly Block[], at: number): number {
  const { number = 0 } = blocks[at] ?? {};
  const near = blocks.slice(Math.max(0, at - AROUND), at + AROUND + 1);
  const others = near.filter((block) => block.number !== number && Math.abs(block.number - number) <= AROUND);
  return others.length < AROUND / 2 ? Number.NaN : median(others.map(({ count, minutes }) => count / minutes));
}
