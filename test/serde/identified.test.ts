import fc from 'fast-check'
import { expect, test } from 'vitest'
import { identified, identifying } from '../../src/serde/identified.ts'
import { string } from '../../src/serde/string.ts'

const identify = identifying(string)
const pair = fc.tuple(
  fc.option(fc.string({ unit: 'grapheme', maxLength: 3 })),
  fc.string({ unit: 'grapheme', maxLength: 3 }),
)

test('two pairs have one text only when they are the same', () => {
  fc.assert(
    fc.property(pair, pair, (a, b) => {
      expect(identify(...a) === identify(...b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
  )
  expect(identify(null, '')).not.toBe(identify('', ''))
  expect(identify('a', 'b')).not.toBe(identify('', 'ab'))
})

test('the text comes back from its bytes, and names the format of the key', () => {
  fc.assert(
    fc.property(pair, (given) => {
      const text = identify(...given)
      const serde = identified(string)
      expect(serde.deserialize(serde.serialize(text))).toBe(text)
    }),
  )
  expect(identified(string).format).toBe('identified(string)')
  expect(identified({ ...string, format: 'avro:Id', fingerprint: '12' })).toMatchObject({
    format: 'identified(avro:Id)',
    fingerprint: '12',
  })
})
