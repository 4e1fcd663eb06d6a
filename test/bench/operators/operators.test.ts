/** `npm run bench operators`: every operator is in it, and a short run gives what a long one does. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { FlagError } from '../../../bench/flags.ts'
import { cases, widthCases } from '../../../bench/operators/cases.ts'
import { readOperatorFlags } from '../../../bench/operators/operators.ts'
import { operatorResults } from '../../../bench/operators/result.ts'
import { operatorTable, widthTable } from '../../../bench/operators/table.ts'
import { root } from '../../docs/blocks.ts'
import { operatorRows } from '../../docs/operator-rows.ts'

/** Steps on the way to an operator: they make no node, or one that costs nothing. */
const free = new Set(['groupByKey', 'windowedBy', 'toStream'])
/** Where a method's name stands for itself; in others it follows that of its class. */
const plain = new Set(['StreamsBuilder', 'KStream', 'KGroupedStream'])

test('every operator of docs/operators.md is measured', () => {
  const known = new Set([...cases, ...widthCases].map(({ name }) => name.split(',')[0]))
  const missing = operatorRows()
    .filter(({ section }) => /^(StreamsBuilder|K\w+|\w+KStream)$/.test(section))
    .flatMap(({ section, methods }) => methods.map((method) => [section, method] as const))
    .filter(([, method]) => !free.has(method))
    .map(([section, method]) => (plain.has(section) ? method : `${section}.${method}`))
    .filter((name) => !known.has(name))
  expect(missing, 'operators without a line in bench/operators/cases.ts').toEqual([])
})

test('no two cases have one name, and what is subtracted is there', () => {
  for (const list of [cases, widthCases]) expect(new Set(list.map(({ name }) => name)).size).toBe(list.length)
  const names = cases.map(({ name }) => name)
  for (const { over } of cases) if (over !== undefined) expect(names).toContain(over)
})

async function bench(...args: readonly string[]) {
  const run = promisify(execFile)(process.execPath, ['bench/main.ts', 'operators', ...args], { cwd: root })
  return run.then(
    ({ stdout, stderr }) => ({ stdout, stderr, exit: 0 }),
    ({ stdout, stderr, code }: { stdout: string; stderr: string; code: number }) => ({ stdout, stderr, exit: code }),
  )
}

test('a short run measures what is asked for and what it is over', { timeout: 60_000 }, async () => {
  const name = 'SessionWindowedKStream.count'
  const { stdout, stderr, exit } = await bench('--only', `KTable.filter,${name}`, '--records', '2000', '--json')
  expect([exit, stderr]).toEqual([0, expect.stringContaining('no ratio counts')])
  const { operators, widths, settings } = JSON.parse(stdout)
  expect(settings).toMatchObject({ records: 2000, machine: { node: process.version } })
  expect(operators.map((row: { name: string; over?: string }) => [row.name, row.over])).toEqual([
    ['stream', undefined],
    ['table', 'stream'],
    ['KTable.filter', 'table'],
    [name, 'stream'],
  ])
  for (const { nanoseconds, bytes } of operators) {
    // The clock of a thread moves in steps: so short a round may take none.
    expect(nanoseconds).toBeGreaterThanOrEqual(0)
    expect(bytes).toBeGreaterThan(0)
  }
  const [, table, filter] = operators
  expect(filter.own.nanoseconds).toBe(filter.nanoseconds - table.nanoseconds)
  expect(widths).toEqual([expect.objectContaining({ name, narrowMs: 100, wideMs: 10_000, ratio: expect.any(Number) })])
})

test('what cannot be meant is refused in words', async () => {
  expect(() => readOperatorFlags(['--only', 'fliter'])).toThrow(FlagError)
  expect(() => readOperatorFlags(['--only', 'fliter'])).toThrow(
    'there is no operator fliter; there are stream, filter,',
  )
  expect(() => readOperatorFlags(['--records', '0'])).toThrow('--records takes a whole number above 0, not 0')
  const { stdout, stderr, exit } = await bench('--peers')
  expect([stdout, exit]).toEqual(['', 2])
  expect(stderr).toContain('--peers')
})

test('an operator is shown with what is its own, two widths with their ratio', () => {
  const measured = new Map([
    ['stream', { nanoseconds: 80, bytes: 150 }],
    ['filter', { nanoseconds: 1090, bytes: 140 }],
  ])
  const results = operatorResults(measured, (name) => (name === 'stream' ? undefined : 'stream'))
  expect(operatorTable(results)).toBe(`operator  ns/record  B/record  own ns  own B  over
stream           80       150
filter        1,090       140   1,010    -10  stream
`)
  const [narrow, wide] = [...measured.values()] as [{ nanoseconds: 1; bytes: 1 }, { nanoseconds: 1; bytes: 1 }]
  const width = { name: 'join', summary: 'same matches', narrowMs: 10, wideMs: 1000, narrow, wide, ratio: 13.63 }
  expect(widthTable([width])).toBe(`operator  narrow ms  wide ms  ns/record  ns/record  ratio  where
join             10    1,000         80      1,090  13.63  same matches
`)
  expect([operatorTable([]), widthTable([])]).toEqual(['', ''])
})
