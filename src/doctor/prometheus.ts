import { join, posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { askPrometheus, createPrometheus, type Prometheus, type RuleGroup } from '../prometheus/client.ts';
import { FOLLOWING, folderFor, isInTime, judgingOf, secondOfReports } from '../prometheus/judged-second.ts';
import { readRules } from '../prometheus/rule-files.ts';
import { messageOf } from '../runtime/log.ts';
import { type Upstream, upstreamAt } from '../runtime/upstream.ts';
import { type Looked, well, wrong } from './finding.ts';

const OLDEST = '2.42';
const TIMEOUT_MS = 5000;
const MOST = 32 * 1024 * 1024;
/** A clock that is further off moves counts into other minutes; seconds. */
const CLOCK_OFF = 10;
/** Milliseconds in which a Prometheus has scraped its targets and found its Alertmanager. */
const SETTLED_MS = 60_000;
const LOOK_AGAIN_MS = 1000;
/** Rules that are named in a message. */
const NAMED = 5;

/** Compares versions such as 3.5.0. True where the first is at least the second. */
export function atLeast(version: string, least: string): boolean {
  const [have, need] = [version, least].map((text) => text.split('.').map(Number));
  const at = (need ?? []).findIndex((part, i) => part !== (have?.[i] ?? 0));
  return at === -1 || (have?.[at] ?? 0) > (need?.[at] ?? 0);
}

async function ask<S extends z.ZodType>(
  upstream: Upstream,
  path: string,
  parameters: Record<string, string>,
  schema: S,
): Promise<z.output<S>> {
  const text = await askPrometheus({
    upstream,
    path,
    parameters: new URLSearchParams(parameters),
    signal: AbortSignal.timeout(TIMEOUT_MS),
    most: MOST,
  });
  const { data } = z.object({ data: z.unknown() }).parse(JSON.parse(text));
  return schema.parse(data);
}

async function clock(upstream: Upstream): Promise<Looked> {
  const before = Date.now() / 1000;
  const scalar = z.object({ result: z.tuple([z.number(), z.string()]) });
  const { result } = await ask(upstream, 'query', { query: 'time()' }, scalar);
  const off = Number(result[1]) - (before + Date.now() / 1000) / 2;
  const what = "the clock agrees with Prometheus's";
  if (Math.abs(off) <= CLOCK_OFF) return well(what);
  const side = off > 0 ? 'ahead of' : 'behind';
  return wrong(what, `Prometheus is ${Math.round(Math.abs(off))} s ${side} this machine: let both follow NTP`);
}

const named = (names: readonly string[]): string =>
  `${[...new Set(names)].slice(0, NAMED).join(', ')}${new Set(names).size > NAMED ? ', ...' : ''}`;

/** PromQL without what does not matter. */
const bare = (expr: string): string => expr.replaceAll(/^\s*#.*$/gm, '').replaceAll(/\s+/g, '');
const keyOf = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name} ${JSON.stringify(Object.entries(labels).sort())}`;

/** Names the pairs of queries that really differ. Prometheus formats both its own way first. */
async function different(upstream: Upstream, pairs: readonly [name: string, string, string][]): Promise<string[]> {
  const found: string[] = [];
  for (const [name, ...queries] of pairs) {
    const formatted = await Promise.all(queries.map((query) => ask(upstream, 'format_query', { query }, z.string())));
    if (formatted[0] !== formatted[1]) found.push(name);
  }
  return found;
}

/** The rules that are loaded against those in the files. */
async function rules(upstream: Upstream, groups: readonly RuleGroup[], folder: string): Promise<Looked[]> {
  const loaded = groups.flatMap((group) => group.rules);
  const sick = loaded.filter(({ health }) => health === 'err');
  const health = 'every rule evaluates';
  const evaluated =
    sick.length === 0
      ? well(health)
      : wrong(
          health,
          `${named(sick.map(({ name }) => name))}: ${sick[0]?.lastError ?? 'failing'}. tillwatch check says where`,
        );
  const { recording, alerts } = await readRules(join(folder, 'prometheus', 'rules'));
  const files = [
    ...recording.map(({ record, expr, labels }) => ({ name: record, expr, labels })),
    ...alerts.map(({ alert, expr, labels }) => ({ name: alert, expr, labels })),
  ];
  const queries = new Map<string, string[]>();
  for (const { name, labels, query } of loaded)
    queries.set(keyOf(name, labels), [...(queries.get(keyOf(name, labels)) ?? []), query]);
  const missing = files.filter(({ name, labels }) => !queries.has(keyOf(name, labels))).map(({ name }) => name);
  const unlike = files.flatMap(({ name, expr, labels }): [string, string, string][] => {
    const here = queries.get(keyOf(name, labels)) ?? [];
    return here.length === 0 || here.some((query) => bare(query) === bare(expr)) ? [] : [[name, expr, here[0] ?? '']];
  });
  const others = missing.length === files.length ? [] : await different(upstream, unlike);
  const what = `the rules of ${folder} are loaded`;
  const todo = 'give Prometheus the files (rule_files) and reload it: kill -HUP, or POST /-/reload';
  if (missing.length > 0)
    return [evaluated, wrong(what, `${missing.length} of ${files.length} are not (${named(missing)}): ${todo}`)];
  if (others.length > 0)
    return [evaluated, wrong(what, `${others.length} differ from the files (${named(others)}): ${todo}`)];
  return [evaluated, well(what)];
}

/**
 * Checks that Prometheus scrapes this service, and that it sends its alerts to an Alertmanager.
 */
async function wiring(upstream: Upstream): Promise<Looked[]> {
  const vector = z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) });
  const { result } = await ask(upstream, 'query', { query: 'max(last_over_time(tillwatch_build_info[5m]))' }, vector);
  const scraped = 'Prometheus scrapes Tillwatch';
  const { activeAlertmanagers } = await ask(
    upstream,
    'alertmanagers',
    {},
    z.object({ activeAlertmanagers: z.array(z.unknown()) }),
  );
  const sends = 'Prometheus knows an Alertmanager';
  return [
    result.length > 0
      ? well(scraped)
      : wrong(
          scraped,
          'nothing of it came in five minutes: is it in scrape_configs, with a token of the role read where tokens are used? See its page /targets',
        ),
    activeAlertmanagers.length > 0
      ? well(sends)
      : wrong(sends, 'it sends alerts to nobody: name one in prometheus.yml under alerting.alertmanagers'),
  ];
}

/** The same, once a Prometheus that has only just started has had its time. */
async function settledWiring(upstream: Upstream): Promise<Looked[]> {
  const { startTime } = await ask(upstream, 'status/runtimeinfo', {}, z.object({ startTime: z.string() }));
  // Its clock may be far ahead.
  const settled = Math.min(Date.parse(startTime), Date.now()) + SETTLED_MS;
  for (;;) {
    const looked = await wiring(upstream);
    if (Date.now() >= settled || looked.every(({ wrong: fault }) => fault === undefined)) return looked;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Checks that reports are judged soon after they have come. */
async function delay(prometheus: Prometheus, groups: readonly RuleGroup[]): Promise<Looked[]> {
  const [reports, judging] = [await secondOfReports(prometheus), judgingOf(groups)];
  if (reports === undefined || judging === undefined) return [];
  const what = 'reports are judged when they have come';
  const [judged, folder] = [Math.floor(judging.at % 60), posix.dirname(judging.file)];
  if (isInTime(reports, judged) || FOLLOWING.test(posix.basename(folder))) return [well(what)];
  return [
    wrong(
      what,
      `they come at second ${reports} of the minute and are judged at second ${judged}, so that alerts are late: call the folder of the rules ${await folderFor(folder, reports)} instead of ${folder}, also in rule_files (docs/detection.md#time-who-reads-what-and-how-late)`,
    ),
  ];
}

/** Looks at the Prometheus at a URL. @param folder holds prometheus/rules */
export async function lookAtPrometheus(url: string, folder: string): Promise<Looked[]> {
  const upstream = upstreamAt(url);
  let version: string;
  try {
    version = (await ask(upstream, 'status/buildinfo', {}, z.object({ version: z.string() }))).version;
  } catch (error) {
    return [wrong('Prometheus answers', `${messageOf(error)}. Is it running? --prometheus-url says where`)];
  }
  const new_ = `Prometheus ${version} answers`;
  const looked = [
    atLeast(version, OLDEST) ? well(new_) : wrong(new_, `${OLDEST} is the oldest that the rules pass on: update it`),
  ];
  try {
    looked.push(await clock(upstream), ...(await settledWiring(upstream)));
    const prometheus = createPrometheus(url);
    const groups = await prometheus.rules();
    looked.push(...(await rules(upstream, groups, folder)), ...(await delay(prometheus, groups)));
  } catch (error) {
    looked.push(wrong('Prometheus says how it is', messageOf(error)));
  }
  return looked;
}
