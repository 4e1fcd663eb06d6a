/** A broker with some of its methods replaced, for whoever stands between one and those that use it. */

import type { Broker } from './port.ts'

/** The rest goes to `broker`, called on itself: it may be of a class. */
export function brokerWith(broker: Broker, parts: Partial<Broker>): Broker {
  return {
    kind: broker.kind,
    address: broker.address,
    topics: (names) => broker.topics(names),
    createTopics: (specs) => broker.createTopics(specs),
    topicConfigs: (topics) => broker.topicConfigs(topics),
    offsets: (partitions, at) => broker.offsets(partitions, at),
    committed: (groupId, partitions) => broker.committed(groupId, partitions),
    describeGroup: (groupId) => broker.describeGroup(groupId),
    deleteRecords: (before) => broker.deleteRecords(before),
    fetcher: (options) => broker.fetcher(options),
    transactionalProducer: (options) => broker.transactionalProducer(options),
    plainProducer: () => broker.plainProducer(),
    join: (options) => broker.join(options),
    close: () => broker.close(),
    ...parts,
  }
}
