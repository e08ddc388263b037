import type { RecordingRule } from './rule-files.ts';
import { createNeeds, layerRules } from './rule-graph.ts';

/**
 * Makes a function that does `work` for each rule and part of time, a few at a time: each as soon
 * as the rule is done with the part before, and all rules that it reads are done with this one.
 * Rules form chains of more than fifty. If all had to be done with a part before the next one
 * began, only one rule would be ready most of the time. The function throws the first failure, when
 * nothing is under way any more.
 * @throws when rules read each other in a circle
 */
export function inOrderOfNeed(
  limit: number,
  rules: readonly RecordingRule[],
): <Part>(parts: readonly Part[], work: (rule: RecordingRule, part: Part) => Promise<void>) => Promise<void> {
  const needs = createNeeds(rules, new Set());
  const read = new Map(rules.map((rule) => [rule, needs(rule.expr)]));
  const inputs = new Set([...read.values()].flatMap((needed) => needed.inputs));
  // Low layers first: what many wait for is done early.
  const layered = layerRules(rules, inputs).flat();
  return async (parts, work) => {
    const idle = new Set(layered);
    const done = new Map(layered.map((rule) => [rule, 0]));
    const partsDone = (rule: RecordingRule) => done.get(rule) ?? parts.length;
    const underWay = new Set<Promise<void>>();
    const nextIn = (part: number) =>
      layered.find(
        (rule) =>
          idle.has(rule) &&
          partsDone(rule) === part &&
          read.get(rule)?.rules.every((below) => partsDone(below) > part) !== false,
      );
    /** Early parts first. */
    const startNext = (): boolean => {
      for (const [at, part] of parts.entries()) {
        const rule = nextIn(at);
        if (rule === undefined) continue;
        idle.delete(rule);
        const running: Promise<void> = work(rule, part)
          .then(() => void done.set(rule, at + 1))
          .finally(() => {
            idle.add(rule);
            underWay.delete(running);
          });
        underWay.add(running);
        return true;
      }
      return false;
    };
    try {
      while (layered.some((rule) => partsDone(rule) < parts.length)) {
        while (underWay.size < limit && startNext());
        await Promise.race(underWay);
      }
    } finally {
      await Promise.allSettled(underWay);
    }
  };
}

/**
 * Does `work` for each item, a few at a time. Throws the first failure, when nothing is under way
 * any more.
 */
export async function forEachAtOnce<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  // Every worker has ended before an error goes on, so that nothing still writes to what the caller
  // cleans up.
  const ended = await Promise.allSettled(Array.from({ length: limit }, worker));
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
}
