import { esc, type Html } from '../../reports/escape.ts';
import { type Entry, entriesOf, type OpenApi } from './document.ts';
import { methodHtml, operationHtml, type PageOptions, pathHtml } from './operation.ts';

const OTHERS = 'Others';
const anchor = (group: string): string => `group-${group.toLowerCase().replaceAll(/\W+/g, '-')}`;

/** Operations by their first tag, in the order in which they stand in the document. */
function groupsOf(document: OpenApi): [string, Entry[]][] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entriesOf(document)) {
    const group = entry.operation.tags?.[0] ?? OTHERS;
    groups.set(group, [...(groups.get(group) ?? []), entry]);
  }
  return [...groups];
}

const link = ({ id, method, path }: Entry): Html =>
  `<li><a href="#${esc(id)}">${methodHtml(method)} <span>${pathHtml(path.replace('/api/v1', ''))}</span></a></li>`;

const contents = (groups: [string, Entry[]][]): Html =>
  `<nav aria-label="Operations"><ul>${groups
    .map(
      ([name, entries]) =>
        `<li><a class="group" href="#${anchor(name)}">${esc(name)}</a><ul>${entries.map(link).join('')}</ul></li>`,
    )
    .join('\n')}</ul></nav>`;

const group = ([name, entries]: [string, Entry[]], document: OpenApi, options: PageOptions): Html =>
  `<section aria-labelledby="${anchor(name)}"><h2 id="${anchor(name)}">${esc(name)}</h2>
${entries.map((entry) => operationHtml(entry, document, options)).join('\n')}</section>`;

const INTRODUCTION = `<p>Bodies and answers are JSON in UTF-8, times ISO 8601 in UTC. Every error is
<code>application/problem+json</code> (RFC 9457): <code>detail</code> says what is wrong and what to do, and for a body
<code>errors</code> names each field.</p>
<p>Where tokens are used, each request carries <code>Authorization: Bearer TOKEN</code>, and the token needs the role that stands beside
the operation.</p>`;

/**
 * The reference page of an OpenAPI document. All that it loads is docs.css and docs.js beside it;
 * it reads well without the latter.
 */
export function docsPage(document: OpenApi, options: PageOptions): Html {
  const groups = groupsOf(document);
  const { title, version, description = '' } = document.info;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${esc(title)} API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs.css">
<script src="docs.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the operations</a>
<header class="top"><p><a href="./">${esc(title)}</a></p></header>
<div class="page">
${contents(groups)}
<main id="main">
<div class="lead"><h1>${esc(title)} API <small>${esc(version)}</small></h1>
<p class="summary">${esc(description)} The same as a document for programs: <a href="openapi.json">openapi.json</a>.</p>
${INTRODUCTION}</div>
${groups.map((each) => group(each, document, options)).join('\n')}
</main>
</div>
</body>
</html>
`;
}
