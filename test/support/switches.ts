const BEGIN = /^\s*# -+ switch on: ([\w-]+)/;
const END = /^\s*# -+ end: ([\w-]+)/;

/**
 * alertmanager.yml with blocks switched on: the lines between `# ---- switch on: NAME` and `# ----
 * end: NAME` lose their comment sign, as a person would do it. Keeps every line's number. Without
 * names, all blocks. A block that is on already stays as it is.
 */
export function switchOn(text: string, names?: readonly string[]): string {
  let inside: string | undefined;
  const all = text.split('\n');
  const lines = all.map((line, index) => {
    const begin = BEGIN.exec(line)?.[1];
    if (begin !== undefined) inside = isOn(all, index) ? undefined : begin;
    if (begin !== undefined || inside === undefined) return line;
    if (END.test(line)) {
      inside = undefined;
      return line;
    }
    return !names || names.includes(inside) ? line.replace(/^(\s*)# ?/, '$1') : line;
  });
  return lines.join('\n');
}

/** True where the block that begins in a line has lines that are no comments. */
function isOn(lines: readonly string[], begin: number): boolean {
  const end = lines.findIndex((line, index) => index > begin && END.test(line));
  return lines.slice(begin, end).some((line) => /^\s*[^#\s]/.test(line));
}

/** Names of the blocks, in the order of the file. */
export function switches(text: string): string[] {
  return text.split('\n').flatMap((line) => BEGIN.exec(line)?.[1] ?? []);
}
