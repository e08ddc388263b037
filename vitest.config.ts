import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By `npm run test:slow`: the oldest release, suites of days, and minutes of waiting for real programs.
    exclude: process.env.TILLWATCH_SLOW === undefined ? ['test/slow/**'] : [],
    // Only what hangs takes so long: a busy machine may be twenty times slower than a quiet one.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // On two cores: two leave them idle for a third of the time, while tests wait for the next minute.
    maxWorkers: 3,
    reporters: ['default'],
  },
});
