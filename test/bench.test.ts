import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OTHER_DETECTORS } from '../bench/detection/detectors.ts';
import { foundOfAll, foundOfKind, longestAfter, type Played, play } from '../bench/detection/played.ts';
import { findingsOf, ROWS } from '../bench/detection/rows.ts';
import { findBinary } from '../src/binaries/binaries.ts';
import { runProgram } from '../src/runtime/programs.ts';
import { SCENARIO_NAMES } from '../src/simulator/scenarios.ts';

/** Minutes of a run that begins at 0 and lasts a week. */
const label = (signal: string, start: number, end: number, slice?: string): Played['labels'][number] => ({
  ...{ start: start * 60, end: end * 60, signals: [signal], note: signal },
  ...(slice !== undefined && { slice }),
});
const alert = (signal: string, start: number, end: number | null, acquirer?: string): Played['alerts'][number] => ({
  ...{ alertname: `Alert${signal}`, severity: 'critical', signal, value: 5, lastTrue: start * 60 },
  ...{ observed: null, expected: null, score: null, window: null },
  labels: acquirer === undefined ? {} : { acquirer },
  startsAt: start * 60,
  endsAt: end === null ? null : end * 60,
});
const played = (labels: Played['labels'], alerts: Played['alerts']): Played => ({
  ...{ labels, alerts, scoreFrom: 60, to: 7 * 86_400 },
});

describe('what the detection benchmark counts', () => {
  it('every alert outside of incidents is false, whatever its signal', () => {
    const alerts = [alert('denied', 205, 230), alert('feed', 500, 520), alert('auth_code', 900, 910)];
    const { detected, incidents, falseAlarms } = foundOfAll(played([label('denied', 200, 220)], alerts));
    expect({ detected, incidents, falseAlarms }).toEqual({ detected: 1, incidents: 1, falseAlarms: 2 });
  });

  it('an alert from before the scored days that does not end in them is false', () => {
    expect(foundOfAll(played([], [alert('feed', -100, 20)])).falseAlarms).toBe(0);
    expect(foundOfAll(played([], [alert('feed', -100, null)])).falseAlarms).toBe(1);
  });

  it('a gap of the feed excuses the alert on the feed, and no other', () => {
    const gap = [label('feed', 500, 510)];
    expect(foundOfAll(played(gap, [alert('feed', 505, 512)])).falseAlarms).toBe(0);
    expect(foundOfAll(played(gap, [alert('denied', 505, 512)])).falseAlarms).toBe(1);
  });

  it("an incident of one acquirer is found by that acquirer's alert alone, and excuses no other's", () => {
    const labels = [label('denied', 200, 220, 'a'), label('denied', 400, 420)];
    const ofOther = foundOfAll(played(labels, [alert('denied', 205, 230, 'b')]));
    expect([ofOther.detected, ofOther.falseAlarms]).toEqual([0, 1]);
    const found = foundOfAll(played(labels, [alert('denied', 205, 230, 'a'), alert('denied', 405, 430, 'b')]));
    expect([found.detected, found.incidents, found.falseAlarms]).toEqual([2, 2, 0]);
    const ofTotal = foundOfAll(played(labels, [alert('denied', 205, 230)]));
    expect([ofTotal.detected, ofTotal.falseAlarms]).toEqual([0, 0]);
  });

  it('an alert outlives its incident until it ends, or the next one begins', () => {
    const labels = [label('denied', 200, 220), label('denied', 400, 420)];
    expect(longestAfter(played(labels, [alert('denied', 205, 229)]))).toBe(9);
    expect(longestAfter(played(labels, [alert('denied', 205, 430)]))).toBe(180);
    expect(longestAfter(played(labels, [alert('denied', 405, 450)]))).toBe(30);
    expect(longestAfter(played(labels, [alert('denied', 700, 999)]))).toBe(0);
  });

  it('counts the incidents of a kind', () => {
    const labels = [label('denied', 200, 220), label('denied', 400, 420), label('failed', 600, 620)];
    expect(foundOfKind(played(labels, [alert('denied', 405, 430)]), 'denied')).toEqual({ incidents: 2, detected: 1 });
  });
});

describe('a row of the detection benchmark', () => {
  it('is there for every scenario', () => {
    expect(new Set(ROWS.map(({ scenario }) => scenario))).toEqual(new Set(SCENARIO_NAMES));
  });

  it('is played by the rules of a folder and held to its goals', async () => {
    const row = ROWS.find(({ name }) => name === 'first-weekend');
    const detector = OTHER_DETECTORS.find(({ name }) => name === 'static-thresholds');
    if (row === undefined || detector === undefined) throw new Error('there is no such row or detector');
    const run = await play(row.scenario, 5, row.volume, detector);
    expect(foundOfAll(run).detected).toBeGreaterThan(0);
    expect(findingsOf([{ row, runs: [run] }]).map(({ what, goal }) => `${what} ${goal}`)).toEqual([
      'first-weekend: found of five >= 4',
      'first-weekend: false alarms in a week <= 1',
      'minutes that an alert outlives its incident, at the most <= 25',
    ]);
  });
});

describe('the other detectors', () => {
  it.each(OTHER_DETECTORS)('$name passes promtool check rules', async ({ rulesDir }) => {
    const files = (await readdir(rulesDir)).map((name) => join(rulesDir, name));
    await runProgram(await findBinary('promtool'), ['check', 'rules', '--lint=all', '--lint-fatal', ...files]);
  });
});
