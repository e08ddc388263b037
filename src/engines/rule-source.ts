import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { durationSeconds } from '../domain/durations.ts';
import { readRules } from '../prometheus/rule-files.ts';

/** A rule as its file has it. Keys that are not named here are kept. */
export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  [key: string]: unknown;
}

export type RecordingRule = Rule & { record: string };

/** A group as its file has it. */
export interface RuleGroup {
  name: string;
  interval?: string;
  rules: Rule[];
  [key: string]: unknown;
}

export interface RuleFile {
  /** The name of the file, such as `transactions.rules.yml`. */
  name: string;
  groups: RuleGroup[];
}

export const isRecording = (rule: Rule): rule is RecordingRule => rule.record !== undefined;

/** Seconds between the evaluations of a group. */
export const intervalOf = ({ interval = '1m' }: RuleGroup): number => durationSeconds(String(interval));

/**
 * Reads the rule files of a folder with YAML's anchors resolved, in order of their names.
 * @throws naming the file that is no rule file
 */
export async function readRuleSource(dir: string): Promise<RuleFile[]> {
  await readRules(dir);
  const names = (await readdir(dir)).filter((name) => /\.ya?ml$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { groups } = parse(await readFile(join(dir, name), 'utf8'), { merge: true }) as { groups: RuleGroup[] };
      return { name, groups: groups.map(withTexts) };
    }),
  );
}

/**
 * Group labels go into the rules, since groups may be split; expressions that YAML takes for
 * numbers become text.
 */
function withTexts({ labels, rules, ...group }: RuleGroup): RuleGroup {
  const common = labels as Readonly<Record<string, string>> | undefined;
  return {
    ...group,
    rules: (rules ?? []).map((rule) => ({
      ...rule,
      expr: String(rule.expr),
      ...((common || rule.labels) && { labels: { ...common, ...rule.labels } }),
    })),
  };
}
