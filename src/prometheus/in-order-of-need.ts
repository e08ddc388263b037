import type { RecordingRule } from './rule-files.ts';
import { createNeeds, layerRules } from './rule-graph.ts';

/**
 * Makes a function that does `work` for each rule, a few at a time, each as soon as all rules that
 * it reads are done. It throws the first failure, when nothing is under way any more.
 * @throws when rules read each other in a circle
 */
export function inOrderOfNeed(
  limit: number,
  rules: readonly RecordingRule[],
): (work: (rule: RecordingRule) => Promise<void>) => Promise<void> {
  const needs = createNeeds(rules, new Set());
  const read = new Map(rules.map((rule) => [rule, needs(rule.expr)]));
  const inputs = new Set([...read.values()].flatMap((needed) => needed.inputs));
  // Low layers first: what many wait for is done early.
  const layered = layerRules(rules, inputs).flat();
  return async (work) => {
    const waiting = [...layered];
    const undone = new Set(waiting);
    const underWay = new Set<Promise<void>>();
    const isReady = (rule: RecordingRule) => !read.get(rule)?.rules.some((below) => undone.has(below));
    const start = (rule: RecordingRule) => {
      waiting.splice(waiting.indexOf(rule), 1);
      const running: Promise<void> = work(rule)
        .then(() => undone.delete(rule))
        .finally(() => underWay.delete(running)) as unknown as Promise<void>;
      underWay.add(running);
    };
    try {
      while (undone.size > 0) {
        for (let next = waiting.find(isReady); next && underWay.size < limit; next = waiting.find(isReady)) start(next);
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
