import fc from 'fast-check'
import { expect, test } from 'vitest'
import { murmur2, partitionOf } from '../../src/common/partitioner.ts'

test.each([
  // Vectors of Kafka's own UtilsTest.
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %s as Kafka has it', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

test('a view into a larger buffer hashes as its bytes alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 9 }), (bytes, before) => {
      const larger = Buffer.concat([before, bytes, before])
      expect(murmur2(larger.subarray(before.length, before.length + bytes.length))).toBe(murmur2(bytes))
    }),
  )
})

test('a partition is the positive hash modulo the count', () => {
  expect(partitionOf(Buffer.from('21'), 10)).toBe((-973932308 & 0x7fffffff) % 10)
  expect(partitionOf(Buffer.from('abc'), 7)).toBe(479470107 % 7)
  fc.assert(
    fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 1000 }), (bytes, count) => {
      const partition = partitionOf(bytes, count)
      expect(partition >= 0 && partition < count && Number.isInteger(partition)).toBe(true)
    }),
  )
})
