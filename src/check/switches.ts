const BEGIN = /^\s*# -+ switch on: ([\w-]+)/;
const END = /^\s*# -+ end: ([\w-]+)/;

/**
 * alertmanager.yml with blocks switched on: the lines between `# ---- switch on: NAME` and `# ----
 * end: NAME` lose their comment sign, as a person would do it. Keeps every line's number. Without
 * names, all blocks.
 */
export function switchOn(text: string, names?: readonly string[]): string {
  let inside: string | undefined;
  const lines = text.split('\n').map((line) => {
    const begin = BEGIN.exec(line)?.[1];
    if (begin !== undefined) inside = begin;
    if (begin !== undefined || inside === undefined) return line;
    if (END.test(line)) {
      inside = undefined;
      return line;
    }
    return !names || names.includes(inside) ? line.replace(/^(\s*)# ?/, '$1') : line;
  });
  return lines.join('\n');
}

/** Names of the blocks, in the order of the file. */
export function switches(text: string): string[] {
  return text.split('\n').flatMap((line) => BEGIN.exec(line)?.[1] ?? []);
}
