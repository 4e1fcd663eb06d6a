/** How many workers share the partitions, each an engine in a thread of its own. Cost is that of all of them together. */

import { availableParallelism } from 'node:os'
import type { Axis } from '../axis.ts'
import { countPerKey } from '../count-per-key.ts'
import { scattered } from '../names.ts'

const keys = 10_000
const partitions = 32
/** Threads tell how far they are only each half second, so their runs are longer. */
const lengthened = 4

export const workers: Axis = {
  name: 'workers',
  summary: `a count per key over ${keys.toLocaleString('en')} keys and ${partitions} partitions`,
  quantity: 'workers',
  unit: 'record',
  onlyOnKafka: true,
  // One budget of state is divided among them, but each has a heap of its own.
  rssBoundMiB: ({ workers }) => 512 + 384 * workers,
  points: (records) =>
    counts(availableParallelism()).map((value) => ({
      value,
      label: String(value),
      partitions,
      workers: value,
      loaded: 0,
      records: records * lengthened,
      work: records * lengthened,
      ...countPerKey(keys, (number) => scattered(number, keys)),
    })),
}

/** Doubling up to the number of cores. */
function counts(cores: number): readonly number[] {
  const result: number[] = []
  for (let count = 1; count < cores; count *= 2) result.push(count)
  return [...result, cores]
}
