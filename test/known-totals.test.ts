import { describe, expect, test } from 'vitest';
import { METRIC } from '../src/domain/names.ts';
import { createKnownTotals, seriesKey } from '../src/ledger/series.ts';

const CODE = { auth_code: '51' };
const KEY = seriesKey(METRIC.authCodes, CODE);
const row = (value: number, commits: number) => ({
  id: 1,
  metric: METRIC.authCodes,
  labels: JSON.stringify(CODE),
  value,
  created: 0,
  commits,
});
const adds = (by: number) => ({ series: [], counters: new Map([[1, by]]), gauges: new Map<number, number>() });

/** One counter, of which all commits up to `commit` are known. */
function knownAt(commit: number, value: number) {
  const totals = createKnownTotals();
  totals.take([row(value, commit)], true);
  totals.caughtUp(commit);
  return totals;
}

describe('what a commit of this service changed', () => {
  test('is added where all before it is known, and need not be read', () => {
    const totals = knownAt(4, 10);
    totals.add(adds(3), 5, 0);
    totals.add({ ...adds(1), series: [{ id: 2, metric: METRIC.transactions, labels: { status: 'failed' } }] }, 6, 0);
    expect([totals.value(KEY), totals.changed(), totals.newest()]).toEqual([14, 6, 2]);
  });

  test('is left to be read where another service committed before', () => {
    const totals = knownAt(4, 10);
    totals.add(adds(3), 6, 0);
    expect([totals.value(KEY), totals.changed()]).toEqual([10, 4]);
  });

  test('counts once where rows that were read meanwhile hold it, as pages do before the last', () => {
    const totals = knownAt(4, 10);
    totals.take([row(13, 5)], true);
    totals.add(adds(3), 5, 0);
    expect([totals.value(KEY), totals.changed()]).toEqual([13, 4]);
    totals.caughtUp(5);
    totals.add(adds(2), 6, 0);
    expect(totals.value(KEY)).toBe(15);
  });

  test('is not undone by an older answer', () => {
    const totals = knownAt(4, 10);
    totals.add(adds(3), 5, 0);
    totals.take([row(10, 4)], true);
    expect(totals.value(KEY)).toBe(13);
  });

  test('has its chunk rendered again, and no other', () => {
    const totals = knownAt(4, 10);
    const [chunk] = totals.chunks(METRIC.authCodes);
    if (chunk === undefined) throw new Error('there is no chunk');
    chunk.rendered.plain = Buffer.from('old');
    totals.add({ ...adds(0), counters: new Map() }, 5, 0);
    expect(chunk.rendered.plain).toBeDefined();
    totals.add(adds(1), 6, 0);
    expect(chunk.rendered).toEqual({});
  });
});
