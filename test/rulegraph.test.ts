import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { durationSeconds } from '../src/domain/durations.ts';
import { type EphemeralPrometheus, startEphemeralPrometheus } from '../src/prometheus/ephemeral-prometheus.ts';
import { metricsRead } from '../src/prometheus/promql.ts';
import { type RecordingRule, readRules } from '../src/prometheus/rule-files.ts';
import { affectedRules, layerRules } from '../src/prometheus/rule-graph.ts';
import { tempDir } from './support/temp-dir.ts';

const projectRules = fileURLToPath(new URL('../prometheus/rules', import.meta.url));
const rule = (record: string, expr: string): RecordingRule => ({
  record,
  expr,
  labels: {},
  file: 'f.yml',
  group: 'g',
  interval: 60,
});
const names = (rules: RecordingRule[]) => rules.map(({ record }) => record);

describe('metricsRead', () => {
  it.each<[string, (string | RegExp)[]]>([
    ['a', ['a']],
    ['sum by (b, c) (a) / on (d) group_left (e) f:g:h', ['a', 'f:g:h']],
    ['sum(a) without (b)', ['a']],
    ['rate(a{b="c", d=~"e|f"}[5m:1m] offset 1h) > bool 2', ['a']],
    ['label_replace(a, "b", "c{d}", "e", "f") or vector(1)', ['a']],
    ['a # not b\n and c unless d', ['a', 'c', 'd']],
    ['{__name__="a", b="c"} + {__name__=~"d|e"}', ['a', /^(?:d|e)$/]],
    ['{"a", b="c"}', ['a']],
    ['a @ start() - a @ 1609746000 * 1e3 + 0x1F + Inf - NaN', ['a', 'a']],
    ['quantile without (lookback) (0.5, a offset -5m)', ['a']],
    ['a{b="by (c) d"} * ignoring(e)group_right()f', ['a', 'f']],
    ['A AND Sum BY (x) (a)', ['A', 'a']],
    ['{job="b"}', []],
  ])('%s', (expression, read) => {
    expect(metricsRead(expression)).toEqual(read);
  });

  describe('against the parser of Prometheus', () => {
    let prometheus: EphemeralPrometheus;
    beforeAll(async () => {
      prometheus = await startEphemeralPrometheus(await tempDir());
    });
    afterAll(() => prometheus.stop());

    it('reads the same names out of every rule of the project', async () => {
      const { recording, alerts } = await readRules(projectRules);
      expect(recording.length + alerts.length).toBeGreaterThan(20);
      for (const { expr } of [...recording, ...alerts]) {
        const response = await fetch(`${prometheus.url}/api/v1/parse_query?${new URLSearchParams({ query: expr })}`);
        const { data } = (await response.json()) as { data: unknown };
        // By name; the parser names none where a rule selects names by a pattern.
        const named = metricsRead(expr).filter((read) => typeof read === 'string');
        expect([...new Set(named)].sort()).toEqual([...selectors(data)].sort());
      }
    });
  });

  /** Names of the vector selectors of a syntax tree. */
  function selectors(node: unknown, found = new Set<string>()): Set<string> {
    if (typeof node !== 'object' || node === null) return found;
    const { type, name } = node as { type?: string; name?: string };
    if ((type === 'vectorSelector' || type === 'matrixSelector') && name) found.add(name);
    for (const child of Object.values(node)) selectors(child, found);
    return found;
  }
});

describe('layerRules', () => {
  it('puts each rule above all that it reads, over several rules of one name', () => {
    const rules = [
      rule('top', 'middle + constant'),
      rule('middle', 'bottom'),
      rule('middle', 'transactions_total'),
      rule('bottom', 'transactions_total'),
      rule('constant', 'vector(1)'),
    ];
    expect(layerRules(rules).map(names)).toEqual([['middle', 'bottom', 'constant'], ['middle'], ['top']]);
  });

  it('refuses a name that nothing records', () => {
    expect(() => layerRules([rule('a', 'b + transactions_total')])).toThrow(
      'f.yml: group g: a reads b, which no rule records and which is none of the inputs transactions_total',
    );
  });

  it.each([
    ['its own past', [rule('a', 'a offset 1m')], 'a reads a'],
    ['a circle', [rule('x', 'b'), rule('b', 'c'), rule('c', 'd'), rule('d', 'b')], 'b reads c reads d reads b'],
    ['a circle by a pattern', [rule('a:x', '{__name__=~"b:.*"}'), rule('b:y', 'a:x')], 'a:x reads b:y reads a:x'],
  ])('refuses a rule that reads %s', (_, rules, circle) => {
    expect(() => layerRules(rules)).toThrow(`in a circle: ${circle}\n`);
  });

  it('finds what one input changes, with the constants', () => {
    const rules = [
      rule('codes', 'transactions_by_auth_code_total'),
      rule('share', 'codes / counts'),
      rule('counts', 'transactions_total'),
      rule('constant', 'vector(1)'),
      rule('scaled', 'counts * constant'),
    ];
    const affected = affectedRules(rules, new Set(['transactions_by_auth_code_total']));
    expect(names(affected)).toEqual(['codes', 'share', 'constant']);
  });
});

describe('durationSeconds', () => {
  it.each([
    ['1m', 60],
    ['1h30m', 5400],
    ['500ms', 0.5],
    ['1w2d', 777_600],
    ['0', 0],
    ['5', Number.NaN],
    ['fast', Number.NaN],
  ])('%s', (text, seconds) => {
    expect(durationSeconds(text)).toBe(seconds);
  });
});
