import { esc, type Html } from './escape.ts';
import { HOVER_SCRIPT } from './hover.ts';
import { STYLE } from './style.ts';

export interface Section {
  title: string;
  /** Said under the title. */
  lead?: string;
  /** Results of timeChart, barChart, table, facts, paragraph and code. */
  body: readonly Html[];
}

export interface PageOptions {
  title: string;
  /** One or two sentences under the title. */
  lead?: string;
  sections: readonly Section[];
  /** Said at the very end. */
  footer?: string;
}

/**
 * One self-contained HTML file: no request leaves it, so that it opens offline and can be mailed.
 */
export function page({ title, lead, sections, footer }: PageOptions): Html {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${esc(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${esc(title)}</h1>
${lead === undefined ? '' : `<p class="lead">${esc(lead)}</p>`}
${sections.length > 2 ? contents(sections) : ''}
</header>
<main>
${sections.map(section).join('\n')}
</main>
${footer === undefined ? '' : `<footer><p>${esc(footer)}</p></footer>`}
<script>${HOVER_SCRIPT}</script>
</body>
</html>
`;
}

const contents = (sections: readonly Section[]): Html =>
  `<nav aria-label="Contents"><ul>${sections.map(({ title }, index) => `<li><a href="#s${index}">${esc(title)}</a></li>`).join('')}</ul></nav>`;

const section = ({ title, lead, body }: Section, index: number): Html =>
  `<section id="s${index}" aria-labelledby="h${index}">
<h2 id="h${index}">${esc(title)}</h2>
${lead === undefined ? '' : `<p class="lead">${esc(lead)}</p>`}
${body.join('\n')}
</section>`;
