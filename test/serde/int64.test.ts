import fc from 'fast-check'
import { expect, test } from 'vitest'
import { int64 } from '../../src/serde/int64.ts'

/** org.apache.kafka.common.serialization.LongSerializer, by value. */
test.each([
  [0n, '0000000000000000'],
  [1n, '0000000000000001'],
  [-1n, 'ffffffffffffffff'],
  [256n, '0000000000000100'],
  [1_700_000_000_000n, '0000018bcfe56800'],
  [2n ** 63n - 1n, '7fffffffffffffff'],
  [-(2n ** 63n), '8000000000000000'],
])('%s has the bytes of the Java serializer', (value, hex) => {
  expect(int64.serialize(value).toString('hex')).toBe(hex)
  expect(int64.deserialize(Buffer.from(hex, 'hex'))).toBe(value)
})

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const bytes = int64.serialize(value)
      expect(bytes.readBigInt64BE()).toBe(value)
      expect(int64.deserialize(bytes)).toBe(value)
    }),
  )
})

test('refuses other lengths', () => {
  for (const length of [0, 1, 4, 7, 9, 100]) {
    expect(() => int64.deserialize(Buffer.alloc(length))).toThrow(
      expect.objectContaining({ code: 'DESERIALIZATION', message: `an int64 has 8 bytes, not ${length}` }),
    )
  }
})

test('refuses what does not fit and what is no bigint', () => {
  for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 5, '5', null, undefined]) {
    expect(() => int64.serialize(value as bigint)).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }))
  }
})
