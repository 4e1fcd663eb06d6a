/**
 * The embedded broker: Kafka's semantics in this process, in memory or in a directory. It is not Kafka: one replica, no
 * wire, no retention, no compaction. What it acknowledges outlives kill -9 when it has a directory.
 */

import { StreamError } from '../../common/errors.ts'
import { type Clock, systemClock } from '../../common/time.ts'
import type { Broker, OffsetSpec, TopicDescription } from '../port.ts'
import { EmbeddedFetcher } from './fetcher.ts'
import { GroupCoordinator, type JoinedMember } from './groups.ts'
import { type Journal, type JournalEntry, memoryJournal } from './journal.ts'
import { openLevelJournal } from './level-journal.ts'
import type { PartitionLog } from './log.ts'
import { offsetSince } from './offset-since.ts'
import { EmbeddedPlainProducer } from './plain-producer.ts'
import { EmbeddedTransactionalProducer } from './producer.ts'
import { TopicRegistry } from './topics.ts'
import { TransactionCoordinator } from './transactions.ts'

export interface EmbeddedOptions {
  /** Where it is kept; in memory when omitted. */
  readonly dir?: string
  /** Ends transactions that are open for longer than their timeout, looked at on polls and queries. Default: the wall. */
  readonly clock?: Clock
  /** Partitions of topics that are created when first asked for. Default 1. */
  readonly defaultPartitions?: number
  /** Default false: a topic that was not created is TOPIC_MISSING. */
  readonly autoCreateTopics?: boolean
}

export interface EmbeddedBroker extends Broker {
  readonly kind: 'embedded'
  /** Another client of the same broker; closing it closes only what it opened. */
  connect(): EmbeddedBroker
  /** As if this client's process had died: its members are gone and its transactions stay open, with no word to anybody. */
  crash(): void
  /** Throws a member out as an elapsed session does: it hears `onLost` and joins again. False when there is none. */
  expireMember(groupId: string, memberId: string): boolean
}

/**
 * Opens the embedded broker; `close` of what it returns closes every connection, and the directory.
 * @throws StreamError LOCKED (the directory is held by another process), CORRUPT, UNSUPPORTED_VERSION, INVALID_ARGUMENT.
 */
export async function openEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedBroker> {
  const journal = options.dir === undefined ? memoryJournal : await openLevelJournal(options.dir)
  const defaults = { partitions: options.defaultPartitions ?? 1, autoCreate: options.autoCreateTopics ?? false }
  const groups = new GroupCoordinator(journal.stored.offsets)
  const topics = new TopicRegistry(journal, defaults, (name) => groups.topicCreated(name))
  const transactions = new TransactionCoordinator(topics, groups, journal, options.clock ?? systemClock)
  const address = `embedded (${options.dir ?? 'memory'})`
  const cluster: Cluster = { address, journal, topics, groups, transactions, connections: new Set(), clients: 0 }
  return connection(cluster, true)
}

interface Cluster {
  readonly address: string
  readonly journal: Journal
  readonly topics: TopicRegistry
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly connections: Set<EmbeddedBroker>
  clients: number
}

function connection(cluster: Cluster, isRoot: boolean): EmbeddedBroker {
  const { address, journal, topics, groups, transactions, connections } = cluster
  const clientId = `embedded-${++cluster.clients}`
  const fetchers = new Set<EmbeddedFetcher>()
  const producers = new Set<EmbeddedTransactionalProducer | EmbeddedPlainProducer>()
  const members = new Set<JoinedMember>()
  const gone = new StreamError('UNREACHABLE', `the connection to the broker ${address} is closed`)
  let isClosed = false

  const open = (): void => {
    if (isClosed) throw gone
  }
  const kept = <A, T extends A>(all: Set<A>, one: T): T => {
    all.add(one)
    return one
  }
  const offsetAt = async (at: OffsetSpec, log: PartitionLog): Promise<number> => {
    if (typeof at === 'object') return offsetSince(journal, log, at.since)
    return at === 'earliest' ? log.start : at === 'stable' ? log.stableEnd : log.end
  }
  const endFetchers = (): void => {
    isClosed = true
    connections.delete(broker)
    for (const fetcher of fetchers) fetcher.abandon(gone)
  }

  const broker: EmbeddedBroker = {
    kind: 'embedded',
    address,

    async topics(names = topics.names()) {
      open()
      const found = new Map<string, TopicDescription>()
      for (const name of names) {
        const topic = topics.find(name)
        if (topic !== undefined) found.set(name, { name, partitions: topic.partitions })
      }
      return found
    },

    async createTopics(specs) {
      open()
      await Promise.all(specs.map((spec) => topics.create(spec)))
    },

    async topicConfigs(names) {
      open()
      return new Map(names.map((name) => [name, { 'cleanup.policy': 'compact', ...topics.find(name)?.configs }]))
    },

    async offsets(partitions, at) {
      open()
      transactions.expire()
      const logs = partitions.map(({ topic, partition }) => topics.log(topic, partition))
      const offsets = await Promise.all(logs.map((log) => offsetAt(at, log)))
      return logs.map(({ topic, partition }, nth) => ({ topic, partition, offset: offsets[nth] as number }))
    },

    async committed(groupId, partitions) {
      open()
      return groups.group(groupId).offsets.stable(partitions)
    },

    async describeGroup(groupId) {
      open()
      return groups.group(groupId).describe()
    },

    async deleteRecords(before) {
      open()
      const logs = before.map(({ topic, partition, offset }) => {
        const log = topics.log(topic, partition)
        if (offset >= 0 && offset <= log.end) return { log, offset }
        throw new StreamError(
          'OFFSET_OUT_OF_RANGE',
          `records before ${offset} cannot be deleted: the log ends at ${log.end}`,
          {
            hint: 'Delete up to the end of the log at most.',
            where: { topic, partition, offset },
          },
        )
      })
      const ahead = logs.filter(({ log, offset }) => offset > log.start)
      if (ahead.length === 0) return
      // With the end, which may lie beyond what is on disk while a transaction is open.
      const entries = ahead.flatMap(({ log, offset }): JournalEntry[] => [
        { kind: 'start', log: log.id, start: offset },
        { kind: 'end', log: log.id, end: log.end },
      ])
      for (const { log, offset } of ahead) log.deleteBefore(offset)
      await journal.write(entries, () => {})
      await Promise.all(ahead.map(({ log, offset }) => journal.trim(log.id, offset)))
    },

    fetcher(options = {}) {
      open()
      return kept(fetchers, new EmbeddedFetcher(topics, journal, () => transactions.expire(), options))
    },

    async transactionalProducer({ transactionalId, timeoutMs = 60_000 }) {
      open()
      const holder = await transactions.take(transactionalId, timeoutMs)
      return kept(producers, new EmbeddedTransactionalProducer(transactions, topics, holder))
    },

    async plainProducer() {
      open()
      return kept(producers, new EmbeddedPlainProducer(topics, journal))
    },

    async join(options) {
      open()
      return kept(members, groups.join(options, clientId))
    },

    connect() {
      open()
      return kept(connections, connection(cluster, false))
    },

    crash() {
      if (isClosed) return
      endFetchers()
      for (const member of members) member.vanish()
      for (const producer of producers) producer.fail(gone)
    },

    expireMember: (groupId, memberId) => groups.expire(groupId, memberId),

    async close() {
      if (!isClosed) {
        endFetchers()
        await Promise.all([...members].map((member) => member.close()))
        // A disk that refuses must not keep the rest from closing.
        await Promise.allSettled([...producers].map((producer) => producer.close()))
      }
      // Also after a crash: the directory is held by the process that lives on.
      if (!isRoot) return
      await Promise.all([...connections].map((other) => other.close()))
      await journal.close()
    },
  }
  return broker
}
