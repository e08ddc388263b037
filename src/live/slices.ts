import { get } from './api.ts';
import { byId, fill, h, sayingWhy, svg } from './dom.ts';
import { capital, count, labelText, percent, words } from './format.ts';
import { currentLabels, keyOf, type Model } from './model.ts';
import { evaluatedAt } from './recent.ts';
import type { Labels, RankedSlice, SliceRanking, Status } from './wire.ts';

const SHOWN = 12;
const JUDGED = { minutes: 'minute by minute', hour: 'by the hour', no: 'in the total only' } as const;

const bar = (share: number): SVGElement =>
  svg(
    'svg',
    { class: 'share-bar', viewBox: '0 0 100 14', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { x: 0, y: 3, width: 100 * Math.min(1, Math.max(0, share)), height: 8, class: 'now' }),
  );

function row(slice: RankedSlice, chosen: boolean, look: (labels: Labels) => void): HTMLElement {
  const { labels, observed, expected, share, judged, reason } = slice;
  const name = h('button', { type: 'button', class: 'small', onclick: () => look(labels) }, labelText(labels));
  if (chosen) name.setAttribute('aria-current', 'true');
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name),
    h('td', { class: 'n' }, count(observed)),
    h('td', { class: 'n' }, count(expected)),
    h('td', { class: 'n' }, share === null ? '' : percent(share)),
    h('td', { class: 'bar-cell' }, bar(share ?? 0) as unknown as HTMLElement),
    h('td', { class: 'muted', title: reason }, JUDGED[judged]),
  );
}

/** Slices by their part of what is beyond normal at the total; each leads to its chart. */
export function createSlices(look: (labels: Labels) => void): (model: Model) => void {
  let ranking: SliceRanking | undefined;
  let asked = '';
  let shown: { status: Status; chosen: string } = { status: 'denied', chosen: '' };

  function draw(): void {
    const { slices = [], levels = [] } = ranking ?? {};
    byId('slices').hidden = slices.length === 0;
    byId('slices-title').textContent = `${capital(words(shown.status))}: which slices carry it`;
    byId('slices-says').textContent = levels.map(({ level, says }) => `${capital(words(level))}: ${says}.`).join(' ');
    fill(byId('slices-rows'), [slices, shown.chosen], () =>
      slices.map((slice) => row(slice, keyOf(slice.labels) === shown.chosen, look)),
    );
  }
  async function load(status: Status): Promise<void> {
    const mine = asked;
    await sayingWhy(byId('slices-error'), async () => {
      const answer = await get<SliceRanking>(`slices?status=${status}&limit=${SHOWN}`);
      if (asked === mine) ranking = answer;
    });
    draw();
  }
  return (model) => {
    shown = { status: model.status, chosen: keyOf(currentLabels(model)) };
    const key = `${model.status} ${model.state === undefined ? 0 : evaluatedAt(model.state)}`;
    // Before anything is judged there is nothing to rank.
    const judged = model.state?.path.prometheus.ok === true && model.state.anomalies.length > 0;
    if (key !== asked && judged && model.link.state === 'live') {
      asked = key;
      void load(model.status);
    }
    draw();
  };
}
