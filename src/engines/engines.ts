import { stringify } from 'yaml';
import { metricsRead } from '../prometheus/promql.ts';
import type { Engine } from './engine-names.ts';
import type { RuleFile, RuleGroup } from './rule-source.ts';
import { rulesOfShard, scrapesOfShard } from './shards.ts';
import { forVmalert, VMALERT_FLAGS } from './vmalert.ts';

export interface WrittenFile {
  /** Path below the folder that all are written to. */
  name: string;
  text: string;
}

/** Seconds that samples may take to Mimir; rules are evaluated as of so long ago. */
const MIMIR_DELAY = '1m';

/** Rules that one group of Mimir and Cortex may hold, unless its operator allows more. */
export const MIMIR_GROUP = 20;

/**
 * Writes the rule files as an engine needs them. @param url of Tillwatch's page, for links in
 * messages; default: what the files say
 */
export function writeRules(engine: Engine, files: readonly RuleFile[], url?: string): WrittenFile[] {
  const linked = files.map((file) => withLinks(file, url));
  const made = engine === 'vmalert' ? forVmalert(linked) : linked;
  return made.map((file) => ({
    name: file.name,
    text: header(engine) + stringify(documentOf(engine, file), { lineWidth: 0, aliasDuplicateObjects: false }),
  }));
}

/**
 * The rule files of several Prometheus that share the slices, with what each one's prometheus.yml
 * needs.
 */
export function writeShards(files: readonly RuleFile[], shards: number, url?: string): WrittenFile[] {
  return Array.from({ length: shards }, (_, shard) => {
    const rules = writeRules('prometheus', rulesOfShard(files, shard), url);
    const scrapes = stringify(scrapesOfShard(files, shard, shards), { lineWidth: 0 });
    return [
      ...rules.map(({ name, text }) => ({ name: `shard-${shard}/rules/${name}`, text })),
      { name: `shard-${shard}/scrapes.yml`, text: SCRAPES + scrapes },
    ];
  }).flat();
}

const SCRAPES = `# For this shard's prometheus.yml: metric_relabel_configs belong into each job that counts transactions, scrape_configs beside the
# others. Every shard has the same path to its rules, so that all judge at the same second. Change the number of shards while all of
# them are stopped for three minutes.
`;

/**
 * A label of all alerts collides on some engines and stays on others, so that links stand in the
 * text.
 */
function withLinks({ name, groups }: RuleFile, url: string | undefined): RuleFile {
  const link = /\{\{ or \$externalLabels\.tillwatch_url "([^"]*)" \}\}/g;
  const linked = (texts: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(texts).map(([key, text]) => [
        key,
        String(text).replaceAll(link, (_, shipped: string) => url ?? shipped),
      ]),
    );
  return {
    name,
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        ...(rule.labels !== undefined && { labels: linked(rule.labels) }),
        ...(rule.annotations !== undefined && { annotations: linked(rule.annotations) }),
      })),
    })),
  };
}

function documentOf(engine: Engine, { name, groups }: RuleFile): unknown {
  const stem = name.replace(/\.ya?ml$/, '');
  switch (engine) {
    case 'mimir':
      return {
        namespace: stem,
        groups: groups.flatMap(partedForMimir).map(({ name: called, interval, ...rest }) => ({
          name: called,
          ...(interval !== undefined && { interval }),
          query_offset: MIMIR_DELAY,
          ...rest,
        })),
      };
    case 'thanos':
      // A part of the counts would look like a drop in sales.
      return {
        groups: groups.map(({ name: called, ...rest }) => ({
          name: called,
          partial_response_strategy: 'abort',
          ...rest,
        })),
      };
    case 'operator':
      return {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'PrometheusRule',
        metadata: {
          name: `tillwatch-${stem.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`,
          labels: { 'app.kubernetes.io/name': 'tillwatch', 'app.kubernetes.io/component': 'rules' },
        },
        spec: { groups },
      };
    default:
      return { groups };
  }
}

/** Splits a group that is too large for Mimir where its rules do not read each other. */
function partedForMimir(group: RuleGroup): RuleGroup[] {
  const { name, rules } = group;
  const recorded = new Set(rules.map(({ record }) => record));
  const isChained = rules.some(({ expr }) => metricsRead(expr).some((read) => recorded.has(String(read))));
  if (rules.length <= MIMIR_GROUP || isChained) return [group];
  const parts = Math.ceil(rules.length / MIMIR_GROUP);
  return Array.from({ length: parts }, (_, part) => ({
    ...group,
    name: `${name} ${part + 1} of ${parts}`,
    rules: rules.slice(part * MIMIR_GROUP, (part + 1) * MIMIR_GROUP),
  }));
}

function header(engine: Engine): string {
  const lines = [`Written by \`tillwatch rules --for ${engine}\`: edit the source and write it anew.`];
  if (engine === 'vmalert') {
    for (const [program, flags] of Object.entries(VMALERT_FLAGS)) lines.push(`${program} needs ${flags.join(' ')}`);
  }
  return lines.map((line) => `# ${line}\n`).join('');
}
