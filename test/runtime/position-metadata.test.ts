import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMetadata, encodeMetadata, fitsMetadata } from '../../src/runtime/position-metadata.ts'

const time = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER })

test('times come back as they went', () => {
  fc.assert(
    fc.property(time, fc.dictionary(fc.stringMatching(/^[a-z.-]{1,20}$/), time), (partitionTime, streamTimes) => {
      const metadata = { partitionTime, streamTimes: { ...streamTimes } }
      expect(decodeMetadata(encodeMetadata(metadata))).toEqual(metadata)
    }),
  )
})

test.each(['', 'x', 'null', '{}', '[]', '[1]', '[2,5,{}]', '[1,"5",{}]', '[1,5,null]', '[1,5,"x"]', 'AAAAAAAAAAE='])(
  'metadata of another writer counts as none: %s',
  (text) => {
    expect(decodeMetadata(text)).toBeUndefined()
  },
)

test('nothing is decoded from arbitrary text without saying so', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const decoded = decodeMetadata(text)
      if (decoded !== undefined) expect(typeof decoded.partitionTime).toBe('number')
    }),
  )
})

test('stream times that have no room beside the offset stay behind, and it can be told beforehand', () => {
  const times = (stores: number) => ({
    partitionTime: 1_700_000_000_000,
    streamTimes: Object.fromEntries(Array.from({ length: stores }, (_, n) => [`store-number-${n}`, 1_700_000_000_000])),
  })
  expect(fitsMetadata(times(100))).toBe(true)
  expect(decodeMetadata(encodeMetadata(times(100)))).toEqual(times(100))
  expect(fitsMetadata(times(200))).toBe(false)
  expect(decodeMetadata(encodeMetadata(times(200)))).toEqual({ ...times(0) })
})
