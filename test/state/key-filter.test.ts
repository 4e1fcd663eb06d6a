import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyFilter } from '../../src/state/key-filter.ts'

const inKey = Buffer.alloc(8)

function numbered(n: number): Buffer {
  inKey.writeUInt32BE(n, 2)
  return inKey
}

test('says yes to every key that came in, wherever its bytes lie', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 200 }), (keys) => {
      const filter = new KeyFilter()
      for (const key of keys) filter.add(Buffer.from(key), 0, key.length)
      for (const key of keys)
        expect(filter.mayHave(Buffer.concat([Buffer.from('..'), key]), 2, 2 + key.length)).toBe(true)
    }),
  )
})

test('says no to nearly all others, as it grows', () => {
  const filter = new KeyFilter()
  let count = 0
  for (const target of [100, 6_500, 7_000, 100_000, 300_000]) {
    for (; count < target; count++) filter.add(numbered(count), 2, 6)
    let wrong = 0
    for (let n = 0; n < 10_000; n++) if (filter.mayHave(numbered(0x8000_0000 + n), 2, 6)) wrong++
    expect(wrong).toBeLessThan(500)
  }
  for (let n = 0; n < count; n++) if (!filter.mayHave(numbered(n), 2, 6)) throw new Error(`${n} is lost`)
})

test('with too many keys it says yes to all', () => {
  const filter = new KeyFilter()
  for (let n = 0; n < 2_400_000; n++) filter.add(numbered(n), 2, 6)
  for (let other = 0; other < 1000; other++) expect(filter.mayHave(numbered(0x8000_0000 + other), 2, 6)).toBe(true)
})
