/** How much of the input is on one key. On the axis stands how many records there are to each that is on another key. */

import { type Axis, usualPartitions } from '../axis.ts'
import { countPerKey } from '../count-per-key.ts'
import { mixed } from '../names.ts'

const keys = 10_000
const percents = [0, 50, 90, 99]

export const hotKey: Axis = {
  name: 'hot-key',
  summary: `a count per key over ${keys.toLocaleString('en')} keys, a share of the records on one of them`,
  quantity: 'share of records on one key',
  unit: 'record',
  onlyOnKafka: false,
  rssBoundMiB: () => 1024,
  points: (records) =>
    percents.map((percent) => ({
      // 1, 2, 10, 100: shares near one are apart by what is left over.
      value: 100 / (100 - percent),
      label: `${percent} %`,
      partitions: usualPartitions,
      workers: 1,
      loaded: 0,
      records,
      work: records,
      ...countPerKey(keys, (number) => (number % 100 < percent ? 0 : mixed(number, keys))),
    })),
}
