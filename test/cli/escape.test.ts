import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeJson, escapeText } from '../../src/cli/escape.ts'

const attacks = [
  '\u001b]0;title\u0007',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001b[2J\u001b[H',
  '\u001b]8;;http://evil\u001b\\click\u001b]8;;\u001b\\',
  '\u009b31m',
  'a\r\nforged log line',
  'abc\u202edcba\u2066x\u2069',
  'zero\u200bwidth\ufeff\u200e',
  '\u{e0041}tag',
  'half \ud83d pair',
]

const raw =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not get through.
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/u

test.each(attacks)('%j is shown, not obeyed', (text) => {
  expect(escapeText(text)).not.toMatch(raw)
})

test('text that is harmless stays as it is', () => {
  for (const text of ['plain', 'Zürich 東京 😀', 'tabs are not']) expect(escapeText(text)).toBe(text)
})

test('escaped JSON has no unsafe character and parses to the same value', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...attacks)), fc.string(), (a, b) => {
      const value = { [a]: [a + b, b] }
      const escaped = escapeJson(JSON.stringify(value))
      expect(escaped).not.toMatch(raw)
      expect(JSON.parse(escaped)).toEqual(value)
    }),
  )
})
