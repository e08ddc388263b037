/**
 * The style sheet of the reference page: the live page's colours, sizes on a scale of 1.2, spaces
 * in steps of .25rem.
 */
export const DOCS_STYLE = `
:root {
  --page: #f4f6f8; --surface: #fff; --raised: #f7f9fb; --ink: #161a1f; --muted: #57606b; --line: #d9dee4; --accent: #0b62c4;
  --get: #0b62c4; --post: #00707a; --delete: #bf2410; --code: #15191e; --on-code: #e9ecef; --code-muted: #a3acb6; --code-line: #343b43;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --surface: #181c21; --raised: #1f242a; --ink: #e9ecef; --muted: #a3acb6; --line: #30373f; --accent: #74b5ff;
    --get: #74b5ff; --post: #58c9bf; --delete: #ff8a73; --code: #0b0d10;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--ink); font: .9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1, h2, h3, h4, h5, p, ul, dl, dd, figure { margin: 0; padding: 0; }
ul { list-style: none; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: .25rem; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .8125rem; }
p code, dd code { padding: .0625rem .25rem; background: var(--raised); border: 1px solid var(--line); border-radius: .25rem; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; padding: .5rem 1rem; background: var(--surface); }
.top { padding: .75rem 1.5rem; border-bottom: 1px solid var(--line); background: var(--surface); font-weight: 650; }
.top a { color: inherit; text-decoration: none; }
.top a::before { content: "← "; color: var(--muted); }
.page { display: grid; grid-template-columns: 17.5rem minmax(0, 1fr); max-width: 100rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 1.5rem 1.5rem; font-size: .8125rem; }
nav ul ul { margin: 0 0 1rem; }
nav a { display: flex; gap: .5rem; align-items: baseline; padding: .25rem .375rem; border-radius: .25rem; color: var(--ink); text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { background: var(--surface); }
nav a.group { font-weight: 650; color: var(--muted); }
main { padding: 1.5rem 1.5rem 4rem; min-width: 0; overflow-wrap: anywhere; }
.lead { max-width: 72ch; margin-bottom: 2rem; }
.lead p + p { margin-top: .75rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin-bottom: .5rem; letter-spacing: -.01em; }
h1 small { font-size: .8125rem; font-weight: 400; color: var(--muted); letter-spacing: 0; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.375rem; line-height: 1.25; }
main.guide { max-width: 84rem; margin: 0 auto; }
.guide p, .guide ul, .guide ol, .guide pre, .guide table { margin: .75rem 0; max-width: 84ch; }
.guide ul, .guide ol { padding-left: 1.5rem; list-style: revert; }
.guide pre { padding: .75rem 1rem; overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: .375rem; max-width: none; }
.guide table { display: block; overflow-x: auto; border-collapse: collapse; max-width: none; }
.guide th, .guide td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.guide td code { overflow-wrap: anywhere; }
.guide :target { scroll-margin-top: 1rem; }
h3 { font-size: .9375rem; font-weight: 600; }
h3 a { color: inherit; text-decoration: none; display: flex; flex-wrap: wrap; gap: .25rem .625rem; align-items: center; }
h3 a:hover code { text-decoration: underline; }
h3 code { font-size: .9375rem; font-weight: 650; overflow-wrap: anywhere; }
h4 { margin: 1.25rem 0 .25rem; font-size: .9375rem; font-weight: 650; }
h5 { margin: .75rem 0 0; font-size: .8125rem; color: var(--muted); }
article { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 9fr); gap: .75rem 2rem; margin-bottom: 1.25rem; padding: 1.25rem 1.5rem 1.5rem; background: var(--surface); border: 1px solid var(--line); border-radius: .625rem; }
article > header { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; padding-bottom: .75rem; border-bottom: 1px solid var(--line); }
article:target { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.summary { font-size: 1.0625rem; line-height: 1.4; }
.about > p + p { margin-top: .5rem; }
.about > p { max-width: 72ch; }
.about > p:not(.summary) { color: var(--muted); }
.method { flex: none; min-width: 3.75rem; padding: .0625rem .375rem; border: 1px solid currentcolor; border-radius: .25rem; font: 650 .6875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; text-align: center; }
nav .method { min-width: 3.25rem; border-color: transparent; padding: 0; text-align: left; }
.get { color: var(--get); } .post { color: var(--post); } .delete { color: var(--delete); }
.role { padding: .0625rem .5rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--muted); font-size: .8125rem; white-space: nowrap; }
.role.open { border-style: dashed; }
.field { padding: .5rem 0; border-top: 1px solid var(--line); }
.field:first-child { border-top: 0; }
.field.deep { padding-left: 1rem; }
.field dt { line-height: 1.5; }
.field dt code { font-weight: 650; overflow-wrap: anywhere; }
.field dd { color: var(--muted); }
.field dd:empty { display: none; }
.type, .mark, .limit { color: var(--muted); font-size: .8125rem; font-weight: 400; }
.mark { padding: 0 .375rem; border: 1px solid var(--line); border-radius: 1rem; }
.limit + .limit::before { content: "· "; }
.answers .field { display: grid; grid-template-columns: minmax(3rem, auto) 1fr; gap: 0 .75rem; padding: .25rem 0; border: 0; }
.answers dt { min-width: 3rem; }
.answers dt .type { display: none; }
.answers code { padding: 0; border: 0; background: none; }
.s2 { color: var(--post); } .s4, .s5 { color: var(--muted); }
details { margin-top: .75rem; border: 1px solid var(--line); border-radius: .375rem; background: var(--raised); }
summary { padding: .5rem .75rem; cursor: pointer; font-weight: 600; }
details .fields, details h5 { padding: 0 .75rem; }
.examples { display: grid; gap: .75rem; align-content: start; }
.code { position: relative; border-radius: .5rem; background: var(--code); color: var(--on-code); border: 1px solid var(--code-line); overflow: hidden; }
.code figcaption { padding: .375rem .75rem; color: var(--code-muted); font-size: .8125rem; border-bottom: 1px solid var(--code-line); }
.code pre { margin: 0; padding: .75rem; overflow: auto; max-height: 26rem; line-height: 1.5; }
.code pre:focus-visible { outline-offset: -2px; }
.code button { position: absolute; top: .25rem; right: .375rem; padding: .125rem .625rem; font: inherit; font-size: .8125rem; color: var(--on-code); background: transparent; border: 1px solid var(--code-line); border-radius: .25rem; cursor: pointer; }
.code button:hover { border-color: var(--code-muted); }
@media (max-width: 75rem) { article { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 52rem) {
  .page { grid-template-columns: minmax(0, 1fr); }
  nav { position: static; max-height: none; padding: .75rem 1rem 0; }
  nav ul ul { display: none; }
  nav > ul { display: flex; flex-wrap: wrap; gap: .375rem; }
  nav a.group { min-height: 2.5rem; align-items: center; padding: 0 .75rem; color: var(--accent); background: var(--surface); border: 1px solid var(--line); border-radius: 1.25rem; }
  .top { padding: .75rem 1rem; }
  main { padding: 1rem 1rem 3rem; }
  article { padding: 1rem; }
  .code button { padding: .25rem .75rem; top: .125rem; }
}
@media print { nav, .code button, .top { display: none; } .page { display: block; } article { break-inside: avoid; } }
`;
