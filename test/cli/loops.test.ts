import { expect, test } from 'vitest'
import { loopWarnings } from '../../src/cli/loops.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { orders, refunds } from '../dsl/fixtures.ts'
import { call, folder, jsonLines, wordCount } from './process.ts'

test('a loop is told with the way round and the line that writes', () => {
  const topology = defineTopology('t', (b) => {
    b.stream(orders).to(refunds)
    b.stream(refunds).to(orders)
  })
  const [first, second, ...more] = loopWarnings(topology, import.meta.dirname)
  expect(first).toEqual({
    code: 'LOOP',
    message:
      'topic orders is written again with what is read from it by way of refunds (refunds.to, loops.test.ts:10): records may go round for ever',
  })
  expect([second?.message, more]).toEqual([
    expect.stringContaining('by way of orders (orders.to, loops.test.ts:9)'),
    [],
  ])
})

test('check and run warn of it, and go on', async () => {
  const loop = wordCount.replace('b.stream(lines)', 'b.stream(lines).to(lines)\n  b.stream(lines)')
  const cwd = folder({ 'topology.ts': loop })
  const check = await call(['check', 'topology.ts', '--json'], { cwd })
  expect([check.exit, jsonLines(check.stdout)]).toEqual([
    0,
    [expect.objectContaining({ warnings: [{ code: 'LOOP', message: expect.stringContaining('topic lines') }] })],
  ])
  expect(check.stderr).toContain('warn: topic lines is written again')
  const run = await call(['run', 'topology.ts', '--until', 'caught-up', '--timeout', '15s'], { cwd })
  expect([run.exit, run.stderr]).toEqual([0, expect.stringContaining('warn: topic lines is written again')])
})
