/** The logical graph: frozen data, built by the DSL, read by the compiler and by `graph`. It knows no operator and no broker. */

import type { Storage } from '../common/storage.ts'
import type { JoinWindows, SessionWindows, SlidingWindows, TimeWindows } from '../common/windows.ts'
import type { AnySerde } from '../serde/serde.ts'
import type { DeserializationPolicy } from '../serde/topic.ts'

/** Where the user wrote the call that made a node. */
export interface SourceLocation {
  readonly file: string
  readonly line: number
}

/** Index of a node in `Topology.nodes`. Parents always have smaller ids: the array is in topological order. */
export type NodeId = number

export type StoreKind = 'key-value' | 'window' | 'session' | 'buffer' | 'sliding' | 'join' | 'versioned'

/** A store as the graph knows it. Its name is also the base name of its changelog topic, if it has one of its own. */
export interface StoreSpec {
  readonly name: string
  readonly kind: StoreKind
  readonly key: AnySerde
  readonly value: AnySerde
  /** Set on window stores. */
  readonly windows?: TimeWindows
  /** Set on session stores. */
  readonly session?: SessionWindows
  /** Set on stores of sliding windows. */
  readonly sliding?: SlidingWindows
  /** Set on the stores of a stream-stream join. */
  readonly join?: JoinWindows
  /** Of a join's store: its rows end with the time of its own side, not of both. */
  readonly ownTime?: true
  /** Set on versioned stores: ms of stream time that older versions stay in reach. */
  readonly historyMs?: number
  /** Set on key-value stores whose rows end: ms of stream time after the timestamp of a row. */
  readonly ttlMs?: number
  /** Set on the buffer of a stream-table join, whose kind is `join`: ms of stream time that a record waits. */
  readonly graceMs?: number
  /** ms of stream time after which a row can no longer be reached, so that its changelog record can go; without it rows stay. */
  readonly retentionMs?: number
  /** Its windows are passed on when they close, so that it keeps in mind which are open. */
  readonly closes?: true
  /** Of a buffer that has a limit in bytes: it measures its rows. */
  readonly measured?: true
  /** Set on the store of a table whose topic is its changelog: that topic. Without it the store has a changelog of its own. */
  readonly sourceTopic?: string
  readonly storage: Storage
}

interface NodeBase {
  readonly id: NodeId
  /** For people: the given name, or the path of calls that led here. Names of stores and topics never come from it. */
  readonly name: string
  readonly parents: readonly NodeId[]
  readonly where?: SourceLocation
}

// biome-ignore lint/suspicious/noExplicitAny: user functions of every type; the typed facade has checked them.
type Fn<R = any> = (...args: any[]) => R

/** `(key, value, partitions) => partition`; undefined leaves it to the key. */
export type Partitioner = Fn<number | undefined>

/** Where a partition is read from that has no committed offset: `agoMs` from the first record that is no older by its timestamp. */
export type StartFrom = 'earliest' | 'latest' | 'none' | { readonly agoMs: number }

/** What becomes of a record whose timestamp is none: negative, or no whole number. */
export type TimestampPolicy = 'fail' | 'skip' | 'partition-time' | 'wall-clock'

interface ReadsBase extends NodeBase {
  readonly key: AnySerde
  readonly value: AnySerde
  readonly onDeserializationError: DeserializationPolicy
  /** `(value | null, key | null, context) => ms`; without one it is the record's own. */
  readonly timestamp?: Fn
  readonly onInvalidTimestamp: TimestampPolicy
  /** Without it the application's. */
  readonly startFrom?: StartFrom
}
export interface SourceNode extends ReadsBase {
  readonly kind: 'source'
  readonly topic: string
}
/** All topics whose names match; on a cluster it is a source of each (`patterns.ts`). Its name is the pattern, as it is written. */
export interface PatternSourceNode extends ReadsBase {
  readonly kind: 'pattern-source'
  /** Of whole names. */
  readonly pattern: RegExp
}
/** `negate` is `filterNot`. */
export interface FilterNode extends NodeBase {
  readonly kind: 'filter'
  readonly predicate: Fn<boolean>
  readonly negate: boolean
}
/** `(value, key) => [key, value]` */
export interface MapNode extends NodeBase {
  readonly kind: 'map'
  readonly mapper: Fn<readonly [unknown, unknown]>
}
/** `(value, key) => value` */
export interface MapValuesNode extends NodeBase {
  readonly kind: 'map-values'
  readonly mapper: Fn
}
/** `(value, key, call) => promise of a value`; results leave in the order of their records. */
export interface MapAsyncNode extends NodeBase {
  readonly kind: 'map-async'
  readonly mapper: Fn
  /** Most calls under way in a task. */
  readonly concurrency: number
  readonly timeoutMs: number
}
/** `(value, key) => iterable of [key, value]` */
export interface FlatMapNode extends NodeBase {
  readonly kind: 'flat-map'
  readonly mapper: Fn<Iterable<readonly [unknown, unknown]>>
}
/** `(value, key) => iterable of values` */
export interface FlatMapValuesNode extends NodeBase {
  readonly kind: 'flat-map-values'
  readonly mapper: Fn<Iterable<unknown>>
}
/** `(value, key) => key` */
export interface SelectKeyNode extends NodeBase {
  readonly kind: 'select-key'
  readonly mapper: Fn
}
/** `(value, key) => void`, record passes on. */
export interface PeekNode extends NodeBase {
  readonly kind: 'peek'
  readonly action: Fn<void>
}
/** `(value, key) => void`, record ends here. */
export interface ForeachNode extends NodeBase {
  readonly kind: 'foreach'
  readonly action: Fn<void>
}
/** `[label]: key, value` on a line; record ends here. */
export interface PrintNode extends NodeBase {
  readonly kind: 'print'
  readonly label: string
  /** Infinity without a limit. */
  readonly limit: number
}
export interface MergeNode extends NodeBase {
  readonly kind: 'merge'
}
/** Each record goes to the first branch whose predicate holds; `null` always holds. Its children are `branch` nodes. */
export interface SplitNode extends NodeBase {
  readonly kind: 'split'
  readonly predicates: readonly (Fn<boolean> | null)[]
}
export interface BranchNode extends NodeBase {
  readonly kind: 'branch'
  /** Index in the parent's `predicates`, or `topics`. */
  readonly index: number
}
/** Each record goes to the topic that `(value, key, context) => topic` gives. Its children are `branch` nodes, one before each sink. */
export interface ChooseTopicNode extends NodeBase {
  readonly kind: 'choose-topic'
  readonly chooser: Fn
  readonly topics: readonly string[]
}
interface LimitNodeBase extends NodeBase {
  /** When records of a key, or of an id within it, were let pass; its windows are one period long. */
  readonly store: StoreSpec
  /** Of the records. */
  readonly key: AnySerde
  /** `(value, key) => id`, null for none. Without it the key is the id. */
  readonly by?: Fn
  readonly periodMs: number
  /** How far behind stream time a record may be and still be judged, ms. */
  readonly graceMs: number
}
/** Passes on the first record of each id in a period. */
export interface DedupeNode extends LimitNodeBase {
  readonly kind: 'dedupe'
}
/** Passes on so many records of each id in any period. Its children are `branch` nodes: 0 within the limit, 1 over it. */
export interface RateLimitNode extends LimitNodeBase {
  readonly kind: 'rate-limit'
  readonly limit: number
}
/** Writes `<app>-<topic>-repartition` in one sub-topology and is the source of it in the next. */
export interface RepartitionNode extends NodeBase {
  readonly kind: 'repartition'
  /** Base name of the topic. */
  readonly topic: string
  readonly key: AnySerde
  readonly value: AnySerde
  /** Fixed by the user, else as many as the largest source upstream or as co-partitioning demands. */
  readonly partitions?: number
  readonly partitioner?: Partitioner
}
/** Materialises its stream as a table: the last value of a key; a null value deletes. With a versioned store by time, else by arrival. */
export interface TableNode extends NodeBase {
  readonly kind: 'table'
  readonly store: StoreSpec
}
/** count, reduce, aggregate. Without `initializer` the first value is the aggregate (reduce). */
export interface AggregateNode extends NodeBase {
  readonly kind: 'aggregate'
  readonly store: StoreSpec
  readonly initializer?: () => unknown
  /** `(aggregate, value, key) => aggregate`; null deletes the row. */
  readonly aggregator: Fn
  /** The aggregator looks at no value (count), so that none has to be read for it. */
  readonly ignoresValue?: true
}
export interface WindowAggregateNode extends NodeBase {
  readonly kind: 'window-aggregate'
  readonly store: StoreSpec & { readonly windows: TimeWindows }
  readonly initializer?: () => unknown
  readonly aggregator: Fn
  readonly ignoresValue?: true
}
/** Without `initializer` the first value is the aggregate (reduce). */
export interface SlidingAggregateNode extends NodeBase {
  readonly kind: 'sliding-aggregate'
  readonly store: StoreSpec & { readonly sliding: SlidingWindows }
  readonly initializer?: () => unknown
  readonly aggregator: Fn
  readonly ignoresValue?: true
}
/** Without `initializer` the first value is the aggregate (reduce). */
export interface SessionAggregateNode extends NodeBase {
  readonly kind: 'session-aggregate'
  readonly store: StoreSpec & { readonly session: SessionWindows }
  readonly initializer?: () => unknown
  readonly aggregator: Fn
  /** `(aggregate, other, key) => aggregate` of two sessions that become one. */
  readonly merger: Fn
  readonly ignoresValue?: true
}
/** Sends each change of a row to its group: a stream of changes, old and new value in one. */
export interface TableGroupByNode extends NodeBase {
  readonly kind: 'table-group-by'
  /** `(value, key) => [key, value]` */
  readonly mapper: Fn<readonly [unknown, unknown]>
  /** Of the group's key: what tells two keys apart. */
  readonly key: AnySerde
}
/** count, reduce and aggregate of a grouped table. Without `initializer` the first value is the aggregate (reduce). */
export interface TableAggregateNode extends NodeBase {
  readonly kind: 'table-aggregate'
  readonly store: StoreSpec
  readonly initializer?: () => unknown
  /** `(aggregate, value, key) => aggregate`; null deletes the row. */
  readonly aggregator: Fn
  /** `(aggregate, value, key) => aggregate` without the value; null deletes the row. */
  readonly subtractor: Fn
}
/** One of the streams that are folded into one table: its child is that aggregate's node, which has the store and all the rest. */
export interface CogroupInputNode extends NodeBase {
  readonly kind: 'cogroup-input'
  /** Takes the place of the aggregate's own. */
  readonly aggregator: Fn
}
/** Rows of a table for which the predicate holds; the others are deleted downstream. `negate` is `filterNot`. */
export interface TableFilterNode extends NodeBase {
  readonly kind: 'table-filter'
  readonly predicate: Fn<boolean>
  readonly negate: boolean
}
/** `(value, key) => value`, of rows that are there. */
export interface TableMapValuesNode extends NodeBase {
  readonly kind: 'table-map-values'
  readonly mapper: Fn
}
/** `punctuate(timestamp, context)`, called when a time has come. */
export interface Punctuator {
  readonly type: 'stream-time' | 'wall-clock-time'
  readonly everyMs: number
  readonly punctuate: Fn
}
/** A processor of the user's: `on(record, context)`. `parents` is its stream, then the tables it reads; the stream drives it. */
export interface ProcessNode extends NodeBase {
  readonly kind: 'process'
  /** By the names under which its function knows them. */
  readonly stores: Readonly<Record<string, StoreSpec>>
  /** As `stores`; each with the name of the store that the table is kept in, or derived from. */
  readonly tables: Readonly<Record<string, { readonly node: NodeId; readonly stores: readonly string[] }>>
  /** What it forwards has the key of the record at hand (processValues). */
  readonly fixedKey: boolean
  readonly on: Fn
  readonly punctuators: readonly Punctuator[]
}
/** Rows made by `transform(value | null, key, context)`. `parents` is its table, then the tables it reads; the first drives it. */
export interface TableTransformValuesNode extends NodeBase {
  readonly kind: 'table-transform-values'
  /** The results. */
  readonly store: StoreSpec
  readonly stores: Readonly<Record<string, StoreSpec>>
  readonly tables: Readonly<Record<string, { readonly node: NodeId; readonly stores: readonly string[] }>>
  readonly transform: Fn
  readonly punctuators: readonly Punctuator[]
}
/** Holds updates of its table back until stream time is past a limit, and passes on the last one of each key. */
export interface SuppressNode extends NodeBase {
  readonly kind: 'suppress'
  /** The updates that are held back. */
  readonly store: StoreSpec
  readonly until: 'window-close' | 'time-limit'
  readonly limitMs: number
  readonly maxRecords: number
  readonly maxBytes: number
  readonly whenFull: 'emit' | 'stop'
}
/** From table to stream: every update is a record. */
export interface ToStreamNode extends NodeBase {
  readonly kind: 'to-stream'
}
/** `parents` is [stream, table]; driven by the stream, looks up the table's store. */
export interface StreamTableJoinNode extends NodeBase {
  readonly kind: 'stream-table-join'
  /** Names of the stores that the table is kept in, or derived from. */
  readonly stores: readonly string[]
  readonly left: boolean
  /** `(streamValue, tableValue | null, key) => value` */
  readonly joiner: Fn
  /** Where records wait until stream time is the grace past them. */
  readonly buffer?: StoreSpec & { readonly graceMs: number }
}
/** `parents` is [left, right]; driven by both, each looks up the other. */
export interface TableTableJoinNode extends NodeBase {
  readonly kind: 'table-table-join'
  /** Names of the stores that both sides are kept in, or derived from. */
  readonly stores: readonly string[]
  /** Rows of the left side that have no partner are joined with null. */
  readonly left: boolean
  /** Rows of the right side that have no partner are joined with null. */
  readonly right: boolean
  /** `(leftValue | null, rightValue | null, key) => value` */
  readonly joiner: Fn
}
/** `parents` is [left stream, right stream], which may be one and the same; each side keeps its records in a store of its own. */
export interface StreamStreamJoinNode extends NodeBase {
  readonly kind: 'stream-stream-join'
  readonly stores: readonly [left: StoreSpec, right: StoreSpec]
  readonly windows: JoinWindows
  /** Whose records are given out alone when nothing matches them. */
  readonly outer: 'none' | 'left' | 'both'
  /** `(value | null, otherValue | null, key) => value` */
  readonly joiner: Fn
  /** Record by record as Kafka Streams, where the default is better. */
  readonly compat?: 'kafka-streams'
}
/** The left side of a foreign-key join: a stream of subscriptions, by foreign key. */
export interface ForeignKeySubscribeNode extends NodeBase {
  readonly kind: 'foreign-key-subscribe'
  /** `(value, key) => key of the other table`, null for none. */
  readonly foreignKey: Fn
  readonly left: boolean
  /** Serdes of the left table: its keys travel, its values are told apart by their bytes. */
  readonly key: AnySerde
  readonly value: AnySerde
  /** Of the foreign key. */
  readonly otherKey: AnySerde
}
/** `parents` is [subscriptions, other table]; driven by both: a stream of answers, by key of the left table. */
export interface ForeignKeyJoinNode extends NodeBase {
  readonly kind: 'foreign-key-join'
  /** The subscriptions. */
  readonly store: StoreSpec
  /** Names of the stores that the other table is kept in, or derived from. */
  readonly stores: readonly string[]
  /** Of the foreign key. */
  readonly key: AnySerde
}
/** `parents` is [answers, left table]; driven by the answers. */
export interface ForeignKeyResultNode extends NodeBase {
  readonly kind: 'foreign-key-result'
  /** The results; without it they are passed on alone, and nobody downstream looks at rows or at old values. */
  readonly store?: StoreSpec
  /** Names of the stores that the left table is kept in, or derived from. */
  readonly stores: readonly string[]
  readonly left: boolean
  /** `(value, other | null, key) => value` */
  readonly joiner: Fn
  /** Of the left table's values. */
  readonly value: AnySerde
}
/** The rows of a whole topic, held by every engine; belongs to no sub-topology. Joins name it in `globalTable`. */
export interface GlobalTableNode extends NodeBase {
  readonly kind: 'global-table'
  readonly topic: string
  readonly key: AnySerde
  readonly value: AnySerde
  /** Name of the store. */
  readonly table: string
}
/** Driven by the stream; looks a global table up. */
export interface StreamGlobalTableJoinNode extends NodeBase {
  readonly kind: 'stream-global-table-join'
  /** Name of the global table's store. */
  readonly globalTable: string
  readonly left: boolean
  /** `(value, key) => tableKey`; null: none. */
  readonly selector: Fn
  /** `(streamValue, tableValue | null, key) => value` */
  readonly joiner: Fn
}
export interface SinkNode extends NodeBase {
  readonly kind: 'sink'
  readonly topic: string
  readonly key: AnySerde
  readonly value: AnySerde
  readonly partitioner?: Partitioner
  /** It takes the records that came too late for the windows of its parent, and not what that passes on. */
  readonly late?: true
}

export type TopologyNode =
  | SourceNode
  | PatternSourceNode
  | FilterNode
  | MapNode
  | MapValuesNode
  | MapAsyncNode
  | FlatMapNode
  | FlatMapValuesNode
  | SelectKeyNode
  | PeekNode
  | ForeachNode
  | PrintNode
  | MergeNode
  | SplitNode
  | BranchNode
  | ChooseTopicNode
  | DedupeNode
  | RateLimitNode
  | RepartitionNode
  | TableNode
  | AggregateNode
  | WindowAggregateNode
  | SlidingAggregateNode
  | SessionAggregateNode
  | TableGroupByNode
  | TableAggregateNode
  | CogroupInputNode
  | TableFilterNode
  | TableMapValuesNode
  | TableTransformValuesNode
  | SuppressNode
  | ToStreamNode
  | StreamTableJoinNode
  | ProcessNode
  | TableTableJoinNode
  | ForeignKeySubscribeNode
  | ForeignKeyJoinNode
  | ForeignKeyResultNode
  | StreamStreamJoinNode
  | GlobalTableNode
  | StreamGlobalTableJoinNode
  | SinkNode

/** A topology is a value: building it does nothing. */
export interface Topology {
  readonly kind: 'topology'
  /** Default application id: consumer group, prefix of internal topics and of the state directory. */
  readonly name: string
  readonly nodes: readonly TopologyNode[]
  /** Windows are closed when the inputs of a task have been quiet that long, ms by the wall clock. Without it only records close them. */
  readonly idleCloseMs?: number
  /** How long a task waits for an input at its end while others have records, ms by the wall clock; -1 waits for none. Default 0. */
  readonly maxTaskIdleMs?: number
}

/** A part of the graph whose records stay in one task; it ends where a record crosses a topic. */
export interface SubTopology {
  readonly id: number
  /** Ascending. A repartition node is in two: written in one, read in the other. */
  readonly nodes: readonly NodeId[]
  /** Source nodes and repartition nodes read here. */
  readonly sources: readonly NodeId[]
  /** Sink nodes and repartition nodes written here. */
  readonly sinks: readonly NodeId[]
  readonly stores: readonly StoreSpec[]
  /** Groups of topics (base names for repartition topics) that must have equal partition counts. */
  readonly copartitioned: readonly (readonly NodeId[])[]
}
