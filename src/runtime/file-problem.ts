import { isAbsolute, relative } from 'node:path';

/** Something wrong in a file that people edit. */
export interface Problem {
  /** Absolute path. */
  file: string;
  /** Counted from 1; absent only where the whole file is meant. */
  line?: number | undefined;
  message: string;
}

/** `file:line: message`, on one line, the path as seen from `from`. */
export function formatProblem(problem: Problem, from: string): string {
  const path = relative(from, problem.file);
  const shown = path.startsWith('..') || isAbsolute(path) ? problem.file : path;
  const message = problem.message.trim().replace(/\s+/g, ' ');
  return `${shown}:${problem.line ?? 1}: ${message}`;
}

/** In reading order, each said once. */
export function inOrder(problems: Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems
    .filter((problem) => {
      const key = `${problem.file}:${problem.line ?? 1}:${problem.message}`;
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => a.file.localeCompare(b.file) || (a.line ?? 1) - (b.line ?? 1));
}
