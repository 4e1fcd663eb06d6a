/** How many hopping windows a record falls into: so many rows are read, counted up, written and emitted for it. */

import { defineTopology, int64, json, string, topic, Windows, windowed } from '../../../src/index.ts'
import { timeOf } from '../../payments.ts'
import { type Axis, type Job, scaled, usualPartitions } from '../axis.ts'
import { keyName, keyNumber, scattered, windowStart } from '../names.ts'

const counts = [1, 3, 10, 30, 100]
const keys = 100
const sizeMs = 60_000
/** So that a row is made once and updated thrice, however many windows there are. */
const recordsPerWindow = 4
const stepMs = sizeMs / (keys * recordsPerWindow)
/** Window updates of a point at full size, at most. */
const mostUpdates = 1_000_000

export const windowsPerRecord: Axis = {
  name: 'windows-per-record',
  summary: 'a count per key and hopping window of a minute',
  quantity: 'windows per record',
  unit: 'window update',
  onlyOnKafka: false,
  rssBoundMiB: () => 1024,
  points: (records) =>
    counts.map((value) => {
      const count = Math.min(records, Math.ceil(scaled(mostUpdates, records) / value))
      return {
        value,
        label: String(value),
        partitions: usualPartitions,
        workers: 1,
        loaded: 0,
        records: count,
        work: count * value,
        ...countPerWindow(value, count),
      }
    }),
}

function countPerWindow(windows: number, records: number): Job {
  const advance = sizeMs / windows
  const time = (number: number) => timeOf(number * stepMs)
  // The first record's windows start up to a size before it.
  const firstStart = timeOf(0) - sizeMs + advance
  const slotOf = (start: number) => (start - firstStart) / advance
  const slots = slotOf(time(records)) + 1
  return {
    topology: ({ input, output }) =>
      defineTopology('growth-windows-per-record', (b) => {
        b.stream(topic(input, { key: string, value: json<{ readonly id: number }>() }))
          .groupByKey()
          .windowedBy(Windows.hopping(sizeMs, { advance, grace: 0 }))
          .count('counts')
          .toStream()
          .to(topic(output, { key: windowed(string, sizeMs), value: int64 }))
      }),
    recordOf: (number) => ({
      key: Buffer.from(keyName(scattered(number, keys))),
      value: Buffer.from(JSON.stringify({ id: number })),
      timestamp: time(number),
    }),
    groups: {
      count: keys * Math.ceil(slots),
      of: (number) => {
        const newest = Math.floor(slotOf(time(number)))
        return Array.from({ length: windows }, (_, back) => (newest - back) * keys + scattered(number, keys))
      },
      in: (key) => slotOf(windowStart(key)) * keys + keyNumber(key),
      countIn: (value) => Number(value.readBigInt64BE()),
    },
  }
}
