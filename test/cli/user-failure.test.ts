import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder, jsonLines, program } from './process.ts'

/** Copies numbers, and does something else with the number 2 that nobody waits for. */
const copies = (aside: string) => `
import { defineTopology, json, string, topic } from 'streamctl'
const numbers = topic('numbers', { key: string, value: json<number>() })
const passed = topic('passed', { key: string, value: json<number>() })
export default defineTopology('copies', (b) => {
  b.stream(numbers)
    .peek(
      ${aside},
    )
    .to(passed)
})
`

const input = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify({ value })}\n`).join('')

test.each([
  [
    'an async function that rejects',
    "async (n) => { if (n === 2) throw new Error('no two') }",
    'a promise was rejected',
  ],
  [
    "a timer's callback that throws",
    "(n) => { if (n === 2) setTimeout(() => { throw new Error('no two') }) }",
    'a callback threw',
  ],
])(
  '%s is a failure of processing at its line: nothing uncommitted stays, and the next run meets it again',
  async (_, aside, said) => {
    const cwd = folder({ 'topology.ts': copies(aside), 'numbers.jsonl': input([1, 2, 3]) })
    // No commit before the failure: the interval outlasts the test.
    const run = [
      'run',
      'topology.ts',
      '--broker',
      'embedded',
      '--out',
      'passed=passed.jsonl',
      '--commit-interval',
      '60s',
    ]
    for (const more of [['--in', 'numbers=numbers.jsonl'], []]) {
      const result = await program([...run, ...more], { cwd })
      const paragraph = result.stderr.trimEnd().split('\n').at(-1) ?? ''
      expect(paragraph).toMatch(/^streamctl: /)
      expect(paragraph).toContain(said)
      expect(paragraph).toContain('no two')
      expect(paragraph).toMatch(/Where: topology\.ts:8:\d+/)
      expect(paragraph).not.toContain('bug in streamctl')
      expect([result.exit, result.stdout]).toEqual([7, ''])
      expect(readFileSync(join(cwd, 'passed.jsonl'), 'utf8')).toBe('')
    }
  },
)

test('with --json it is one line of JSON, with its code, file and line', async () => {
  const cwd = folder({ 'topology.ts': copies("async () => { throw new Error('never') }"), 'numbers.jsonl': input([1]) })
  const result = await program(['run', 'topology.ts', '--in', 'numbers=numbers.jsonl', '--json'], { cwd })
  const error = jsonLines(result.stderr.trimEnd().split('\n').at(-1) ?? '')[0]
  expect(error).toMatchObject({ kind: 'error', code: 'PROCESSING', exit: 7 })
  expect(error?.where).toMatchObject({ file: join(cwd, 'topology.ts'), line: 8 })
})

test('a failure whose stack has no line of the user is still called a bug', async () => {
  const without = "() => { const e = new Error('ours'); e.stack = 'Error: ours'; void Promise.reject(e) }"
  const cwd = folder({ 'topology.ts': copies(without), 'numbers.jsonl': input([1]) })
  const result = await program(['run', 'topology.ts', '--in', 'numbers=numbers.jsonl'], { cwd })
  expect(result.stderr).toMatch(/ours.*bug in streamctl/)
  expect(result.exit).toBe(1)
})

test('outside of run it is told the same way', async () => {
  const text =
    "void Promise.reject(new Error('left behind'))\nawait new Promise((r) => setTimeout(r, 10_000))\nexport default 1\n"
  const result = await program(['graph', 'topology.ts'], { cwd: folder({ 'topology.ts': text }) })
  expect(result.stderr).toMatch(/left behind.*topology\.ts:1:/)
  expect(result.exit).toBe(7)
})
