import fc from 'fast-check'
import { expect, test } from 'vitest'
import { string } from '../../src/serde/string.ts'

test('writes what Kafka writes: plain UTF-8', () => {
  expect(string.serialize('abc').toString('hex')).toBe('616263')
  expect(string.serialize('é€😀').toString('hex')).toBe('c3a9e282acf09f9880')
  expect(string.serialize('').length).toBe(0)
})

test('what is written is read, and equal strings alone have equal bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      expect(string.deserialize(string.serialize(a))).toBe(a)
      expect(string.serialize(a).equals(string.serialize(b))).toBe(a === b)
    }),
  )
})

test('a real U+FFFD is text like other text', () => {
  expect(string.deserialize(string.serialize('a\uFFFDb'))).toBe('a\uFFFDb')
})

test.each([['ff'], ['c3'], ['61c328'], ['eda080'], ['c0af'], ['f4908080']])('refuses %s, which is not UTF-8', (hex) => {
  expect(() => string.deserialize(Buffer.from(hex, 'hex'))).toThrow(
    expect.objectContaining({ code: 'DESERIALIZATION', message: expect.stringContaining('not UTF-8') }),
  )
})

test('refuses half a surrogate pair and what is not a string', () => {
  expect(() => string.serialize('a\ud800')).toThrow(expect.objectContaining({ code: 'SERIALIZATION' }))
  expect(() => string.serialize(undefined as unknown as string)).toThrow(/a string was expected, not undefined/)
  expect(() => string.serialize(5 as unknown as string)).toThrow(/not number/)
})

test('10,000 random byte strings are read exactly or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (array) => {
      const bytes = Buffer.from(array)
      let text: string
      try {
        text = string.deserialize(bytes)
      } catch (error) {
        expect(error).toMatchObject({ code: 'DESERIALIZATION' })
        return
      }
      expect(string.serialize(text)).toEqual(bytes)
    }),
    { numRuns: 10_000 },
  )
})
