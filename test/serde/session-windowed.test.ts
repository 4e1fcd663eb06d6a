import fc from 'fast-check'
import { expect, test } from 'vitest'
import { partitionOf } from '../../src/common/partitioner.ts'
import { json } from '../../src/serde/json.ts'
import { sessionWindowed } from '../../src/serde/session-windowed.ts'
import { string } from '../../src/serde/string.ts'

const serde = sessionWindowed(string)

/** org.apache.kafka.streams.state.internals.SessionKeySchema: inner bytes, then the end, then the start. */
test('has the bytes of Kafka Streams', () => {
  const key = { key: 'ab', start: 1_699_999_200_000, end: 1_700_002_800_000 }
  expect(serde.serialize(key).toString('hex')).toBe('6162' + '0000018bd0102180' + '0000018bcfd93300')
  expect(serde.format).toBe('sessionWindowed(string)')
})

test('what is written is read', () => {
  const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(fc.string(), time, time, (key, a, b) => {
      const session = { key, start: Math.min(a, b), end: Math.max(a, b) }
      expect(serde.deserialize(serde.serialize(session))).toEqual(session)
    }),
  )
})

test('the inner key alone chooses the partition', () => {
  const bytes = serde.serialize({ key: 'customer-7', start: 7, end: 9 })
  const inner = bytes.subarray(0, bytes.length - (serde.unpartitionedBytes ?? 0))
  expect(partitionOf(inner, 12)).toBe(partitionOf(Buffer.from('customer-7'), 12))
})

test('refuses what is no session', () => {
  for (const [start, end] of [
    [-1, 5],
    [6, 5],
    [0.5, 5],
  ] as const) {
    expect(() => serde.serialize({ key: 'a', start, end })).toThrow(
      expect.objectContaining({ code: 'SERIALIZATION', message: `[${start}, ${end}] is no session` }),
    )
  }
  expect(() => serde.deserialize(Buffer.alloc(15))).toThrow(
    expect.objectContaining({ code: 'DESERIALIZATION', message: expect.stringContaining('15 bytes') as string }),
  )
  expect(() => serde.deserialize(Buffer.from(`61${'00'.repeat(15)}01`, 'hex'))).toThrow(/is no session/)
  expect(() => serde.deserialize(Buffer.alloc(16, 0xff))).toThrow(/is no session/)
})

test('passes on what the inner serde needs', async () => {
  const seen: unknown[] = []
  const outer = sessionWindowed({ ...json<string>(), prepare: async (batch) => void seen.push(batch.map(String)) })
  await outer.prepare?.([outer.serialize({ key: 'k', start: 0, end: 1 }), Buffer.alloc(3)])
  expect(seen).toEqual([['"k"', '']])
  expect(serde.prepare).toBeUndefined()
})
