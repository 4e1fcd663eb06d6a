import { defineConfig } from 'vitest/config'
import { reporters } from './vitest.config.ts'

/** What a reader gets who clones the repository: installs from the registry, so it is slow and needs a network. */
export default defineConfig({
  test: {
    name: 'clone',
    reporters,
    include: ['test/clone/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
