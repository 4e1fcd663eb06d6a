import { expect, test } from 'vitest'
import { callSite, firstOutside } from '../../src/dsl/call-site.ts'
import { defineTopology } from '../../src/dsl/define.ts'
import { counts, lineHere, lines, nodeOf } from './fixtures.ts'

test('the caller is found', () => {
  expect(callSite()).toEqual({ file: import.meta.filename, line: lineHere() })
})

test('frames of the folder itself and of Node are passed over; URLs become paths', () => {
  const stack = [
    'Error',
    '    at Graph.add (file:///app/dist/dsl/graph.js:10:5)',
    '    at /app/dist/dsl/stream.js:1:1',
    '    at node:internal/modules/run:1:1',
    '    at build (file:///home/me/my%20app/topology.ts?v=2:14:9)',
    '    at other (/home/me/other.ts:1:1)',
  ].join('\n')
  expect(firstOutside(stack, ['/app/dist/dsl', '/app/dist/dsl/facade'])).toEqual({
    file: '/home/me/my app/topology.ts',
    line: 14,
  })
  expect(firstOutside('Error\n    at <anonymous>', ['/app'])).toBeUndefined()
  expect(firstOutside('Error\n    at async /home/me/x.ts:3:4', ['/app'])).toEqual({ file: '/home/me/x.ts', line: 3 })
})

test("each node knows the user's line", () => {
  let from = 0
  const topology = defineTopology('t', (b) => {
    from = lineHere()
    b.stream(lines)
      .filter(() => true)
      .groupBy('by', (v) => v, { key: lines.key })
      .count('n')
      .toStream()
      .to(counts)
  })
  const at = (kind: Parameters<typeof nodeOf>[1]): number | undefined => nodeOf(topology, kind).where?.line
  expect(topology.nodes.every((node) => node.where?.file === import.meta.filename)).toBe(true)
  expect(at('source')).toBe(from + 1)
  expect(at('filter')).toBe(from + 2)
  expect(at('select-key')).toBe(from + 3)
  expect(at('repartition')).toBe(from + 3)
  expect(at('aggregate')).toBe(from + 4)
  expect(at('to-stream')).toBe(from + 5)
  expect(at('sink')).toBe(from + 6)
})

test('the limit of stack traces is left as it was', () => {
  const before = Error.stackTraceLimit
  callSite()
  expect(Error.stackTraceLimit).toBe(before)
})
