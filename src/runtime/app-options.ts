/** What starting a topology takes and gives: the engine's face to the command line and to embedding programs. */

import type { Broker } from '../broker/port.ts'
import type { Clock } from '../common/time.ts'
import type { Snapshot } from '../metrics/snapshot.ts'
import type { TopicConfigs } from '../topology/internal-topics.ts'
import type { Engine, EngineParts } from './engine.ts'
import type { StoreLookup } from './queries.ts'

export interface AppOptions {
  readonly broker: Broker
  /** Consumer group, prefix of internal topics, transactional ids and state directory. Default: the topology's name. */
  readonly appId?: string
  /** Directory of local state; null keeps it in memory. Default `.streamctl/state`. */
  readonly stateDir?: string | null
  /** ms between commits; default 100. */
  readonly commitIntervalMs?: number
  /** Uncommitted bytes that force an early commit; default 64 MiB. */
  readonly maxUncommittedBytes?: number
  /** Memory for state in this process, in bytes, divided among all tasks of the application; default 256 MiB. */
  readonly stateMemoryBytes?: number
  /** ms until what is committed is written to the state directory; default 1000. A crash replays what lies in between. */
  readonly flushIntervalMs?: number
  /**
   * ms after which the local state of a task that this process has no more, as task or standby, is removed (Kafka Streams: `state.cleanup.delay.ms`);
   * default 600000. Should the task come back later, it is restored from its changelogs.
   */
  readonly stateCleanupDelayMs?: number
  /**
   * Copies of the state of each task that other processes of the application follow, so that one of them takes over with little to restore (Kafka Streams:
   * `num.standby.replicas`). What the group's leader is given counts: give all processes the same. Default 0.
   */
  readonly standbys?: number
  /** Name in the group (KIP-345); default: that of the state directory, so that a restart finds its tasks again at once. */
  readonly instanceId?: string
  /** ms; default 30000. */
  readonly sessionTimeoutMs?: number
  /** ms the broker lets a transaction stay open; default 10000, more with a commit interval above 1 s. */
  readonly transactionTimeoutMs?: number
  /** Where to start a partition without a committed offset whose source does not say (`startFrom`); default `earliest`. */
  readonly from?: 'earliest' | 'latest'
  /** ms after which the topics of the cluster are looked at anew for those that match a pattern, at most; default 60000. */
  readonly metadataMaxAgeMs?: number
  /**
   * Kafka topic configs of the changelogs and repartition topics that are created from now on (Kafka Streams: the prefix `topic.`); those that are there
   * stay as they are. `cleanup.policy`, `retention.ms`, `retention.bytes` and `message.timestamp.type` are the engine's: INVALID_ARGUMENT. Default none.
   */
  readonly topicConfigs?: TopicConfigs
  /** Where the engines run; default: one, in this thread. */
  readonly startEngines?: (parts: EngineParts) => Promise<readonly Engine[]>
  readonly clock?: Clock
  /** One line per notable event (restore, rebalance, recovery), never per record. */
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void
}

export interface StreamsApp {
  /** Plain numbers, cheap enough to take every second. */
  snapshot(): Snapshot
  /**
   * A store, to be read beside the records, by its name and kind: the partitions whose tasks are in this process, as they are committed. A query
   * throws StreamError REBALANCE while one of them is restored, when none is here, and when one goes while it is read: ask again. Engines in threads
   * of their own (`--workers` on Kafka) keep their stores to themselves: INVALID_ARGUMENT.
   */
  readonly store: StoreLookup
  /**
   * Resolves when every source's last stable offset, as it was at this call, is processed and committed, and so is all
   * that it caused in repartition topics. With other processes in the group it waits for their partitions' commits too.
   */
  caughtUp(): Promise<void>
  /** Commits what is processed, leaves the group, closes the stores. A second call returns the same promise. */
  stop(): Promise<void>
  /** Settles when the app has ended: rejects with the StreamError that stopped it. */
  readonly ended: Promise<void>
}
