import { readFile } from 'node:fs/promises';
import { type Document, isCollection, isNode, isScalar, LineCounter, parseDocument, type Scalar, visit } from 'yaml';
import type { Problem } from './file-problem.ts';

/** A YAML file together with where everything in it stands. */
export interface YamlFile {
  path: string;
  text: string;
  doc: Document;
  /** Faults for which the file cannot be read at all; the other fields mean nothing then. */
  problems: Problem[];
  lineAt: (offset: number) => number;
}

/** Reads a file; one that is missing or no YAML comes back with problems instead of throwing. */
export async function readYaml(path: string): Promise<YamlFile> {
  try {
    return parseYaml(path, await readFile(path, 'utf8'));
  } catch (error) {
    const unread = parseYaml(path, '');
    const { code, message } = error as NodeJS.ErrnoException;
    unread.problems.push({ file: path, message: code === 'ENOENT' ? 'there is no such file' : message });
    return unread;
  }
}

export function parseYaml(path: string, text: string): YamlFile {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, merge: true });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const problems = doc.errors.map((error) => ({
    file: path,
    line: lineAt(error.pos[0]),
    message: error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'not YAML',
  }));
  return { path, text, doc, problems, lineAt };
}

/**
 * The line of the value at a path of keys and indexes, or of the nearest thing above it that
 * exists.
 */
export function lineOf(file: YamlFile, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? file.doc.contents : file.doc.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return file.lineAt(node.range[0]);
  }
  return undefined;
}

/** Maps and lists as a list of their items, so that callers can look for one by its content. */
export function itemsAt(file: YamlFile, path: readonly (string | number)[]): unknown[] {
  const node = path.length === 0 ? file.doc.contents : file.doc.getIn(path);
  const value: unknown = isCollection(node) ? node.toJS(file.doc, { maxAliasCount: -1 }) : undefined;
  return Array.isArray(value) ? value : [];
}

/** Every scalar of the file with its line, keys included, in reading order. */
export function scalars(file: YamlFile): { node: Scalar; line: number; key: unknown }[] {
  const found: { node: Scalar; line: number; key: unknown }[] = [];
  visit(file.doc, {
    Scalar(key, node, ancestors) {
      const parent = ancestors.at(-1);
      const pairKey = key === 'value' && parent && 'key' in parent ? (parent as { key: unknown }).key : undefined;
      found.push({
        node,
        line: node.range ? file.lineAt(node.range[0]) : 1,
        key: isScalar(pairKey) ? pairKey.value : undefined,
      });
    },
  });
  return found;
}

/**
 * The line that a tool's message is about, where the message gives no line: it quotes something,
 * ends in something or contains a word that stands in the file. Undefined when nothing matches.
 */
export function lineOfQuoted(file: YamlFile, message: string): number | undefined {
  const all = scalars(file);
  const quoted = [...message.matchAll(/"((?:[^"\\]|\\.)+)"/g)].map((match) => match[1] ?? '');
  const tail = message.split(': ').at(-1)?.trim() ?? '';
  const words = message.split(/[\s:,]+/).filter((word) => word.length > 2);
  for (const text of [...quoted, ...words]) {
    const found = all.filter(({ node }) => String(node.value) === text);
    // If a thing stands there twice, the second is one too many.
    const one = /multiple|duplicate|repeated|not unique|more than once/.test(message) ? found.at(-1) : found[0];
    if (one) return one.line;
  }
  return all.find(({ node }) => tail.length > 2 && String(node.value).includes(tail))?.line;
}
