import { type Finding, textTable } from '../project.ts';
import type { Cost, GroupCost } from './measure.ts';

/** Seconds of each minute that evaluations of all groups may take together, at the most values. */
const BUDGET_SECONDS = 6;
/** Ten times the values may take this many times as long. */
const LINEAR = 12;
const COSTLIEST = 10;

const perMinute = (cost: Cost, field: 'seconds' | 'samples'): number =>
  cost.groups.reduce((sum, group) => sum + group[field] * group.perMinute, 0);
const seconds = (value: number): string => (value < 0.1 ? value.toFixed(4) : value.toFixed(2));
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Each group at each size, what it adds up to in a minute, and the rules that cost most. */
export function costText(costs: readonly Cost[]): string {
  const biggest = costs.at(-1);
  if (biggest === undefined) return '';
  const header = ['group', 'a minute', ...costs.flatMap(({ values }) => [`s at ${values}`, `samples at ${values}`])];
  const cell = (group: GroupCost | undefined) =>
    group === undefined ? ['-', '-'] : [seconds(group.seconds), whole(group.samples)];
  const rows = biggest.groups.map(({ group, perMinute: times }) => [
    group,
    times < 1 ? `1/${Math.round(1 / times)}` : String(times),
    ...costs.flatMap((cost) => cell(cost.groups.find((one) => one.group === group))),
  ]);
  const total = costs.flatMap((cost) => [seconds(perMinute(cost, 'seconds')), whole(perMinute(cost, 'samples'))]);
  const cpu = costs.flatMap((cost) => [seconds(cost.cpuSecondsPerMinute), '']);
  const memory = costs.flatMap((cost) => [`${Math.round(cost.residentBytes / 2 ** 20)} MiB`, '']);
  return [
    textTable([
      header,
      ...rows,
      ['all, each minute', '', ...total],
      ['CPU, whole process', '', ...cpu],
      ['memory', '', ...memory],
    ]),
    costliest(biggest),
    storageText(costs),
  ].join('\n');
}

function costliest({ rules, groups, values }: Cost): string {
  const times = (group: string) => groups.find((one) => one.group === group)?.perMinute ?? 1;
  const rows = rules
    .map((rule) => ({ ...rule, aMinute: rule.seconds * times(rule.group) }))
    .sort((a, b) => b.aMinute - a.aMinute)
    .slice(0, COSTLIEST)
    .map((rule) => [rule.name, rule.group, seconds(rule.aMinute), seconds(rule.seconds), whole(rule.samples)]);
  return textTable([[`costliest at ${values}`, 'group', 's a minute', 's each', 'samples'], ...rows]);
}

const storageText = (costs: readonly Cost[]): string =>
  costs
    .map(({ values, history: { samples, series }, groups }) => {
      const evaluations = Math.max(...groups.map((group) => group.evaluations));
      return `${values}: ${whole(samples)} samples in ${whole(series)} series written as history; up to ${evaluations} evaluations a group\n`;
    })
    .join('');

/**
 * Held to the goals of docs/benchmarks.md; linearity only where there are two sizes ten times
 * apart.
 */
export function costFindings(costs: readonly Cost[]): Finding[] {
  const biggest = costs.at(-1);
  if (biggest === undefined) return [];
  const total = perMinute(biggest, 'seconds');
  const findings = [
    held(`seconds of rule evaluation a minute with ${biggest.values} values`, '<', BUDGET_SECONDS, total),
  ];
  const tenth = costs.find((cost) => cost.values * 10 === biggest.values);
  if (tenth === undefined) return findings;
  const ratio = (field: 'seconds' | 'samples') => perMinute(biggest, field) / perMinute(tenth, field);
  const by = `by those with ${tenth.values}`;
  return [
    ...findings,
    held(`seconds with ${biggest.values} values ${by}`, '<=', LINEAR, ratio('seconds')),
    held(`samples with ${biggest.values} values ${by}`, '<=', LINEAR, ratio('samples')),
  ];
}

function held(what: string, sign: '<' | '<=', goal: number, figure: number): Finding {
  const met = sign === '<' ? figure < goal : figure <= goal;
  return { what, goal: `${sign} ${goal}`, figure: Number(figure.toFixed(3)), met };
}
