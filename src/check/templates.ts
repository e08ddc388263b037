import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Problem } from '../runtime/file-problem.ts';
import { readYaml, scalars } from '../runtime/yaml-file.ts';
import { sampleMessages } from './sample-messages.ts';
import { runTool } from './tool.ts';

/** Templates that Alertmanager brings along; amtool of some distributions lacks them. */
const BUILT_IN = /^__|\.default\./;

/** A text of the configuration that is rendered into messages. */
interface Use {
  text: string;
  line: number;
  type: 'text' | 'html';
}

export interface TemplateCheck {
  amtool: string;
  /** The configuration whose receivers use the templates. */
  config: string;
  files: string[];
  /** An empty folder to write sample messages to. */
  scratch: string;
}

/**
 * Parses each template, looks up every template that is referred to, and renders all that the
 * receivers send.
 */
export async function checkTemplates(check: TemplateCheck): Promise<Problem[]> {
  const problems = [...(await parseProblems(check)), ...(await missingReferences(check))];
  // One broken file breaks every message, so that rendering would tell nothing more.
  return problems.length > 0 ? problems : renderProblems(check);
}

/**
 * Parses all templates at once, in one process. After a failure they are parsed one by one, to
 * find out which fail.
 */
async function parseProblems(check: TemplateCheck): Promise<Problem[]> {
  const parse = (files: string[]) => runTool(check.amtool, renderArgs(files, 'text', 'x'));
  if (check.files.length === 0 || (await parse(check.files)).ok) return [];
  const parsed = await Promise.all(check.files.map(async (file) => ({ file, ...(await parse([file])) })));
  return parsed.filter(({ ok }) => !ok).map(({ file, stderr }) => templateProblem(check, stderr, { file }));
}

/**
 * Finds references to templates that do not exist. Go finds one only when it comes to it, which
 * may be in a branch that only the worst night takes.
 */
async function missingReferences(check: TemplateCheck): Promise<Problem[]> {
  const texts = await Promise.all(
    [...check.files, check.config].map(async (file) => ({ file, text: await readFile(file, 'utf8') })),
  );
  const defined = new Set(
    texts.flatMap(({ text }) => [...text.matchAll(/\{\{-?\s*(?:define|block)\s+"([^"]+)"/g)].map((match) => match[1])),
  );
  return texts.flatMap(({ file, text }) =>
    [...text.matchAll(/\{\{-?\s*template\s+"([^"]+)"/g)]
      .filter(([, name = '']) => !defined.has(name) && !BUILT_IN.test(name))
      .map((match) => ({
        file,
        line: text.slice(0, match.index).split('\n').length,
        message: `template "${match[1]}" is not defined in any file`,
      })),
  );
}

/** The problems of the first sample message that has any: the others would mostly say the same. */
async function renderProblems(check: TemplateCheck): Promise<Problem[]> {
  const uses = await templateUses(check.config);
  for (const [name, message] of Object.entries(sampleMessages())) {
    const data = join(check.scratch, `${name}.json`);
    await writeFile(data, JSON.stringify(message));
    const ofType = (type: Use['type']) =>
      renderAll(
        check,
        uses.filter((use) => use.type === type),
        type,
        data,
      );
    const problems = [...(await ofType('text')), ...(await ofType('html'))];
    if (problems.length > 0) return problems;
  }
  return [];
}

/** Renders all uses at once, in one process. */
async function renderAll(check: TemplateCheck, uses: Use[], type: Use['type'], data: string): Promise<Problem[]> {
  const together = uses.map((use) => use.text).join('\n');
  if (together === '' || (await render(check, together, type, data)).ok) return [];
  const problems: Problem[] = [];
  for (const use of uses) {
    const { ok, stderr } = await render(check, use.text, type, data);
    if (!ok && !isAboutBuiltIn(stderr)) {
      problems.push(templateProblem(check, stderr, { file: check.config, line: use.line }));
    }
  }
  return problems;
}

function render(check: TemplateCheck, text: string, type: Use['type'], data: string) {
  return runTool(check.amtool, [...renderArgs(check.files, type, text), `--template.data=${data}`]);
}

function renderArgs(files: string[], type: string, text: string): string[] {
  const globs = files.map((file) => `--template.glob=${file}`);
  return ['template', 'render', ...globs, `--template.type=${type}`, `--template.text=${text}`];
}

function isAboutBuiltIn(stderr: string): boolean {
  const name = /template "([^"]+)"(?: not defined|$)/.exec(stderr.trim())?.[1];
  return name !== undefined && BUILT_IN.test(name);
}

async function templateUses(config: string): Promise<Use[]> {
  const file = await readYaml(config);
  return scalars(file)
    .filter(({ node }) => typeof node.value === 'string' && node.value.includes('{{'))
    .map(({ node, line, key }) => ({ text: String(node.value), line, type: key === 'html' ? 'html' : 'text' }));
}

/** `template: common.tmpl:18:12: executing ...`; a text of the configuration has no name. */
function templateProblem(check: TemplateCheck, stderr: string, fallback: { file: string; line?: number }): Problem {
  const said = stderr.trim().replace(/^.*?error: /s, '');
  const located = /template: ?([^\s:]+):(\d+)(?::\d+)?: (.*)$/s.exec(said);
  const file = check.files.find((path) => basename(path) === located?.[1]);
  if (located && file) return { file, line: Number(located[2]), message: located[3] ?? said };
  return { ...fallback, message: said };
}
