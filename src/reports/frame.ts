import { esc, type Html } from './escape.ts';

export interface LegendEntry {
  name: string;
  sign: Html;
}

/**
 * The parts around a chart's drawing. Places are per cent of the plot's width, or of its height
 * from the top.
 */
export interface FrameOptions {
  title: string;
  note?: string;
  /** The words of a screen reader in place of the drawing. */
  label: string;
  legend: readonly LegendEntry[];
  height: string;
  yTicks: readonly { percent: number; label: string }[];
  xTicks: readonly { percent: number; label: string; minor: boolean }[];
  plot: Html;
}

/**
 * The drawing stretches with the page while its labels stay text of the page's size: that is what
 * keeps a chart readable on a phone.
 */
export function frame({ title, note, label, legend, height, yTicks, xTicks, plot }: FrameOptions): Html {
  const y = yTicks.map((tick) => `<span style="top:${tick.percent.toFixed(1)}%">${esc(tick.label)}</span>`);
  const x = xTicks.map((tick) => {
    const edge = tick.percent < 2 ? 'first' : tick.percent > 98 ? 'last' : '';
    const classes = [tick.minor ? 'minor' : '', edge].filter(Boolean).join(' ');
    return `<span${classes === '' ? '' : ` class="${classes}"`} style="left:${tick.percent.toFixed(2)}%">${esc(tick.label)}</span>`;
  });
  return `<figure>
<figcaption><b>${esc(title)}</b>${note === undefined ? '' : esc(note)}</figcaption>
${legend.length < 2 ? '' : `<ul class="legend">${legend.map(({ name, sign }) => `<li>${sign}${esc(name)}</li>`).join('')}</ul>`}
<div class="frame">
<div class="y" aria-hidden="true">${y.join('')}</div>
<div class="plot" tabindex="0" role="img" aria-label="${esc(label)}" style="--height:${esc(height)}">
${plot}
</div>
<div class="x" aria-hidden="true">${x.join('')}</div>
</div>
</figure>`;
}
