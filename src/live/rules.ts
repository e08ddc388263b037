import { get } from './api.ts';
import { byId, fill, h, icon, link } from './dom.ts';
import { capital, count, duration, when, words } from './format.ts';
import type { Model } from './model.ts';
import type { Rule, RuleGroup, Threshold } from './wire.ts';

const seconds = (value: number | undefined): string =>
  value === undefined || value === 0 ? 'at once' : duration(value);

function health({ health: state, lastError }: Rule): HTMLElement {
  const good = state === 'ok' || state === 'unknown';
  return h(
    'span',
    { class: `badge ${good ? 'ok' : 'alert'}` },
    icon(good ? 'ok' : 'alert', 14),
    good ? 'evaluates' : (lastError ?? 'fails'),
  );
}

function alertRule(rule: Rule): HTMLElement {
  const { name, labels, annotations, query, for: pending, keepFiringFor } = rule;
  return h(
    'details',
    { class: 'rule' },
    h(
      'summary',
      {},
      h('b', {}, labels.escalation === undefined ? name : `${name}, ${labels.escalation}`),
      h(
        'span',
        { class: 'muted' },
        `${labels.severity ?? ''} · fires ${pending ? `after ${seconds(pending)}` : 'at once'} · stays ${seconds(keepFiringFor)}`.replace(
          'stays at once',
          'ends at once',
        ),
      ),
      health(rule),
    ),
    h('pre', {}, query),
    h('p', {}, link(annotations.runbook_url, 'Runbook') ?? ''),
  );
}

function recordingGroup({ name, file, rules, evaluatedAt }: RuleGroup): HTMLElement {
  const recorded = rules.filter(({ type }) => type === 'recording');
  const bad = recorded.find((rule) => !['ok', 'unknown'].includes(rule.health));
  return h(
    'details',
    { class: 'rule' },
    h(
      'summary',
      {},
      h('b', {}, name),
      h(
        'span',
        { class: 'muted' },
        `${recorded.length} series in ${file.split('/').pop()} · evaluated `,
        when(evaluatedAt, { seconds: true }),
      ),
      bad ? health(bad) : '',
    ),
    ...recorded.map((rule) => h('div', {}, h('h4', {}, rule.name), h('pre', {}, rule.query))),
  );
}

function thresholdTable(thresholds: readonly Threshold[]): HTMLElement {
  const head = ['Status', 'Window', 'Now', 'Normal', 'At least', 'At most', 'Pages'];
  return h(
    'details',
    { class: 'rule' },
    h('summary', {}, h('b', {}, 'Thresholds now'), h('span', { class: 'muted' }, 'as they were when this was read')),
    h(
      'section',
      { class: 'scroll', 'aria-label': 'Thresholds' },
      h(
        'table',
        { class: 'compact' },
        h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))),
        h(
          'tbody',
          {},
          ...thresholds.map(({ status, window, evidence, expected, lower, upper, pages }) =>
            h(
              'tr',
              {},
              h('td', {}, words(status)),
              h('td', {}, window),
              ...[evidence, expected, lower, upper].map((value) => h('td', { class: 'n' }, count(value))),
              h('td', {}, pages ? 'yes' : 'no'),
            ),
          ),
        ),
      ),
    ),
  );
}

function show(groups: readonly RuleGroup[], thresholds: readonly Threshold[]): HTMLElement[] {
  const alerting = groups.flatMap(({ rules }) => rules.filter(({ type }) => type === 'alerting'));
  const recording = groups.filter(({ rules }) => rules.some(({ type }) => type === 'recording'));
  const series = recording.reduce((sum, { rules }) => sum + rules.filter(({ type }) => type === 'recording').length, 0);
  return [
    thresholdTable(thresholds),
    h('h3', {}, `${alerting.length} alerts`),
    ...alerting.map(alertRule),
    h(
      'details',
      { class: 'recording' },
      h(
        'summary',
        {},
        h('h3', {}, `${series} recorded series`),
        h('span', { class: 'muted' }, capital('what the alerts, the graphs and this page read')),
      ),
      ...recording.map(recordingGroup),
    ),
  ];
}

/** The rules in force, as Prometheus has loaded them: fetched once Prometheus answers. */
export function createRules(): (model: Model) => void {
  const box = byId('rules-list');
  let asked = false;
  let answers: boolean | undefined;
  async function load(): Promise<void> {
    if (asked || answers !== true) return;
    asked = true;
    try {
      const { groups, thresholds } = await get<{ groups: RuleGroup[]; thresholds: Threshold[] }>('rules');
      fill(box, groups, () => show(groups, thresholds));
    } catch (problem) {
      asked = false;
      const message = problem instanceof Error ? problem.message : String(problem);
      fill(box, message, () => [
        h('p', { class: 'error' }, message),
        h('button', { type: 'button', onclick: () => void load() }, 'Try again'),
      ]);
    }
  }
  return ({ state }) => {
    if (state === undefined) return;
    const before = answers;
    answers = state.path.prometheus.ok;
    if (answers === before) return;
    asked = false;
    if (answers === false)
      fill(box, 'gone', () => [h('p', { class: 'muted' }, 'They appear when Prometheus answers again.')]);
    else void load();
  };
}
