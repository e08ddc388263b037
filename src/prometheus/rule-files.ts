import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { durationSeconds } from '../domain/durations.ts';

/**
 * Parts that recording rules and alert rules have in common. Messages name a rule's place as
 * `FILE, group NAME`.
 */
interface Common {
  expr: string;
  labels: Readonly<Record<string, string>>;
  file: string;
  group: string;
  /** Seconds between evaluations. */
  interval: number;
}

export interface RecordingRule extends Common {
  record: string;
}

export interface AlertRule extends Common {
  alert: string;
  /** Seconds. */
  for: number;
  /** Seconds. */
  keepFiringFor: number;
  annotations: Readonly<Record<string, string>>;
}

export interface Rules {
  /** Where they come from, for messages. */
  name: string;
  recording: RecordingRule[];
  alerts: AlertRule[];
}

const DEFAULT_INTERVAL = 60;

const duration = z
  .union([z.string(), z.number()])
  .transform((value) => durationSeconds(String(value)))
  .refine((seconds) => !Number.isNaN(seconds), { error: 'is no duration such as 5m' });
const labels = z.record(z.string(), z.coerce.string()).nullish();
const expr = z.union([z.string(), z.number()]).transform(String);

const ruleFile = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      interval: duration.optional(),
      labels,
      rules: z
        .array(
          z.union([
            z.object({ record: z.string(), expr, labels }),
            z.object({
              alert: z.string(),
              expr,
              labels,
              for: duration.optional(),
              keep_firing_for: duration.optional(),
              annotations: labels,
            }),
          ]),
        )
        .nullish(),
    }),
  ),
});

/**
 * Reads every `*.yml` and `*.yaml` of a folder, in order of their names. Throws naming the file
 * that is no rule file.
 */
export async function readRules(dir: string): Promise<Rules> {
  const names = (await entriesOf(dir)).filter((name) => /\.ya?ml$/.test(name)).sort();
  if (names.length === 0) throw new Error(`${dir}: holds no rule files (*.yml)`);
  const files = await Promise.all(names.map((name) => readRuleFile(join(dir, name))));
  return {
    name: dir,
    recording: files.flatMap((file) => file.recording),
    alerts: files.flatMap((file) => file.alerts),
  };
}

async function entriesOf(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error(`${dir}: no such folder; it must hold the rule files (*.yml)`);
    throw new Error(code === 'ENOTDIR' ? `${dir}: is a file; give the folder that holds the rule files` : message);
  }
}

async function readRuleFile(file: string): Promise<Rules> {
  const content = ruleFile.safeParse(parseYaml(await readFile(file, 'utf8'), file));
  if (!content.success) throw new Error(`${file}: is no Prometheus rule file\n${z.prettifyError(content.error)}`);
  const found: Rules = { name: file, recording: [], alerts: [] };
  for (const group of content.data.groups) {
    for (const rule of group.rules ?? []) {
      const interval = group.interval ?? DEFAULT_INTERVAL;
      const common = {
        expr: rule.expr,
        labels: { ...group.labels, ...rule.labels },
        file,
        group: group.name,
        interval,
      };
      if ('record' in rule) found.recording.push({ ...common, record: rule.record });
      else found.alerts.push({ ...common, ...alertFields(rule) });
    }
  }
  return found;
}

type AlertYaml = {
  alert: string;
  for?: number | undefined;
  keep_firing_for?: number | undefined;
  annotations?: Record<string, string> | null | undefined;
};

const alertFields = (rule: AlertYaml) => ({
  alert: rule.alert,
  for: rule.for ?? 0,
  keepFiringFor: rule.keep_firing_for ?? 0,
  annotations: rule.annotations ?? {},
});

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { merge: true });
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : error}`);
  }
}
