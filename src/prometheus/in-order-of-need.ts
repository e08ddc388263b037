import type { RecordingRule } from './rule-files.ts';
import { createNeeds, layerRules } from './rule-graph.ts';

/** Takes parts of time through all rules; `Part` says from when to when. */
export interface Schedule<Part> {
  /** Gives the next part, in order of time. */
  add: (part: Part) => void;
  /**
   * Resolves once all rules are done with all parts, or with all but the newest `unfinished` ones.
   * @throws the first failure of `work`, when nothing is under way any more
   */
  done: (unfinished?: number) => Promise<void>;
}

/**
 * Does `work` for each rule and part of time, a few at a time: each as soon as the rule is done
 * with the part before, and all rules that it reads are done with this one. Rules form chains of
 * more than fifty. If all had to be done with a part before the next one began, only one rule would
 * be ready most of the time.
 * @throws when rules read each other in a circle
 */
export function scheduleRules<Part>(
  limit: number,
  rules: readonly RecordingRule[],
  work: (rule: RecordingRule, part: Part) => Promise<void>,
): Schedule<Part> {
  const needs = createNeeds(rules, new Set());
  const read = new Map(rules.map((rule) => [rule, needs(rule.expr)]));
  const inputs = new Set([...read.values()].flatMap((needed) => needed.inputs));
  // Low layers first: what many wait for is done early.
  const layered = layerRules(rules, inputs).flat();
  const idle = new Set(layered);
  const partsDone = new Map(layered.map((rule) => [rule, 0]));
  const doneBy = (rule: RecordingRule) => partsDone.get(rule) ?? 0;
  const parts: Part[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  const finished = () => Math.min(parts.length, ...layered.map(doneBy));
  const nextIn = (at: number) =>
    layered.find(
      (rule) =>
        idle.has(rule) && doneBy(rule) === at && read.get(rule)?.rules.every((below) => doneBy(below) > at) !== false,
    );
  /** Early parts first. */
  const startNext = (): boolean => {
    for (let at = finished(); at < parts.length; at++) {
      const [rule, part] = [nextIn(at), parts[at]];
      if (rule === undefined || part === undefined) continue;
      idle.delete(rule);
      const running: Promise<void> = work(rule, part)
        .then(
          () => void partsDone.set(rule, at + 1),
          (error: unknown) => {
            failure ??= { error };
          },
        )
        .finally(() => {
          idle.add(rule);
          underWay.delete(running);
          startSome();
        });
      underWay.add(running);
      return true;
    }
    return false;
  };
  const startSome = () => {
    while (failure === undefined && underWay.size < limit && startNext());
  };
  return {
    add: (part) => {
      parts.push(part);
      startSome();
    },
    done: async (unfinished = 0) => {
      while (failure === undefined && finished() < parts.length - unfinished) await Promise.race(underWay);
      if (failure === undefined) return;
      await Promise.all(underWay);
      throw failure.error;
    },
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
