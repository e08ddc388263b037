import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckedDashboard } from '../grafana/source/schema.ts';
import { recipesIn } from '../src/http/cookbook.ts';
import { instantQuery, rangeQuery } from '../src/prometheus/ephemeral-queries.ts';
import { committedDashboards, interpolate, queriesOf, seconds, variablesOf } from './support/grafana.ts';
import { startWatched, type Watched } from './support/watched.ts';

/**
 * Every query that people are given, in dashboards and documents, on a Prometheus that has seen a
 * week of payments with incidents.
 */
let watched: Watched;
// Half a minute of computing, and what runs beside it.
beforeAll(async () => {
  watched = await startWatched();
}, 400_000);
afterAll(() => watched?.stop());

const documentAt = (name: string) => readFile(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), 'utf8');
const now = () => Date.now() / 1000;

describe('docs/promql.md', async () => {
  const text = await documentAt('promql.md');
  const recipes = recipesIn(text);

  it('answers at least twenty questions, each with one query and how to read it', () => {
    expect(recipes.length).toBeGreaterThanOrEqual(20);
    for (const { question, reading } of recipes) {
      expect(question).toMatch(/\?$/);
      expect(reading, question).toMatch(/^\S.*\.$/s);
    }
    expect(text.match(/```promql/g)).toHaveLength(recipes.length);
  });

  it.each(recipes)('$question', async ({ query }) => {
    // By acquirer in the part of the history that has acquirers; what Tillwatch says of itself,
    // now.
    const history = query.includes('acquirer') ? watched.labelledEnd : watched.end;
    const answers = await instantQuery(watched.url, query, /tillwatch_|late_total/.test(query) ? now() : history);
    expect(answers.filter(({ value }) => Number.isFinite(value))).not.toEqual([]);
    if (query.includes('by (acquirer)')) expect(answers[0]?.metric.acquirer).toBe('acme');
  });
});

describe('dashboards', async () => {
  const committed = await committedDashboards();
  const files = [...committed.keys()];
  const none = { acquirer: '.*', merchant: '.*' };
  const chosen = { level: 'acquirer', acquirer: ['acme', 'a.b'], merchant: '.*' };

  it.each(files)('%s: no panel and no annotation is empty or in error', async (file) => {
    const dashboard = committed.get(file) as CheckedDashboard;
    // Tillwatch's own health is live; the payments are history.
    const end = dashboard.uid === 'tillwatch-health' ? now() : watched.end;
    expect(await unanswered(dashboard, end, none)).toEqual([]);
  });

  it.each(files.filter((file) => file !== 'tillwatch.json'))(
    '%s: nor is one where acquirers are chosen',
    async (file) => {
      const dashboard = committed.get(file) as CheckedDashboard;
      expect(await unanswered(dashboard, watched.labelledEnd, chosen)).toEqual([]);
    },
  );

  it('finds values for every variable, and none for a label that nothing carries', async () => {
    for (const dashboard of committed.values()) {
      for (const { name, type, query } of variablesOf(dashboard)) {
        if (type !== 'query') continue;
        expect(await valuesOf(query as { query: string }), `${dashboard.uid} ${name}`).not.toEqual([]);
        // The address in prometheus.yml, which the watched Prometheus has been given.
        if (name === 'live_page') expect(await valuesOf(query as { query: string })).toEqual([watched.livePage]);
      }
    }
    expect(await valuesOf({ query: 'label_values(transactions_total, channel)' })).toEqual([]);
  });

  async function valuesOf({ query }: { query: string }): Promise<string[]> {
    const [, metric = '', label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
    const match = interpolate(metric, { values: none, range: 0, step: 0, scrape: 0 });
    const parameters = new URLSearchParams({ 'match[]': match, start: String(watched.end - 86_400) });
    const answer = await fetch(`${watched.url}/api/v1/label/${label}/values?${parameters}`);
    return ((await answer.json()) as { data: string[] }).data;
  }

  /** @returns where and what, of each query that brings no number */
  async function unanswered(
    dashboard: CheckedDashboard,
    historyEnd: number,
    labels: Record<string, string | string[]>,
  ) {
    const today = dashboard.time?.from === 'now/d';
    const range = today ? 86_400 : seconds((dashboard.time?.from ?? '').replace('now-', ''));
    const values = { ...defaultsOf(dashboard), ...labels };
    const bad: string[] = [];
    for (const { where, query } of queriesOf(dashboard)) {
      // The running service tells of changes and of its calendar, after the history.
      const known = /tillwatch_(change|calendar)/.test(query.expr) ? now() : historyEnd;
      // As at noon: half of the day is to come.
      const end = known + (today ? range / 2 : 0);
      const scrape = seconds(query.interval ?? '1m');
      const step = Math.max(scrape, Math.ceil(range / 1000 / 60) * 60);
      const expr = interpolate(query.expr, { values, range, step, scrape });
      const numbers = query.instant
        ? (await instantQuery(watched.url, expr, end)).map(({ value }) => value)
        : (await rangeQuery(watched.url, expr, { start: end - range, end, step })).flatMap(({ values }) => [...values]);
      if (!numbers.some(Number.isFinite)) bad.push(`${where}: ${expr}`);
    }
    return bad;
  }
});

/** What a dashboard shows when it is opened. */
function defaultsOf(dashboard: CheckedDashboard): Record<string, string> {
  const named = variablesOf(dashboard).map(({ name, current, allValue }) => {
    const value = String(current?.value);
    return [name, value === '$__all' ? (allValue ?? '') : value] as const;
  });
  return Object.fromEntries(named);
}
