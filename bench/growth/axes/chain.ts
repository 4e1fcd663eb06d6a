/** How many stateless operators a record passes: `mapValues` and `filter` in turn. */

import { defineTopology, json, type KStream, string, topic } from '../../../src/index.ts'
import { timeOf } from '../../payments.ts'
import { type Axis, type Job, usualPartitions } from '../axis.ts'
import { keyName, keyNumber, scattered } from '../names.ts'

const lengths = [1, 3, 10, 30, 100]
const keys = 10_000

interface Passing {
  readonly id: number
  readonly passed: number
}

export const chain: Axis = {
  name: 'chain',
  summary: 'mapValues and filter in turn, no state',
  quantity: 'operators in the chain',
  unit: 'operator call',
  onlyOnKafka: false,
  rssBoundMiB: () => 768,
  points: (records) =>
    lengths.map((value) => ({
      value,
      label: String(value),
      partitions: usualPartitions,
      workers: 1,
      loaded: 0,
      records,
      work: records * value,
      ...chainOf(value),
    })),
}

function chainOf(length: number): Job {
  const passed = Math.ceil(length / 2)
  return {
    topology: ({ input, output }) =>
      defineTopology('growth-chain', (b) => {
        let stream: KStream<string, Passing> = b.stream(topic(input, { key: string, value: json<Passing>() }))
        for (let number = 0; number < length; number++) {
          stream =
            number % 2 === 0
              ? stream.mapValues((value) => ({ id: value.id, passed: value.passed + 1 }))
              : stream.filter((value) => value.passed > 0)
        }
        stream.to(topic(output, { key: string, value: json<Passing>() }))
      }),
    recordOf: (number) => ({
      key: Buffer.from(keyName(scattered(number, keys))),
      value: Buffer.from(JSON.stringify({ id: number, passed: 0 } satisfies Passing)),
      timestamp: timeOf(number),
    }),
    groups: {
      count: keys,
      of: (number) => [scattered(number, keys)],
      in: (key, value) => ((JSON.parse(value.toString()) as Passing).passed === passed ? keyNumber(key) : keys),
      countIn: null,
    },
  }
}
