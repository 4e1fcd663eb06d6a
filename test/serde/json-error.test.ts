import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonError } from '../../src/serde/json-error.ts'

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Inside a literal, a number or an escape the break is where that token begins. */
const unfinished = /^(?:[a-z]*|-|\\u?[0-9a-fA-F]*|[.eE][+-]?)$/

test('a cut text breaks at its end, unless it is whole already', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, n) => {
      const cut = text.slice(0, n % text.length)
      if (parses(cut)) return
      const { at } = jsonError(cut)
      expect(cut.slice(at)).toMatch(unfinished)
    }),
    { numRuns: 5000 },
  )
})

test('before the position nothing is wrong: some text begins with it', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('x', '}', ']', ',', '"', ':', '\n', '\\'), (text, n, junk) => {
      const at = n % (text.length + 1)
      const broken = text.slice(0, at) + junk + text.slice(at)
      if (parses(broken)) return
      const before = broken.slice(0, jsonError(broken).at)
      if (!parses(before)) expect(before.slice(jsonError(before).at)).toMatch(unfinished)
    }),
    { numRuns: 5000 },
  )
})
