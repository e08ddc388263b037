/**
 * Shows a chart's values under the pointer, or at the arrow keys once the chart has the focus.
 * Reads the JSON that timeChart and barChart leave in the plot: `{places: [share of the width],
 * texts: [string]}` or `{from, to, unit, lines: [{name, times, values, uppers?}]}`. Everything
 * shown goes in as text.
 */
export const HOVER_SCRIPT = `
for (const plot of document.querySelectorAll('.plot')) {
  const source = plot.querySelector('script');
  if (!source) continue;
  const data = JSON.parse(source.textContent);
  const [cursor, tip] = ['cursor', 'tip'].map((name) => {
    const element = document.createElement('div');
    element.className = name;
    element.hidden = true;
    plot.append(element);
    return element;
  });
  tip.setAttribute('role', 'status');
  const nearest = (list, wanted) => {
    let [low, high] = [0, list.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (list[middle] < wanted) low = middle; else high = middle;
    }
    return wanted - list[low] <= list[high] - wanted ? low : high;
  };
  const number = (value) => data.unit === 'share'
    ? (value * 100).toFixed(value < 0.01 ? 2 : 1) + ' %'
    : value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
  const lines = (data.lines ?? []).filter((line) => line.times.length > 0);
  const places = data.places ?? lines[0]?.times.map((time) => time / (data.to - data.from)) ?? [];
  if (places.length === 0) continue;
  const text = (index) => {
    if (data.texts) return data.texts[index];
    const time = places[index] * (data.to - data.from);
    const shown = new Date((data.from + time) * 1000).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
    return [shown, ...lines.map((line) => {
      const at = nearest(line.times, time);
      const value = line.values[at];
      if (value === null || Math.abs(line.times[at] - time) > data.near) return line.name + ': none';
      return line.name + ': ' + number(value) + (line.uppers ? ' to ' + number(line.uppers[at]) : '');
    })].join('\\n');
  };
  let index = 0;
  const show = (next) => {
    index = Math.max(0, Math.min(places.length - 1, next));
    tip.textContent = text(index);
    cursor.hidden = tip.hidden = false;
    const [x, width] = [places[index] * plot.clientWidth, plot.clientWidth];
    cursor.style.left = x + 'px';
    tip.style.left = Math.max(0, Math.min(width - tip.offsetWidth, x < width / 2 ? x + 10 : x - 10 - tip.offsetWidth)) + 'px';
  };
  const hide = () => { cursor.hidden = tip.hidden = true; };
  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    show(nearest(places, (event.clientX - box.left) / box.width));
  });
  plot.addEventListener('pointerleave', hide);
  plot.addEventListener('blur', hide);
  plot.addEventListener('focus', () => { if (plot.matches(':focus-visible')) show(index); });
  plot.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === 'Escape') hide();
    if (step === undefined) return;
    event.preventDefault();
    show(index + step);
  });
}
`;
