import { type Finding, textTable } from '../project.ts';
import type { Cost, GroupCost } from './measure.ts';

/** Seconds of each minute that evaluations of all groups may take together, at the most values. */
const BUDGET_SECONDS = 6;
/** Ten times the values may take this many times as long. */
const LINEAR = 12;
/** The CPU with a calendar may be so many times that without. */
const CALENDAR = 1.1;
const COSTLIEST = 10;

const perMinute = (cost: Cost, field: 'seconds' | 'samples'): number =>
  cost.groups.reduce((sum, group) => sum + group[field] * group.perMinute, 0);
const seconds = (value: number): string => (value < 0.1 ? value.toFixed(4) : value.toFixed(2));
const nameOf = ({ values, hasCalendar }: Cost): string => `${values}${hasCalendar ? ' with calendar' : ''}`;
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Each group at each size, what it adds up to in a minute, and the rules that cost most. */
export function costText(costs: readonly Cost[]): string {
  const biggest = costs.at(-1);
  if (biggest === undefined) return '';
  const header = [
    'group',
    'a minute',
    ...costs.flatMap((cost) => [`s at ${nameOf(cost)}`, `samples at ${nameOf(cost)}`]),
  ];
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

function costliest(cost: Cost): string {
  const { rules, groups } = cost;
  const times = (group: string) => groups.find((one) => one.group === group)?.perMinute ?? 1;
  const rows = rules
    .map((rule) => ({ ...rule, aMinute: rule.seconds * times(rule.group) }))
    .sort((a, b) => b.aMinute - a.aMinute)
    .slice(0, COSTLIEST)
    .map((rule) => [rule.name, rule.group, seconds(rule.aMinute), seconds(rule.seconds), whole(rule.samples)]);
  return textTable([[`costliest at ${nameOf(cost)}`, 'group', 's a minute', 's each', 'samples'], ...rows]);
}

const storageText = (costs: readonly Cost[]): string =>
  costs
    .map((cost) => {
      const {
        history: { samples, series },
        groups,
      } = cost;
      const evaluations = Math.max(...groups.map((group) => group.evaluations));
      return `${nameOf(cost)}: ${whole(samples)} samples in ${whole(series)} series written as history; up to ${evaluations} evaluations a group\n`;
    })
    .join('');

/**
 * Held to the goals of docs/benchmarks.md; linearity only where there are two sizes ten times
 * apart.
 */
export function costFindings(all: readonly Cost[]): Finding[] {
  const costs = all.filter(({ hasCalendar }) => !hasCalendar);
  const biggest = costs.at(-1);
  if (biggest === undefined) return [];
  const total = perMinute(biggest, 'seconds');
  const findings = [
    held(`seconds of rule evaluation a minute with ${biggest.values} values`, '<', BUDGET_SECONDS, total),
  ];
  const tenth = costs.find((cost) => cost.values * 10 === biggest.values);
  if (tenth !== undefined) {
    const ratio = (field: 'seconds' | 'samples') => perMinute(biggest, field) / perMinute(tenth, field);
    const by = `by those with ${tenth.values}`;
    findings.push(held(`seconds with ${biggest.values} values ${by}`, '<=', LINEAR, ratio('seconds')));
    findings.push(held(`samples with ${biggest.values} values ${by}`, '<=', LINEAR, ratio('samples')));
  }
  const withCalendar = all.find(({ hasCalendar }) => hasCalendar);
  if (withCalendar !== undefined) {
    const ratio = withCalendar.cpuSecondsPerMinute / biggest.cpuSecondsPerMinute;
    findings.push(held(`CPU with ${biggest.values} values and a calendar by that without`, '<=', CALENDAR, ratio));
  }
  return findings;
}

function held(what: string, sign: '<' | '<=', goal: number, figure: number): Finding {
  const met = sign === '<' ? figure < goal : figure <= goal;
  return { what, goal: `${sign} ${goal}`, figure: Number(figure.toFixed(3)), met };
}
