import { expect, test } from 'vitest'
import { bytes } from '../../src/serde/bytes.ts'

test('reads a copy, which outlives the fetch it came in', () => {
  const fetched = Buffer.from('xxabcxx')
  const value = bytes.deserialize(fetched.subarray(2, 5))
  fetched.fill(0)
  expect(value.toString()).toBe('abc')
})

test('writes the buffer as it is, and other byte arrays too', () => {
  const value = Buffer.from([1, 2, 3])
  expect(bytes.serialize(value)).toBe(value)
  expect(bytes.serialize(new Uint8Array([7, 8, 9]).subarray(1) as Buffer)).toEqual(Buffer.from([8, 9]))
})

test('refuses the rest', () => {
  for (const value of ['abc', null, undefined, [1]]) {
    expect(() => bytes.serialize(value as unknown as Buffer)).toThrow(
      expect.objectContaining({ code: 'SERIALIZATION' }),
    )
  }
})
