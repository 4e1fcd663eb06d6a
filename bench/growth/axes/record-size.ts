/** How large a record is. Its text goes from the input through JSON into the key's row, its changelog and the output. */

import { defineTopology, json, string, topic } from '../../../src/index.ts'
import { timeOf } from '../../payments.ts'
import { type Axis, type Job, scaled, usualPartitions } from '../axis.ts'
import { keyName, keyNumber, scattered } from '../names.ts'

const sizes = [50, 500, 5_000, 50_000, 100_000]
/** Few enough that their rows fit into the cache at every size: what does not fit is the matter of `keys`. */
const keys = 100
/** Input bytes of a point at full size, at most. */
const mostBytes = 500_000_000
const countPrefix = '{"count":'

interface Text {
  readonly id: number
  readonly text: string
}

interface Latest {
  readonly count: number
  readonly text: string
}

export const recordSize: Axis = {
  name: 'record-size',
  summary: 'the latest text per key, and how many there were',
  quantity: 'bytes of a record',
  unit: 'MB',
  onlyOnKafka: false,
  rssBoundMiB: () => 1024,
  points: (records) =>
    sizes.map((value) => {
      const count = Math.min(records, Math.ceil(scaled(mostBytes, records) / value))
      return {
        value,
        label: value < 1000 ? `${value} B` : `${value / 1000} KB`,
        partitions: usualPartitions,
        workers: 1,
        loaded: 0,
        records: count,
        work: (count * value) / 1e6,
        ...latestText(value),
      }
    }),
}

function latestText(size: number): Job {
  // Most numbers have six digits.
  const bare = JSON.stringify({ id: 100_000, text: '' } satisfies Text).length
  const text = 'All that is gold does not glitter. '.repeat(Math.ceil(size / 35)).slice(0, Math.max(0, size - bare))
  return {
    topology: ({ input, output }) =>
      defineTopology('growth-record-size', (b) => {
        b.stream(topic(input, { key: string, value: json<Text>() }))
          .groupByKey()
          .aggregate('latest', {
            init: (): Latest => ({ count: 0, text: '' }),
            add: ({ count }, { text }) => ({ count: count + 1, text }),
            serde: json,
          })
          .toStream()
          .to(topic(output, { key: string, value: json<Latest>() }))
      }),
    recordOf: (number) => ({
      key: Buffer.from(keyName(scattered(number, keys))),
      value: Buffer.from(JSON.stringify({ id: number, text } satisfies Text)),
      timestamp: timeOf(number),
    }),
    groups: {
      count: keys,
      of: (number) => [scattered(number, keys)],
      in: keyNumber,
      // The text behind it need not be parsed to know.
      countIn: (value) => Number.parseInt(value.toString('latin1', countPrefix.length, countPrefix.length + 16), 10),
    },
  }
}
