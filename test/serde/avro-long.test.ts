import fc from 'fast-check'
import { expect, test } from 'vitest'
import { longMethods } from '../../src/serde/avro-long.ts'

/** Avro specification, "Primitive types", and the ends of the range. */
test.each([
  [0n, '00'],
  [-1n, '01'],
  [1n, '02'],
  [-2n, '03'],
  [2n, '04'],
  [-64n, '7f'],
  [64n, '8001'],
  [2n ** 30n, '8080808008'],
  [2n ** 63n - 1n, 'feffffffffffffffff01'],
  [-(2n ** 63n), 'ffffffffffffffffff01'],
])('%s is %s', (value, hex) => {
  expect(longMethods.toBuffer(value).toString('hex')).toBe(hex)
  expect(longMethods.fromBuffer(Buffer.from(hex, 'hex'))).toBe(value)
})

test('every long is written as the definition says, and read back', () => {
  const definition = (value: bigint): Buffer => {
    let n = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    const out: number[] = []
    for (; n >= 0x80n; n >>= 7n) out.push(Number(n & 0x7fn) | 0x80)
    return Buffer.from([...out, Number(n)])
  }
  const longs = fc
    .tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 63n }))
    .map(([value, shift]) => value >> shift)
  fc.assert(
    fc.property(longs, (value) => {
      const bytes = Buffer.from(longMethods.toBuffer(value))
      expect(bytes).toEqual(definition(value))
      expect(longMethods.fromBuffer(bytes)).toBe(value)
    }),
    { numRuns: 20_000 },
  )
})
