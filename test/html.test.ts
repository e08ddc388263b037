import { describe, expect, it } from 'vitest';
import { timeTicks, valueTicks } from '../src/reports/axis.ts';
import { barChart } from '../src/reports/bar-chart.ts';
import { formatCount, formatDuration, formatShare } from '../src/reports/format.ts';
import { page } from '../src/reports/page.ts';
import { STYLE } from '../src/reports/style.ts';
import { badge, facts, heatCell, table } from '../src/reports/table.ts';
import type { Point } from '../src/reports/thin.ts';
import { timeChart } from '../src/reports/time-chart.ts';

const START = Date.UTC(2026, 0, 5) / 1000;
const minutes = (count: number, value: (minute: number) => number | null): Point[] =>
  Array.from({ length: count }, (_, minute) => [START + minute * 60, value(minute)]);
/** What the chart knows at each place, as its hover script reads it. */
const dataOf = (chart: string) =>
  JSON.parse(/<script type="application\/json">(.*?)<\/script>/s.exec(chart)?.[1] ?? '');

describe('timeChart', () => {
  it('keeps the one spike and the one drop of five weeks of minutes, at their minutes', () => {
    const value = (minute: number) => (minute === 20_000 ? 99 : minute === 30_000 ? 1 : 50);
    const chart = timeChart({ title: 'denied', series: [{ name: 'denied', points: minutes(50_400, value) }] });
    const [line] = dataOf(chart).lines;
    expect(line.values.length).toBeLessThanOrEqual(1402);
    expect(line.values[line.times.indexOf(20_000 * 60)]).toBe(99);
    expect(line.values[line.times.indexOf(30_000 * 60)]).toBe(1);
    expect(chart).toContain('aria-label="denied. denied from 1 to 99"');
  });

  it('draws a line for each run of minutes, so that a gap stays a gap', () => {
    const withGap = minutes(300, () => 5).filter((_, minute) => minute < 100 || minute >= 160);
    const strokes = (points: Point[]) =>
      /<path d="([^"]*)" fill="none"/
        .exec(timeChart({ title: 'x', series: [{ name: 'x', points }] }))?.[1]
        ?.match(/M/g);
    expect(strokes(withGap)).toHaveLength(2);
    expect(strokes(minutes(300, () => 5))).toHaveLength(1);
    expect(strokes(minutes(300, (minute) => (minute === 150 ? null : 5)))).toHaveLength(2);
  });

  it('places spans within its range, leaves others out, and names them in the legend', () => {
    const chart = timeChart({
      title: 'x',
      series: [{ name: 'x', points: minutes(101, () => 5) }],
      spans: [
        { kind: 'alert', from: START + 25 * 60, to: START + 75 * 60, label: '<b>' },
        { kind: 'incident', from: START - 7200, to: START - 3600 },
      ],
    });
    expect(chart).toContain('<div class="span alert" style="left:25.00%;width:50.00%" title="&lt;b&gt;"></div>');
    expect(chart).not.toContain('<div class="span incident"');
    expect(chart).toContain('</i>alert</li>');
  });

  it('draws nothing, without failing, where there is no value', () => {
    const chart = timeChart({ title: 'x', series: [{ name: 'x', points: [] }], from: START, to: START + 3600 });
    expect(chart).toContain('x: no values');
    expect(chart).not.toContain('NaN');
    expect(timeChart({ title: 'x', series: [] })).not.toContain('NaN');
  });
});

describe('barChart', () => {
  it('says each category in words, with what it is compared with and why it stands out', () => {
    const chart = barChart({
      title: 'Sales',
      categories: ['00h', '01h'],
      bars: { name: 'today', values: [3, 0] },
      marks: [{ name: 'yesterday', values: [4, 12] }],
      range: {
        name: 'usual',
        values: [
          { lower: 1, upper: 8 },
          { lower: 5, upper: 20 },
        ],
      },
      flags: [{ index: 1, sign: '▼', label: 'no sales' }],
    });
    expect(chart).toContain('aria-label="Sales: 00h 3, 01h 0"');
    expect(dataOf(chart).texts[1]).toBe('01h\ntoday: 0\nyesterday: 12\nusual: 5 to 20\nno sales');
  });
});

describe('axes', () => {
  it.each([
    [60, 'every 10 minutes', ['00:10', '00:20']],
    [1440, 'every 2 hours', ['02:00', '22:00']],
    [7 * 1440, 'days', ['6 Jan', '7 Jan']],
    [35 * 1440, 'Mondays', ['12 Jan', '19 Jan']],
    [365 * 1440, 'months', ['Feb 2026', 'Mar 2026']],
  ])('has round UTC times over %i minutes: %s', (length, _, expected) => {
    const labels = timeTicks(START + 60, START + length * 60, 13).map(({ label }) => label);
    for (const label of expected) expect(labels).toContain(label);
    expect(labels.length).toBeLessThanOrEqual(13);
  });

  it('has round values that reach the highest one', () => {
    expect(valueTicks(58)).toEqual([0, 20, 40, 60]);
    expect(valueTicks(0.13)).toEqual([0, 0.05, 0.1, 0.15]);
    expect(valueTicks(0)).toEqual([0, 1]);
  });
});

describe('page', () => {
  const nasty = '</script><script>alert("1")</script> & <img src=x>';
  const whole = page({
    title: nasty,
    lead: nasty,
    footer: nasty,
    sections: [
      {
        title: nasty,
        lead: nasty,
        body: [
          facts([{ label: nasty, value: nasty, note: nasty }]),
          table({
            caption: nasty,
            columns: [{ title: nasty }],
            rows: [[nasty], [badge(nasty, 'bad')], [heatCell(nasty, 3)]],
          }),
          timeChart({ title: nasty, series: [{ name: nasty, points: minutes(3, () => 1) }] }),
          barChart({ title: nasty, categories: [nasty], bars: { name: nasty, values: [1] } }),
        ],
      },
    ],
  });

  it('escapes whatever it is given', () => {
    expect(whole).not.toContain('<img');
    expect(whole).not.toContain('alert("1")</script>');
    expect(whole.match(/<script/g)).toHaveLength(3);
  });

  it('asks for nothing from anywhere, and forbids it', () => {
    expect(whole).not.toMatch(/https?:|<link|url\(|@import| src=["']/);
    expect(whole).toContain(`content="default-src 'none'`);
  });

  it('shades no cell beyond the whole', () => {
    expect(whole).toContain('--heat:1.00');
  });
});

describe('colours', () => {
  const themes = STYLE.split('@media (prefers-color-scheme: dark)').slice(0, 2);
  const colorsOf = (theme = '') =>
    Object.fromEntries<string | undefined>(
      [...theme.matchAll(/--([a-z]+): (#[0-9a-f]{6})/g)].map((m) => [m[1] ?? '', m[2]]),
    );
  const channels = (hex = '') => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const luminance = (rgb: number[]) => {
    const linear = rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
  };
  const contrast = (a: number[], b: number[]) => {
    const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };

  it.each([
    ['light', themes[0]],
    ['dark', themes[1]],
  ])('contrast 4.5 to 1 (WCAG AA) with what they stand on: %s', (_, theme) => {
    const { page: ground, surface, line: __, ...inks } = colorsOf(theme);
    expect(Object.keys(inks).length).toBeGreaterThanOrEqual(10);
    for (const ink of Object.values(inks))
      for (const paper of [ground, surface])
        expect(contrast(channels(ink), channels(paper))).toBeGreaterThanOrEqual(4.5);
  });

  it.each([
    ['light', themes[0]],
    ['dark', themes[1]],
  ])('text stays readable in the hottest cell: %s', (_, theme) => {
    const { ink, surface, vermilion } = colorsOf(theme);
    const share = Number(/--heat-top: (\d+)%/.exec(theme ?? '')?.[1]) / 100;
    const paper = channels(surface);
    const mixed = channels(vermilion).map((c, at) => share * c + (1 - share) * (paper[at] ?? 0));
    expect(contrast(channels(ink), mixed)).toBeGreaterThanOrEqual(4.5);
  });
});

describe('formats', () => {
  it('say as much as matters', () => {
    expect([1234.5, 12.34, 1.234, 0.001, 0].map(formatCount)).toEqual(['1,235', '12.3', '1.23', '< 0.01', '0']);
    expect([0.0321, 0.00051, 0, 1].map(formatShare)).toEqual(['3.2 %', '0.051 %', '0 %', '100 %']);
    expect([45, 60, 125, 1440, 1500].map(formatDuration)).toEqual(['45 min', '1 h', '2 h 05 min', '1 d', '1 d 1 h']);
  });
});
