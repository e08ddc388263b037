import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OTHER_DETECTORS, OWN } from '../bench/detection/detectors.ts';
import { makeRun } from '../bench/detection/make-run.ts';
import { findingsOf, scoreTable, tableText } from '../bench/detection/score-table.ts';
import { findBinary } from '../src/binaries.ts';
import { INCIDENT_KINDS } from '../src/incidents.ts';
import { runProgram } from '../src/programs.ts';

const shape = { variant: 'base' as const, seed: 5, volumePerMinute: 130, historyDays: 4, scoredDays: 4, perKind: 1 };

describe('a run of the detection benchmark', () => {
  it('has every kind of incident once in its scored days, and is the same for the same seed', () => {
    const run = makeRun(shape);
    const scored = run.labels.filter(({ start }) => start >= run.scoreFrom).map(({ note }) => note);
    expect(scored.filter((kind) => kind !== 'blip').sort()).toEqual([...INCIDENT_KINDS].sort());
    expect(scored).toContain('blip');
    expect(makeRun(shape)).toEqual(run);
  });

  it('has harder variants: the same incidents, and more of what is none', () => {
    const [base, blips] = [makeRun(shape), makeRun({ ...shape, variant: 'blips' })];
    const lengths = (run: typeof base) =>
      new Set(run.labels.filter(({ note }) => note === 'blip').map(({ start, end }) => end - start));
    expect([lengths(base), lengths(blips)]).toEqual([new Set([60]), new Set([120])]);
    const mean = ({ minutes, scoreFrom }: typeof base, after: boolean) => {
      const counts = minutes
        .filter(({ minute }) => minute * 60 >= scoreFrom === after)
        .map(({ counts }) => counts.denied);
      return counts.reduce((sum, count) => sum + count, 0) / counts.length;
    };
    const shift = makeRun({ ...shape, variant: 'shift' });
    expect(shift.labels.filter(({ start }) => start >= shift.scoreFrom).map(({ note }) => note)).toEqual(['shift']);
    expect(mean(shift, true) / mean(shift, false)).toBeGreaterThan(1.6);
    expect(makeRun({ ...shape, variant: 'noise' }).labels).toEqual(base.labels);
  });

  it('is refused when its incidents do not fit', () => {
    expect(() => makeRun({ ...shape, scoredDays: 1, perKind: 3 })).toThrow('do not fit');
  });
});

describe('the other detectors', () => {
  it.each(OTHER_DETECTORS)('$name passes promtool check rules', async ({ rulesDir }) => {
    const files = (await readdir(rulesDir)).map((name) => join(rulesDir, name));
    await runProgram(await findBinary('promtool'), ['check', 'rules', '--lint=all', '--lint-fatal', ...files]);
  });

  it('stand in the table beside our rules, which alone are held to goals', async () => {
    const log: string[] = [];
    const other = OTHER_DETECTORS.filter(({ name }) => name === 'static-thresholds');
    const { seed, volumePerMinute, variant, ...days } = shape;
    const lines = await scoreTable({
      ...days,
      detectors: [OWN, ...other],
      variants: [variant],
      volumes: [volumePerMinute],
      seeds: [seed],
      log: (line) => log.push(line),
    });
    expect(log).toHaveLength(2);
    expect(lines.map(({ detector, signals, incidents }) => [detector, signals, incidents])).toEqual([
      ['tillwatch', 'compared', 9],
      ['tillwatch', 'further', 3],
      ['static-thresholds', 'compared', 9],
    ]);
    expect(lines.find(({ signals }) => signals === 'compared')?.detected).toBeGreaterThan(4);
    expect(tableText(lines).split('\n')[0]).toMatch(/^detector +runs +a minute +F1 +precision +recall +delay/);
    expect(findingsOf(lines).map(({ what, goal }) => `${what} ${goal}`)).toEqual([
      'F1 at 130 transactions a minute >= 0.97',
      'median delay in minutes at 130 transactions a minute <= 3',
      'false alarms a week at 130 transactions a minute <= 1',
    ]);
  });
});
