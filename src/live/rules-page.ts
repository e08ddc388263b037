import { get } from './api.ts';
import { byId, h, keepScrollable, link, sayingWhy } from './dom.ts';
import { capital, count, duration, when, words } from './format.ts';
import type { Rule, RuleGroup, Threshold } from './wire.ts';

const seconds = (value: number | undefined): string =>
  value === undefined || value === 0 ? 'at once' : duration(value);

function health({ health: state, lastError }: Rule): HTMLElement {
  const good = state === 'ok';
  return h(
    'span',
    { class: `badge ${good ? 'ok' : state === 'unknown' ? 'unknown' : 'alert'}` },
    state === 'unknown' ? 'not evaluated yet' : good ? 'evaluates' : (lastError ?? 'fails'),
  );
}

/**
 * A summary without its templates, which only an alert fills: a value is "…", what is said in some
 * cases only is left out.
 */
function plain(summary = ''): string {
  const open: { said: string; first?: string }[] = [{ said: '' }];
  const say = (text: string) => {
    const now = open.at(-1);
    if (now !== undefined) now.said += text;
  };
  for (const part of summary.split(/(\{\{.*?\}\})/s)) {
    const action = /^\{\{-?\s*(if|with|range|else|end|.)/s.exec(part)?.[1];
    if (action === undefined) say(part);
    else if (action === 'else') Object.assign(open.at(-1) ?? {}, { first: open.at(-1)?.said, said: '' });
    else if (action === 'end') say(open.pop()?.first ?? '');
    else if (action.length > 1) open.push({ said: '' });
    else say('…');
  }
  const text = (open[0]?.said ?? '').replaceAll(/\s+/g, ' ').trim();
  return text === '' ? '' : `${capital(text)} · `;
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
      h('span', { class: 'muted' }, plain(annotations.summary)),
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
  if (thresholds.length === 0) return h('p', {}, 'None: what is normal is not known yet.');
  const head = ['Status', 'Window', 'Now', 'Normal', 'At least', 'At most', 'Would page'];
  return h(
    'table',
    { class: 'compact' },
    h(
      'thead',
      {},
      h('tr', {}, ...head.map((text, i) => h('th', { scope: 'col', class: i > 1 && i < 6 && 'n' }, text))),
    ),
    h(
      'tbody',
      {},
      ...thresholds.map(({ status, window, evidence, expected, lower, upper, pages }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, capital(words(status))),
          h('td', {}, window),
          ...[evidence, expected, lower, upper].map((value) => h('td', { class: 'n' }, count(value))),
          h('td', {}, pages ? 'yes' : 'no; the answer to a report does'),
        ),
      ),
    ),
  );
}

function show(groups: readonly RuleGroup[]): HTMLElement[] {
  const alerting = groups.flatMap(({ rules }) => rules.filter(({ type }) => type === 'alerting'));
  const recording = groups.filter(({ rules }) => rules.some(({ type }) => type === 'recording'));
  const series = recording.reduce((sum, { rules }) => sum + rules.filter(({ type }) => type === 'recording').length, 0);
  return [
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

/** The rules in force, as Prometheus has loaded them. They are read once: a reload reads them anew. */
async function load(): Promise<void> {
  await sayingWhy(byId('rules-error'), async () => {
    const { groups, thresholds } = await get<{ groups: RuleGroup[]; thresholds: Threshold[] }>('rules');
    byId('thresholds').replaceChildren(thresholdTable(thresholds));
    byId('rules-list').replaceChildren(...show(groups));
    keepScrollable();
  });
}
addEventListener('resize', keepScrollable);
void load();
