/** A change of sensitivity: the tunables that it multiplies, and by how much. */
export interface Setting {
  /** The name that people have for what is judged by it. */
  name: string;
  /** Names of tunables, whatever their window. */
  tunables: readonly string[];
}

/**
 * Settings that may be more or less sensitive, each with its tunables in
 * prometheus/rules/tunables.rules.yml.
 */
export const SETTINGS_TUNED: readonly Setting[] = [
  { name: 'statuses', tunables: ['tillwatch:z:tunable', 'tillwatch:tail_z:tunable'] },
  { name: 'sales', tunables: ['tillwatch:volume_z:tunable', 'tillwatch:volume_noise_z:tunable'] },
];

/** Above 1: wider bands, fewer alerts. */
export type Factors = Readonly<Record<string, number>>;

/** A tunable multiplied, with two decimals. */
export const times = (value: number, factor: number): number => Number((value * factor).toFixed(2));

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
      const line = new RegExp(`(["']?${tunable}["']?.*\\bvector\\()\\s*([\\d.]+)\\s*(\\))`, 'g');
      if (!line.test(changed)) throw new Error(`${tunable} does not stand there as vector(NUMBER) on one line`);
      changed = changed.replace(line, (_, before, value, after) => `${before}${times(Number(value), factor)}${after}`);
    }
  }
  return changed;
}

/**
 * The lines that differ, as `patch` and `git apply --unidiff-zero` read them. Both texts have as
 * many lines.
 */
export function lineDiff(file: string, before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const hunks = old.flatMap((line, at) =>
    line === now[at] ? [] : [`@@ -${at + 1} +${at + 1} @@\n-${line}\n+${now[at] ?? ''}\n`],
  );
  return hunks.length === 0 ? '' : `--- ${file}\n+++ ${file}\n${hunks.join('')}`;
}
