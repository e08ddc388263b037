/** A change of sensitivity: the tunables that it multiplies, and by how much. */
export interface Setting {
  /** The name that people have for what is judged by it. */
  name: string;
  /** Names of tunables, whatever their window. */
  tunables: readonly string[];
  /** Whether alerts of this signal are judged by it. */
  judges: (signal: string) => boolean;
}

/**
 * Settings that may be more or less sensitive, each with its tunables in
 * prometheus/rules/tunables.rules.yml.
 */
export const SETTINGS_TUNED: readonly Setting[] = [
  {
    name: 'statuses',
    tunables: ['tillwatch:z:tunable', 'tillwatch:tail_z:tunable'],
    judges: (signal) => signal !== 'volume',
  },
  {
    name: 'sales',
    tunables: ['tillwatch:volume_z:tunable', 'tillwatch:volume_noise_z:tunable'],
    judges: (signal) => signal === 'volume',
  },
];

/** Above 1: wider bands, fewer alerts. */
export type Factors = Readonly<Record<string, number>>;

/** A tunable multiplied, with two decimals. */
export const times = (value: number, factor: number): number => Number((value * factor).toFixed(2));

const lineOf = (tunable: string) =>
  new RegExp(`^(?!\\s*#)(.*["']?${tunable}["']?.*\\bvector\\()\\s*([\\d.]+)\\s*(\\))`, 'gm');

/** The numbers of a tunable in the text of a rule file, from top to bottom. */
export const numbersIn = (text: string, tunable: string): number[] =>
  [...text.matchAll(lineOf(tunable))].map(([, , value]) => Number(value));

/** The text with other numbers for a tunable. */
export const withNumbers = (text: string, tunable: string, next: (value: number) => number): string =>
  text.replace(lineOf(tunable), (_, before, value, after) => `${before}${next(Number(value))}${after}`);

/**
 * The text of a rule file with each tunable of a setting multiplied. All else stays as it is,
 * comments too.
 * @throws where a tunable is not there as `vector(NUMBER)`
 */
export function multiplied(text: string, factors: Factors): string {
  let changed = text;
  for (const { name, tunables } of SETTINGS_TUNED) {
    const factor = factors[name] ?? 1;
    if (factor === 1) continue;
    for (const tunable of tunables) {
      if (numbersIn(changed, tunable).length === 0)
        throw new Error(`${tunable} does not stand there as vector(NUMBER) on one line`);
      changed = withNumbers(changed, tunable, (value) => times(value, factor));
    }
  }
  return changed;
}

/** Lines around a change that show where it belongs. */
const CONTEXT = 3;

/**
 * The lines that differ, as `patch` and `git apply` read them: a unified diff. Both texts have as
 * many lines.
 */
export function lineDiff(file: string, before: string, after: string): string {
  const [old, now] = [linesOf(before), linesOf(after)];
  const changed = old.flatMap((line, at) => (line === now[at] ? [] : [at]));
  const hunks: { from: number; to: number }[] = [];
  for (const at of changed) {
    const [from, to] = [Math.max(0, at - CONTEXT), Math.min(old.length, at + CONTEXT + 1)];
    const last = hunks.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  const texts = hunks.map(({ from, to }) => {
    const lines = old
      .slice(from, to)
      .map((line, at) => (line === now[from + at] ? ` ${line}` : `-${line}+${now[from + at] ?? ''}`));
    const where = `${from + 1},${to - from}`;
    return `@@ -${where} +${where} @@\n${lines.join('')}`;
  });
  return texts.length === 0 ? '' : `--- ${file}\n+++ ${file}\n${texts.join('')}`;
}

/** Lines with their ends, as a diff writes them. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => `${line}\n`);
  const last = lines.pop();
  return last === undefined || last === '\n' ? lines : [...lines, `${last}\\ No newline at end of file\n`];
}
