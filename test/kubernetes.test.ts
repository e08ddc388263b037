import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as operator from '@kubernetes-models/prometheus-operator';
import { execa } from 'execa';
import * as kubernetes from 'kubernetes-models';
import { describe, expect, test } from 'vitest';
import { findBinary } from '../src/binaries/binaries.ts';
import { SETTINGS, variable } from '../src/config/config.ts';
import { PROJECT, SHIPPED_RULES } from '../src/runtime/project.ts';
import { buildKustomization, type KubernetesObject } from './support/kustomize.ts';
import { freePort, startProcess, waitFor } from './support/processes.ts';
import { tempDir } from './support/temp-dir.ts';

const folderOf = (name: string) => join(PROJECT, 'deploy', 'kubernetes', name);

interface Model {
  new (data: object): { validate: () => void };
  is: (value: unknown) => boolean;
}
const isModel = (value: unknown): value is Model => typeof value === 'function' && 'is' in value;

/** Holds an object to the schema that Kubernetes or the Operator publishes for its kind. */
function validate(object: KubernetesObject): void {
  const models = [...Object.values(kubernetes), ...Object.values(operator)].flatMap((versions) =>
    typeof versions === 'object' && versions !== null ? Object.values(versions) : [versions],
  );
  const found = [...models, ...models.flatMap((inner) => (typeof inner === 'object' ? Object.values(inner) : []))]
    .filter(isModel)
    .find((model) => model.is(object));
  if (found === undefined) throw new Error(`no schema for ${object.apiVersion} ${object.kind}`);
  new found(object).validate();
}

function ofKind(objects: KubernetesObject[], kind: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} among ${objects.map((object) => object.kind).join(', ')}`);
  return found;
}

describe.each(['embedded', 'postgres', 'monitoring'])('deploy/kubernetes/%s', (name) => {
  test('is valid by the published schemas', async () => {
    const objects = await buildKustomization(folderOf(name));
    expect(objects.length).toBeGreaterThan(2);
    for (const object of objects) validate(object);
  });
});

test('what is no valid object is refused', async () => {
  const [service] = (await buildKustomization(folderOf('embedded'))).filter(({ kind }) => kind === 'Service');
  expect(() => validate({ ...(service as KubernetesObject), spec: { ports: [{ port: 'http' }] } })).toThrow();
});

describe.each([
  ['embedded', 'StatefulSet'],
  ['postgres', 'Deployment'],
])('the pod of deploy/kubernetes/%s', (name, kind) => {
  test('runs without privileges, and sends no report to a service that drains or cannot commit', async () => {
    const workload = ofKind(await buildKustomization(folderOf(name)), kind);
    const { containers, securityContext, terminationGracePeriodSeconds } = workload.spec.template.spec;
    const [{ securityContext: own, readinessProbe, livenessProbe, resources }] = containers;
    expect(securityContext.runAsNonRoot).toBe(true);
    expect(own).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect([readinessProbe.httpGet.path, livenessProbe.httpGet.path]).toEqual(['/-/ready', '/-/healthy']);
    expect(resources.limits.memory).toBeDefined();
    const settings = ofKind(await buildKustomization(folderOf(name)), 'ConfigMap').data;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(Number.parseInt(settings.TILLWATCH_DRAIN, 10) + 10);
  });

  test('sets what the program knows', async () => {
    const objects = await buildKustomization(folderOf(name));
    const { containers } = ofKind(objects, kind).spec.template.spec;
    const known = Object.values(SETTINGS).flatMap(({ flag }) => [variable(flag), `${variable(flag)}_FILE`]);
    const env: { name: string }[] = containers[0].env;
    const names = [...Object.keys(ofKind(objects, 'ConfigMap').data), ...env.map((one) => one.name)];
    expect(names.filter((one) => !known.includes(one))).toEqual([]);
  });
});

/** As the Operator labels a target. */
const scraped = (name: string, pod: string, more = '') =>
  `${name}{job="tillwatch", namespace="tillwatch", service="tillwatch", endpoint="http", container="tillwatch", ` +
  `pod="${pod}", instance="10.0.0.${pod.at(-1)}:8080"${more}}`;

test('two replicas and a rollout, labelled as the Operator does, are one series with one baseline', async () => {
  const file = join(await tempDir(), 'operator.test.yml');
  const total = (pod: string, values: string) => [
    { series: scraped('transactions_total', pod, ', status="approved"'), values },
    { series: scraped('tillwatch_ledger_info', pod, ', ledger="one"'), values: values.replace(/\d+\+\d+x/g, '1x') },
  ];
  await writeFile(
    file,
    JSON.stringify({
      rule_files: ['slices', 'transactions', 'tunables'].map((name) => join(SHIPPED_RULES, `${name}.rules.yml`)),
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          // Two replicas show the same totals; at minute 10 other pods take their place.
          input_series: [
            ...total('tillwatch-1', '0+100x10 stale'),
            ...total('tillwatch-2', '0+100x10 stale'),
            ...total('tillwatch-3', '_x10 1000+100x10'),
            ...total('tillwatch-4', '_x10 1000+100x10'),
          ],
          promql_expr_test: [
            {
              expr: 'count(status:transactions:increase1m)',
              eval_time: '18m',
              exp_samples: [{ labels: '{}', value: 1 }],
            },
            {
              expr: 'count_over_time(status:transactions:increase1m[15m])',
              eval_time: '18m',
              exp_samples: [{ labels: '{level="total", status="approved"}', value: 15 }],
            },
            {
              expr: 'max_over_time(status:transactions:increase1m[15m]) - min_over_time(status:transactions:increase1m[15m])',
              eval_time: '18m',
              exp_samples: [{ labels: '{level="total", status="approved"}', value: 0 }],
            },
          ],
        },
      ],
    }),
  );
  await execa(await findBinary('promtool'), ['test', 'rules', file]);
});

test('replicas of Prometheus read from each other what they hold, as the rules expect it', async () => {
  const objects = await buildKustomization(folderOf('monitoring'));
  const monitor = objects.find(({ metadata }) => metadata.name === 'tillwatch-replicas');
  const [endpoint] = monitor?.spec.endpoints ?? [];
  const dir = await tempDir();
  await writeFile(
    join(dir, 'held.yml'),
    JSON.stringify({
      groups: [
        {
          name: 'held',
          interval: '1s',
          rules: [{ record: 'status:transactions:held', expr: 'vector(1)', labels: { level: 'total' } }],
        },
      ],
    }),
  );
  const port = await freePort();
  // As the Operator writes a scrape of this endpoint.
  const written = ({ sourceLabels, targetLabel, ...rest }: Record<string, unknown>) => ({
    ...rest,
    ...(sourceLabels === undefined ? {} : { source_labels: sourceLabels, target_label: targetLabel }),
  });
  await writeFile(
    join(dir, 'prometheus.yml'),
    JSON.stringify({
      global: { external_labels: { prometheus: 'monitoring/k8s', prometheus_replica: 'prometheus-k8s-0' } },
      rule_files: ['held.yml'],
      scrape_configs: [
        {
          job_name: 'prometheus-operated',
          scrape_interval: '1s',
          metrics_path: endpoint.path,
          params: endpoint.params,
          honor_labels: endpoint.honorLabels,
          static_configs: [
            { targets: [`127.0.0.1:${port}`], labels: { pod: 'prometheus-k8s-0', namespace: 'monitoring' } },
          ],
          relabel_configs: endpoint.relabelings,
          metric_relabel_configs: endpoint.metricRelabelings.map(written),
        },
      ],
    }),
  );
  await startProcess(await findBinary('prometheus'), [
    `--config.file=${join(dir, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const held = await waitFor(
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=replica:transactions:held`);
      return ((await answer.json()) as { data: { result: { metric: object }[] } }).data.result[0];
    },
    { what: 'replica:transactions:held' },
  );
  expect(held.metric).toEqual({
    __name__: 'replica:transactions:held',
    level: 'total',
    job: 'prometheus-operated',
    replica: 'prometheus-k8s-0',
  });
});
