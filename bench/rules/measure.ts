import { readRules } from '../../src/prometheus/rule-files.ts';
import { OWN } from '../detection/detectors.ts';
import { writeHistory } from './history.ts';
import { type LivePrometheus, startLivePrometheus } from './live-prometheus.ts';
import { startTarget } from './target.ts';

export interface RuleCost {
  group: string;
  name: string;
  /** Mean of an evaluation. */
  seconds: number;
  samples: number;
}

export interface GroupCost {
  group: string;
  /** Evaluations a minute as the rule files have it: 4 for 15s, 1/60 for 1h. */
  perMinute: number;
  /** Mean of an evaluation, and the samples that it touches. */
  seconds: number;
  samples: number;
  evaluations: number;
}

export interface Cost {
  /** Values of the extra label. */
  values: number;
  /** True where the service exposes a time zone and a calendar. */
  hasCalendar: boolean;
  history: { samples: number; series: number };
  groups: GroupCost[];
  rules: RuleCost[];
  /** The CPU of the whole Prometheus, scrapes and storage included. */
  cpuSecondsPerMinute: number;
  residentBytes: number;
}

export interface MeasureOptions {
  values: number;
  hasCalendar: boolean;
  /** Minutes of evaluations that are not counted, then those that are. */
  warmUp: number;
  minutes: number;
  log: (line: string) => void;
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Measures an evaluation of the project's rules with so many values of one extra label. */
export async function measure(options: MeasureOptions): Promise<Cost> {
  const { values, hasCalendar, log } = options;
  const target = await startTarget(values, hasCalendar);
  const prometheus = await startLivePrometheus(target.address, OWN.rulesDir);
  try {
    await untilConstantsAre(prometheus.url);
    const started = Date.now();
    const history = await writeHistory(prometheus.url, values, Math.floor(Date.now() / 60_000) * 60, hasCalendar);
    const took = ((Date.now() - started) / 1000).toFixed(0);
    log(`${values} values: ${history.samples} samples in ${history.series} series written in ${took} s`);
    await prometheus.loadRules();
    await pause(options.warmUp * 60);
    return { values, hasCalendar, history, ...(await watch(prometheus, options)) };
  } finally {
    await prometheus.stop();
    target.close();
  }
}

async function untilConstantsAre(url: string): Promise<void> {
  const wanted = (await ruleGroups(url)).flatMap(({ rules }) => rules).length;
  const count = async () => (await askSamples(url, '{__name__=~".+:tunable"}')).found;
  while ((await count()) < wanted) await pause(1);
}

async function watch({ url }: LivePrometheus, { minutes, values, log }: MeasureOptions) {
  const before = await processUse(url);
  const seen = new Map<string, RuleGroup>();
  for (const end = Date.now() + minutes * 60_000; Date.now() < end; await pause(3)) {
    for (const group of await ruleGroups(url)) {
      // Evaluations before this time count as warm-up.
      if (Date.parse(group.lastEvaluation) / 1000 > before.at) seen.set(`${group.name} ${group.lastEvaluation}`, group);
    }
  }
  const after = await processUse(url);
  log(`${values} values: ${seen.size} evaluations of groups; reading their samples`);
  const evaluations = [...seen.values()];
  const failed = evaluations.flatMap(({ rules }) => rules).find((rule) => rule.health !== 'ok');
  if (failed !== undefined) throw new Error(`${failed.name}: ${failed.lastError}`);
  const judged = (await askSamples(url, 'status_window:transactions:above_normal{level!="total", window="5m"}')).found;
  // Four statuses. A history that the rules do not find would make them cheap.
  if (judged < 4 * values) throw new Error(`of ${values} values only ${judged / 4} are judged`);
  const firing = await firingAlerts(url);
  log(`${values} values: ${firing.length === 0 ? 'no alert fires' : `these alerts fire: ${firing.join(', ')}`}`);
  const rules = await costOfRules(url, evaluations);
  return {
    rules,
    groups: await costOfGroups(evaluations, rules),
    cpuSecondsPerMinute: ((after.cpuSeconds - before.cpuSeconds) * 60) / (after.at - before.at),
    residentBytes: after.residentBytes,
  };
}

interface RuleGroup {
  name: string;
  evaluationTime: number;
  lastEvaluation: string;
  rules: { name: string; query: string; evaluationTime: number; health: string; lastError?: string }[];
}

async function api<T>(url: string, path: string, parameters?: Record<string, string>): Promise<T> {
  const body = parameters && new URLSearchParams(parameters);
  const response = await fetch(`${url}/api/v1/${path}`, body === undefined ? {} : { method: 'POST', body });
  const answer = (await response.json()) as { data?: T; error?: string };
  if (answer.data === undefined) throw new Error(`Prometheus refused ${path}: ${answer.error}`);
  return answer.data;
}

const ruleGroups = async (url: string) => (await api<{ groups: RuleGroup[] }>(url, 'rules')).groups;

/**
 * `NAME (how many)`. Each alert that fires runs the queries of its annotations, which is not what
 * is measured here.
 */
async function firingAlerts(url: string): Promise<string[]> {
  const { alerts } = await api<{ alerts: { labels: { alertname: string }; state: string }[] }>(url, 'alerts');
  const names = alerts.map(({ labels }) => labels.alertname).filter((name) => name !== 'Watchdog');
  return [...new Set(names)].map((name) => `${name} (${names.filter((other) => other === name).length})`);
}

async function processUse(url: string) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    at: Date.now() / 1000,
    cpuSeconds: value('process_cpu_seconds_total'),
    residentBytes: value('process_resident_memory_bytes'),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * An hourly group is hardly ever evaluated while it is watched: its rules are asked for once, as
 * queries.
 */
async function costOfRules(url: string, evaluations: readonly RuleGroup[]): Promise<RuleCost[]> {
  const costs: RuleCost[] = [];
  for (const group of await ruleGroups(url)) {
    const seen = evaluations.filter(({ name }) => name === group.name);
    for (const [index, rule] of group.rules.entries()) {
      const asked = await askSamples(url, rule.query);
      const times = seen.map(({ rules }) => rules[index]?.evaluationTime ?? 0);
      const seconds = times.length === 0 ? asked.seconds : mean(times);
      costs.push({ group: group.name, name: rule.name, seconds, samples: asked.samples });
    }
  }
  return costs;
}

interface QueryStats {
  result: { value: [number, string] }[];
  stats: { timings: { evalTotalTime: number }; samples: { totalQueryableSamples: number } };
}

/**
 * Counts the samples that an evaluation reads, by Prometheus's own statistics. Counting the result
 * keeps the answer small and reads nothing more.
 */
async function askSamples(url: string, query: string) {
  const parameters = { query: `count(\n${query}\n)`, stats: 'all' };
  const { result, stats } = await api<QueryStats>(url, 'query', parameters);
  return {
    found: Number(result[0]?.value[1] ?? 0),
    samples: stats.samples.totalQueryableSamples,
    seconds: stats.timings.evalTotalTime,
  };
}

async function costOfGroups(evaluations: readonly RuleGroup[], rules: readonly RuleCost[]): Promise<GroupCost[]> {
  const { recording, alerts } = await readRules(OWN.rulesDir);
  const intervals = new Map([...recording, ...alerts].map(({ group, interval }) => [group, interval]));
  const sum = (group: string, field: 'seconds' | 'samples') =>
    rules.filter((rule) => rule.group === group).reduce((all, rule) => all + rule[field], 0);
  return [...new Set(rules.map(({ group }) => group))].map((group) => {
    const times = evaluations.filter(({ name }) => name === group).map(({ evaluationTime }) => evaluationTime);
    const seconds = times.length === 0 ? sum(group, 'seconds') : mean(times);
    const perMinute = 60 / (intervals.get(group) ?? 60);
    return { group, perMinute, seconds, samples: sum(group, 'samples'), evaluations: times.length };
  });
}
