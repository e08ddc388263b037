import { RECORDED } from '../domain/names.ts';
import type { LookBack } from '../prometheus/look-back.ts';

const DAY = 86_400;

/** The widest chart of the live page is a week. */
const SHOWN = 8 * DAY;
/** The live page compares today's hours with those of 28 days before. */
const COMPARED: Readonly<Record<string, number>> = {
  [RECORDED.slices]: 30 * DAY,
  [RECORDED.levels]: 30 * DAY,
  [RECORDED.perMinute]: 30 * DAY,
};
/**
 * Rules look back on rules that look back, 60 days in all. The longest single look-back are two
 * weeks; what is further back moves an edge by a few per cent at most.
 */
const DEEPEST = 14 * DAY;

/** A rule by the name that it records, if any, and by how far back it reads. */
export interface Reader {
  record?: string;
  lookBacks: readonly LookBack[];
}

/**
 * For how many seconds before the end of a history each series has to be recorded, so that charts
 * show it and rules that go on live find what they look back on. A rule's inputs are recorded for
 * as long as the rule, and for its look-back before.
 */
export function neededSpans(readers: readonly Reader[]): Map<string, number> {
  const spans = new Map(
    readers.flatMap(({ record }) => (record ? [[record, COMPARED[record] ?? SHOWN] as const] : [])),
  );
  const reads = readers.flatMap(({ record, lookBacks }) =>
    [...spans.keys()].flatMap((input) =>
      lookBacks.filter((one) => one.reads(input)).map(({ seconds }) => ({ reader: record, input, seconds })),
    ),
  );
  for (let changed = true; changed; ) {
    changed = false;
    for (const { reader, input, seconds } of reads) {
      const own = reader === undefined ? 0 : (spans.get(reader) ?? 0);
      const needed = Math.max(own, Math.min(own + seconds, DEEPEST));
      if (needed <= (spans.get(input) ?? 0)) continue;
      spans.set(input, needed);
      changed = true;
    }
  }
  return spans;
}
