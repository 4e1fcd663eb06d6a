/**
 * How many windows are alive in the store: a longer grace keeps more of them, and records fall into any. All are there
 * before; while it is measured stream time goes on, so that windows open and expire.
 */

import { defineTopology, int64, json, string, topic, Windows, windowed } from '../../../src/index.ts'
import { timeOf } from '../../payments.ts'
import { type Axis, type Job, scaled, usualPartitions } from '../axis.ts'
import { keyName, keyNumber, mixed, scattered, windowStart } from '../names.ts'
import { counted } from '../number-words.ts'

/** Windows that one key has alive. */
const perKey = [1, 10, 100, 1_000]
const fullKeys = 1_000
const sizeMs = 60_000
/** Windows by which stream time goes on while it is measured. */
const passed = 30

export const openWindows: Axis = {
  name: 'open-windows',
  summary: 'a count per key and minute, records late by anything within the grace',
  quantity: 'windows alive in the store',
  unit: 'comparison',
  onlyOnKafka: false,
  rssBoundMiB: () => 1024,
  points: (records) => {
    const keys = scaled(fullKeys, records)
    return perKey.map((alive) => {
      const value = keys * alive
      return {
        value,
        label: counted(value),
        partitions: usualPartitions,
        workers: 1,
        loaded: value,
        records,
        // As in `keys`: the rows are in the same tree.
        work: records * Math.log2(value + 1),
        ...countPerMinute(keys, alive, records),
      }
    })
  },
}

function countPerMinute(keys: number, alive: number, records: number): Job {
  const loaded = keys * alive
  const keyOf = (number: number) => scattered(number, keys)
  /** Number of the minute that a record falls into: each key's minutes in order first, then any that is alive. */
  const minuteOf = (number: number) => {
    if (number < loaded) return Math.floor(number / keys)
    const measured = number - loaded
    const newest = alive - 1 + Math.floor((measured * passed) / records)
    return newest - mixed(measured, alive)
  }
  return {
    topology: ({ input, output }) =>
      defineTopology('growth-open-windows', (b) => {
        b.stream(topic(input, { key: string, value: json<{ readonly id: number }>() }))
          .groupByKey()
          .windowedBy(Windows.tumbling(sizeMs, { grace: (alive - 1) * sizeMs }))
          .count('counts')
          .toStream()
          .to(topic(output, { key: windowed(string, sizeMs), value: int64 }))
      }),
    recordOf: (number) => ({
      key: Buffer.from(keyName(keyOf(number))),
      value: Buffer.from(JSON.stringify({ id: number })),
      timestamp: timeOf(minuteOf(number) * sizeMs),
    }),
    groups: {
      count: keys * (alive + passed),
      of: (number) => [minuteOf(number) * keys + keyOf(number)],
      in: (key) => ((windowStart(key) - timeOf(0)) / sizeMs) * keys + keyNumber(key),
      countIn: (value) => Number(value.readBigInt64BE()),
    },
  }
}
