/** The public API. Nothing inside src imports this file. */

export type { ByteRow, ByteSnapshot, ByteStore, ByteWrite } from './common/byte-store.ts'
export { type ErrorCode, type ErrorLocation, StreamError } from './common/errors.ts'
export type { Header, Headers } from './common/record.ts'
export type { RecordContext } from './common/record-context.ts'
export type { Storage, StoreContext, StoreSupplier } from './common/storage.ts'
export type { Duration } from './common/time.ts'
export {
  type JoinWindows,
  type SessionWindows,
  type SlidingWindows,
  type TimeWindows,
  type Windowed,
  Windows,
} from './common/windows.ts'
export { approxCountDistinct, type Distinct, type DistinctOptions } from './dsl/aggregators/distinct.ts'
export { type CollectOptions, collect, first, last, topK } from './dsl/aggregators/lists.ts'
export { type Mean, max, mean, min, sum } from './dsl/aggregators/numbers.ts'
export type { ReadyAggregator } from './dsl/aggregators/ready.ts'
export type { StreamsBuilder } from './dsl/builder.ts'
export { defineTopology, type TopologyOptions } from './dsl/define.ts'
export type {
  CogroupedKStream,
  SessionWindowedCogroupedKStream,
  TimeWindowedCogroupedKStream,
} from './dsl/facade/cogrouped.ts'
export type { GlobalKTable } from './dsl/facade/global-ktable.ts'
export type { KGroupedStream } from './dsl/facade/grouped.ts'
export type { KGroupedTable } from './dsl/facade/grouped-table.ts'
export type { KStream } from './dsl/facade/kstream.ts'
export type { KTable } from './dsl/facade/ktable.ts'
export type {
  FixedKeyProcessorContext,
  FixedKeyProcessorOptions,
  ForwardOptions,
  KeyValueStore,
  ProcessingContext,
  ProcessorContext,
  ProcessorOptions,
  ProcessorRecord,
  Punctuator,
  ReadOnlyKeyValueStore,
  TransformValuesOptions,
} from './dsl/facade/processor.ts'
export type { SessionWindowedKStream, TimeWindowedKStream } from './dsl/facade/windowed.ts'
export { type StoreDefinition, store } from './dsl/store.ts'
export { type BufferConfig, Suppressed } from './dsl/suppressed.ts'
export { otherwise } from './dsl/types.ts'
export { type AvroOptions, avro } from './serde/avro.ts'
export type { AvroSchema, AvroType } from './serde/avro-type.ts'
export { bytes } from './serde/bytes.ts'
export { double } from './serde/double.ts'
export { int64 } from './serde/int64.ts'
export { json } from './serde/json.ts'
export type { SchemaRegistry } from './serde/registry.ts'
export type { Deserializer, Serde, Serializer } from './serde/serde.ts'
export { sessionWindowed } from './serde/session-windowed.ts'
export { string } from './serde/string.ts'
export { type TopicDefinition, topic } from './serde/topic.ts'
export { type TopicPattern, topicPattern } from './serde/topic-pattern.ts'
export { windowed } from './serde/windowed.ts'
export type { Topology } from './topology/node.ts'
