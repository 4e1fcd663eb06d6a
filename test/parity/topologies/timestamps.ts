/** Sources with extractors; twins of java/Timestamps.java. */

import { Windows } from 'streamctl'
import type { Family } from '../twin.ts'
import { numbers, numbersShape, others, othersShape, results, windowedResults } from './topics.ts'
import { traced } from './trace.ts'

const input = { topics: [numbersShape] }
/** Some are negative. */
const ofValue = (n: number | null, _: unknown, { timestamp }: { readonly timestamp: number }): number =>
  n === null ? timestamp : n < 0 ? -1 : timestamp + n * 20 - 60

export const timestamps: Family = {
  extracted: {
    input,
    build(b) {
      b.stream(numbers, { timestamp: (n, _, { timestamp }) => timestamp + (n ?? 0) + 3 }).to(results)
    },
  },
  skipped: {
    input,
    build(b) {
      b.stream(numbers, { timestamp: ofValue, onInvalidTimestamp: 'skip' }).to(results)
    },
  },
  partitionTime: {
    input,
    build(b) {
      b.stream(numbers, {
        timestamp: (n, key, context) => (context.offset === 0 ? 0 : ofValue(n, key, context)),
        onInvalidTimestamp: 'partition-time',
      }).to(results)
    },
  },
  windowed: {
    input,
    build(b) {
      b.stream(numbers, { timestamp: ofValue, onInvalidTimestamp: 'skip' })
        .groupByKey()
        .windowedBy(Windows.tumbling(50, { grace: 20 }))
        .aggregate('traces', traced())
        .toStream()
        .to(windowedResults(50))
    },
  },
  repartitioned: {
    input: { topics: [numbersShape, othersShape] },
    build(b) {
      b.stream(numbers, { timestamp: ofValue, onInvalidTimestamp: 'skip' })
        .merge(b.stream(others))
        .groupBy('by-rest', (n) => (n === null ? 'none' : `${n % 2}`), { key: numbers.key, value: numbers.value })
        .aggregate('traces', traced())
        .toStream()
        .to(results)
    },
  },
}
