import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // By `npm run test:slow`: minutes of waiting for what real programs do once a minute.
    exclude: process.env.TILLWATCH_SLOW === undefined ? ['test/slow/**'] : [],
    // Only what hangs takes so long: a busy machine may be twenty times slower than a quiet one.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Two cores: more files at once only make every real process slower.
    maxWorkers: 2,
    reporters: ['default'],
  },
});
