import { defineTopology, type StreamsBuilder, string, topic, Windows, windowed } from 'streamctl'
import { expect, test } from 'vitest'
import { windowClose } from '../../src/topology/window-close.ts'

const input = topic('input', { key: string, value: string })

/** Of the last node. */
function closeOf(build: (b: StreamsBuilder) => void) {
  const { nodes } = defineTopology('t', build)
  return windowClose(nodes, nodes.length - 1)
}

test('tumbling and hopping windows close their grace after their end', () => {
  const close = closeOf((b) =>
    b
      .stream(input)
      .groupByKey()
      .windowedBy(Windows.hopping(20, { advance: 5, grace: 7 }))
      .count('n'),
  )
  expect(close).toEqual({ afterEndMs: 7, retentionMs: 27 })
})

test('a session closes its gap and grace after its end (KAFKA-12718); operators in between change nothing', () => {
  const close = closeOf((b) =>
    b
      .stream(input)
      .groupByKey()
      .windowedBy(Windows.session(20, { grace: 7 }))
      .count('n')
      .filter((n) => n > 1n)
      .mapValues(String),
  )
  expect(close).toEqual({ afterEndMs: 27, retentionMs: 27 })
})

test('of several windows the latest counts, and each parent must have one', () => {
  const close = (withoutWindows: boolean) =>
    closeOf((b) => {
      const grouped = b.stream(input).groupByKey()
      const of = (grace: number) =>
        grouped.windowedBy(Windows.tumbling(10, { grace })).count(`n${grace}`).toStream().mapValues(String)
      const plain = b.stream(topic('plain', { key: windowed(string, 10), value: string }))
      const merged = of(30).merge(of(4))
      if (withoutWindows) merged.merge(plain)
    })
  expect(close(false)).toEqual({ afterEndMs: 30, retentionMs: 40 })
  expect(close(true)).toBeUndefined()
})

test('the nearest window counts, not one before it', () => {
  const close = closeOf((b) =>
    b
      .stream(input)
      .groupByKey()
      .windowedBy(Windows.tumbling(10, { grace: 100 }))
      .count('n')
      .toStream()
      .map((n, { key }) => [key, String(n)])
      .groupByKey({ name: 'again', key: string, value: string })
      .windowedBy(Windows.tumbling(10, { grace: 1 }))
      .count('n2'),
  )
  expect(close?.afterEndMs).toBe(1)
})
