import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMetadata, encodeMetadata } from '../../src/runtime/position-metadata.ts'

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
