import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import type { InlineConfig } from 'vitest/node'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Tests see the sources under the package's own name, so that no build stands between an edit and a test. */
export const alias = [
  { find: /^streamctl$/, replacement: at('src/index.ts') },
  { find: /^streamctl\/testing$/, replacement: at('src/testing.ts') },
]

/** With STREAMCTL_TEST_REPORT=<file>, the results as JSON beside what the terminal shows: `.ci/run` adds them up. */
const report = process.env.STREAMCTL_TEST_REPORT
export const reporters: NonNullable<InlineConfig['reporters']> = report
  ? ['default', ['json', { outputFile: report }]]
  : ['default']

/** The fast tests: no JVM, no broker, no network. `vitest.broker.config.ts`, `vitest.parity.config.ts` and `vitest.clone.config.ts` hold the others. */
export default defineConfig({
  resolve: { alias },
  test: {
    reporters,
    // Vitest leaves a core free by default, and on two that is half: many tests wait for processes and clocks.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/broker/**', 'test/clone/**', 'test/parity/parity.test.ts'],
          globalSetup: ['test/support/compile-cache.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            // The type tests and what they import; `npm run check:types` sees everything.
            tsconfig: 'test/types/tsconfig.json',
            include: ['test/types/**/*.test-d.ts'],
            // Errors elsewhere are `npm run check:types`'s to report: here they would only repeat.
            ignoreSourceErrors: true,
          },
        },
      },
    ],
  },
})
