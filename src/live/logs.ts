import { download } from './api.ts';
import { tell } from './dialogs.ts';
import { byId, fill, h, icon, keyed } from './dom.ts';
import { capital, count, duration, percent, RECOMMENDED, signed, when, words } from './format.ts';
import { incidentName, type Model, nameOf } from './model.ts';
import { askMark, endSilence, MARKS } from './operate.ts';
import { type Incident, type JournalEntry, type Report, type Silence, STATUSES } from './wire.ts';

const NAMED = new Set(['alertname', 'severity', 'service', 'escalation', 'level', 'direction', 'window']);
const scope = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .filter(([name]) => !NAMED.has(name))
    .map(([name, value]) => `${words(name)} ${words(value)}`)
    .join(', ');

interface IncidentLine {
  incident: Incident;
  /** Nobody knows whether it still fires. */
  blind: boolean;
}

function incidentLine({ incident, blind }: IncidentLine, marked: (incident: Incident) => void): HTMLElement[] {
  const { startsAt, endsAt, seconds, peakScore, mark, labels } = incident;
  const name = incidentName(incident);
  const going = endsAt === null;
  const unknown = going && blind;
  const tone = unknown ? 'unknown' : going ? 'alert' : 'ok';
  return [
    h(
      'div',
      { class: 'entry-head' },
      h(
        'span',
        { class: `badge ${tone}` },
        icon(tone, 14),
        unknown ? 'Fired when last known' : going ? 'Firing' : 'Resolved',
      ),
      h('b', {}, name),
      mark && h('span', { class: 'badge quiet' }, icon('mark', 14), MARKS[mark.verdict]),
    ),
    h(
      'p',
      { class: 'muted' },
      when(startsAt),
      unknown ? ', its end is not known' : going ? ' and going on, ' : h('span', {}, ' to ', when(endsAt), ', '),
      unknown
        ? ''
        : going
          ? h('span', { class: 'age', 'data-since': startsAt }, duration((Date.now() - Date.parse(startsAt)) / 1000))
          : duration(seconds),
      peakScore === null ? '' : ` · peak score ${signed(peakScore)}`,
      scope(labels) === '' ? '' : ` · ${scope(labels)}`,
    ),
    mark ? h('p', { class: 'quote' }, `${mark.by}${mark.comment ? `: ${mark.comment}` : ''}`) : h('span'),
    h(
      'button',
      {
        type: 'button',
        class: 'small operates',
        onclick: () => askMark({ ...incident, name }, marked),
      },
      icon('mark', 14),
      mark ? 'Change the mark' : 'Mark',
      h('span', { class: 'hidden-text' }, `: ${name}`),
    ),
  ];
}

function messageLine({
  status,
  receivedAt,
  alerts,
  groupLabels,
  commonAnnotations,
  receiver,
}: JournalEntry): HTMLElement[] {
  const tone = status === 'firing' ? 'alert' : 'ok';
  const summary =
    commonAnnotations.summary ?? alerts[0]?.annotations.summary ?? groupLabels.alertname ?? 'Notification';
  const first = alerts.find((alert) => alert.status === status) ?? alerts[0];
  const more = alerts.length > 1 ? ` (${alerts.length} alerts)` : '';
  return [
    h(
      'div',
      { class: 'entry-head' },
      h('span', { class: `badge ${tone}` }, icon(tone, 14), capital(status)),
      h('b', {}, capital(summary) + more),
      h('span', { class: 'at' }, when(receivedAt, { seconds: true })),
    ),
    h(
      'p',
      { class: 'muted' },
      first?.annotations.description ?? '',
      receiver === 'journal' ? '' : ` Sent to ${receiver}.`,
    ),
  ];
}

function reportRow(report: Report): HTMLElement {
  const total = Object.values(report.counts).reduce((sum, value) => sum + value, 0);
  const { denied } = report.counts;
  const rest = STATUSES.filter((status) => !['approved', 'denied'].includes(status) && report.counts[status]);
  const { recommendation } = report;
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, when(report.timestamp)),
    h(
      'td',
      {},
      report.source ?? '–',
      report.labels && Object.keys(report.labels).length > 0 ? ` (${scope(report.labels)})` : '',
    ),
    h('td', { class: 'n' }, count(report.counts.approved)),
    h(
      'td',
      { class: 'n' },
      count(denied),
      denied !== undefined && total > 0 ? h('small', {}, ` ${percent(denied / total)}`) : '',
    ),
    h(
      'td',
      { class: 'wrap' },
      rest.map((status) => `${words(status)} ${count(report.counts[status])}`).join(', ') || '–',
    ),
    h(
      'td',
      {},
      recommendation === undefined
        ? h('span', { class: 'muted', title: 'taken by an older version' }, 'not known')
        : h('span', { class: `badge ${recommendation}` }, icon(recommendation, 14), RECOMMENDED[recommendation]),
      report.late ? h('span', { class: 'badge quiet' }, 'late') : '',
      report.correction ? h('span', { class: 'badge quiet' }, 'correction') : '',
    ),
  );
}

function silenceLine(silence: Silence, names: ReadonlyMap<string, string>): (HTMLElement | false)[] {
  const alertname = silence.matchers.find(({ name, isEqual }) => name === 'alertname' && isEqual)?.value ?? '';
  const what = silence.matchers
    .map(({ name, value, isEqual, isRegex }) => `${name}${isEqual ? '=' : '!='}${isRegex ? '~' : ''}${value}`)
    .join(', ');
  return [
    h(
      'div',
      { class: 'entry-head' },
      h('span', { class: 'badge quiet' }, icon('silent', 14), capital(silence.state)),
      h('b', {}, names.get(alertname) ?? what),
    ),
    names.has(alertname) && h('p', { class: 'muted small' }, what),
    h('p', { class: 'muted' }, 'until ', when(silence.endsAt), ` by ${silence.createdBy}: ${silence.comment}`),
    h('button', { type: 'button', class: 'small operates', onclick: () => void endSilence(silence) }, 'End it'),
  ];
}

/** Tabs: one stop of the Tab key, arrows move within, and only the chosen panel is there. */
function tabs(list: HTMLElement, opened: () => void): void {
  const all = [...list.querySelectorAll<HTMLButtonElement>('[role=tab]')];
  function open(tab: HTMLButtonElement): void {
    for (const other of all) {
      other.setAttribute('aria-selected', String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      byId(other.getAttribute('aria-controls') ?? '').hidden = other !== tab;
    }
    opened();
  }
  for (const tab of all) tab.addEventListener('click', () => open(tab));
  list.addEventListener('keydown', ({ key }) => {
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[key];
    const tab = next === undefined ? undefined : all[next % all.length];
    if (tab === undefined) return;
    tab.focus();
    open(tab);
  });
}

async function saveCsv(): Promise<void> {
  try {
    const url = URL.createObjectURL(await download('incidents.csv'));
    h('a', { href: url, download: 'incidents.csv' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  } catch (problem) {
    tell(problem instanceof Error ? problem.message : String(problem));
  }
}

function list<T>(
  id: string,
  items: readonly T[] | undefined,
  none: string,
  keyOf: (item: T) => string,
  draw: (item: T) => (HTMLElement | false)[],
): void {
  const element = byId(id);
  const note = byId(`${id}-none`);
  note.hidden = items === undefined || items.length > 0;
  note.textContent = none;
  keyed(element, items ?? [], keyOf, () => {
    const node = h('li', { class: 'entry' });
    return { node, update: (item: T) => fill(node, item, () => draw(item)) };
  });
}

export function createLogs(marked: (incident: Incident) => void): (model: Model) => void {
  tabs(byId('log-tabs'), () => {});
  byId('csv').addEventListener('click', () => void saveCsv());
  return ({ state, incidents, journal, reports, silences }) => {
    byId('logs').hidden = state === undefined;
    list(
      'incident-list',
      incidents?.map((incident) => ({ incident, blind: state?.path.prometheus.ok === false })),
      'No incident so far.',
      ({ incident: { id } }) => id,
      (line) => incidentLine(line, marked),
    );
    list(
      'message-list',
      journal,
      'No message so far. What Alertmanager sends out is kept here.',
      (entry) => entry.receivedAt + JSON.stringify(entry.groupLabels),
      messageLine,
    );
    const names = new Map((state?.alerts ?? []).map((alert) => [alert.labels.alertname ?? '', nameOf(alert)]));
    list(
      'silence-list',
      silences,
      'Nothing is silenced.',
      ({ id }) => id,
      (silence) => silenceLine(silence, names),
    );
    fill(byId('report-rows'), reports, () =>
      reports?.length
        ? reports.map(reportRow)
        : [h('tr', {}, h('td', { colspan: 6, class: 'muted' }, 'No report so far.'))],
    );
    byId('incident-count').textContent = incidents?.length ? String(incidents.length) : '';
    byId('silence-count').textContent = silences?.length ? String(silences.length) : '';
  };
}
