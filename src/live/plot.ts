import type UPlot from 'uplot';
import { clock, day, readsUtc } from './format.ts';

// Loaded as a classic script before the modules: its smallest build is that kind.
declare const uPlot: typeof UPlot;

export type Plot = UPlot;
export type PlotOptions = Omit<UPlot.Options, 'width' | 'height'>;

/** A colour or length of style.css, as it is in the present theme. */
export const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Axes that say numbers the way the rest of the page does. */
export function axis(values: (splits: number[]) => string[], more: Partial<UPlot.Axis> = {}): UPlot.Axis {
  return {
    stroke: () => token('muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: () => token('line'), width: 1 },
    ticks: { show: false },
    values: (_plot, splits) => values(splits),
    ...more,
  };
}

const [HOUR, DAY] = [3600, 86_400];
/** Distances of labels: none is below a minute, which is what they say. */
const TIMES = [60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY];

function timeLabels(splits: number[]): string[] {
  const days = (splits.at(-1) ?? 0) - (splits[0] ?? 0) > 2 * 86_400;
  return splits.map((at, i) => {
    const midnight = clock(at * 1000) === '00:00';
    return midnight || (days && i === 0) ? day(at * 1000) : clock(at * 1000);
  });
}

/** The axis of time at the bottom of a plot. */
export const timeAxis = (): UPlot.Axis =>
  axis(timeLabels, { size: 32, space: 70, grid: { show: false }, incrs: TIMES });

export interface Chart {
  /** Draws anew: with other data, or other options after a change of theme. */
  draw(data: UPlot.AlignedData): void;
  plot(): UPlot | undefined;
}

/**
 * A uPlot as wide as its box, in the colours of the theme, without its legend: the page has its
 * own, in words.
 * @param height of the plot in CSS pixels, by its width
 */
export function createChart(box: HTMLElement, options: () => PlotOptions, height: (width: number) => number): Chart {
  let plot: UPlot | undefined;
  let data: UPlot.AlignedData | undefined;
  const size = () => ({ width: Math.max(200, box.clientWidth), height: height(box.clientWidth) });
  function rebuild(): void {
    plot?.destroy();
    const utc = readsUtc() && { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC') };
    plot = data && new uPlot({ legend: { show: false }, ...utc, ...options(), ...size() }, data, box);
  }
  new ResizeObserver(() => plot && plot.width !== size().width && plot.setSize(size())).observe(box);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', rebuild);
  return {
    plot: () => plot,
    draw(next) {
      data = next;
      if (plot === undefined) rebuild();
      else plot.setData(next);
    },
  };
}
