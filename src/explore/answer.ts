import type UPlot from 'uplot';
import { byId, fill, h, svg } from '../live/dom.ts';
import { count, inUtc } from '../live/format.ts';
import { axis, createChart, type PlotOptions, timeAxis, token } from '../live/plot.ts';

type Labels = Record<string, string>;
/** Seconds since the epoch, and the value as Prometheus writes it. */
type Sample = [number, string];
export type Data =
  | { resultType: 'matrix'; result: { metric: Labels; values?: Sample[] }[] }
  | { resultType: 'vector'; result: { metric: Labels; value?: Sample }[] }
  | { resultType: 'scalar' | 'string'; result: Sample };
export interface Answer {
  data: Data;
  warnings?: string[];
  infos?: string[];
}

interface Line {
  name: string;
  values: Sample[];
}

/** Lines that a person can tell apart; the table has all. */
const MOST_LINES = 20;
const MOST_ROWS = 1000;
const COLOURS = ['accent', 'series-2', 'series-3', 'series-4', 'muted'];
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
const colourOf = (index: number): string => COLOURS[index % COLOURS.length] ?? 'accent';
const dashOf = (index: number): number[] => DASHES[Math.floor(index / COLOURS.length) % DASHES.length] ?? [];

/** `name{a="b"}`, as PromQL selects it. */
export function nameOf({ __name__ = '', ...labels }: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? __name__ || '{}' : `${__name__}{${pairs.join(', ')}}`;
}

const numberOf = (text: string): number => Number(text.replace('Inf', 'Infinity'));
const shown = (text: string): string => (Number.isFinite(numberOf(text)) ? count(numberOf(text)) : text);

/** Columns of uPlot; where a line has no sample, a null, so that a gap stays one. */
function columns(lines: readonly Line[]): UPlot.AlignedData {
  const times = [...new Set(lines.flatMap(({ values }) => values.map(([time]) => time)))].sort((a, b) => a - b);
  const place = new Map(times.map((time, i) => [time, i]));
  const filled = lines.map(({ values }) => {
    const column: (number | null)[] = times.map(() => null);
    for (const [time, text] of values) {
      const value = numberOf(text);
      if (Number.isFinite(value)) column[place.get(time) ?? 0] = value;
    }
    return column;
  });
  return [times, ...filled] as UPlot.AlignedData;
}

const optionsFor = (lines: number): PlotOptions => ({
  padding: [8, 20, 0, 0],
  cursor: { y: false, drag: { x: false, y: false } },
  scales: { x: { time: true } },
  axes: [timeAxis(), axis((splits) => splits.map(count), { size: 60 })],
  series: [
    {},
    ...Array.from({ length: lines }, (_, i) => ({
      stroke: () => token(colourOf(i)),
      width: 1.75,
      dash: dashOf(i),
      points: { show: false },
    })),
  ],
});

const sampleOf = (index: number): SVGElement =>
  svg(
    'svg',
    { width: 28, height: 10, 'aria-hidden': 'true' },
    svg('path', {
      d: 'M0 5H28',
      class: `stroke-${colourOf(index)}`,
      'stroke-width': 2.5,
      'stroke-dasharray': dashOf(index).join(' '),
    }),
  );

const heading = (...texts: string[]) =>
  h(
    'thead',
    {},
    h('tr', {}, ...texts.map((text, i) => h('th', { scope: 'col', class: i === texts.length - 1 && 'n' }, text))),
  );

function table(lines: readonly Line[], drawn: number): HTMLElement {
  const rows = lines.slice(0, MOST_ROWS).map(({ name, values }, i) => {
    const [time = 0, value = ''] = values.at(-1) ?? [];
    return h(
      'tr',
      {},
      h('td', { class: 'sample' }, i < drawn ? sampleOf(i) : null),
      h('td', {}, h('code', {}, name)),
      h('td', { class: 'n', title: `${value} at ${inUtc(time * 1000)}` }, shown(value)),
    );
  });
  return h('table', { class: 'compact' }, heading('', 'Series', drawn > 0 ? 'Last' : 'Value'), h('tbody', {}, ...rows));
}

function linesOf(data: Data): Line[] {
  if (data.resultType === 'matrix')
    return data.result.map(({ metric, values = [] }) => ({ name: nameOf(metric), values }));
  if (data.resultType === 'vector')
    return data.result.map(({ metric, value }) => ({ name: nameOf(metric), values: value ? [value] : [] }));
  return [{ name: data.resultType, values: [data.result] }];
}

function sayingOf(lines: readonly Line[], drawn: number, { warnings = [], infos = [] }: Answer): string {
  const found =
    lines.length === 0
      ? 'Nothing at this time. Is the name right, and was it recorded then?'
      : `${lines.length} series.`;
  return [
    found,
    ...(drawn > 0 && drawn < lines.length ? [`The first ${drawn} are drawn.`] : []),
    ...(lines.length > MOST_ROWS ? [`The first ${MOST_ROWS} are listed.`] : []),
    ...warnings,
    ...infos,
  ].join(' ');
}

/**
 * Shows what Prometheus answered: a graph of what has several times, and a table of the newest
 * values.
 */
export function createAnswer(): (answer: Answer) => void {
  const box = byId('graph');
  let draw: ((data: UPlot.AlignedData) => void) | undefined;
  let [drawnLines, serial] = [-1, 0];
  return (answer) => {
    const lines = linesOf(answer.data);
    const drawn = answer.data.resultType === 'matrix' ? Math.min(lines.length, MOST_LINES) : 0;
    byId('said').textContent = sayingOf(lines, drawn, answer);
    box.hidden = drawn === 0;
    byId('rows').hidden = lines.length === 0;
    if (drawn > 0) {
      if (drawn !== drawnLines) {
        box.replaceChildren();
        draw = createChart(
          box,
          () => optionsFor(drawn),
          (width) => (width < 500 ? 220 : 320),
        ).draw;
        drawnLines = drawn;
      }
      draw?.(columns(lines.slice(0, drawn)));
      box.setAttribute('aria-label', `Graph of ${drawn} series; the table below has their newest values`);
    }
    fill(byId('rows'), ++serial, () => [table(lines, drawn)]);
  };
}
