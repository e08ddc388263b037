import { byId, fill, h, icon, keyed, link, type Part } from './dom.ts';
import { capital, count, duration, when } from './format.ts';
import {
  alertKey,
  changeBefore,
  firingAlerts,
  isWorse,
  type Model,
  othersAlerts,
  pendingAlerts,
  silenceOf,
} from './model.ts';
import { askAcknowledge, askMark, askSilence, endSilence, MARKS } from './operate.ts';
import { magnitudeOf } from './verdict.ts';
import { type Alert, type Change, type Incident, type Silence, STATUSES, type Status } from './wire.ts';

export interface AlertActions {
  show(status: Status, labels: Record<string, string>): void;
  marked(incident: Incident): void;
}

interface Card {
  alert: Alert;
  silence: Silence | undefined;
  incident: Incident | undefined;
  change: Change | undefined;
  worse: boolean;
}

const number = (text: string | undefined): string => {
  const value = Number.parseFloat(text ?? '');
  return Number.isNaN(value) ? '' : count(value);
};

function fact(name: string, value: string | HTMLElement, strong = false): HTMLElement | null {
  return value === '' ? null : h('div', { class: strong ? 'strong' : false }, h('dt', {}, name), h('dd', {}, value));
}

function numbers({ labels, annotations, activeAt }: Alert): HTMLElement {
  const counted = labels.status !== undefined || labels.auth_code !== undefined;
  const age =
    activeAt &&
    h('span', { class: 'age', 'data-since': activeAt }, duration((Date.now() - Date.parse(activeAt)) / 1000));
  return h(
    'dl',
    { class: 'numbers' },
    counted && fact('Observed', number(annotations.observed), true),
    counted && fact('Normal', number(annotations.expected)),
    counted && labels.status !== 'approved' && fact('Normal, at most', number(annotations.upper)),
    counted && fact('That is', magnitudeOf({ labels, annotations } as Alert), true),
    activeAt !== undefined && fact('Alert since', h('span', {}, when(activeAt), ' (', age ?? '', ')')),
  );
}

function head({ alert, incident, worse }: Card): HTMLElement {
  const severity = alert.labels.severity ?? 'alert';
  const tone = severity === 'critical' ? 'alert' : 'watch';
  const mark = incident?.mark;
  return h(
    'header',
    {},
    h('span', { class: `badge ${tone}` }, icon(tone, 16), capital(severity)),
    h('h3', {}, capital(alert.annotations.summary ?? alert.labels.alertname ?? 'Alert')),
    worse && h('span', { class: 'badge alert' }, '↑ getting worse'),
    mark && h('span', { class: 'badge quiet' }, icon('mark', 14), `${MARKS[mark.verdict]}, says ${mark.by}`),
  );
}

/** Names the change before an alert and the time between them: people ask that first. */
function changed({ change, alert: { activeAt = '', annotations } }: Card): HTMLElement | null {
  // The rules say so themselves, where they have read of it.
  if (change === undefined || annotations.description?.includes(change.text)) return null;
  const after = duration((Date.parse(activeAt) - Date.parse(change.at)) / 1000);
  return h('p', { class: 'changed' }, `${after} after a change: ${change.text}`, change.by && ` (${change.by})`);
}

function acknowledged(incident: Incident | undefined): HTMLElement | null {
  const taken = incident?.acknowledgement;
  if (!taken) return null;
  const note = taken.comment === '' ? '' : `: ${taken.comment}`;
  return h('p', { class: 'acknowledged' }, `${taken.by} looks after it since `, when(taken.at), note);
}

function silenced(silence: Silence | undefined): HTMLElement | null {
  if (silence === undefined) return null;
  return h(
    'p',
    { class: 'silenced' },
    icon('silent', 18),
    h('span', {}, 'Silenced until ', when(silence.endsAt), ` by ${silence.createdBy}: ${silence.comment}`),
    h('button', { type: 'button', class: 'small', onclick: () => void endSilence(silence) }, 'End it'),
  );
}

function createCard(actions: AlertActions): Part<Card> {
  let current: Card;
  const body = h('div');
  const silence = h('button', { type: 'button', onclick: () => askSilence(current.alert) }, icon('silent'), 'Silence');
  const mark = h('button', { type: 'button', onclick: askAboutIt }, icon('mark'), 'Mark');
  const take = h('button', { type: 'button', onclick: takeIt }, 'Acknowledge');
  const show = h('button', { type: 'button', onclick: showIt }, icon('graph'), 'Show the graph');
  const links = h('span', { class: 'links' });
  const node = h('li', { class: 'alert-card' }, body, h('div', { class: 'actions' }, take, silence, mark, show, links));
  function showIt(): void {
    actions.show((current.alert.labels.status as Status | undefined) ?? 'denied', current.alert.labels);
  }
  const idOf = () => current.incident?.id ?? current.alert.incidentId;
  function takeIt(): void {
    const { alertname = '' } = current.alert.labels;
    const id = idOf();
    if (id !== undefined) askAcknowledge({ id, alertname }, actions.marked);
  }
  function askAboutIt(): void {
    const { alertname = '' } = current.alert.labels;
    const id = idOf();
    if (id !== undefined) askMark({ id, alertname, mark: current.incident?.mark ?? null }, actions.marked);
  }
  function update(card: Card): void {
    current = card;
    const { labels, annotations } = card.alert;
    node.dataset.severity = labels.severity ?? '';
    fill(body, card, () => [
      head(card),
      numbers(card.alert),
      h('p', { class: 'description' }, annotations.description ?? ''),
      changed(card),
      acknowledged(card.incident),
      silenced(card.silence),
    ]);
    mark.hidden = idOf() === undefined;
    take.hidden = mark.hidden;
    show.hidden = !(STATUSES as readonly string[]).includes(labels.status ?? 'denied');
    const slice = labels[labels.level ?? ''];
    const about = [labels.alertname, labels.status, slice].filter((word) => word !== undefined).join(', ');
    for (const [button, verb] of [
      [silence, 'Silence'],
      [take, 'Acknowledge'],
      [mark, 'Mark'],
      [show, 'Show the graph of'],
    ] as const)
      button.setAttribute('aria-label', `${verb} ${about}`);
    fill(links, annotations.runbook_url, () => [link(annotations.runbook_url, 'Runbook')]);
  }
  return { node, update };
}

function incidentOf(
  { labels, incidentId, activeAt }: Alert,
  incidents: readonly Incident[] = [],
): Incident | undefined {
  if (incidentId !== undefined) return incidents.find(({ id }) => id === incidentId);
  const started = Date.parse(activeAt ?? '');
  const same = (incident: Incident) =>
    incident.alertname === labels.alertname && incident.endsAt === null && incident.labels.status === labels.status;
  return incidents.find((incident) => same(incident) && Math.abs(Date.parse(incident.startsAt) - started) < 300_000);
}

function pendingLine(model: Model): string {
  const names = [...new Set(pendingAlerts(model.state).map(({ labels }) => labels.alertname ?? ''))];
  return names.length === 0 ? '' : `Pending, fires if it goes on: ${names.join(', ')}.`;
}

function othersLine(model: Model): string {
  const names = [...new Set(othersAlerts(model.state).map(({ labels }) => labels.alertname ?? ''))];
  return names.length === 0 ? '' : `Of others in the same Prometheus, not judged here: ${names.join(', ')}.`;
}

export function createAlerts(actions: AlertActions): (model: Model) => void {
  return (model) => {
    const firing = firingAlerts(model.state);
    const cards = firing.map((alert) => ({
      alert,
      silence: silenceOf(alert, model.silences),
      incident: incidentOf(alert, model.incidents),
      change: changeBefore(alert, model.changes),
      worse: isWorse(alert, model.state?.alerts ?? []),
    }));
    const pending = pendingLine(model);
    const others = othersLine(model);
    byId('alerts').hidden = firing.length === 0 && pending === '' && others === '';
    byId('alerts-title').textContent = firing.length === 0 ? 'Alerts' : `Firing alerts (${firing.length})`;
    keyed(
      byId('alert-list'),
      cards,
      ({ alert }) => alertKey(alert),
      () => createCard(actions),
    );
    for (const [id, text] of [
      ['pending', pending],
      ['others', others],
    ] as const) {
      byId(id).textContent = text;
      byId(id).hidden = text === '';
    }
  };
}
