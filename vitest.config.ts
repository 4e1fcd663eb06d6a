import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Tests see the sources under the package's own name, so that no build stands between an edit and a test. */
export const alias = [
  { find: /^streamctl$/, replacement: at('src/index.ts') },
  { find: /^streamctl\/testing$/, replacement: at('src/testing.ts') },
]

/** The fast tests: no JVM, no broker. `vitest.broker.config.ts` holds the others. */
export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/broker/**'],
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
            tsconfig: 'tsconfig.json',
            include: ['test/types/**/*.test-d.ts'],
            // Errors elsewhere are `npm run check:types`'s to report: here they would only repeat.
            ignoreSourceErrors: true,
          },
        },
      },
    ],
  },
})
