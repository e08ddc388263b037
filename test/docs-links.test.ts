import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type AlertRule, readRules } from '../src/prometheus/rule-files.ts';
import { committedDashboards } from './support/grafana.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = [
  ...(await readdir(root)).filter((name) => name.endsWith('.md')),
  ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ...(await readdir(join(root, 'docs', 'engines'))).map((name) => `docs/engines/${name}`),
  ...['alertmanager/secrets/README.md', 'grafana/README.md'],
];
const { alerts } = await readRules(join(root, 'prometheus', 'rules'));

/** Without code, in which `#` begins no heading and `[x](y)` is no link. */
const prose = (text: string): string =>
  text.replaceAll(/^( *)```.*?^\1```/gms, '').replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''));

/** GitHub's anchors of the headings: the second of the same name gets -1. */
function anchorsIn(text: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

const linksIn = (text: string): string[] =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

/** @returns what is wrong with a relative link, or nothing */
async function problemOf(document: string, link: string): Promise<string | undefined> {
  const [path = '', fragment] = link.split('#');
  const file = path === '' ? join(root, document) : resolve(root, dirname(document), path);
  if (!existsSync(file)) return `${document}: ${link}: there is no such file`;
  if (fragment === undefined || anchorsIn(await readFile(file, 'utf8')).includes(fragment)) return undefined;
  return `${document}: ${link}: there is no such heading`;
}

describe('documents', () => {
  it.each(documents)('%s links to files and headings that exist', async (document) => {
    const relative = linksIn(await readFile(join(root, document), 'utf8')).filter((link) => !/^\w+:/.test(link));
    const problems = await Promise.all(relative.map((link) => problemOf(document, link)));
    expect(problems.filter(Boolean)).toEqual([]);
  });

  it('are all reachable from the README', async () => {
    const reached = new Set(['README.md']);
    for (const document of reached) {
      for (const link of linksIn(await readFile(join(root, document), 'utf8'))) {
        const path = join(dirname(document), link.replace(/#.*/, '').replace(/\/$/, '/README.md'));
        if (documents.includes(path)) reached.add(path);
      }
    }
    expect(documents.filter((document) => !reached.has(document))).toEqual([]);
  });
});

describe.each([...new Set(alerts.map(({ alert }) => alert))])('%s', (name) => {
  const rules = alerts.filter(({ alert }) => alert === name);
  const annotated = (annotation: string) => rules.map(({ annotations }: AlertRule) => annotations[annotation] ?? '');

  it('has its heading in the runbook, with Meaning, Impact, Diagnosis and Mitigation below it', async () => {
    const runbook = await readFile(join(root, 'docs', 'runbook.md'), 'utf8');
    const [, section = ''] = new RegExp(`^## ${name}\n(.*?)(?=^## |$(?![^]))`, 'ms').exec(runbook) ?? [];
    const parts = section.split(/^### /m).slice(1);
    expect(parts.map((part) => part.split('\n')[0])).toEqual(['Meaning', 'Impact', 'Diagnosis', 'Mitigation']);
    for (const part of parts) expect(part.split('\n').slice(1).join('').trim(), part).not.toBe('');
    for (const url of annotated('runbook_url')) {
      expect(url).toMatch(/\/docs\/runbook#/);
      expect(anchorsIn(runbook)).toContain(url.replace(/.*#/, ''));
    }
  });

  it('leads to a page that exists', async () => {
    const uids = [...(await committedDashboards()).values()].map(({ uid }) => `/d/${uid}`);
    for (const url of annotated('dashboard_url')) {
      // The live page or Prometheus, wherever they run; what is chosen there may come out of the
      // alert's labels.
      const path = url.replace(/^http:\/\/[\w.]+(:\d+)?|^\{\{.*?\}\}/, '').replace(/[?{].*/s, '');
      expect(['/', '/targets', '/rules', '/alerts', ...uids], url).toContain(path);
    }
  });
});
