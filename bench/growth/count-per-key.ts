/** The job of most axes: a count per key, over keys that come as the axis wants. */

import { defineTopology, int64, json, string, topic } from '../../src/index.ts'
import { timeOf } from '../payments.ts'
import type { Job } from './axis.ts'
import { keyName, keyNumber } from './names.ts'

interface Numbered {
  readonly id: number
}

/** @param keyOf number of the key of the record with a number. */
export function countPerKey(keys: number, keyOf: (number: number) => number): Job {
  return {
    topology: ({ input, output }) =>
      defineTopology('growth-count', (b) => {
        b.stream(topic(input, { key: string, value: json<Numbered>() }))
          .groupByKey()
          .count('counts')
          .toStream()
          .to(topic(output, { key: string, value: int64 }))
      }),
    recordOf: (number) => ({
      key: Buffer.from(keyName(keyOf(number))),
      value: Buffer.from(JSON.stringify({ id: number } satisfies Numbered)),
      timestamp: timeOf(number),
    }),
    groups: {
      count: keys,
      of: (number) => [keyOf(number)],
      in: keyNumber,
      countIn: (value) => Number(value.readBigInt64BE()),
    },
  }
}
