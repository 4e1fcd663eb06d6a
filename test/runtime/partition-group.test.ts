import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ConsumerRecord, consumerRecord } from '../../src/common/record.ts'
import { PartitionGroup, PartitionQueue } from '../../src/runtime/partition-group.ts'

const queue = (topic: string, position = 0, stableEnd = 0) => new PartitionQueue(topic, topic, 0, position, stableEnd)

function record(offset: number, timestamp: number): ConsumerRecord {
  return consumerRecord(offset, timestamp, null, null)
}

/** A fetched batch of these timestamps from the queue's position on, then `markers` offsets without a record. */
function push(into: PartitionQueue<string>, timestamps: readonly number[], markers = 0, stableEnd?: number): void {
  const records = timestamps.map((timestamp, i) => record(into.fetchPosition + i, timestamp))
  const position = into.fetchPosition + timestamps.length + markers
  into.push({ topic: into.topic, partition: 0, records, position, stableEnd: stableEnd ?? position })
}

function takeAll(group: PartitionGroup<string>): string[] {
  const taken: string[] = []
  for (let next = group.next(); next !== undefined; next = group.next()) {
    const { timestamp } = next.take()
    next.partitionTime = Math.max(next.partitionTime, timestamp)
    taken.push(`${next.source}${timestamp}`)
  }
  return taken
}

test('the lowest head timestamp is next, over all inputs', () => {
  const [a, b] = [queue('a'), queue('b')]
  push(a, [1, 5, 6])
  push(b, [2, 3, 9])
  expect(takeAll(new PartitionGroup([a, b]))).toEqual(['a1', 'b2', 'b3', 'a5', 'a6', 'b9'])
})

test('equal timestamps: the first input first', () => {
  const [a, b] = [queue('a'), queue('b')]
  push(b, [4, 4])
  push(a, [4, 4])
  expect(takeAll(new PartitionGroup([a, b]))).toEqual(['a4', 'a4', 'b4', 'b4'])
})

test('one partition is never reordered, and what is late in it stays late', () => {
  const a = queue('a')
  push(a, [5, 1])
  push(a, [7, 2])
  const group = new PartitionGroup([a])
  expect(takeAll(group)).toEqual(['a5', 'a1', 'a7', 'a2'])
  expect(group.streamTime).toBe(7)
})

test('an input that the broker has more of is waited for; one that is at its end is not', () => {
  const [a, b] = [queue('a'), queue('b', 0, 3)]
  push(a, [10])
  const group = new PartitionGroup([a, b])
  expect(b.awaitsRecords).toBe(true)
  expect(group.next()).toBeUndefined()
  push(b, [4, 5], 0, 3)
  expect(group.next()?.take().timestamp).toBe(4)
  expect(group.next()?.take().timestamp).toBe(5)
  // Two of three are here: the third may be older than what the other input has.
  expect(group.next()).toBeUndefined()
  // It was a marker: nothing is left to wait for.
  push(b, [], 1)
  expect(takeAll(group)).toEqual(['a10'])
})

test('a stable end never goes back, and an empty group gives nothing', () => {
  const a = queue('a', 0, 5)
  push(a, [1], 0, 2)
  expect(a.stableEnd).toBe(5)
  expect(new PartitionGroup([]).next()).toBeUndefined()
  expect(new PartitionGroup([queue('a'), queue('b')]).next()).toBeUndefined()
  expect(new PartitionGroup([queue('a')]).streamTime).toBe(-1)
})

test('the position is the head, and moves past markers once all before them is taken', () => {
  const a = queue('a', 7)
  expect(a.position).toBe(7)
  push(a, [1, 2], 1)
  expect([a.position, a.fetchPosition]).toEqual([7, 10])
  a.take()
  expect(a.position).toBe(8)
  push(a, [], 3)
  expect([a.position, a.fetchPosition]).toEqual([8, 13])
  a.take()
  expect(a.position).toBe(13)
})

test('batches that wait are counted, the one that is begun is not', () => {
  const a = queue('a')
  push(a, [1])
  push(a, [], 1)
  expect(a.waitingBatches).toBe(0)
  push(a, [2])
  push(a, [3])
  expect(a.waitingBatches).toBe(2)
  a.take()
  expect(a.waitingBatches).toBe(1)
})

test('however batches come, each input is taken whole and in order, and the merge is that of all heads', () => {
  const batches = fc.array(fc.record({ timestamps: fc.array(fc.nat(20), { maxLength: 4 }), markers: fc.nat(2) }), {
    maxLength: 5,
  })
  fc.assert(
    fc.property(batches, batches, (first, second) => {
      const [a, b] = [queue('a'), queue('b')]
      for (const { timestamps, markers } of first) push(a, timestamps, markers)
      for (const { timestamps, markers } of second) push(b, timestamps, markers)
      const left = { a: first.flatMap((one) => one.timestamps), b: second.flatMap((one) => one.timestamps) }
      const expected: string[] = []
      while (left.a.length + left.b.length > 0) {
        const fromA = left.b.length === 0 || (left.a[0] ?? Number.POSITIVE_INFINITY) <= (left.b[0] as number)
        expected.push(fromA ? `a${left.a.shift()}` : `b${left.b.shift()}`)
      }
      expect(takeAll(new PartitionGroup([a, b]))).toEqual(expected)
      expect([a.position, b.position]).toEqual([a.fetchPosition, b.fetchPosition])
    }),
  )
})

test('an input at its end is waited for as long as is asked, once, and again after it has had a record', () => {
  let now = 1000
  const [a, b] = [queue('a'), queue('b')]
  const group = new PartitionGroup([a, b], 50, () => now)
  now += 100
  expect([group.next(), group.waitsUntil]).toEqual([undefined, Number.POSITIVE_INFINITY])
  push(a, [1, 2, 9, 10])
  expect([group.next(), group.waitsUntil]).toEqual([undefined, 1150])
  now += 49
  expect(group.next()).toBeUndefined()
  now += 1
  expect(group.next()?.take().timestamp).toBe(1)
  expect(group.next()?.take().timestamp).toBe(2)
  push(b, [5])
  expect(group.next()?.take().timestamp).toBe(5)
  expect([group.next(), group.waitsUntil]).toEqual([undefined, 1200])
  now += 50
  expect(takeAll(group)).toEqual(['a9', 'a10'])
})

test('below 0 no input is waited for, and at 0 only one that the broker has more of', () => {
  const order = (idleMs: number): string[] => {
    const [a, b] = [queue('a'), queue('b', 0, 3)]
    push(a, [10])
    const group = new PartitionGroup([a, b], idleMs, () => 0)
    const first = takeAll(group)
    push(b, [4], 2, 3)
    return [...first, '|', ...takeAll(group)]
  }
  expect(order(-1)).toEqual(['a10', '|', 'b4'])
  expect(order(0)).toEqual(['|', 'b4', 'a10'])
})

test('more that the broker has is waited for whatever the time', () => {
  let now = 0
  const [a, b] = [queue('a'), queue('b', 0, 3)]
  push(a, [10])
  const group = new PartitionGroup([a, b], 50, () => now)
  now += 10_000
  expect(group.next()).toBeUndefined()
})
