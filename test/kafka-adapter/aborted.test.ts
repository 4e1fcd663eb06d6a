import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AbortedTransaction } from '../../src/broker/kafka/aborted.ts'
import { PartitionReader } from '../../src/broker/kafka/partition-reader.ts'
import type { ConsumerRecord } from '../../src/common/record.ts'
import { emptied, TestLog } from './log.ts'

function read(recordSet: Buffer, position: number, aborted: readonly AbortedTransaction[] | null) {
  const records: ConsumerRecord[] = []
  const reader = new PartitionReader({ topic: 't', partition: 0, recordSet, position, aborted })
  while (!reader.done) reader.next(records, 1)
  return { offsets: records.map((record) => record.offset), position: reader.position }
}

/** Reads the whole log as a consumer does, response by response. */
function readAll(log: TestLog, maxBytes: number, from = 0): { offsets: number[]; position: number } {
  const offsets: number[] = []
  let position = from
  while (position < log.stableEnd) {
    const { recordSet, aborted } = log.fetch(position, maxBytes, true)
    const result = read(recordSet, position, aborted)
    offsets.push(...result.offsets)
    if (result.position <= position) throw new Error(`no progress at ${position}`)
    position = result.position
  }
  return { offsets, position }
}

const transactional = true

describe('what a read_committed reader sees', () => {
  test('an int32 key of 0 in an aborted transaction is no marker', () => {
    const log = new TestLog()
    log.data(3, { producerId: 1, transactional, key: Buffer.alloc(4) })
    log.data(2, { producerId: 1, transactional })
    log.marker(1, 'abort')
    log.data(1)
    expect(readAll(log, 1e6)).toEqual({ offsets: [6], position: 7 })
  })

  test('two and three transactions open where the fetch starts', () => {
    const log = new TestLog()
    log.data(1, { producerId: 1, transactional })
    log.data(1, { producerId: 2, transactional })
    log.data(1, { producerId: 3, transactional })
    log.data(1, { producerId: 1, transactional })
    log.data(1, { producerId: 2, transactional })
    log.data(1, { producerId: 3, transactional })
    log.marker(2, 'abort')
    log.marker(1, 'abort')
    log.marker(3, 'commit')
    for (const from of [0, 1, 2, 3, 4]) {
      expect(readAll(log, 1e6, from).offsets).toEqual([2, 5].filter((offset) => offset >= from))
    }
  })

  test('the list in completion order, the later started one first', () => {
    const log = new TestLog()
    log.data(2, { producerId: 1, transactional })
    log.data(2, { producerId: 2, transactional })
    log.marker(2, 'abort')
    log.data(2, { producerId: 1, transactional })
    log.marker(1, 'abort')
    log.data(1, { producerId: 2, transactional })
    log.marker(2, 'commit')
    expect(log.aborted.map((t) => t.firstOffset)).toEqual([2, 0])
    expect(readAll(log, 1e6)).toEqual({ offsets: [8], position: 10 })
  })

  test.each([
    ['abort, abort', ['abort', 'abort'], []],
    ['abort, commit, abort', ['abort', 'commit', 'abort'], [3, 4]],
    ['commit, abort, commit', ['commit', 'abort', 'commit'], [0, 1, 6, 7]],
  ] as const)('one producer: %s', (_, ends, offsets) => {
    const log = new TestLog()
    for (const end of ends) {
      log.data(2, { producerId: 7, transactional })
      log.marker(7, end)
    }
    expect(readAll(log, 1e6).offsets).toEqual(offsets)
  })

  test('the marker in a later response', () => {
    const log = new TestLog()
    log.data(2, { producerId: 1, transactional })
    log.data(2, { producerId: 1, transactional })
    log.data(2, { producerId: 2, transactional })
    log.marker(1, 'abort')
    log.marker(2, 'commit')
    log.data(1)
    expect(readAll(log, 1)).toEqual({ offsets: [4, 5, 8], position: 9 })
  })

  test('a fetch that starts at a marker, with nothing listed', () => {
    const log = new TestLog()
    log.data(2, { producerId: 1, transactional })
    log.marker(1, 'abort')
    log.data(1, { producerId: 1, transactional })
    log.marker(1, 'commit')
    const { recordSet } = log.fetch(2, 1e6)
    expect(read(recordSet, 2, [])).toEqual({ offsets: [3], position: 5 })
  })

  test('an abort marker where its transaction wrote nothing', () => {
    const log = new TestLog()
    log.data(1, { producerId: 1, transactional })
    log.marker(1, 'commit')
    log.marker(1, 'abort')
    log.data(2, { producerId: 1, transactional })
    log.marker(1, 'commit')
    expect(readAll(log, 1e6)).toEqual({ offsets: [0, 3, 4], position: 6 })
  })

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('a position inside a %s batch', (compression) => {
    const log = new TestLog()
    log.data(10, { producerId: 1, transactional, compression })
    log.marker(1, 'commit')
    expect(readAll(log, 1e6, 7)).toEqual({ offsets: [7, 8, 9], position: 11 })
  })

  test('batches outside transactions of a producer that is aborting', () => {
    const log = new TestLog()
    log.data(1, { producerId: 1, transactional })
    log.data(2, { producerId: 1 })
    log.data(1)
    log.marker(1, 'abort')
    expect(readAll(log, 1e6).offsets).toEqual([1, 2, 3])
  })

  test('compacted: the data gone, the marker left; and batches emptied', () => {
    const log = new TestLog()
    log.data(3, { producerId: 1, transactional })
    log.marker(1, 'abort')
    log.data(2, { producerId: 2, transactional })
    log.marker(2, 'commit')
    const [first, abort, data, commit] = log.entries.map((entry) => entry.bytes) as [Buffer, Buffer, Buffer, Buffer]
    const listed = [{ producerId: 1, firstOffset: 0 }]
    expect(read(Buffer.concat([abort, data, commit]), 0, listed)).toEqual({ offsets: [4, 5], position: 7 })
    expect(read(Buffer.concat([emptied(first), abort, emptied(data), emptied(commit)]), 0, listed)).toEqual({
      offsets: [],
      position: 7,
    })
  })

  test('a commit marker as the last offset moves the position past it', () => {
    const log = new TestLog()
    log.data(1, { producerId: 1, transactional })
    log.marker(1, 'commit')
    expect(readAll(log, 1e6)).toEqual({ offsets: [0], position: 2 })
    expect(readAll(log, 1e6, 1)).toEqual({ offsets: [], position: 2 })
  })

  test('only an abort marker ends an aborted transaction', () => {
    const log = new TestLog()
    log.data(1, { producerId: 1, transactional })
    log.marker(1, 'commit')
    log.data(1, { producerId: 1, transactional })
    log.marker(1, 'abort')
    log.data(1, { producerId: 1, transactional })
    log.marker(1, 'commit')
    expect(read(log.fetch(0, 1e6).recordSet, 0, [{ producerId: 1, firstOffset: 0 }]).offsets).toEqual([4])
  })

  test('nothing but aborted data: no records, and the position moves', () => {
    const log = new TestLog()
    log.data(5, { producerId: 1, transactional })
    log.marker(1, 'abort')
    expect(readAll(log, 1e6)).toEqual({ offsets: [], position: 6 })
  })

  test('an uncommitted reader sees the data, and no markers', () => {
    const log = new TestLog()
    log.data(2, { producerId: 1, transactional })
    log.marker(1, 'abort')
    expect(read(log.fetch(0, 1e6).recordSet, 0, null)).toEqual({ offsets: [0, 1], position: 3 })
  })
})

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      producer: fc.nat(3),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('plain' as const), producer: fc.integer({ min: -1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('abort' as const), producer: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const), producer: fc.nat(3) }) },
)

test('10,000 interleavings against a log that knows every outcome', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 24 }),
      fc.integer({ min: 1, max: 600 }),
      fc.nat(100),
      fc.boolean(),
      (steps, maxBytes, start, ends) => {
        const log = new TestLog()
        for (const { kind, producer, ...rest } of steps) {
          if (kind === 'data') log.data('count' in rest ? rest.count : 1, { producerId: producer, transactional })
          else if (kind === 'plain') {
            // A producer id within a transaction writes nothing outside it.
            if (!log.isOpen(producer)) log.data(1, { producerId: producer })
          } else log.marker(producer, kind)
        }
        // Half of the logs leave transactions open, and with them a low stable end.
        if (ends)
          for (let producer = 0; producer <= 3; producer++)
            log.marker(producer, producer % 2 === 0 ? 'abort' : 'commit')
        const from = log.stableEnd === 0 ? 0 : start % log.stableEnd
        const { offsets, position } = readAll(log, maxBytes, from)
        expect(offsets).toEqual(log.visible().filter((offset) => offset >= from))
        expect(position).toBe(log.stableEnd)
      },
    ),
    { numRuns: 10_000 },
  )
}, 120_000)
