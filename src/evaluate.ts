import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachAtOnce } from './in-order-of-need.ts';
import { createOpenMetricsFile, type OpenMetricsFile, seriesText } from './openmetrics.ts';
import { createBlocks, startPrivatePrometheus } from './private-prometheus.ts';
import { recordRule } from './record-rule.ts';
import type { RecordingRule } from './rulefiles.ts';

export interface EvaluateOptions {
  /** A Prometheus storage folder that no Prometheus runs on; the results become blocks in it. */
  storageDir: string;
  /** As `layerRules` gives them. */
  layers: RecordingRule[][];
  /** Seconds since the epoch; rules are evaluated at the multiples of their group's interval from `from` to `to`. */
  from: number;
  to: number;
  /** Told after each rule. */
  onRule?: (done: number, total: number, record: string) => void;
  signal?: AbortSignal | undefined;
}

/** Range queries at a time; each takes one core. */
const CONCURRENCY = 2;

/**
 * Evaluates recording rules over a range of the past, layer by layer on a private Prometheus, as Prometheus would
 * have live if all rules were one chain.
 * @returns what was recorded
 * @throws naming the rule whose expression fails
 */
export async function evaluateLayers(options: EvaluateOptions): Promise<{ samples: number; series: number }> {
  const { layers, storageDir, signal } = options;
  const total = layers.flat().length;
  const recorded = { samples: 0, series: 0 };
  let done = 0;
  const take = (rule: RecordingRule, { samples, series }: { samples: number; series: number }) => {
    recorded.samples += samples;
    recorded.series += series;
    options.onRule?.(++done, total, rule.record);
  };
  for (const [index, rules] of layers.entries()) {
    const path = join(storageDir, `layer-${index}.om`);
    await evaluateLayer(rules, path, options, take);
    await createBlocks(path, storageDir, signal);
    await rm(path);
  }
  return recorded;
}

async function evaluateLayer(
  rules: RecordingRule[],
  path: string,
  options: EvaluateOptions,
  take: (rule: RecordingRule, recorded: { samples: number; series: number }) => void,
): Promise<void> {
  const prometheus = await startPrivatePrometheus(options.storageDir, options.signal);
  try {
    const file = await createOpenMetricsFile(path);
    try {
      await forEachAtOnce(CONCURRENCY, rules, async (rule) =>
        take(rule, await evaluateRule(prometheus.url, rule, file, options)),
      );
    } finally {
      await file.close();
    }
  } finally {
    await prometheus.stop();
  }
}

async function evaluateRule(url: string, rule: RecordingRule, file: OpenMetricsFile, options: EvaluateOptions) {
  const seen = new Set<string>();
  let samples = 0;
  await recordRule(url, rule, options, async (recorded) => {
    for (const { labels, times, values } of recorded) {
      const { __name__: name = '', ...others } = labels;
      const series = seriesText(name, others);
      seen.add(series);
      samples += times.length;
      await writeValues(file, series, times, values);
    }
  });
  return { samples, series: seen.size };
}

async function writeValues(
  file: OpenMetricsFile,
  series: string,
  times: ArrayLike<number>,
  values: ArrayLike<number>,
): Promise<void> {
  for (let at = 0; at < times.length; at += 1000) {
    let lines = '';
    for (let index = at; index < Math.min(at + 1000, times.length); index++) {
      lines += `${series} ${values[index]} ${times[index]}\n`;
    }
    await file.write(lines);
  }
}
