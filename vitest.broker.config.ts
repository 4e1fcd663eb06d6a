import { defineConfig } from 'vitest/config'
import { alias, reporters } from './vitest.config.ts'

/** Tests on a real Kafka, one file after another: they share one broker and measure what it holds. */
export default defineConfig({
  resolve: { alias },
  test: {
    name: 'broker',
    reporters,
    include: ['test/broker/**/*.test.ts'],
    globalSetup: ['test/broker/setup.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
  },
})
