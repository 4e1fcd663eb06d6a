import { expect, test } from 'vitest'
import { recordOutput } from '../../src/broker/output.ts'
import { partitionOf } from '../../src/common/partitioner.ts'
import { ConsumerRecord, noHeaders } from '../../src/common/record.ts'
import { type SinkArgs, sink } from '../../src/operators/sink.ts'
import { context, headers } from './harness.ts'

interface Appended {
  readonly partition: number
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

const text = { format: 'string', serialize: (value: string) => Buffer.from(value) }

function run(
  more: Partial<SinkArgs<string, string>>,
  records: readonly (readonly [string | null, string | null])[],
): Appended[] {
  const appended: Appended[] = []
  const process = sink<string, string>(
    {
      topic: 'out',
      key: text,
      value: text,
      partitions: 4,
      output: recordOutput((partition, { key, value, timestamp, headers: given }) => {
        expect(given).toBe(headers)
        appended.push({ partition, key: key?.toString() ?? null, value: value?.toString() ?? null, timestamp })
      }),
      ...more,
    },
    context('to(out)'),
  )
  for (const [index, [key, value]] of records.entries()) process(key, value, index, headers)
  return appended
}

test('the partition is that of the key bytes, and a null value is a tombstone', () => {
  const partition = partitionOf(Buffer.from('a'), 4)
  expect(
    run({}, [
      ['a', 'x'],
      ['a', null],
    ]),
  ).toEqual([
    { partition, key: 'a', value: 'x', timestamp: 0 },
    { partition, key: 'a', value: null, timestamp: 1 },
  ])
})

test('records without key go round all partitions', () => {
  const records = Array.from({ length: 6 }, () => [null, 'x'] as const)
  expect(run({ partitions: 4 }, records).map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 0, 1])
  expect(run({ partitions: 1 }, records).map(({ partition }) => partition)).toEqual([0, 0, 0, 0, 0, 0])
})

test('a value that is as it was read is written as the bytes it came in, any other by its serializer', () => {
  const record = new ConsumerRecord(0, 0, noHeaders, Buffer.from('<its bytes>'), -1, -1, 1, 10)
  const unchanged = { value: 'as read', record, from: null }
  const rows = run({ unchanged }, [
    ['a', 'as read'],
    ['a', 'other'],
    [null, 'as read'],
  ])
  expect(rows.map(({ value }) => value)).toEqual(['its bytes', 'other', 'its bytes'])
})

test('the end of a key can be left out of choosing the partition', () => {
  const [row] = run({ key: { ...text, unpartitionedBytes: 7 } }, [['a-suffix', 'x']])
  expect(row).toMatchObject({ partition: partitionOf(Buffer.from('a'), 4), key: 'a-suffix' })
})

test('what does not serialize names processor, topic, part, type and format', () => {
  const failing = {
    format: 'int64',
    serialize: () => {
      throw new RangeError('too large')
    },
  }
  expect(() => run({ value: failing }, [['a', new Date(0) as unknown as string]])).toThrow(
    expect.objectContaining({
      code: 'SERIALIZATION',
      message: 'to(out): a value of type Date cannot be written to topic out as int64: too large',
      where: { node: 'to(out)', topic: 'out' },
    }),
  )
  expect(() => run({ key: failing }, [['a', 'x']])).toThrow(
    /a key of type string cannot be written to topic out as int64/,
  )
})
