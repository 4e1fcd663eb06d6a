/** How large the state is: a count for each of so many keys, all of them there before, each record on the key unseen for longest. */

import { type Axis, scaled, usualPartitions } from '../axis.ts'
import { countPerKey } from '../count-per-key.ts'
import { scattered } from '../names.ts'
import { counted } from '../number-words.ts'

/** The last two are more than the caches of rows and blocks hold. */
const sizes = [10_000, 100_000, 1_000_000, 10_000_000]

export const keys: Axis = {
  name: 'keys',
  summary: 'a count per key, every key in the store before',
  quantity: 'keys in the store',
  unit: 'comparison',
  onlyOnKafka: false,
  rssBoundMiB: () => 1024,
  points: (records) =>
    sizes.map((size) => {
      const value = scaled(size, records)
      return {
        value,
        label: counted(value),
        partitions: usualPartitions,
        workers: 1,
        loaded: value,
        records,
        // A row is found, and merged into its place, by comparing keys: the logarithm is the tree's, not a loss.
        work: records * Math.log2(value + 1),
        ...countPerKey(value, (number) => scattered(number, value)),
      }
    }),
}
