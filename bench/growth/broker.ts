/** The broker that a point is measured on. The embedded one is kept on disk, so that memory is the engine's and not the log's. */

import { openEmbedded } from '../../src/broker/embedded/broker.ts'
import { connectKafka } from '../../src/broker/kafka/broker.ts'
import type { Broker } from '../../src/broker/port.ts'
import type { PointSpec } from './spec.ts'

export async function withBroker<T>(
  { bootstrap, brokerDir }: Pick<PointSpec, 'bootstrap' | 'brokerDir'>,
  body: (broker: Broker) => Promise<T>,
): Promise<T> {
  const broker = bootstrap === null ? await openEmbedded({ dir: brokerDir }) : await connectKafka({ bootstrap })
  try {
    return await body(broker)
  } finally {
    await broker.close()
  }
}
