import { defineConfig } from 'vitest/config'
import { alias, reporters } from './vitest.config.ts'

/** streamctl beside Kafka Streams on the same input: needs a JVM. */
export default defineConfig({
  resolve: { alias },
  test: {
    name: 'parity',
    reporters,
    include: ['test/parity/parity.test.ts', 'test/parity/restarts.test.ts', 'test/parity/crashes.test.ts'],
    env: { STREAMCTL_RESTART_RUNS: process.env.STREAMCTL_RESTART_RUNS ?? '10' },
    hookTimeout: 300_000,
    testTimeout: 300_000,
  },
})
