// Only what Biome cannot see without types: promises nobody waits for. Style and everything else is Biome's.
import tseslint from 'typescript-eslint'

export default [
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.kafka/', '.streamctl/', 'tools/dev-bin/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/require-await': 'off',
    },
  },
]
