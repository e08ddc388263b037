import { comparedAlerts, daysBetween, onlyTotal, slicesInWords, tunablesInWords } from './compared-alerts.ts';
import { byId, h } from './dom.ts';
import { count } from './format.ts';
import { createLongWork } from './long-work.ts';
import type { Status, WhatIfAnswer, WhatIfLine } from './wire.ts';

type Setting = 'statuses' | 'sales';
type Plan = Extract<WhatIfLine, { plays: object }>['plays'];

const settingOf = (status: Status): Setting | undefined =>
  status === 'approved' ? 'sales' : status === 'processing' ? undefined : 'statuses';
const OF: Record<Setting, string> = {
  statuses: 'denied, failed, reversed and refunded transactions',
  sales: 'sales',
};

const CHANGES = {
  gone: 'Would not have come',
  new: 'Would be new',
  stays: 'Would come all the same',
};

function planOf({ from, to, learnedFrom, slices }: Plan): string {
  const [days, learned] = [daysBetween(from, to), daysBetween(learnedFrom, from)].map(count);
  return `Plays ${slicesInWords(slices)} twice, as it is and changed: ${days} days, and ${learned} days before to learn from. It takes one core.`;
}

function outcome({ from, to, learnedFrom, alerts, tunables, summed }: WhatIfAnswer): HTMLElement[] {
  const [days, learned] = [daysBetween(from, to), daysBetween(learnedFrom, from)].map(count);
  return [
    ...comparedAlerts(alerts, CHANGES),
    h(
      'p',
      { class: 'muted small' },
      `Alerts of the last ${days} days; from the ${learned} days before the rules only learned. Both are played, as it is and changed.${onlyTotal(summed)}`,
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
      h('pre', {}, tunablesInWords(tunables)),
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
  const work = createLongWork<WhatIfLine>({
    path: 'what-if',
    start: 'Try it on the last 7 days',
    outcome: 'What it would have done',
    ready: () => settingOf(status()) !== undefined && slider.valueAsNumber !== 1,
    body() {
      const setting = settingOf(status());
      return setting === undefined ? undefined : { [setting]: slider.valueAsNumber };
    },
    planOf: (line) => ('plays' in line ? planOf(line.plays) : undefined),
    resultOf: (line) => ('result' in line ? outcome(line.result) : undefined),
    changed: draw,
  });

  function draw(): void {
    const setting = settingOf(status());
    about.textContent =
      setting === undefined
        ? 'What is stuck in processing is judged by its age and not by a sensitivity: choose another status.'
        : `How far from normal counts of ${OF[setting]} must be before they alert.`;
    const text = inWords(slider.valueAsNumber);
    said.textContent = text;
    slider.setAttribute('aria-valuetext', text);
    slider.disabled = work.isRunning() || setting === undefined;
    work.draw();
  }

  slider.addEventListener('input', draw);
  const label = h('label', { for: 'what-if-factor' }, 'Distance from normal ');
  place.append(about, h('p', { class: 'what-if' }, label, slider, ' ', said), ...work.parts);
  draw();
  return draw;
}
