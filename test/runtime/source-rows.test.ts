/** What records make of a table whose changelog their topic is: as processing them did, whatever that was. */

import { json, string } from 'streamctl'
import { expect, test } from 'vitest'
import { readerOf } from '../../src/common/bytes.ts'
import { consumerRecord } from '../../src/common/record.ts'
import { rowsOf } from '../../src/runtime/source-rows.ts'
import { Timestamps } from '../../src/runtime/timestamps.ts'
import { double } from '../../src/serde/double.ts'
import type { AnySerde } from '../../src/serde/serde.ts'
import type { SourceNode } from '../../src/topology/node.ts'

const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString('utf8'))
const numbers = json<number | null>()

type Given = readonly [key: Buffer | string | null, value: string | null, timestamp?: number]

function rows(given: readonly Given[], more: Partial<SourceNode> = {}, key: AnySerde = string) {
  const node = {
    kind: 'source',
    id: 0,
    name: 't',
    parents: [],
    topic: 't',
    key,
    value: numbers,
    onInvalidTimestamp: 'fail',
    ...more,
  } as SourceNode
  const readers = { readKey: readerOf(key), readValue: readerOf(numbers as AnySerde) }
  const timestamps = Timestamps.of({ node, ...readers, clock: () => 99 })
  const records = given.map(([key, value, timestamp = 7], offset) =>
    consumerRecord(
      offset,
      timestamp,
      typeof key === 'string' ? Buffer.from(key) : key,
      value === null ? null : Buffer.from(value),
    ),
  )
  const batch = { topic: 't', partition: 0, records, position: records.length, stableEnd: 0, highWatermark: 0 }
  return rowsOf({ key, value: node.value, ...readers, timestamps }, batch)
}

const shown = (given: readonly Given[], more?: Partial<SourceNode>) =>
  rows(given, more).map(({ offset, key, value, timestamp }) => [offset, text(key), text(value), timestamp])

test('values and deletions keep their order, offset and time', () => {
  expect(
    shown([
      ['a', '1', 5],
      ['b', '2', 3],
      ['a', null, 4],
    ]),
  ).toEqual([
    [0, 'a', '1', 5],
    [1, 'b', '2', 3],
    [2, 'a', null, 4],
  ])
})

test('what was not put is not: no key, a value that does not read, a time before 1970', () => {
  expect(
    shown([
      [null, '1'],
      ['a', 'no json'],
      ['a', '1', -1],
      ['b', '2'],
    ]),
  ).toEqual([[3, 'b', '2', 7]])
})

test('rows are as the store writes them: as they are, unless what they are read with is fetched; a value that reads as null deletes', () => {
  const given: readonly Given[] = [
    ['a', ' 1 '],
    ['b', 'null'],
  ]
  expect(shown(given)).toEqual([
    [0, 'a', ' 1 ', 7],
    [1, 'b', null, 7],
  ])
  expect(shown(given, { value: { ...numbers, prepare: () => undefined } })).toEqual([
    [0, 'a', '1', 7],
    [1, 'b', null, 7],
  ])
})

test('a key is the one that the store looks up by, whatever its bytes were', () => {
  const zeros = rows(
    [
      [double.serialize(-0), '1'],
      [double.serialize(0), '2'],
    ],
    {},
    double,
  )
  expect(zeros.map(({ key }) => key)).toEqual([double.serialize(0), double.serialize(0)])
  expect(rows([[Buffer.from([0x61, 0xff]), '1']])).toEqual([])
  expect(rows([['null', '1']], {}, json as AnySerde)).toEqual([])
})

test('the time is that of the extractor; what it has none for was skipped, as was what it threw at', () => {
  const timestamp = (value: number | null) => {
    if (value === 3) throw new Error('three')
    return value === null ? 1000 : value - 2
  }
  const given: readonly Given[] = [
    ['a', '5'],
    ['b', '1'],
    ['c', '3'],
    ['d', null],
    ['e', 'no json'],
  ]
  for (const onInvalidTimestamp of ['skip', 'fail'] as const) {
    expect(shown(given, { timestamp, onInvalidTimestamp })).toEqual([
      [0, 'a', '5', 3],
      [3, 'd', null, 1000],
    ])
  }
})
