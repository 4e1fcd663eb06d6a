import fc from 'fast-check'
import { expect, test } from 'vitest'
import { double } from '../../src/serde/double.ts'

/** org.apache.kafka.common.serialization.DoubleSerializer, by value. */
test.each([
  [0, '0000000000000000'],
  [-0, '8000000000000000'],
  [1, '3ff0000000000000'],
  [-2.5, 'c004000000000000'],
  [Math.PI, '400921fb54442d18'],
  [Number.POSITIVE_INFINITY, '7ff0000000000000'],
  [Number.NaN, '7ff8000000000000'],
])('%s has the bytes of the Java serializer', (value, hex) => {
  expect(double.serialize(value).toString('hex')).toBe(hex)
  expect(double.deserialize(Buffer.from(hex, 'hex'))).toBe(value)
})

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(double.deserialize(double.serialize(value))).toBe(value)
    }),
  )
})

test('refuses other lengths and other types', () => {
  for (const length of [0, 4, 7, 9]) {
    expect(() => double.deserialize(Buffer.alloc(length))).toThrow(expect.objectContaining({ code: 'DESERIALIZATION' }))
  }
  for (const value of [1n, '1', null, undefined]) {
    expect(() => double.serialize(value as unknown as number)).toThrow(
      expect.objectContaining({ code: 'SERIALIZATION' }),
    )
  }
})

test('is not primitive: 0 and -0 are one key in a Map and two on a topic', () => {
  expect(double.primitive).toBe(false)
  expect(double.serialize(0).equals(double.serialize(-0))).toBe(false)
})
