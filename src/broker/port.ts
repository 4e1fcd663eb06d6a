/**
 * The broker port: what the engine asks of Kafka, in batches. `kafka/` and `embedded/` implement it and pass one
 * compliance suite. Every method rejects with a StreamError; offsets are next-to-read positions.
 */

import type { ConsumerRecord, Headers, TopicPartition } from '../common/record.ts'

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** Kafka topic configs: `cleanup.policy`, `retention.ms`, ... */
  readonly configs: Readonly<Record<string, string>>
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

export interface CommittedOffset extends PartitionOffset {
  /** What the committer stored beside the offset, at most 4096 bytes; '' when nothing. */
  readonly metadata: string
}

/**
 * `earliest`: start of the log. `stable`: last stable offset. `end`: high watermark. `since`, ms since 1970: the first committed
 * record whose timestamp is not before it, the last stable offset where there is none; or sooner: in Kafka a transaction's marker has a timestamp too.
 */
export type OffsetSpec = 'earliest' | 'stable' | 'end' | { readonly since: number }

/** What fences a commit: only the current generation's member may commit (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string
  readonly generation: number
  readonly memberId: string
  readonly instanceId: string | null
}

export interface FetchedPartition extends TopicPartition {
  /** Committed data records only, in offset order; may be empty while `position` advanced over markers or aborted records. */
  readonly records: readonly ConsumerRecord[]
  /** Next offset to read after this. */
  readonly position: number
  /** Last stable offset when the broker answered. */
  readonly stableEnd: number
  readonly highWatermark: number
}

export interface FetcherOptions {
  /** Default `committed`. */
  readonly isolation?: 'committed' | 'uncommitted'
  /** Bytes of one response; bounds what is buffered per broker. Default 2 MiB. */
  readonly maxBytes?: number
  /** Bytes of one partition in a response. Default 512 KiB. */
  readonly maxPartitionBytes?: number
}

/** Reads assigned partitions from explicit positions, fetching ahead while the caller works. */
export interface Fetcher {
  /** Replaces the whole assignment. Nothing fetched under an earlier assignment is returned afterwards. */
  assign(positions: readonly PartitionOffset[]): void
  /** A paused partition is not returned until resumed; its position is kept. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /**
   * What has arrived since the last call, or what arrives within `maxWaitMs`; possibly nothing.
   * @throws StreamError OFFSET_OUT_OF_RANGE (where.topic/partition/offset), TOPIC_MISSING, UNREACHABLE, CORRUPT, UNAUTHORIZED.
   * A position is never reset silently.
   */
  poll(maxWaitMs: number): Promise<readonly FetchedPartition[]>
  /** Ends a waiting poll with what there is; where none waits, the next one does not. */
  wake(): void
  close(): Promise<void>
}

/** Records on their way into one topic, copied as they are appended. */
export interface Output {
  append(partition: number, key: Buffer | null, value: Buffer | null, timestamp: number, headers: Headers): void
  /**
   * As `append`, of a key of `keyLength` bytes at `start` of `source` and a value of `valueLength` bytes right after it; a
   * length of -1 is null. The record path appends so: it has no buffer per record.
   */
  appendRange(
    partition: number,
    source: Buffer,
    start: number,
    keyLength: number,
    valueLength: number,
    timestamp: number,
    headers: Headers,
  ): void
}

/** What one commit adds to the group: consumed positions, fenced by the member's generation. */
export interface OffsetCommit {
  readonly group: GroupMetadata
  readonly offsets: readonly CommittedOffset[]
}

/**
 * One transaction after another. `append` never waits: records gather per partition and are sent at commit, or before
 * when there are many. Any failure leaves the producer in need of `reset`.
 */
export interface TransactionalProducer {
  output(topic: string): Output
  /** Bytes appended since the last commit was sealed. */
  readonly pendingBytes: number
  /**
   * Seals what was appended so far, synchronously: later appends belong to the next transaction, which is sent only after
   * this one has ended. Resolves when the transaction is committed, to the next offset of every partition appended to
   * (by partitionName). With nothing appended and no offsets it resolves at once.
   * @throws StreamError FENCED (another member or producer took over), UNKNOWN_OUTCOME, PRODUCTION (a record refused), ...
   * After a rejection everything not committed is void and only `reset` and `close` are allowed.
   */
  commit(offsets: OffsetCommit | null): Promise<ReadonlyMap<string, number>>
  /** Drops everything uncommitted and takes a new epoch, which ends an open transaction on the broker one way or the other. */
  reset(): Promise<void>
  /** Aborts what is open. */
  close(): Promise<void>
}

/** Idempotent producer without transactions, for tools. */
export interface PlainProducer {
  output(topic: string): Output
  /** Resolves when everything appended is acknowledged by all in-sync replicas. */
  flush(): Promise<ReadonlyMap<string, number>>
  close(): Promise<void>
}

export interface MemberDescription {
  readonly memberId: string
  readonly userData: Buffer
}

/** What a member is given by the leader. */
export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[]
  /** What the leader tells it beside them; empty when there is nothing to tell. */
  readonly userData: Buffer
}

export interface MemberOptions {
  readonly groupId: string
  /** Topics whose metadata changes should end the generation. */
  readonly topics: readonly string[]
  /** Static membership (KIP-345): a restart within the session timeout keeps its assignment. */
  readonly instanceId?: string
  /** Whether `close` gives the tasks up at once. Default: yes without an instance id; with one the place is kept for a restart. */
  readonly leaveOnClose?: boolean
  /** ms; default 30000. */
  readonly sessionTimeoutMs?: number
  /** ms; default 3000. */
  readonly heartbeatIntervalMs?: number
  /** ms a member has to rejoin when the generation ends; default 60000. */
  readonly rebalanceTimeoutMs?: number
  /** Sent with every join, shown to the leader. */
  userData(): Buffer
  /** Run by the leader only: which member reads what. */
  assign(members: readonly MemberDescription[]): ReadonlyMap<string, MemberAssignment>
  /** Awaited before the member rejoins: last chance to commit under the old generation. */
  onRevoke(): Promise<void>
  /** The member has a new assignment under `metadata`. Long work (restore) belongs elsewhere: the next rebalance waits for this. */
  onAssign(assignment: MemberAssignment, metadata: GroupMetadata): Promise<void>
  /** The member was thrown out (fenced, session expired): nothing may be committed; it joins again by itself. */
  onLost(): Promise<void>
  /** Membership cannot go on (unauthorized, fenced instance id). Called at most once. */
  onError(error: Error): void
}

export interface GroupMember {
  /** Ends the current generation early: the next join asks `userData` and `assign` anew. */
  rejoin(): void
  /** Leaves the group without calling back. */
  close(): Promise<void>
}

export interface DescribedMember {
  readonly memberId: string
  readonly clientId: string
  readonly host: string
  /** What it said when it joined, and what it may read; empty while the group rebalances, and of groups that are no application's of ours. */
  readonly userData: Buffer
  readonly partitions: readonly TopicPartition[]
}

export interface GroupDescription {
  /** `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Empty`, `Dead`. */
  readonly state: string
  readonly members: readonly DescribedMember[]
}

/** A connected cluster. */
export interface Broker {
  readonly kind: 'kafka' | 'embedded'
  /** For people: `localhost:9092`, `embedded (memory)`. */
  readonly address: string
  /** The topics that exist among `names` (all topics when omitted). */
  topics(names?: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /** Creates those that do not exist; an existing topic is left as it is. Resolves when they can be used. */
  createTopics(specs: readonly TopicSpec[]): Promise<void>
  /**
   * Kafka topic configs of topics that exist, as they count there: defaults included. The embedded broker has those that its topics were created
   * with; as it deletes nothing by itself, one that was given none counts as compacted.
   */
  topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>
  offsets(partitions: readonly TopicPartition[], at: OffsetSpec): Promise<readonly PartitionOffset[]>
  /**
   * Committed offsets of a group, those of the partitions that have one. Stable: waits out transactions that hold a
   * pending commit on them (KIP-447 require-stable).
   */
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>
  describeGroup(groupId: string): Promise<GroupDescription>
  /** Deletes what lies before the offsets (purging repartition topics). */
  deleteRecords(before: readonly PartitionOffset[]): Promise<void>
  fetcher(options?: FetcherOptions): Fetcher
  /** Takes the transactional id over: fences its previous holder and ends its open transaction. */
  transactionalProducer(options: { transactionalId: string; timeoutMs?: number }): Promise<TransactionalProducer>
  plainProducer(): Promise<PlainProducer>
  join(options: MemberOptions): Promise<GroupMember>
  close(): Promise<void>
}
