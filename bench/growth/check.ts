/** Reads a point's output as a read_committed consumer does, and holds it against what should have been written. */

import { partitionsOf } from '../../src/common/record.ts'
import { withBroker } from './broker.ts'
import { asChild } from './child.ts'
import { Tally } from './tally.ts'

export interface Checked {
  readonly outputRecords: number
  /** What is lost or doubled; null when nothing is. */
  readonly wrong: string | null
}

await asChild((spec, { partitions, groups }, { from, to }) =>
  withBroker(spec, async (broker): Promise<Checked> => {
    const tally = new Tally(groups)
    const places = partitionsOf(spec.output, partitions)
    const ends = await broker.offsets(places, 'end')
    const open = new Map(ends.filter(({ offset }) => offset > 0).map(({ partition, offset }) => [partition, offset]))
    const fetcher = broker.fetcher()
    fetcher.assign(places.map((place) => ({ ...place, offset: 0 })))
    while (open.size > 0) {
      for (const { partition, records, position } of await fetcher.poll(1000)) {
        for (const { key, value } of records) tally.take(key as Buffer, value as Buffer)
        if (position >= (open.get(partition) ?? 0)) open.delete(partition)
      }
    }
    await fetcher.close()
    return { outputRecords: tally.outputs, wrong: tally.difference(from, to) }
  }),
)
