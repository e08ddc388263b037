import { byId, fill, h, icon } from './dom.ts';
import { clock, duration, when } from './format.ts';
import { isGone, type Model } from './model.ts';
import { describe, type Tone, type Verdict } from './verdict.ts';
import type { PathPart, State } from './wire.ts';
import { zoneChoice } from './zone.ts';

const SINCE: Partial<Record<Tone, string>> = { gone: 'last evaluated', alert: 'alert since' };

function facts({ tone, since }: Verdict): HTMLElement | null {
  if (since === undefined) return null;
  const age = h('span', { class: 'age', 'data-since': since }, duration((Date.now() - Date.parse(since)) / 1000));
  const text = tone === 'gone' ? [' (', age, ' ago)'] : [' (', age, ')'];
  return h('p', { class: 'since' }, `${SINCE[tone] ?? 'since'} `, when(since), ...text);
}

function say(verdict: Verdict): (HTMLElement | SVGElement | null)[] {
  return [
    h('p', { class: 'verdict-word' }, icon(verdict.tone, 40), h('strong', {}, verdict.word)),
    h(
      'div',
      { class: 'verdict-what' },
      h('p', { class: 'headline' }, verdict.headline),
      h('p', { class: 'detail' }, verdict.detail),
      verdict.far === undefined && facts(verdict),
    ),
    verdict.far === undefined
      ? null
      : h('div', { class: 'verdict-far' }, h('p', { class: 'far' }, verdict.far), facts(verdict)),
  ];
}

const PATH: { key: keyof State['path']; name: string; good: string; bad: string }[] = [
  { key: 'prometheus', name: 'Prometheus', good: 'evaluated', bad: 'does not judge' },
  { key: 'alertmanager', name: 'Alertmanager', good: 'answers', bad: 'does not answer' },
  { key: 'watchdog', name: 'Watchdog', good: 'arrived', bad: 'has not arrived' },
];

function pathRow({ name, good, bad }: (typeof PATH)[number], part: PathPart, at: string | undefined, isSaid: boolean) {
  const { ok, awaited, reason = bad } = part;
  // What is only awaited is neither good nor bad.
  const [tone, sign] = ok ? ['good', 'ok'] : awaited ? ['awaited', 'connecting'] : ['bad', 'gone'];
  const fault = isSaid ? bad : reason.replace(/^(Prometheus|Alertmanager|the Watchdog) /, '');
  const said = ok ? [good, at !== undefined && ' ', at !== undefined && when(at)] : [awaited ? 'is awaited' : fault];
  return h('li', { class: tone }, icon(sign, 18), h('span', { class: 'part' }, h('b', {}, name), ' ', ...said));
}

function path(state: State | undefined): void {
  fill(byId('path-list'), [state?.path, state?.verdict.untold], () =>
    PATH.map((step) => {
      if (state === undefined) return h('li', {}, icon('connecting', 18), h('span', {}, step.name));
      const part = state.path[step.key];
      const at = 'evaluatedAt' in part ? part.evaluatedAt : 'arrivedAt' in part ? part.arrivedAt : undefined;
      // The status line says why nothing is judged, or why an alert may reach nobody.
      return pathRow(step, part, at, step.key === 'prometheus' || state.verdict.untold !== undefined);
    }),
  );
}

/** Ages move on without a new state; a hidden tab does not need it. */
export function tick(): void {
  for (const age of document.querySelectorAll<HTMLElement>('[data-since]'))
    age.textContent = duration((Date.now() - Date.parse(age.dataset.since ?? '')) / 1000);
}

const LINKS = { connecting: 'Connecting', live: 'Connected', lost: 'Connection lost', refused: 'Token needed' };

/** Green only while minutes are judged: a page that is connected to nothing that judges is not live. */
function chipOf({ link, state }: Model): { text: string; name: string; tone: string } {
  if (link.state === 'live' && state?.path.prometheus.ok) return { text: 'Live', name: 'live', tone: 'ok' };
  if (link.state === 'live' && isGone(state)) return { text: 'Connected, no verdicts', name: 'blind', tone: 'gone' };
  return { text: LINKS[link.state], name: link.state, tone: link.state === 'lost' ? 'gone' : 'connecting' };
}

function connection(model: Model, retry: () => void): void {
  const { link, stateAt } = model;
  const banner = byId('lost');
  banner.hidden = link.state !== 'lost';
  byId('verdict').classList.toggle('stale', link.state === 'lost');
  const chip = byId('link');
  const { text, name, tone } = chipOf(model);
  chip.className = `chip link-${name}`;
  fill(chip, text, () => [icon(tone, 14), text]);
  if (link.state !== 'lost') return;
  fill(banner, link, () => {
    const shown = stateAt === 0 ? '' : ` What you see is from ${clock(stateAt)}.`;
    const seconds = Math.max(1, Math.round((link.again - Date.now()) / 1000));
    return [
      icon('gone', 20),
      h(
        'p',
        {},
        h('b', {}, `Connection to Tillwatch lost at ${clock(link.since)}.`),
        `${shown} ${link.reason}; trying again in ${seconds} s, and on by itself until it is back.`,
      ),
      h('button', { type: 'button', onclick: retry }, 'Try now'),
    ];
  });
}

/** The state in a sentence, for those who listen; spoken when it changes, not each minute. */
function announce({ word, headline, far }: Verdict): void {
  const text = `${word}: ${headline}${far === undefined ? '' : `, ${far}`}.`;
  const live = byId('announce');
  // The distance changes every minute of an incident. That an incident goes on is no news.
  if (live.dataset.said === `${word}${headline}`) return;
  live.dataset.said = `${word}${headline}`;
  live.textContent = text;
}

const SHAPES: Partial<Record<Tone, [color: string, path: string]>> = {
  ok: ['%2300707a', '<circle cx="8" cy="8" r="7"/>'],
  watch: ['%23b26a00', '<path d="M8 1l7 13H1z"/>'],
  alert: ['%23c22a12', '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/>'],
};

/** The tab says it as well, also where it is one of many and in the background. */
export function titleTab(model: Model): void {
  const { tone, word, headline } = describe(model);
  const lost = model.link.state === 'lost' ? 'Connection lost · ' : '';
  const title = `${lost}${word}${tone === 'ok' ? '' : `: ${headline}`} · Tillwatch`;
  if (document.title === title) return;
  document.title = title;
  const [color, shape] = SHAPES[tone] ?? ['%23626b76', '<circle cx="8" cy="8" r="5"/>'];
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="${color}">${shape}</svg>`;
  byId<HTMLLinkElement & HTMLElement>('favicon').href =
    `data:image/svg+xml,${drawn.replaceAll('"', "'").replaceAll('<', '%3C').replaceAll('>', '%3E')}`;
}

export function createHero(retry: () => void): (model: Model) => void {
  zoneChoice();
  return (model) => {
    const verdict = describe(model);
    const panel = byId('verdict');
    panel.dataset.tone = verdict.tone;
    fill(byId('verdict-body'), verdict, () => say(verdict));
    announce(verdict);
    path(model.state);
    const said = model.state?.calendar;
    byId('calendar').hidden = said === undefined;
    byId('calendar').textContent = said === undefined ? '' : `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
    connection(model, retry);
    byId('first').hidden = verdict.tone !== 'empty';
  };
}
