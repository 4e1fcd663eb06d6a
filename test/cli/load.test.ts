import { expect, test } from 'vitest'
import { folder, program, wordCount } from './process.ts'

test('a topology far from any installation resolves streamctl, and Node runs it without a word', async () => {
  const result = await program(['graph', 'topology.ts'], { cwd: folder({ 'topology.ts': wordCount }) })
  expect(result).toMatchObject({ exit: 0, stderr: '' })
  expect(result.stdout).toContain('word-counts')
})

const jiti: readonly [string, Record<string, string>][] = [
  ['an enum', { 'topology.ts': `enum Unit { ms }\n${wordCount}` }],
  [
    'an import without extension',
    { 'topology.ts': `import { a } from './a'\nvoid a\n${wordCount}`, 'a.ts': 'export const a = 1' },
  ],
  [
    'a type imported as a value',
    {
      'topology.ts': `import { A } from './a.ts'\nexport type B = A\n${wordCount}`,
      'a.ts': 'export interface A { a: 1 }',
    },
  ],
  ['a CommonJS package', { 'topology.ts': wordCount, 'package.json': '{"type":"commonjs"}' }],
]

test.each(jiti)('jiti takes over: %s', async (_name, files) => {
  const result = await program(['graph', 'topology.ts'], { cwd: folder(files) })
  expect(result.stderr).toMatch(/^topology\.ts: Node cannot run it by itself .* jiti compiles it\n$/)
  expect(result.stdout).toContain('word-counts')
  expect(result.exit).toBe(0)
})
