import { byId, fill, h, svg } from './dom.ts';
import { ARROWS, capital, count, signed, words } from './format.ts';
import { currentAnomalies, type Model } from './model.ts';
import type { Anomaly } from './wire.ts';

/** Scores beyond this are drawn at the end of the scale; the number says what they are. */
const SCALE = 6;

/** A bar from the middle: right of it above normal, left of it below. */
function bar(score: number): SVGElement {
  const width = (Math.min(SCALE, Math.abs(score)) / SCALE) * 50;
  const x = score < 0 ? 50 - width : 50;
  return svg(
    'svg',
    { class: 'score-bar', viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { x: 0, y: 0, width: 100, height: 10, class: 'track' }),
    svg('rect', { x, y: 0, width, height: 10, class: Math.abs(score) >= 3 ? 'fill far' : 'fill' }),
    svg('rect', { x: 49.5, y: 0, width: 1, height: 10, class: 'middle' }),
  );
}

function row({ status, lastHour, trend }: Anomaly): HTMLElement {
  const { observed, expected, score } = lastHour;
  const isKnown = trend !== undefined && observed !== undefined;
  const arrow = isKnown && h('span', { class: 'arrow', 'aria-hidden': 'true' }, ARROWS[trend]);
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, capital(words(status))),
    h('td', { class: 'n' }, count(observed)),
    h('td', { class: 'n' }, count(expected)),
    h(
      'td',
      { class: 'score' },
      score === undefined ? '–' : (bar(score) as unknown as HTMLElement),
      h('span', { class: 'n' }, score === undefined ? '' : signed(score)),
    ),
    h('td', { class: 'trend' }, arrow || '', isKnown ? ` ${trend}` : '–'),
  );
}

/** The last hour against the same hour's normal, and which way each status is going. */
export function createLastHour(): (model: Model) => void {
  return (model) => {
    const anomalies = currentAnomalies(model);
    byId('last-hour').hidden = anomalies.length === 0 || model.state?.path.prometheus.ok === false;
    const shown = anomalies.map(({ status, lastHour, trend }) => [status, lastHour, trend]);
    fill(byId('last-hour-rows'), shown, () => anomalies.map(row));
    const definitions = model.state?.definitions;
    fill(byId('definitions'), definitions, () =>
      definitions === undefined
        ? []
        : [
            h('div', {}, h('dt', {}, 'Score'), h('dd', {}, definitions.score)),
            h('div', {}, h('dt', {}, 'Trend'), h('dd', {}, definitions.trend)),
          ],
    );
  };
}
