import { leftInWords } from '../domain/time-left.ts';
import { postStream } from './api.ts';
import { byId, h } from './dom.ts';
import { capital, clock, count, dayText, inUtc, labelText, words } from './format.ts';
import { sliceOf } from './model.ts';
import { STATUSES, type Status, type WhatIfAnswer, type WhatIfLine } from './wire.ts';

type Setting = 'statuses' | 'sales';
type Compared = WhatIfAnswer['alerts'][number];
type Plan = Extract<WhatIfLine, { plays: object }>['plays'];

const settingOf = (status: Status): Setting | undefined =>
  status === 'approved' ? 'sales' : status === 'processing' ? undefined : 'statuses';
const OF: Record<Setting, string> = {
  statuses: 'denied, failed, reversed and refunded transactions',
  sales: 'sales',
};

const CHANGES: Record<Compared['change'], string> = {
  gone: 'Would not have come',
  new: 'Would be new',
  stays: 'Would come all the same',
};

const nameOf = ({ alertname, labels }: Compared): string => {
  const said = capital(
    alertname
      .replace(/^Transactions/, '')
      .replaceAll(/\B[A-Z]/g, (letter) => ` ${letter}`)
      .toLowerCase(),
  );
  const { status = '' } = labels;
  const known = STATUSES.includes(status as Status) && !said.toLowerCase().startsWith(words(status));
  const where = labelText(sliceOf({ labels }));
  return `${said}${known ? `, ${words(status)}` : ''}${where === '' ? '' : `, ${where}`}`;
};

const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 86_400_000;

function planOf({ from, to, learnedFrom, slices }: Plan): string {
  const what = slices === 0 ? 'the total' : `the total and ${slices} ${slices === 1 ? 'slice' : 'slices'}`;
  const [days, learned] = [daysBetween(from, to), daysBetween(learnedFrom, from)].map(count);
  return `Plays ${what} twice, as it is and changed: ${days} days, and ${learned} days before to learn from. It takes one core.`;
}

/** How far it is, and how long the rest takes. */
function phaseOf({ progress, what, secondsLeft }: Extract<WhatIfLine, { progress: number }>): string {
  const left = leftInWords(secondsLeft === undefined ? undefined : 1000 * secondsLeft);
  return `${Math.round(100 * progress)} %, ${what.replace(/: .*/, '')}; ${left}.`;
}

function list(change: Compared['change'], alerts: readonly Compared[]): HTMLElement {
  const rows = alerts.map((alert) => {
    const { startsAt, observed, expected } = alert;
    const measured = observed === null || expected === null ? '' : `: ${count(observed)}, ${count(expected)} normal`;
    const time = Date.parse(startsAt);
    const at = h('time', { datetime: startsAt, title: inUtc(time) }, `${dayText(time)}, ${clock(time)}`);
    return h('li', {}, at, ` ${nameOf(alert)}${measured}`);
  });
  const title = `${CHANGES[change]}: ${alerts.length === 0 ? 'none' : alerts.length}`;
  if (alerts.length === 0) return h('p', {}, title);
  return h('details', { open: change !== 'stays' }, h('summary', {}, title), h('ul', { class: 'small' }, ...rows));
}

function outcome({ from, to, learnedFrom, alerts, tunables, summed }: WhatIfAnswer): HTMLElement[] {
  const [days, learned] = [daysBetween(from, to), daysBetween(learnedFrom, from)];
  const of = (change: Compared['change']) => alerts.filter((alert) => alert.change === change);
  const lines = tunables.map(
    ({ tunable, window, now, changed }) => `${tunable}${window === '' ? '' : ` window ${window}`}: ${now} → ${changed}`,
  );
  const only = summed === undefined ? '' : ` Only the total was judged: ${count(summed)} series would take too long.`;
  return [
    list('gone', of('gone')),
    list('new', of('new')),
    list('stays', of('stays')),
    h(
      'p',
      { class: 'muted small' },
      `Alerts of the last ${count(days)} days; from the ${count(learned)} days before the rules only learned. Both are played, as it is and changed.${only}`,
    ),
    h(
      'details',
      {},
      h('summary', {}, 'To have it so'),
      h(
        'p',
        {},
        'Nothing was changed. Edit these numbers in ',
        h('code', {}, 'prometheus/rules/tunables.rules.yml'),
        ':',
      ),
      h('pre', {}, lines.join('\n')),
    ),
  ];
}

const inWords = (factor: number): string =>
  factor === 1
    ? 'As it is now'
    : `${factor.toFixed(2)} times as far from normal: ${factor > 1 ? 'less sensitive, fewer alerts' : 'more sensitive, more alerts'}`;

/**
 * What other sensitivities would have done in the last days.
 * @param status the one that the chart shows
 * @returns a function that draws it anew when the chart shows another
 */
export function createWhatIf(status: () => Status): () => void {
  const place = byId<HTMLDetailsElement>('what-if');
  const about = h('p', { class: 'muted' });
  const said = h('output', { for: 'what-if-factor' });
  const slider = h('input', { id: 'what-if-factor', type: 'range', min: 0.5, max: 2, step: 0.05, value: 1.25 });
  const start = h('button', { type: 'button', class: 'primary' }, 'Try it on the last 7 days');
  const cancel = h('button', { type: 'button', hidden: true }, 'Cancel');
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Played so far' });
  const phase = h('span', { class: 'muted small' });
  const plan = h('span', { class: 'muted small' });
  const progress = h('div', { hidden: true }, h('p', {}, bar, ' ', phase), h('p', {}, plan));
  const error = h('p', { class: 'error', role: 'alert', hidden: true });
  const result = h('section', { 'aria-label': 'What it would have done', 'aria-live': 'polite' });
  let running: AbortController | undefined;

  function draw(): void {
    const setting = settingOf(status());
    about.textContent =
      setting === undefined
        ? 'What is stuck in processing is judged by its age and not by a sensitivity: choose another status.'
        : `How far from normal counts of ${OF[setting]} must be before they alert.`;
    const text = inWords(slider.valueAsNumber);
    said.textContent = text;
    slider.setAttribute('aria-valuetext', text);
    slider.disabled = running !== undefined || setting === undefined;
    start.disabled = slider.disabled || slider.valueAsNumber === 1;
    start.hidden = running !== undefined;
    cancel.hidden = running === undefined;
    progress.hidden = running === undefined;
  }

  function take(line: WhatIfLine): void {
    if ('result' in line) result.replaceChildren(...outcome(line.result));
    else if ('error' in line) throw new Error(line.error);
    else if ('plays' in line) plan.textContent = planOf(line.plays);
    else {
      bar.value = line.progress;
      phase.textContent = phaseOf(line);
    }
  }

  /** Draws anew. Whoever has pressed a button that is now gone goes on from the one in its place. */
  function redraw(): void {
    const had = document.activeElement;
    draw();
    if (had === start || had === cancel) (running === undefined ? start : cancel).focus();
  }

  async function run(): Promise<void> {
    const setting = settingOf(status());
    if (setting === undefined || running !== undefined) return;
    running = new AbortController();
    const { signal } = running;
    error.hidden = true;
    result.replaceChildren();
    bar.value = 0;
    phase.textContent = '';
    plan.textContent = '';
    redraw();
    let last: WhatIfLine | undefined;
    const keep = (line: WhatIfLine) => {
      last = line;
      take(line);
    };
    try {
      await postStream<WhatIfLine>('what-if', { [setting]: slider.valueAsNumber }, keep, signal);
      if (last === undefined || 'progress' in last || 'plays' in last)
        throw new Error('The answer broke off. Try again.');
    } catch (problem) {
      error.textContent = problem instanceof Error ? problem.message : String(problem);
      error.hidden = signal.aborted;
      if (signal.aborted) result.replaceChildren(h('p', { class: 'muted' }, 'Cancelled. Nothing was changed.'));
    }
    running = undefined;
    redraw();
  }

  slider.addEventListener('input', draw);
  start.addEventListener('click', () => void run());
  cancel.addEventListener('click', () => running?.abort());
  const label = h('label', { for: 'what-if-factor' }, 'Distance from normal ');
  place.append(
    about,
    h('p', { class: 'what-if' }, label, slider, ' ', said),
    h('p', { class: 'actions' }, start, cancel),
    progress,
    error,
    result,
  );
  draw();
  return draw;
}
