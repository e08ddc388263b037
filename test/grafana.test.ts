import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards, render } from '../grafana/source/dashboards.ts';
import type { CheckedDashboard } from '../grafana/source/schema.ts';
import { committedDashboards, DASHBOARDS, panelsOf, queriesOf, variablesOf } from './support/grafana.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const committed = await committedDashboards();
const files = [...committed.keys()];

describe('the files', () => {
  it('are what npm run dashboards writes', async () => {
    const built = await dashboards(join(root, 'prometheus', 'rules'));
    expect(Object.keys(built).sort()).toEqual([...files].sort());
    for (const [file, dashboard] of Object.entries(built))
      expect(await readFile(join(DASHBOARDS, file), 'utf8'), file).toBe(render(dashboard));
  });

  it("pass Grafana's own schema, without a misspelled option", () => {
    const problems = checkAgainstSchema((file) => JSON.stringify(committed.get(file)));
    expect(problems).toEqual([]);
  });

  it('would not pass it with an option that there is not, or a value that is none', () => {
    const broken = (file: string) => {
      const text = JSON.stringify(committed.get(file));
      return text
        .replace('"graphMode":"none"', '"grafMode":"none"')
        .replace('"drawStyle":"bars"', '"drawStyle":"towers"');
    };
    const problems = checkAgainstSchema(broken).join('\n');
    expect(problems).toContain('grafMode');
    expect(problems).toContain('towers');
  });
});

/** Compiles each dashboard as a literal of the schema's type. @returns what the compiler says */
function checkAgainstSchema(textOf: (file: string) => string): string[] {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const virtual = new Map(files.map((file) => [join(root, 'grafana', 'source', `${file}.ts`), textOf(file)]));
  const source = (json: string) =>
    `import type { CheckedDashboard } from './schema.ts';\nexport const dashboard: CheckedDashboard = ${json};\n`;
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile: read } = host;
  host.fileExists = (name) => virtual.has(name) || fileExists(name);
  host.readFile = (name) => virtual.get(name) ?? read(name);
  host.getSourceFile = (name, ...rest) => {
    const json = virtual.get(name);
    return json === undefined ? getSourceFile(name, ...rest) : ts.createSourceFile(name, source(json), rest[0]);
  };
  const program = ts.createProgram([...virtual.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe.each(files)('%s', (file) => {
  const dashboard = committed.get(file) as CheckedDashboard;

  it('has panels with numbers of their own, in full rows, none over another', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos ?? { x: 0, y: 0, w: 0, h: 0 };
      expect(w * h, title).toBeGreaterThan(0);
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let cell = 0; cell < w * h; cell++) {
        const place = `${x + (cell % w)} ${y + Math.floor(cell / w)}`;
        expect(taken.has(place), `${title} lies over another panel`).toBe(false);
        taken.add(place);
      }
    }
    const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => (gridPos?.y ?? 0) + (gridPos?.h ?? 0)));
    expect(taken.size).toBe(24 * bottom);
  });

  it('asks only the data source that is chosen', () => {
    const own = { type: 'prometheus', uid: '$' + '{datasource}' };
    for (const { where, query } of queriesOf(dashboard)) expect(query.datasource, where).toEqual(own);
    for (const panel of panelsOf(dashboard)) if (panel.type !== 'text') expect(panel.datasource).toEqual(own);
    for (const variable of variablesOf(dashboard))
      if (variable.type === 'query') expect(variable.datasource, variable.name).toEqual(own);
    expect(variablesOf(dashboard)[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
  });

  it('narrows every series of transactions to one level, and with every alert to the labels chosen', () => {
    for (const { where, query } of queriesOf(dashboard)) {
      const selectors = query.expr.matchAll(/\b((?:status|status_window|auth_code):\w+:\w+|ALERTS\b)(?:\{([^}]*)\})?/g);
      for (const [selector, name, matchers = ''] of selectors) {
        if (name === 'ALERTS' && matchers.includes('alertname="Watchdog"')) continue;
        if (name !== 'ALERTS') expect(matchers, `${where}: ${selector}`).toContain('level="$level"');
        for (const label of ['acquirer', 'merchant'])
          expect(matchers, `${where}: ${selector}`).toMatch(new RegExp(`${label}=~"\\$${label}\\|?"`));
      }
    }
  });

  it('says of every panel what it shows', () => {
    for (const panel of panelsOf(dashboard)) {
      expect(panel.title).toMatch(/\w/);
      if (panel.type !== 'text') expect(panel.description, panel.title).toMatch(/\w+.*\./);
    }
  });

  it('links to dashboards that exist', () => {
    const uids = [...committed.values()].map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    const linked = [...JSON.stringify(dashboard).matchAll(/"\/d\/([\w-]+)/g)].map(([, uid]) => uid);
    for (const uid of linked) expect(uids).toContain(uid);
    const others = dashboard.links.find(({ type }) => type === 'dashboards');
    expect(others).toMatchObject({ keepTime: true, includeVars: true, tags: dashboard.tags });
  });
});

it('a status has the same colour wherever it is a series', () => {
  const colors = new Map<string, Set<unknown>>();
  for (const panel of [...committed.values()].flatMap(panelsOf)) {
    for (const { matcher, properties } of panel.fieldConfig.overrides) {
      if (!/^(approved|denied|failed|reversed|backend_reversed|refunded|processing)$/.test(matcher.options)) continue;
      // There, failed is what became of a report.
      if (panel.title?.startsWith('Reports a minute')) continue;
      const color = properties.find(({ id }) => id === 'color')?.value as { fixedColor: string };
      colors.set(matcher.options, (colors.get(matcher.options) ?? new Set()).add(color.fixedColor));
    }
  }
  expect([...colors.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 1, 1, 1]);
});

it('the data source that dashboards start with is provisioned', async () => {
  const text = await readFile(join(root, 'grafana', 'provisioning', 'datasources', 'tillwatch.yml'), 'utf8');
  const { datasources } = parse(text) as { datasources: { uid: string; type: string; name: string }[] };
  for (const dashboard of committed.values()) {
    const { value, text: name } = variablesOf(dashboard)[0]?.current ?? {};
    expect(datasources).toContainEqual(expect.objectContaining({ uid: value, name, type: 'prometheus' }));
  }
});
