import { defineConfig } from 'vitest/config'
import { alias, reporters } from './vitest.config.ts'

/** streamctl beside Kafka Streams on the same input: needs a JVM. */
export default defineConfig({
  resolve: { alias },
  test: {
    name: 'parity',
    reporters,
    include: ['test/parity/parity.test.ts'],
    hookTimeout: 300_000,
  },
})
