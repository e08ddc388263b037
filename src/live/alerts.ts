import { beganAt, toldBy } from './alert-words.ts';
import { byId, fill, h, icon, keyed, link, type Part } from './dom.ts';
import { capital, count, duration, labelText, when } from './format.ts';
import {
  alertKey,
  changeBefore,
  firingAlerts,
  isWorse,
  keyOf,
  type Model,
  nameOf,
  othersAlerts,
  pendingAlerts,
  silenceOf,
  sliceOf,
} from './model.ts';
import { askAcknowledge, askMark, askSilence, endSilence, MARKS } from './operate.ts';
import { isHeld, isSliceOf, magnitudeOf } from './verdict.ts';
import { type Alert, type Change, type Incident, type Silence, STATUSES } from './wire.ts';

export interface AlertActions {
  show(alert: Alert): void;
  marked(incident: Incident): void;
}

interface Card {
  alert: Alert;
  silence: Silence | undefined;
  incident: Incident | undefined;
  change: Change | undefined;
  worse: boolean;
  /** The status line says how far the first one is from normal. */
  first: boolean;
  /** The chart, and what carries the alert, stand in this card. */
  charted: boolean;
  /** Empty where a card above says the same. */
  todo: string;
  /** A slice of what another card tells: this one is short. */
  part: boolean;
}

const number = (text: string | undefined): string => {
  const value = Number.parseFloat(text ?? '');
  return Number.isNaN(value) ? '' : count(value);
};

function fact(name: string, value: string | HTMLElement, strong = false): HTMLElement | null {
  return value === '' ? null : h('div', { class: strong ? 'strong' : false }, h('dt', {}, name), h('dd', {}, value));
}

function numbers({ alert, first }: Card): HTMLElement {
  const { labels, annotations, activeAt } = alert;
  const { window } = toldBy(alert);
  const counted = labels.status !== undefined || labels.auth_code !== undefined;
  const age =
    activeAt &&
    h('span', { class: 'age', 'data-since': activeAt }, duration((Date.now() - Date.parse(activeAt)) / 1000));
  return h(
    'dl',
    { class: 'numbers' },
    counted && fact(window === '' ? 'Observed' : `Observed in ${window}`, number(annotations.observed), true),
    counted && fact('Normal', number(annotations.expected)),
    counted && labels.status !== 'approved' && fact('Normal, at most', number(annotations.upper)),
    counted && !first && !isHeld(alert) && fact('That is', magnitudeOf(alert), true),
    activeAt !== undefined && fact('Alert since', h('span', {}, when(activeAt), ' (', age ?? '', ')')),
  );
}

function head({ alert, incident, worse, part }: Card): HTMLElement {
  const severity = alert.labels.severity ?? 'alert';
  const tone = severity === 'critical' ? 'alert' : 'watch';
  const mark = incident?.mark;
  const { recovering, planned } = toldBy(alert);
  return h(
    'header',
    {},
    !part && h('span', { class: `badge ${tone}` }, icon(tone, 16), capital(severity)),
    h('h3', {}, part ? capital(labelText(sliceOf(alert))) : nameOf(alert)),
    planned && h('span', { class: 'badge quiet' }, 'not judged: planned window'),
    recovering !== '' && h('span', { class: 'badge quiet' }, 'recovering since ', when(recovering)),
    worse && h('span', { class: 'badge alert' }, '↑ getting worse'),
    mark && h('span', { class: 'badge quiet' }, icon('mark', 14), `${MARKS[mark.verdict]}, says ${mark.by}`),
  );
}

/** Names the change before an alert and the time between them: people ask that first. */
function changed({ change, alert }: Card): HTMLElement | null {
  if (change === undefined) return null;
  const seconds = (Date.parse(beganAt(alert)) - Date.parse(change.at)) / 1000;
  const after = seconds < 60 ? 'Began within a minute of' : `Began ${duration(seconds)} after`;
  return h('p', { class: 'changed' }, `${after} a change: ${change.text}`, change.by && ` (${change.by})`);
}

/** Answers to what people ask next: how much it costs, who carries it, what to do. */
function answers({ alert, todo }: Card): HTMLElement {
  const { costs, carriedBy, rest } = toldBy(alert);
  return h(
    'dl',
    { class: 'answers' },
    rest !== '' && fact('What it says', rest),
    fact('What it costs', costs),
    fact('What carries it', capital(carriedBy)),
    fact('What to do', todo),
  );
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
    h('button', { type: 'button', class: 'small operates', onclick: () => void endSilence(silence) }, 'End it'),
  );
}

function createCard(actions: AlertActions): Part<Card> {
  let current: Card;
  const body = h('div', { class: 'card-top' });
  const more = h('div', { class: 'card-answers' });
  const chart = h('div', { class: 'card-chart' });
  const slices = h('div', { class: 'card-slices' });
  const operating = (onclick: () => void, ...words: (string | SVGElement)[]) =>
    h('button', { type: 'button', class: 'operates', onclick }, ...words);
  const silence = operating(() => askSilence(current.alert), icon('silent'), 'Silence');
  const mark = operating(askAboutIt, icon('mark'), 'Mark');
  const take = operating(takeIt, 'Acknowledge');
  const show = h('button', { type: 'button', onclick: showIt }, icon('graph'), 'Show the graph');
  const links = h('span', { class: 'links' });
  const buttons = h('div', { class: 'actions' }, take, silence, mark, show, links);
  const node = h('li', { class: 'alert-card' }, body, chart, more, slices, buttons);
  function showIt(): void {
    actions.show(current.alert);
  }
  const idOf = () => current.incident?.id ?? current.alert.incidentId;
  function takeIt(): void {
    const id = idOf();
    if (id !== undefined) askAcknowledge({ id, name: nameOf(current.alert) }, actions.marked);
  }
  function askAboutIt(): void {
    const id = idOf();
    const { mark: marked = null } = current.incident ?? {};
    if (id !== undefined) askMark({ id, name: nameOf(current.alert), mark: marked }, actions.marked);
  }
  function update(card: Card): void {
    current = card;
    const { labels, annotations } = card.alert;
    node.dataset.severity = labels.severity ?? '';
    fill(body, card, () => [
      head(card),
      numbers(card),
      changed(card),
      acknowledged(card.incident),
      silenced(card.silence),
    ]);
    fill(more, [annotations, card.todo, card.part], () => (card.part ? [] : [answers(card)]));
    node.classList.toggle('charted', card.charted);
    node.classList.toggle('part', card.part);
    mark.hidden = card.part || idOf() === undefined;
    take.hidden = mark.hidden;
    silence.hidden = card.part;
    show.hidden = card.charted || !hasChart(card.alert);
    for (const [button, verb] of [
      [silence, 'Silence'],
      [take, 'Acknowledge'],
      [mark, 'Mark'],
      [show, 'Show the graph'],
    ] as const)
      button.setAttribute('aria-label', `${verb}: ${nameOf(card.alert)}`);
    fill(links, [annotations.runbook_url, card.part], () =>
      card.part ? [] : [link(annotations.runbook_url, 'Runbook')],
    );
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

/** An auth code's alert has no status of its own; it is about declines. */
export const chartStatus = ({ labels }: Alert): string =>
  labels.status ?? (labels.auth_code === undefined ? '' : 'denied');
export const hasChart = (alert: Alert): boolean => (STATUSES as readonly string[]).includes(chartStatus(alert));

/** The alert that the chart is of, if one is. */
export function chartedAlert({ status, labels }: Model, firing: readonly Alert[]): Alert | undefined {
  const same = firing.filter((alert) => chartStatus(alert) === status);
  return same.find((alert) => keyOf(sliceOf(alert)) === labels) ?? same[0];
}

const MOVED = { band: '.card-chart', slices: '.card-slices' } as const;

/** Moves the chart and its slices into a card, or without one to their places on the page. */
function place(card: Element | null): void {
  for (const [name, slot] of Object.entries(MOVED)) {
    const target = card?.querySelector(slot) ?? byId(`${name}-place`);
    if (byId(name).parentElement !== target) target.append(byId(name));
  }
}

function pendingLine(model: Model): string {
  const names = [...new Set(pendingAlerts(model.state).map(nameOf))];
  return names.length === 0 ? '' : `Pending, fires if it goes on: ${names.join(', ')}.`;
}

function othersLine(model: Model): string {
  const names = [...new Set(othersAlerts(model.state).map(nameOf))];
  return names.length === 0 ? '' : `Of others in the same Prometheus, not judged here: ${names.join(', ')}.`;
}

export function createAlerts(actions: AlertActions): (model: Model) => void {
  let chartedKey: string | undefined;
  return (model) => {
    const firing = firingAlerts(model.state);
    const charted = chartedAlert(model, firing);
    const isPart = (alert: Alert) => alert !== charted && firing.some((all) => isSliceOf(alert, all));
    const cards = firing.map((alert, i) => ({
      alert,
      first: i === 0,
      charted: alert === charted,
      todo: firing.slice(0, i).some(({ annotations }) => annotations.todo === alert.annotations.todo)
        ? ''
        : (alert.annotations.todo ?? ''),
      silence: silenceOf(alert, model.silences),
      // What is said of the total's incident stands in its card.
      incident: isPart(alert) && alert.incidentId === undefined ? undefined : incidentOf(alert, model.incidents),
      change: changeBefore(beganAt(alert), model.changes),
      worse: isWorse(alert, model.state?.alerts ?? []),
      part: isPart(alert),
    }));
    const whole = cards.filter(({ part }) => !part).length;
    const pending = pendingLine(model);
    const others = othersLine(model);
    byId('alerts').hidden = firing.length === 0 && pending === '' && others === '';
    byId('alerts-title').textContent = firing.length === 0 ? 'Alerts' : `Firing alerts (${whole})`;
    // A card that goes must not take the chart along.
    const [at] = cards.filter(({ charted: here }) => here);
    if (at === undefined || alertKey(at.alert) !== chartedKey) place(null);
    chartedKey = at && alertKey(at.alert);
    keyed(
      byId('alert-list'),
      cards,
      ({ alert }) => alertKey(alert),
      () => createCard(actions),
    );
    place(document.querySelector('.alert-card.charted'));
    for (const [id, text] of [
      ['pending', pending],
      ['others', others],
    ] as const) {
      byId(id).textContent = text;
      byId(id).hidden = text === '';
    }
  };
}
