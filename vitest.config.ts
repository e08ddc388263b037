import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real Prometheus and Alertmanager processes take seconds, not milliseconds, on two busy cores.
    testTimeout: 120_000,
    hookTimeout: 600_000,
    // Two cores: more files at once only make every real process slower.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
