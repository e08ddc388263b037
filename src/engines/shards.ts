import { callsIn, metricsRead, replaceSpans, selectorsIn } from '../prometheus/promql.ts';
import type { RuleFile, RuleGroup } from './rule-source.ts';

/**
 * The rules for several Prometheus that share the slices.
 *
 * Each of them scrapes all counters and counts each level, which costs a few series a slice. It
 * judges the total, and those slices that the relabelling of its scrapes has marked as its own. So
 * the total is right everywhere without anything that adds shards up. Shard 0 tells of the total,
 * and gets from the others what their slices contribute.
 */

const LEVELS = 'level:transactions:increase1m';
const COUNTERS = 'transactions_total|transactions_by_auth_code_total';
const OWN = 'shard:slices:own';
const JUDGED = 'shard:slices:judged';
const SENSITIVITY = 'level_window:transactions:z';
const FIGURES = 'incident_window:transactions:figure';
/** Rules that need all slices, because they decide how many there are and of which kind. */
const OF_ALL_SLICES = ['level:transactions:approved1h'];

/** The label that marks a slice of a dimension as a shard's own. */
const markOf = (dimension: string): string => `shard_${dimension}`;

interface Level {
  name: string;
  dimensions: string[];
}

/**
 * The rule files of one shard. @throws when the rules are not built as those that Tillwatch ships
 */
export function rulesOfShard(files: readonly RuleFile[], shard: number): RuleFile[] {
  const levels = levelsOf(files);
  const edited = files.map(({ name, groups }) => ({
    name,
    groups: groups.map((group) => editGroup(group, levels, shard)),
  }));
  const recorded = new Set(
    edited.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules.map(({ record }) => record))),
  );
  const missing = [OWN, JUDGED, FIGURES].filter((name) => !recorded.has(name));
  if (missing.length > 0)
    throw new Error(`cannot make shards of these rules: nothing would record ${missing.join(', ')}`);
  return shard === 0 ? withFiguresOfAll(edited) : edited;
}

/**
 * On shard 0, evaluates the rules that read figures ten seconds later, when the figures of the
 * other shards have come. From some of the slices alone, they might say that all slices are alike.
 */
function withFiguresOfAll(files: readonly RuleFile[]): RuleFile[] {
  const groups = files.flatMap((file) => file.groups);
  const late = new Set<RuleGroup>();
  const names = new Set([FIGURES]);
  const isLate = ({ rules }: RuleGroup) =>
    rules.some(({ expr }) => metricsRead(expr).some((name) => names.has(String(name))));
  for (let before = -1; before !== late.size; ) {
    before = late.size;
    for (const group of groups.filter(isLate)) {
      late.add(group);
      for (const { record } of group.rules) if (record !== undefined) names.add(record);
    }
  }
  const delayed = (group: RuleGroup): RuleGroup => (late.has(group) ? { ...group, query_offset: '10s' } : group);
  return files.map((file) => ({ ...file, groups: file.groups.map(delayed) }));
}

/** The levels that the rules count, and the dimensions of each; none of the total. */
function levelsOf(files: readonly RuleFile[]): Level[] {
  const rules = files.flatMap(({ groups }) => groups.flatMap((group) => group.rules));
  const { expr = '' } = rules.find(({ record }) => record === LEVELS) ?? {};
  const levels = callsIn(expr).flatMap(({ name, arguments: given }) => {
    const [of, target, level] = given.map(({ from, to }) => expr.slice(from, to));
    const labels = /by \(([^)]*)\)/
      .exec(of ?? '')?.[1]
      ?.split(',')
      .map((label) => label.trim());
    if (name !== 'label_replace' || target !== '"level"' || level === undefined || labels === undefined) return [];
    const dimensions = labels.filter((label) => !['status', 'auth_code'].includes(label));
    return [{ name: level.slice(1, -1), dimensions }];
  });
  if (levels.length === 0) throw new Error(`cannot make shards of these rules: ${LEVELS} counts no levels`);
  return levels;
}

const dimensionsOf = (levels: readonly Level[]): string[] => [
  ...new Set(levels.flatMap(({ dimensions }) => dimensions)),
];

function editGroup(group: RuleGroup, levels: readonly Level[], shard: number): RuleGroup {
  const labels = ['level', ...dimensionsOf(levels)].join(', ');
  const rules = group.rules.flatMap((rule) => {
    const { record = '' } = rule;
    if (record === LEVELS) return [rule, { record: OWN, expr: ownSlices(levels) }];
    if (OF_ALL_SLICES.includes(record)) return [rule];
    const edits = selectorsIn(rule.expr).flatMap(({ name, range, call, whole }) => {
      const span = range === undefined ? whole : call;
      if (name !== LEVELS || span === undefined) return [];
      const text = rule.expr.slice(span.from, span.to);
      return [{ from: span.from, to: span.to, by: `(${text} and on (${labels}) ${OWN})` }];
    });
    const expr = replaceSpans(rule.expr, edits);
    if (record === SENSITIVITY)
      return [
        { record: JUDGED, expr: judgedSlices() },
        { ...rule, expr: countingAll(expr) },
      ];
    if (record === FIGURES && shard > 0) return [{ ...rule, expr: withoutTotal(expr) }];
    return [{ ...rule, expr }];
  });
  return { ...group, rules };
}

const total = 'label_replace(vector(1), "level", "total", "", "")';

/**
 * The slices that are this shard's, and the total. A slice of several dimensions belongs to the
 * shard of the first.
 */
function ownSlices(levels: readonly Level[]): string {
  const own = levels
    .filter(({ dimensions }) => dimensions.length > 0)
    .map(({ name, dimensions }) => {
      const present = dimensions.map((dimension) => `, ${dimension}!=""`).join('');
      const marked = `{__name__=~"${COUNTERS}", ${markOf(dimensions[0] ?? '')}="own"${present}}`;
      return `label_replace(group by (${dimensions.join(', ')}) (last_over_time(${marked}[1m])),\n  "level", "${name}", "", "")`;
    });
  return `${[total, ...own].join('\nor ')}\n`;
}

/**
 * An expression for the number of slices of each level that all shards together judge, by window,
 * as one Prometheus would count them.
 */
function judgedSlices(): string {
  const minute = `last_over_time(${LEVELS}{status="approved", level="total"}[59s])`;
  const slices = (range: string, tunable: string) =>
    `count by (level) (\n  ${minute}\n  or (last_over_time(${LEVELS}{status="approved", level!="total"}[${range}])` +
    `\n    and ignoring (status) last_over_time(slice:transactions:busiest1h[10m]) >= scalar(${tunable}))\n)`;
  const windows = ['1m', '2m', '5m', '15m'].map((window) => [
    window,
    slices('59s', 'tillwatch:judged_by_minutes:tunable'),
  ]);
  const all = [...windows, ['1h', slices('59m59s', 'tillwatch:judged_by_hour:tunable')]];
  return `${all.map(([window, count]) => `label_replace(${count}, "window", "${window}", "", "")`).join('\nor ')}\n`;
}

/** The sensitivity depends on the number of slices. This shard's are a part of them. */
function countingAll(expr: string): string {
  const counted = 'count by (level, window) (status_window:transactions:increase{status="approved"})';
  if (!expr.includes(counted))
    throw new Error(`cannot make shards of these rules: ${SENSITIVITY} does not count slices by ${counted}`);
  return expr.replace(counted, `(0 * ${counted} + on (level, window) group_left () ${JUDGED})`);
}

const withoutTotal = (expr: string): string => `(\n${expr.trimEnd()}\n)\nunless on (level) ${total}\n`;

/**
 * The additions to a shard's prometheus.yml: which slices are its own, and for shard 0 the
 * contributions of the others' slices.
 */
export function scrapesOfShard(files: readonly RuleFile[], shard: number, shards: number): unknown {
  const marks = dimensionsOf(levelsOf(files)).flatMap((dimension) => [
    { source_labels: [dimension], action: 'hashmod', modulus: shards, target_label: `__tmp_${dimension}` },
    {
      source_labels: ['__name__', dimension, `__tmp_${dimension}`],
      regex: `(?:${COUNTERS});.+;${shard}`,
      target_label: markOf(dimension),
      replacement: 'own',
    },
  ]);
  const relabelling = [...marks, { regex: '__tmp_.+', action: 'labeldrop' }];
  if (shard > 0) return { metric_relabel_configs: relabelling };
  const others = Array.from({ length: shards - 1 }, (_, index) => `prometheus-shard-${index + 1}:9090`);
  return {
    metric_relabel_configs: relabelling,
    scrape_configs: [
      {
        job_name: 'shards',
        scrape_interval: '5s',
        honor_labels: true,
        metrics_path: '/federate',
        params: { 'match[]': [`${FIGURES}{figure=~"slice_.+"}`] },
        static_configs: [{ targets: others }],
        metric_relabel_configs: [{ regex: 'job|instance|shard', action: 'labeldrop' }],
      },
    ],
  };
}
