import { createRequire } from 'node:module'
import zlib from 'node:zlib'
import fc from 'fast-check'
import lz4 from 'lz4-napi'
import snappy from 'snappy'
import { describe, expect, test } from 'vitest'
import { PartitionReader } from '../../src/broker/kafka/partition-reader.ts'
import { compressionNumber } from '../../src/broker/kafka/record-batch/compression.ts'
import { BatchBuilder, type BatchStamp } from '../../src/broker/kafka/record-batch/encode.ts'
import { at, attribute, headerBytes, logOverhead } from '../../src/broker/kafka/record-batch/layout.ts'
import { StreamError } from '../../src/common/errors.ts'
import { type ConsumerRecord, noHeaders } from '../../src/common/record.ts'
import { fieldsOf } from '../support/records.ts'
import { batchOf, patched } from './log.ts'

const require = createRequire(import.meta.url)
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const plain: BatchStamp = { producerId: -1, epoch: -1, baseSequence: -1, transactional: false }

function read(recordSet: Buffer, position = 0, maxUnpackedBytes?: number): ConsumerRecord[] {
  const records: ConsumerRecord[] = []
  const limit = maxUnpackedBytes === undefined ? {} : { maxUnpackedBytes }
  const reader = new PartitionReader({ topic: 'orders', partition: 3, recordSet, position, aborted: null, ...limit })
  while (!reader.done) reader.next(records, 1)
  return records
}

function failure(run: () => unknown): StreamError {
  try {
    run()
  } catch (error) {
    if (error instanceof StreamError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const nullable = fc.option(bytes, { nil: null })
const recordArbitrary = fc.record({
  key: nullable,
  value: nullable,
  timestamp: fc.oneof(
    fc.integer({ min: -1, max: 2 ** 41 }),
    fc.maxSafeNat().map((n) => n % 2 ** 51),
  ),
  headers: fc.array(fc.record({ key: fc.string({ unit: 'binary', maxLength: 20 }), value: nullable }), {
    maxLength: 5,
  }),
})

describe('round trip', () => {
  test('records come back as they went in, over several batches, with every codec', () => {
    fc.assert(
      fc.property(
        fc.array(recordArbitrary, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(...codecs),
        fc.integer({ min: 70, max: 4000 }),
        fc.nat(2 ** 45),
        (records, compression, maxBatchBytes, firstOffset) => {
          const builder = new BatchBuilder({ maxBatchBytes })
          for (const r of records) builder.append(r.key, r.value, r.timestamp, r.headers)
          expect(builder.count).toBe(records.length)
          const size = builder.bytes
          const batches = builder.take()
          expect(batches.reduce((sum, batch) => sum + batch.bytes, 0)).toBe(size)
          let offset = firstOffset
          const set = batches.map((batch) => {
            expect(batch.count === 1 || batch.bytes <= maxBatchBytes).toBe(true)
            const stamped = batch.stamp({ ...plain, compression })
            const placed = patched(stamped, (b) => b.writeBigInt64BE(BigInt(offset), at.baseOffset))
            offset += batch.count
            return placed
          })
          expect(read(Buffer.concat(set), firstOffset).map(fieldsOf)).toEqual(
            records.map((record, i) => ({ ...record, offset: firstOffset + i })),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  test('records without headers share one frozen list', () => {
    const [record] = read(batchOf([{ key: null, value: null }], { baseOffset: 0 }))
    expect(record?.headers).toBe(noHeaders)
  })

  test('stamping again changes the identity and nothing else', () => {
    for (const compression of codecs) {
      const builder = new BatchBuilder()
      for (let i = 0; i < 100; i++) builder.append(Buffer.from('k'), Buffer.from(`value ${i}`), i, noHeaders)
      const [batch] = builder.take()
      const first = Buffer.from(
        batch!.stamp({ producerId: 5, epoch: 1, baseSequence: 70, transactional: true, compression }),
      )
      const second = Buffer.from(
        batch!.stamp({ producerId: 2 ** 40 + 7, epoch: 2, baseSequence: 0, transactional: true, compression }),
      )
      expect(second.readBigInt64BE(at.producerId)).toBe(2n ** 40n + 7n)
      expect(second.readInt16BE(at.producerEpoch)).toBe(2)
      expect(second.readInt32BE(at.baseSequence)).toBe(0)
      expect(second.subarray(headerBytes)).toEqual(first.subarray(headerBytes))
      expect(read(second)).toEqual(read(first))
    }
  })

  test('recycled memory holds the next batch and nothing of the last', () => {
    const builder = new BatchBuilder()
    for (let i = 0; i < 50; i++) builder.append(null, Buffer.alloc(100, 1), 5, noHeaders)
    const batches = builder.take()
    const before = batches[0]!.stamp(plain)
    builder.recycle(batches)
    builder.append(null, Buffer.from('x'), 7, noHeaders)
    const [next] = builder.take()
    const after = next!.stamp(plain)
    expect(after.buffer).toBe(before.buffer)
    expect(read(after)).toMatchObject([{ offset: 0, timestamp: 7, value: Buffer.from('x') }])
  })

  test('a timestamp no record can have is refused', () => {
    for (const timestamp of [Number.NaN, -2, 1.5, 2 ** 53]) {
      expect(failure(() => new BatchBuilder().append(null, null, timestamp, noHeaders)).code).toBe('PRODUCTION')
    }
  })

  test('log append time takes the place of every timestamp', () => {
    const batch = batchOf(
      [
        { key: null, value: null, timestamp: 5 },
        { key: null, value: null, timestamp: 9 },
      ],
      { baseOffset: 0 },
    )
    const stamped = patched(batch, (b) => {
      b.writeInt16BE(attribute.logAppendTime, at.attributes)
      b.writeBigInt64BE(777n, at.maxTimestamp)
    })
    expect(read(stamped).map((record) => record.timestamp)).toEqual([777, 777])
  })
})

// kafkajs' codec knows nothing of ours: an independent witness of the format, except for null header values.
describe('kafkajs as a witness', () => {
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js')
  const KafkaJsRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js')
  const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js')
  const Decoder = require('kafkajs/src/protocol/decoder.js')
  const Long = require('kafkajs/src/utils/long.js')
  const base = 1_700_000_000_000

  test('reads what we write', async () => {
    for (const compression of ['none', 'gzip'] as const) {
      const builder = new BatchBuilder()
      builder.append(Buffer.from('k'), Buffer.from('v'), base, [{ key: 'h', value: Buffer.from('x') }])
      builder.append(null, null, base - 500_000_000_000, noHeaders)
      builder.append(Buffer.alloc(0), Buffer.alloc(70_000, 7), base + 1, noHeaders)
      const [batch] = builder.take()
      const stamped = batch!.stamp({ producerId: 9, epoch: 3, baseSequence: 12, transactional: true, compression })
      const decoded = await decodeBatch(new Decoder(Buffer.from(stamped)))
      expect(decoded).toMatchObject({
        producerId: '9',
        producerEpoch: 3,
        firstSequence: 12,
        inTransaction: true,
        lastOffsetDelta: 2,
      })
      expect(decoded.maxTimestamp).toBe(String(base + 1))
      const found = decoded.records.map((r: Record<string, unknown>) => [
        r.offset,
        r.timestamp,
        r.key,
        r.value,
        r.headers,
      ])
      expect(found).toEqual([
        ['0', String(base), Buffer.from('k'), Buffer.from('v'), { h: Buffer.from('x') }],
        ['1', String(base - 500_000_000_000), null, null, {}],
        ['2', String(base + 1), Buffer.alloc(0), Buffer.alloc(70_000, 7), {}],
      ])
    }
  })

  test('writes what we read', async () => {
    for (const compression of ['none', 'gzip'] as const) {
      const records = [
        {
          offsetDelta: 0,
          timestampDelta: 0,
          key: Buffer.from('k'),
          value: Buffer.from('v'),
          headers: { h: Buffer.from('x') },
        },
        { offsetDelta: 1, timestampDelta: -300_000_000_000, key: null, value: null, headers: {} },
        {
          offsetDelta: 2,
          timestampDelta: 300_000_000_000,
          key: Buffer.alloc(200, 1),
          value: Buffer.alloc(20_000, 2),
          headers: {},
        },
      ]
      const encoder = await RecordBatch({
        compression: compressionNumber(compression),
        firstOffset: Long.fromValue('4294967297'),
        firstTimestamp: base,
        maxTimestamp: base,
        lastOffsetDelta: 2,
        records: records.map((record) => KafkaJsRecord(record)),
      })
      const found = read(encoder.buffer, 4294967297)
      expect(found.map((r) => [r.offset - 4294967297, r.timestamp - base, r.key, r.value, r.headers])).toEqual([
        [0, 0, Buffer.from('k'), Buffer.from('v'), [{ key: 'h', value: Buffer.from('x') }]],
        [1, -300_000_000_000, null, null, []],
        [2, 300_000_000_000, Buffer.alloc(200, 1), Buffer.alloc(20_000, 2), []],
      ])
    }
  })
})

/** A batch with its records replaced by bytes of a foreign writer's compression. */
function packedBatch(count: number, codec: (typeof codecs)[number], pack: (records: Buffer) => Buffer): Buffer {
  const records = Array.from({ length: count }, (_, i) => ({ key: Buffer.from(`k${i}`), value: Buffer.alloc(90, i) }))
  const raw = batchOf(records, { baseOffset: 0 })
  const packed = Buffer.concat([raw.subarray(0, headerBytes), pack(raw.subarray(headerBytes))])
  return patched(packed, (b) => {
    b.writeInt32BE(b.length - logOverhead, at.length)
    b.writeInt16BE(compressionNumber(codec), at.attributes)
  })
}

describe('what other clients compress', () => {
  test.each([
    ['snappy without framing', 'snappy', (b: Buffer) => snappy.compressSync(b)],
    [
      'lz4 with checksums',
      'lz4',
      (b: Buffer) => lz4.compressFrameSync(b, { contentChecksum: true, blockChecksums: true }),
    ],
    ['bytes after an lz4 frame', 'lz4', (b: Buffer) => Buffer.concat([lz4.compressFrameSync(b), Buffer.alloc(9, 1)])],
    [
      'zstd with a checksum',
      'zstd',
      (b: Buffer) => zlib.zstdCompressSync(b, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
    ],
  ] as const)('%s', (_, codec, pack) => {
    expect(read(packedBatch(5000, codec, pack))).toHaveLength(5000)
  })
})

describe('damage', () => {
  const originals = codecs.map((compression) => {
    const records = Array.from({ length: 5 }, (_, i) => ({
      key: Buffer.from(`key ${i}`),
      value: Buffer.from('a value '.repeat(4)),
    }))
    return batchOf(records, { baseOffset: 10, compression })
  })

  test('every flipped bit is refused, but for what the checksum leaves out: base offset and leader epoch', () => {
    for (const original of originals) {
      const wanted = read(original, 10)
      for (let bit = 0; bit < original.length * 8; bit++) {
        const flipped = Buffer.from(original)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const byte = bit >> 3
        if (byte < at.length) {
          // Kafka protects these by nothing. Data is never invented: records keep their contents, or the batch is refused.
          const found = attempt(() => read(flipped, 10))
          if (!(found instanceof StreamError))
            for (const [i, record] of found.entries()) expect(record.value).toEqual(wanted[i]?.value)
        } else if (byte >= at.leaderEpoch && byte < at.magic) expect(read(flipped, 10)).toEqual(wanted)
        else expect(['CORRUPT', 'UNSUPPORTED_VERSION']).toContain(failure(() => read(flipped, 10)).code)
      }
    }
  })

  function attempt(run: () => ConsumerRecord[]): ConsumerRecord[] | StreamError {
    try {
      return run()
    } catch (error) {
      if (error instanceof StreamError) return error
      throw error
    }
  }

  test('bytes that pass the checksum and are no records give a StreamError, never a wrong read', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.nat(4),
        fc.integer({ min: -3, max: 9 }),
        (junk, codec, count) => {
          const junkBatch = patched(Buffer.concat([originals[0]!.subarray(0, headerBytes), Buffer.from(junk)]), (b) => {
            b.writeInt32BE(b.length - logOverhead, at.length)
            b.writeInt16BE(codec, at.attributes)
            b.writeInt32BE(count, at.count)
          })
          const found = attempt(() => read(junkBatch, 0))
          if (!(found instanceof StreamError)) for (const record of found) expect(record.offset).toBeLessThan(15)
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('the message names topic, partition and offset', () => {
    const damaged = Buffer.from(originals[0]!)
    damaged[damaged.length - 1]! ^= 1
    const error = failure(() => read(damaged, 10))
    expect(error.message).toContain('offset 10 of orders-3')
    expect(error.where).toEqual({ topic: 'orders', partition: 3, offset: 10 })
  })

  test('what came before a damaged batch is handed out first', () => {
    const bad = Buffer.from(batchOf([{ key: null, value: null }], { baseOffset: 20 }))
    bad[bad.length - 1]! ^= 1
    const records: ConsumerRecord[] = []
    const recordSet = Buffer.concat([originals[0]!, bad])
    const reader = new PartitionReader({ topic: 'orders', partition: 3, recordSet, position: 10, aborted: null })
    expect(failure(() => reader.next(records, 1e9)).code).toBe('CORRUPT')
    expect([records.length, reader.position]).toEqual([5, 15])
  })

  test('a batch cut off at the end is left for the next fetch; one that is all there is, is refused', () => {
    const next = batchOf([{ key: null, value: null }], { baseOffset: 15 })
    for (const length of [1, 11, 12, 17, 60, next.length - 1]) {
      expect(read(Buffer.concat([originals[0]!, next.subarray(0, length)]), 10)).toHaveLength(5)
      expect(failure(() => read(next.subarray(0, length), 15)).code).toBe('CORRUPT')
    }
  })

  test('batches out of order are refused', () => {
    expect(failure(() => read(Buffer.concat([originals[0]!, originals[1]!]), 10)).code).toBe('CORRUPT')
  })

  test('formats before Kafka 0.11 are refused in words', () => {
    for (const magic of [0, 1]) {
      const old = Buffer.from(originals[0]!)
      old[at.magic] = magic
      const error = failure(() => read(old, 10))
      expect([error.code, error.message]).toEqual([
        'UNSUPPORTED_VERSION',
        expect.stringContaining(`format version ${magic}`),
      ])
    }
  })

  test('offsets and timestamps beyond 2^53 are refused', () => {
    for (const field of [at.baseOffset, at.baseTimestamp, at.maxTimestamp, at.producerId]) {
      const huge = patched(originals[0]!, (b) => b.writeBigInt64BE(2n ** 53n, field))
      expect(failure(() => read(huge, 0)).code).toBe('CORRUPT')
    }
  })

  test('more than 1000 headers are refused', () => {
    const headers = (count: number) => Array.from({ length: count }, () => ({ key: '', value: null }))
    expect(
      read(batchOf([{ key: null, value: null, headers: headers(1000) }], { baseOffset: 0 }))[0]?.headers,
    ).toHaveLength(1000)
    const many = batchOf([{ key: null, value: null, headers: headers(1001) }], { baseOffset: 0 })
    expect(failure(() => read(many)).message).toContain('1001 headers')
  })
})

describe('bombs', () => {
  const limit = 1024 * 1024

  test.each(codecs.filter((codec) => codec !== 'none'))(
    '%s data beyond the limit is refused, naming the batch',
    (codec) => {
      const bomb = batchOf([{ key: null, value: Buffer.alloc(20 * limit) }], { baseOffset: 42, compression: codec })
      expect(bomb.length).toBeLessThan(limit)
      const error = failure(() => read(bomb, 0, limit))
      expect([error.code, error.message]).toEqual([
        'CORRUPT',
        expect.stringMatching(/offset 42 of orders-3.*more than 1048576/s),
      ])
      expect(read(bomb, 0)[0]?.value).toHaveLength(20 * limit)
    },
  )

  test('a snappy block that only declares a gigabyte allocates nothing', () => {
    const declared = packedBatch(1, 'snappy', () => Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04, 0x00]))
    expect(failure(() => read(declared)).message).toContain('more than')
  })

  test('a count that the bytes cannot hold is refused before anything is read', () => {
    const batch = patched(batchOf([{ key: null, value: null }], { baseOffset: 0 }), (b) => {
      b.writeInt32BE(0x7fffffff, at.count)
    })
    expect(failure(() => read(batch)).message).toContain('records in')
  })
})
