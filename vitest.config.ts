import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take minutes begin first; one that began last would keep all waiting for it. */
const LONG = [
  ...['up', 'page-of-demo', 'rules', 'page', 'own-counter', 'state', 'vmalert', 'check', 'docs-page', 'torture'],
  ...['backtest-command', 'shipped-queries', 'shards', 'backtest', 'explore', 'missing-tunables', 'history', 'kill'],
].map((name) => `${name}.test.ts`);

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const long = LONG.flatMap((name) => sorted.filter(({ moduleId }) => basename(moduleId) === name));
    return [...long, ...sorted.filter((file) => !long.includes(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By `npm run test:slow`: the oldest release, suites of days, and minutes of waiting for real programs.
    exclude: process.env.TILLWATCH_SLOW === undefined ? ['test/slow/**'] : [],
    // Only what hangs takes so long: a busy machine may be twenty times slower than a quiet one.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // On two cores: most of them wait for the next minute of what they have started.
    maxWorkers: 5,
    // promtool takes a core.
    maxConcurrency: 2,
    sequence: { sequencer: LongFirst },
    reporters: ['default'],
  },
});
