import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shortText } from '../../src/serde/short-text.ts'

const make = (source: Buffer, start: number, end: number) => source.toString('utf8', start, end)

test('the text is that of the bytes, whatever was asked for before', () => {
  const text = fc.oneof(fc.string({ maxLength: 10 }), fc.string({ unit: 'binary', maxLength: 10 }))
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 50 }), (texts) => {
      for (const each of [...texts, ...texts]) {
        const bytes = Buffer.from(each)
        const larger = Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')])
        expect(shortText(larger, 1, 1 + bytes.length, make)).toBe(bytes.toString())
      }
    }),
  )
})

test('texts that share a slot are told apart, and bytes that are no ASCII are always made anew', () => {
  // The hash of both is the same, as with Java's strings.
  for (const each of ['Aa', 'BB', 'Aa', 'BB']) expect(shortText(Buffer.from(each), 0, 2, make)).toBe(each)
  let made = 0
  const counted = (source: Buffer, start: number, end: number) => {
    made++
    return make(source, start, end)
  }
  for (let i = 0; i < 3; i++) shortText(Buffer.from('kept'), 0, 4, counted)
  expect(made).toBe(1)
  for (let i = 0; i < 3; i++) shortText(Buffer.from('é'), 0, 2, counted)
  expect(made).toBe(4)
  // One byte, as the character of the text that two bytes made.
  expect(shortText(Buffer.from([0xe9]), 0, 1, () => 'refused')).toBe('refused')
})
