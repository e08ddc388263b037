import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordingRule } from '../prometheus/rule-files.ts';
import { SHIPPED_RULES } from '../runtime/project.ts';
import { CannotTry, numberOf } from './tunable-rules.ts';
import { numbersIn, withNumbers } from './tunables-text.ts';

export const TUNABLES_FILE = 'tunables.rules.yml';

/** The file in which tunables stand. */
export interface TunablesFile {
  path: string;
  text: string;
  /** False where it lies elsewhere: its text is that of the shipped one, with the numbers in force. */
  isHere: boolean;
}

/**
 * Finds the file of the tunables that a Prometheus evaluates; undefined where they stand otherwise
 * than in the shipped one.
 * @throws CannotTry where it was edited and is not in force yet
 */
export async function findTunables(tunables: readonly RecordingRule[]): Promise<TunablesFile | undefined> {
  const [first, ...others] = new Set(tunables.map(({ file }) => file));
  if (first === undefined || others.length > 0) return undefined;
  const inForce = new Map<string, number[]>();
  for (const rule of tunables) inForce.set(rule.record, [...(inForce.get(rule.record) ?? []), numberOf(rule)]);
  const standsIn = (text: string, agrees: (there: number[], here: number[]) => boolean) =>
    [...inForce].every(([name, numbers]) => agrees(numbersIn(text, name), numbers));
  const asMany = (there: number[], here: number[]) => there.length === here.length;
  const path = await realpath(first).catch(() => undefined);
  const own = path === undefined ? undefined : await readFile(path, 'utf8').catch(() => undefined);
  if (path !== undefined && own !== undefined) {
    if (!standsIn(own, asMany)) return undefined;
    if (!standsIn(own, (there, here) => there.every((number, at) => number === here[at])))
      throw new CannotTry(`${path} was edited, and Prometheus does not evaluate it yet: reload it, then try again`);
    return { path, text: own, isHere: true };
  }
  const shipped = await readFile(join(SHIPPED_RULES, TUNABLES_FILE), 'utf8');
  if (!standsIn(shipped, asMany)) return undefined;
  const text = [...inForce].reduce((changed, [name, numbers]) => {
    const next = numbers.values();
    return withNumbers(changed, name, (value) => next.next().value ?? value);
  }, shipped);
  return { path: first, text, isHere: false };
}

/** The command that applies a diff of a file, whatever path the diff names. */
export const patchCommand = (path: string): string =>
  `patch ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`} tune.diff`;
