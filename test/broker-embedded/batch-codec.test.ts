import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Batch, recordBytes } from '../../src/broker/embedded/batch.ts'
import { decodeBatch, encodeBatch } from '../../src/broker/embedded/batch-codec.ts'
import { consumerRecord, noHeaders } from '../../src/common/record.ts'
import { fieldsOf } from '../support/records.ts'

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)))
const headers = fc.oneof(
  fc.constant(noHeaders),
  fc.array(fc.record({ key: fc.string({ unit: 'binary' }), value: bytes }), { maxLength: 3 }),
)
const fields = fc.record({ timestamp: fc.maxSafeNat(), key: bytes, value: bytes, headers })
const batches = fc
  .tuple(
    fc.maxSafeNat().map((offset) => Math.floor(offset / 2)),
    fc.array(fields, { minLength: 1, maxLength: 5 }),
  )
  .map(([base, all]): Batch => {
    const records = all.map(({ timestamp, key, value, headers }, i) =>
      consumerRecord(base + i, timestamp, key, value, headers),
    )
    const size = records.reduce((sum, record) => sum + recordBytes(record), 0)
    return { base, last: base + records.length - 1, records, bytes: size }
  })

test('a batch comes back from its bytes', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const decoded = decodeBatch(encodeBatch(batch))
      expect({ ...decoded, records: decoded.records.map(fieldsOf) }).toEqual({
        ...batch,
        records: batch.records.map(fieldsOf),
      })
    }),
  )
})

test('a changed or missing byte is CORRUPT, never another batch', () => {
  const corrupt = expect.objectContaining({ code: 'CORRUPT' })
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (batch, where, change) => {
      const encoded = encodeBatch(batch)
      const at = where % encoded.length
      expect(() => decodeBatch(encoded.subarray(0, at))).toThrow(corrupt)
      encoded[at] = (encoded[at] ?? 0) ^ change
      expect(() => decodeBatch(encoded)).toThrow(corrupt)
    }),
  )
})
