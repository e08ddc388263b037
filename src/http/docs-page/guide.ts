import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked } from 'marked';
import { esc, type Html } from '../../reports/escape.ts';
import { PROJECT } from '../../runtime/project.ts';

const FOLDER = join(PROJECT, 'docs');
const INDEX = 'README';

/** The anchor of a heading, as GitHub makes it: links in messages and documents hold for both. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

const nameOf = (file: string): string => (file === `${INDEX}.md` ? 'index' : file.replace(/\.md$/, ''));

/** The address on this service of a document's link; undefined where its target is not served. */
function placeOf(href: string, names: ReadonlySet<string>): string | undefined {
  if (/^(https?:|#)/.test(href)) return href;
  const [, file = '', anchor = ''] = /^([\w-]+\.md)(#.*)?$/.exec(href) ?? [];
  const name = nameOf(file);
  return names.has(name) ? `${name}${anchor}` : undefined;
}

function frame(title: string, body: Html): Html {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${esc(title)} – Tillwatch</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="../docs.css">
</head>
<body>
<a class="skip" href="#main">Skip to the text</a>
<header class="top"><p><a href="../">Tillwatch</a></p></header>
<main id="main" class="guide">
<p><a href="index">All documents</a> · <a href="../docs">API reference</a> · <a href="../explore">Explore</a></p>
${body}
</main>
</body>
</html>
`;
}

function render(markdown: string, names: ReadonlySet<string>): Html {
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        return `<h${depth} id="${esc(slug(text.replaceAll('`', '')))}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const place = placeOf(href, names);
        return place === undefined ? text : `<a href="${esc(place)}">${text}</a>`;
      },
      code({ text, lang }) {
        const query = new URLSearchParams({ query: text.trim() });
        const ask = lang === 'promql' ? `<p><a href="../explore?${esc(String(query))}">Ask it</a></p>` : '';
        return `<pre tabindex="0"><code>${esc(text)}</code></pre>${ask}\n`;
      },
      // A document is text: what looks like markup in it is shown.
      html: ({ text }) => esc(text),
    },
  });
  const title = /^# (.+)$/m.exec(markdown)?.[1] ?? 'Documentation';
  return frame(title, String(marked.parse(markdown)));
}

/** The documents in docs/ as pages, by name: rendered when first asked for. */
export function createGuide(): (name: string) => Html | undefined {
  const files = new Map(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith('.md'))
      .map((file) => [nameOf(file), file]),
  );
  const names = new Set(files.keys());
  const rendered = new Map<string, Html>();
  return (name) => {
    const file = files.get(name);
    if (file === undefined) return undefined;
    const page = rendered.get(name) ?? render(readFileSync(join(FOLDER, file), 'utf8'), names);
    rendered.set(name, page);
    return page;
  };
}
