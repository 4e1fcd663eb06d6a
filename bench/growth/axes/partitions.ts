/** How many tasks share the records: each has its own store, changelog partition and output partition. */

import type { Axis } from '../axis.ts'
import { countPerKey } from '../count-per-key.ts'
import { scattered } from '../names.ts'

const keys = 10_000
const counts = [4, 16, 64, 256]

export const partitions: Axis = {
  name: 'partitions',
  summary: `a count per key over ${keys.toLocaleString('en')} keys, one engine with every task`,
  quantity: 'partitions',
  unit: 'record',
  onlyOnKafka: false,
  rssBoundMiB: () => 1024,
  points: (records) =>
    counts.map((value) => ({
      value,
      label: String(value),
      partitions: value,
      workers: 1,
      loaded: 0,
      records,
      work: records,
      ...countPerKey(keys, (number) => scattered(number, keys)),
    })),
}
