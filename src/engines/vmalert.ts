import { durationText } from '../domain/durations.ts';
import { callsIn, type Matcher, replaceSpans, selectorsIn } from '../prometheus/promql.ts';
import { alertAsOf, MINUTE, splitIntoLevels } from './evaluation-levels.ts';
import { isRecording, type RecordingRule, type Rule, type RuleFile, type RuleGroup } from './rule-source.ts';

/**
 * Flags that VictoriaMetrics and vmalert need for these files; docs/engines/victoriametrics.md
 * says why.
 */
export const VMALERT_FLAGS = {
  'VictoriaMetrics (or vmselect)': ['-search.latencyOffset=0s', '-storage.cacheSizeIndexDBTagFilters=1'],
  vmalert: ['-remoteWrite.flushInterval=500ms', '-disableAlertgroupLabel'],
} as const;

/** MetricsQL counts what lies before the range as well in the functions of these names. */
const AS_PROMETHEUS = new Set(['changes', 'delta', 'increase']);

/** Groups for vmalert on VictoriaMetrics. */
export function forVmalert(files: readonly RuleFile[]): RuleFile[] {
  const recorders = files.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules.filter(isRecording)));
  const constants = new Map<string, RecordingRule[]>();
  for (const rule of recorders) {
    if (selectorsIn(rule.expr).length === 0) constants.set(rule.record, [...(constants.get(rule.record) ?? []), rule]);
  }
  const numbered = files.map(({ name, groups }) => ({
    name,
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, expr: withNumbers(rule.expr, constants) })),
    })),
  }));
  const { groups, recorded } = splitIntoLevels(
    numbered.flatMap((file) => file.groups),
    selectByLabels,
  );
  const alerting = (group: RuleGroup): RuleGroup[] => {
    const rules = group.rules.filter((rule) => !isRecording(rule));
    if (rules.length === 0) return [];
    const alerts = rules.map((rule) => withTemplatesFor({ ...rule, expr: alertAsOf(rule.expr, recorded) }));
    return [{ ...group, eval_delay: '0s', rules: alerts }];
  };
  const inMetricsQl = (group: RuleGroup): RuleGroup => ({
    ...group,
    rules: group.rules.map((rule) => ({ ...rule, expr: toMetricsQl(rule.expr) })),
  });
  return numbered
    .map((file) => ({
      name: file.name,
      groups: file.groups
        .flatMap((group) => [...groups.filter((level) => isOf(level, group)), ...alerting(group)])
        .map(inMetricsQl),
    }))
    .filter((file) => file.groups.length > 0);
}

const isOf = (level: RuleGroup, { name }: RuleGroup): boolean =>
  level.name === name || (level.name.startsWith(`${name} `) && /^\d+ of \d+$/.test(level.name.slice(name.length + 1)));

/** The expression with the numbers of constants in it: `clamp` fails on a scalar of nothing. */
function withNumbers(expr: string, constants: ReadonlyMap<string, RecordingRule[]>): string {
  const scalars = selectorsIn(expr).flatMap(({ name, matchers, call }) => {
    const value = call?.name === 'scalar' ? constantOf(constants.get(String(name)) ?? [], matchers) : undefined;
    return call === undefined || value === undefined ? [] : [{ from: call.from, to: call.to, by: value }];
  });
  return replaceSpans(expr, scalars);
}

/** Writes in MetricsQL what PromQL calls otherwise or does not have. */
function toMetricsQl(expr: string): string {
  const edits = callsIn(expr).flatMap(({ name, from, arguments: given }) => {
    const called = { from, to: from + name.length };
    if (AS_PROMETHEUS.has(name)) return [{ ...called, by: `${name}_prometheus` }];
    const [series, marker] = given;
    const select = marker && expr.slice(marker.from + 1, marker.to - 1);
    if (name !== 'label_join' || !series || !marker || !SELECTIONS.includes(select ?? '')) return [];
    return [
      { ...called, by: String(select) },
      { from: series.to, to: marker.to, by: '' },
    ];
  });
  const edited = replaceSpans(expr, edits);
  if (!edited.includes(PROMETHEUS_FAILURES)) return edited;
  return edited.replace(PROMETHEUS_FAILURES, VMALERT_FAILURES).replace('without (rule_group)', 'by (job, instance)');
}

/**
 * Until an expression is MetricsQL, `label_join` with one of these in the place of its target
 * stands for a selection.
 */
const SELECTIONS = ['label_match', 'label_mismatch'];

const PROMETHEUS_FAILURES = 'prometheus_rule_evaluation_failures_total';
const VMALERT_FAILURES = '{__name__=~"vmalert_(recording|alerting)_rules_errors_total"}';

/** The number of the one constant that is meant. */
function constantOf(rules: readonly RecordingRule[], matchers: readonly Matcher[]): string | undefined {
  const meant = rules.filter(({ labels = {} }) =>
    matchers.every(({ label, operator, value }) => operator === '=' && labels[label] === value),
  );
  const value = meant.length === 1 ? /^\s*vector\(([^()]*)\)\s*$/.exec(meant[0]?.expr ?? '')?.[1] : undefined;
  if (value === undefined) return undefined;
  return /^[\d.]+$/.test(value.trim()) ? value.trim() : `(${value.trim()})`;
}

/**
 * PromQL can select by labels only what is stored. MetricsQL can of any expression; here it is
 * still PromQL, to be read as such.
 */
function selectByLabels(expression: string, matchers: readonly Matcher[]): string {
  return matchers.reduce((selected, { label, operator, value }) => {
    const pattern = operator.endsWith('~') ? value : value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const select = operator.startsWith('!') ? 'label_mismatch' : 'label_match';
    return `label_join(${selected}, "${select}", ${JSON.stringify(label)}, ${JSON.stringify(pattern)})`;
  }, `(${expression.trim()})`);
}

/**
 * Templates find the series of an alert by its labels. `$labels` holds its own labels too in vmalert:
 * they are left out. Ranges of seconds are a minute longer, since what Prometheus records every few
 * seconds comes once a minute here.
 */
function withTemplatesFor(rule: Rule): Rule {
  const own = Object.keys(rule.labels ?? {}).map((label) => `${label}$|`);
  const texts = Object.entries(rule.annotations ?? {}).map(([name, text]) => [
    name,
    text
      .replaceAll('match "^(', `match "^(${own.join('')}`)
      .replaceAll(/\[(\d+)s\]/g, (_, seconds) => `[${durationText(Number(seconds) + MINUTE - 1)}]`),
  ]);
  return { ...rule, annotations: Object.fromEntries(texts) };
}
