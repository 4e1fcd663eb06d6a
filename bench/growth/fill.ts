/** Writes a range of a point's records into its input, whose topics it makes if they are not there. */

import { partitionOf } from '../../src/common/partitioner.ts'
import { noHeaders } from '../../src/common/record.ts'
import { withBroker } from './broker.ts'
import { asChild } from './child.ts'

/** Bytes between two flushes: what waits in memory. */
const flushBytes = 4 << 20
/** Event times are old, and a broker deletes by them. */
const configs = { 'retention.ms': '-1' }

await asChild((spec, { partitions, recordOf }, { from, to }) =>
  withBroker(spec, async (broker) => {
    await broker.createTopics([spec.input, spec.output].map((name) => ({ name, partitions, configs })))
    const producer = await broker.plainProducer()
    const input = producer.output(spec.input)
    let waiting = 0
    for (let number = from; number < to; number++) {
      const { key, value, timestamp } = recordOf(number)
      input.append(partitionOf(key, partitions), key, value, timestamp, noHeaders)
      waiting += key.length + value.length
      if (waiting < flushBytes) continue
      await producer.flush()
      waiting = 0
    }
    await producer.flush()
    await producer.close()
    return { written: to - from }
  }),
)
