/**
 * The style sheet of a whole report. Sizes are in rem on a scale of 1.2, spaces in steps of
 * .25rem; there is one accent. The colours of charts are those of colors.ts.
 */
export const STYLE = `
:root {
  --page: #f7f8f9; --surface: #ffffff; --ink: #1b1f24; --muted: #57606a; --line: #d5dae0; --accent: #0b62c4;
  --blue: #0b62c4; --vermilion: #c0360c; --purple: #7a3e9d; --ochre: #866000; --teal: #00707a; --grey: #57606a; --magenta: #a8195f;
  --heat-top: 45%; --span-alert: rgb(192 54 12 / .16); --span-incident: rgb(87 96 106 / .32);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --surface: #1c2026; --ink: #e8eaed; --muted: #a5adb7; --line: #363d46; --accent: #74b5ff;
    --blue: #74b5ff; --vermilion: #ff9570; --purple: #d0a4f2; --ochre: #e3b750; --teal: #55c9cc; --grey: #a5adb7; --magenta: #ff92bb;
    --heat-top: 38%; --span-alert: rgb(255 149 112 / .2); --span-incident: rgb(165 173 183 / .34);
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 74rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { margin: 0 0 .5rem; font-size: 1.728rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 0 0 .5rem; font-size: 1.2rem; line-height: 1.3; }
h3, caption, figcaption b { font-size: 1rem; font-weight: 600; color: var(--ink); }
h3 { margin: 1.5rem 0 .25rem; }
p { margin: 0 0 1rem; max-width: 72ch; }
.lead { color: var(--muted); }
.none { color: var(--muted); }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0 0 1rem; padding: 0; list-style: none; }
nav a { display: inline-block; padding: .25rem 0; }
section > :last-child { margin-bottom: 0; }
section { margin: 0 0 1.5rem; padding: 1.25rem 1.5rem 1.5rem; background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; }
footer { color: var(--muted); font-size: .875rem; }

.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem 1.5rem; margin: 0 0 1rem; }
.facts > div { padding-left: .75rem; border-left: 3px solid var(--line); }
.facts > .bad { border-color: var(--vermilion); } .facts > .low { border-color: var(--purple); } .facts > .good { border-color: var(--teal); }
.facts dt { color: var(--muted); font-size: .875rem; }
.facts dd { margin: 0; }
.facts strong { display: block; font-size: 1.44rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts dd span { color: var(--muted); font-size: .875rem; }

.scroll { overflow-x: auto; margin: 0 0 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
caption { padding: 0 0 .5rem; text-align: left; }
th, td { padding: .375rem .75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
tbody th, td { white-space: nowrap; }
tbody .long { white-space: normal; min-width: 18rem; }
thead th { color: var(--muted); font-weight: 600; font-size: .875rem; vertical-align: bottom; }
tbody th { font-weight: 400; font-variant-numeric: tabular-nums; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.heat { background: color-mix(in srgb, var(--vermilion) calc(var(--heat) * var(--heat-top)), transparent); }
.badge { font-weight: 600; }
.badge.bad { color: var(--vermilion); } .badge.low { color: var(--purple); } .badge.good { color: var(--teal); }
pre { margin: 0; padding: .75rem 1rem; background: var(--page); border: 1px solid var(--line); border-radius: .25rem; font: .875rem/1.5 ui-monospace, Menlo, Consolas, monospace; width: max-content; min-width: 100%; }

figure { margin: 0 0 1.25rem; }
figcaption { margin: 0 0 .375rem; color: var(--muted); font-size: .875rem; }
figcaption b { display: block; }
.legend { display: flex; flex-wrap: wrap; gap: .125rem 1rem; margin: 0 0 .5rem; padding: 0; list-style: none; font-size: .875rem; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: .375rem; }
.legend svg { width: 1.75rem; height: .75rem; flex: none; }
.frame { display: grid; padding-top: .25rem; grid-template-columns: auto minmax(0, 1fr); font-size: .8125rem; color: var(--muted); }
.y { position: relative; min-width: 3rem; }
.y span { position: absolute; right: .5rem; transform: translateY(-50%); white-space: nowrap; font-variant-numeric: tabular-nums; }
.plot { position: relative; height: var(--height, 15rem); border-bottom: 1px solid var(--muted); touch-action: pan-y; }
.plot > svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.plot path, .plot line { vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1; }
.x { grid-column: 2; position: relative; height: 1.5rem; margin-right: 1rem; width: 100%; }
.x span { position: absolute; top: .25rem; transform: translateX(-50%); white-space: nowrap; font-variant-numeric: tabular-nums; }
.x span.first { transform: none; } .x span.last { transform: translateX(-100%); }
.span { position: absolute; top: 0; bottom: 0; min-width: 2px; }
.span.alert, i.alert { background: var(--span-alert); border-top: 4px solid var(--vermilion); }
.span.incident, i.incident { background: repeating-linear-gradient(135deg, var(--span-incident) 0 2px, transparent 2px 6px); border-bottom: 4px solid var(--muted); }
.change { position: absolute; top: 0; bottom: 0; width: 6px; margin-left: -3px; background: repeating-linear-gradient(180deg, var(--teal) 0 4px, transparent 4px 7px) center / 2px 100% no-repeat; }
.legend i { width: 1.5rem; height: .875rem; flex: none; }
.marker { position: absolute; width: .625rem; height: .625rem; margin: -.3125rem 0 0 -.3125rem; border: 2px solid var(--surface); transform: rotate(45deg); }
.legend .change { position: static; margin: 0; width: .75rem; }
.legend .marker { position: static; margin: 0 .25rem; }
.bar { position: absolute; bottom: 0; }
.range { position: absolute; background: repeating-linear-gradient(0deg, var(--span-incident) 0 1px, transparent 1px 4px); border: solid var(--muted); border-width: 1px 0; }
.legend .range { position: static; width: 1.25rem; height: .75rem; }
.mark { position: absolute; height: 3px; margin-bottom: -1.5px; }
.mark.ring { height: .5rem; width: .5rem; margin: 0 0 -.25rem -.25rem; border: 2px solid; border-radius: 50%; background: var(--surface); }
.legend .mark { position: static; margin: 0; width: 1.25rem; } .legend .mark.ring { width: .5rem; }
.flag { position: absolute; transform: translate(-50%, -100%); font-weight: 700; font-size: .8125rem; line-height: 1; }
.cursor { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--ink); pointer-events: none; }
.tip { position: absolute; top: .25rem; z-index: 1; padding: .375rem .625rem; background: var(--surface); color: var(--ink); border: 1px solid var(--muted); border-radius: .25rem; font-size: .8125rem; line-height: 1.4; pointer-events: none; white-space: pre; font-variant-numeric: tabular-nums; }
[hidden] { display: none; }
@media (max-width: 640px) {
  body { padding: 1.25rem .75rem 2rem; }
  h1 { font-size: 1.44rem; }
  section { padding: 1rem; }
  .facts { grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem 1rem; }
  .facts strong { font-size: 1.2rem; }
  .x .minor { display: none; }
  .y { min-width: 2.25rem; } .y span { right: .25rem; }
  th, td { padding: .375rem .5rem; }
}
@media print { body { max-width: none; background: none; } section { break-inside: avoid; border: 0; padding: 0; } nav { display: none; } }
`;
