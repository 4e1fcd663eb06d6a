import { expect, test } from 'vitest'
import { defineTopology, string, topic } from '../../src/index.ts'

const input = topic('input', { key: string, value: string })
// biome-ignore lint/suspicious/noExplicitAny: calls as plain JavaScript makes them.
type Untyped = any

function built(build: (stream: Untyped) => void) {
  return defineTopology('m', (b) => build(b.stream(input)))
}
const call = async (value: string) => value

test('the node says how many calls may be under way, and how long one may take', () => {
  const { nodes } = built((s) => {
    s.mapAsync('a', call)
    s.mapAsync('b', call, { concurrency: 7, timeout: '2s' })
  })
  expect(nodes).toMatchObject([
    {},
    { kind: 'map-async', name: 'a', concurrency: 100, timeoutMs: 30_000 },
    { kind: 'map-async', name: 'b', concurrency: 7, timeoutMs: 2000 },
  ])
})

test('the key stays, the value serde has to be given anew', () => {
  expect(
    built((s) => s.mapAsync('a', call).groupByKey({ value: string }).count('n')).nodes.map(({ kind }) => kind),
  ).toEqual(['source', 'map-async', 'aggregate'])
  expect(() => built((s) => s.mapAsync('a', call).toTable('t'))).toThrow('not known since a changed the value')
})

test.each<[string, (stream: Untyped) => void, string]>([
  ['no name', (s) => s.mapAsync(call), 'mapAsync'],
  ['no function', (s) => s.mapAsync('a'), 'the mapper is not a function'],
  ['a concurrency of 0', (s) => s.mapAsync('a', call, { concurrency: 0 }), '0 is no number of calls'],
  ['half a call', (s) => s.mapAsync('a', call, { concurrency: 1.5 }), '1.5 is no number of calls'],
  ['no time', (s) => s.mapAsync('a', call, { timeout: 0 }), 'a call may take 0 ms'],
  ['a time that is none', (s) => s.mapAsync('a', call, { timeout: 'soon' }), 'is not a duration'],
])('refuses %s', (_, build, message) => {
  expect(() => built(build)).toThrow(
    expect.objectContaining({
      code: 'INVALID_TOPOLOGY',
      message: expect.stringContaining(message),
      where: expect.objectContaining({ file: expect.stringContaining('map-async.test.ts') }),
    }),
  )
})
