import fc from 'fast-check'
import { expect, test } from 'vitest'
import { partitionOf } from '../../src/common/partitioner.ts'
import { avro } from '../../src/serde/avro.ts'
import { json } from '../../src/serde/json.ts'
import { string } from '../../src/serde/string.ts'
import { windowed } from '../../src/serde/windowed.ts'

const hour = windowed(string, '1h')

/** org.apache.kafka.streams.kstream.TimeWindowedSerializer: inner bytes, then ByteBuffer.putLong(start). */
test('has the bytes of Kafka Streams', () => {
  const key = { key: 'ab', start: 1_699_999_200_000, end: 1_700_002_800_000 }
  expect(hour.serialize(key).toString('hex')).toBe('61620000018bcfd93300')
  expect(hour.serialize({ key: '', start: 0, end: 3_600_000 }).toString('hex')).toBe('0000000000000000')
  expect(hour.deserialize(hour.serialize(key))).toEqual(key)
})

test('what is written is read, and starts sort as their bytes', () => {
  const serde = windowed(string, 10)
  const start = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 10 })
  fc.assert(
    fc.property(fc.string(), start, start, (key, a, b) => {
      const first = serde.serialize({ key, start: a, end: a + 10 })
      const second = serde.serialize({ key, start: b, end: b + 10 })
      expect(first.readBigInt64BE(first.length - 8)).toBe(BigInt(a))
      expect(serde.deserialize(first)).toEqual({ key, start: a, end: a + 10 })
      expect(Math.sign(Buffer.compare(first, second))).toBe(Math.sign(a - b))
    }),
  )
})

test('the inner key alone chooses the partition', () => {
  const bytes = hour.serialize({ key: 'customer-7', start: 7_200_000, end: 10_800_000 })
  const inner = bytes.subarray(0, bytes.length - (hour.unpartitionedBytes ?? 0))
  expect(inner).toEqual(string.serialize('customer-7'))
  expect(partitionOf(inner, 12)).toBe(partitionOf(Buffer.from('customer-7'), 12))
})

test('refuses a window of another size, short bytes and starts that are no time', () => {
  expect(() => hour.serialize({ key: 'a', start: 0, end: 60_000 })).toThrow(
    expect.objectContaining({ code: 'SERIALIZATION', message: '[0, 60000) is not a window of 3600000 ms' }),
  )
  expect(() => hour.serialize({ key: 'a', start: -3_600_000, end: 0 })).toThrow(/is not a window/)
  expect(() => hour.deserialize(Buffer.alloc(7))).toThrow(
    expect.objectContaining({ code: 'DESERIALIZATION', message: expect.stringContaining('this one has 7 bytes') }),
  )
  for (const hex of ['ffffffffffffffff', '7fffffffffffffff', '0020000000000000']) {
    expect(() => hour.deserialize(Buffer.from(`61${hex}`, 'hex'))).toThrow(/is no time/)
  }
  expect(() => windowed(string, 0)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

test('passes on what the inner serde needs', async () => {
  const seen: unknown[] = []
  const serde = windowed(
    {
      ...json<string>(),
      prepare: async (batch) => void seen.push(batch.map(String)),
      open: async (topic, part) => void seen.push([topic, part]),
    },
    '1m',
  )
  await serde.prepare?.([serde.serialize({ key: 'k', start: 0, end: 60_000 }), Buffer.alloc(3)])
  await serde.open?.('out', 'key')
  expect(seen).toEqual([
    ['"k"', ''],
    ['out', 'key'],
  ])
  expect(hour.prepare).toBeUndefined()
})

test('takes its JSON form where the inner key has one of its own', () => {
  const serde = windowed(avro('long', { framing: 'none' }), '1m')
  expect(serde.fromJson?.({ key: 5, start: 60_000, end: 120_000 })).toEqual({ key: 5n, start: 60_000, end: 120_000 })
  expect(() => serde.fromJson?.({ key: 5, start: 60_000 })).toThrow(/windowed key was expected/)
})
